# SPDX-License-Identifier: MIT
"""How scripts/trials starts each engine on a planted bug, and what came of it."""
import dataclasses
import os
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
MUTATORS = {"ours": "", "no swarm": "unswarmed", "bytes": "bytes"}
# What libFuzzer exits with: a crash or a finding, a hang, too much memory.
LIBFUZZER_FOUND = (77, 70, 71)


class Unstarted(Exception):
    """The engine ended for another reason than a finding or the end of its time."""


@dataclasses.dataclass
class Trial:
    bug: dict
    target: str
    mode: str
    number: int  # the seed, too


def environment(trial):
    return os.environ | {
        "WALKPROOF_SUBJECT": trial.bug["bug"], "WALKPROOF_MUTATOR": MUTATORS[trial.mode],
        "WALKPROOF_TARGET": trial.target, "WALKPROOF_WITHOUT": "unicorn qemu kvm"}


def dictionary(trial):
    return ROOT / "corpus" / f"{trial.target}.dict"


def number_in(pattern, text):
    match = re.search(pattern, text)
    if not match:
        raise Unstarted(text.strip().splitlines()[-1] if text.strip() else "it said nothing")
    return int(match[1])


class LibFuzzer:
    """In build-fuzz."""
    name, presets, folder = "libfuzzer", ("fuzz",), "build-fuzz/fuzz/targets"

    def command(self, trial, folder, scratch):
        (scratch / "corpus").mkdir()
        return [folder / trial.target, f"-seed={trial.number}", "-len_control=0",
                "-print_final_stats=1", f"-dict={dictionary(trial)}",
                f"-artifact_prefix={scratch}/", scratch / "corpus"], environment(trial) | {
                    "ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "halt_on_error=1"}

    def outcome(self, code, log, scratch):
        """Whether it found something, and after how many inputs."""
        del scratch
        inputs = number_in(r"number_of_executed_units: (\d+)", log)
        return code in LIBFUZZER_FOUND or "\nFINDING " in log, inputs


class Own:
    """Our own engine, in build."""
    name, presets, folder = "own", ("dev",), "build/fuzz/targets"

    def command(self, trial, folder, scratch):
        (scratch / "corpus").mkdir()
        return [folder / trial.target, f"-seed={trial.number}", "-max_total_time=1000000",
                scratch / "corpus"], environment(trial)

    def outcome(self, code, log, scratch):
        del scratch
        if code < 0:
            return True, number_in(r"(?m)^inputs: (\d+)$", log)
        return False, number_in(r"(?m)^(\d+) inputs, no finding$", log)


class Afl:
    """In build-afl, with the mutator of build."""
    name, presets, folder = "afl", ("dev", "afl"), "build-afl/fuzz/targets"

    def command(self, trial, folder, scratch):
        (scratch / "in").mkdir()
        (scratch / "in/empty").write_bytes(bytes(4))  # it refuses files that are empty
        env = environment(trial) | {
            "AFL_BENCH_UNTIL_CRASH": "1", "AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1",
            "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "AFL_NO_AFFINITY": "1"}
        if trial.mode != "bytes":
            env["AFL_CUSTOM_MUTATOR_LIBRARY"] = str(
                ROOT / "build/fuzz/targets/libwalkproof-afl.so")
        return ["afl-fuzz", "-i", scratch / "in", "-o", scratch / "out", "-s", str(trial.number),
                "-x", dictionary(trial), "--", folder / trial.target], env

    def outcome(self, code, log, scratch):
        del code
        stats = scratch / "out/default/fuzzer_stats"
        if not stats.exists():
            plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", log)
            aborted = re.search(r"PROGRAM ABORT : (.*)", plain)
            raise Unstarted(aborted[1] if aborted else "afl-fuzz didn't start")
        text = stats.read_text()
        return (number_in(r"saved_crashes +: (\d+)", text) > 0,
                number_in(r"execs_done +: (\d+)", text))


ENGINES = {engine.name: engine for engine in (LibFuzzer(), Own(), Afl())}


def target_of(bug):
    """The one on programs, or on damaged tables, of the bug's regime; None: there is none."""
    targets = {path.stem for path in (ROOT / "fuzz/targets").glob("fuzz_*.c")}
    words = bug["regime"].split("_")
    names = ["fuzz_" + "_".join(words[:count]) for count in range(len(words), 0, -1)]
    if bug.get("found") == "damage":
        names = ["fuzz_damage"]
    return next((name for name in names if name in targets), None)
