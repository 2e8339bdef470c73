#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scripts/trials, with targets that were built. Usage: test_trials.py WALKPROOF TARGETS ENGINE"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

WALKPROOF, TARGETS, ENGINE = (sys.argv.pop(1) for _ in range(3))
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path[1:1] = [str(ROOT / "scripts"), str(ROOT / "fuzz/planted")]
import plant
from trials_engines import Trial, environment, target_of

QUICK = ["x86-user-bit", "rv-global-user"]
HARD = "la-copy-no-break"  # by bytes: not in the time of a test


class Trials(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name).resolve()
        self.file = self.dir / "results" / f"{ENGINE}.jsonl"
        self.temporary = self.dir / "temporary"
        self.temporary.mkdir()

    def command(self, *arguments):
        return [ROOT / "scripts/trials", "--engine", ENGINE, "--targets", TARGETS, "--results",
                self.dir / "results", *map(str, arguments)]

    def environment(self):
        return os.environ | {"TMPDIR": str(self.temporary)}

    def trials(self, *arguments):
        return subprocess.run(self.command(*arguments), env=self.environment(), text=True,
                              capture_output=True, timeout=120, check=False)

    def lines(self):
        return self.file.read_text().splitlines() if self.file.exists() else []

    def results(self):
        return [json.loads(line) for line in self.lines()]

    def keys(self):
        return [(r["trial"], r["mode"], r["bug"]) for r in self.results()]

    def row(self, bug):
        return next(re.split(r" *\| *", line)[2:-1] for line in self.section().splitlines()
                    if line.startswith(f"| {bug} |"))

    def section(self):
        return self.trials("--table").stdout.partition(f"## {ENGINE}\n")[2].partition("\n## ")[0]

    def processes(self):
        """Those that work below the test's folder."""
        found = []
        for cwd in pathlib.Path("/proc").glob("[0-9]*/cwd"):
            try:
                if os.readlink(cwd).startswith(str(self.temporary)):
                    found.append(int(cwd.parent.name))
            except OSError:
                pass
        return found

    def write_results(self, *results):
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text("".join(json.dumps({
            "bug": "x86-user-bit", "engine": ENGINE, "mode": "ours", "trial": 1, "found": True,
            "inputs": 100, "seconds": 0.5, "limit": 20, "date": "2026-01-02", "cpu": "A CPU",
            "commit": "0123456789ab"} | result) + "\n" for result in results))

    # --- trials ---

    def test_one_trial_of_everything_comes_before_the_second_of_anything(self):
        done = self.trials("--trials", 2, "--jobs", 1, "--modes", "ours,no swarm", *QUICK)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.keys(), [(trial, mode, bug) for trial in (1, 2)
                                       for mode in ("ours", "no swarm") for bug in QUICK])
        for result in self.results():
            self.assertTrue(result["found"])
            self.assertGreater(result["inputs"], 0)
            self.assertGreater(result["seconds"], 0)
        self.assertNotEqual(*[[r["inputs"] for r in self.results() if r["trial"] == trial]
                              for trial in (1, 2)])

    def test_what_is_there_is_not_run_again_unless_asked_for(self):
        arguments = ["--trials", 1, "--modes", "ours", QUICK[0]]
        self.trials(*arguments)
        first = self.lines()
        self.assertEqual(len(first), 1)
        done = self.trials(*arguments)
        self.assertEqual((done.returncode, self.lines()), (0, first))
        self.assertIn("0 to go", done.stdout)
        self.trials("--again", *arguments)
        self.assertEqual(len(self.lines()), 2)
        self.assertEqual(*[r["inputs"] for r in self.results()], "the seed is the trial's number")

    def test_what_ran_out_of_time_is_run_again_with_more(self):
        arguments = ["--trials", 1, "--modes", "bytes", HARD]
        for seconds, lines in (1, 1), (1, 1), (2, 2), (1, 2):
            self.trials("--seconds", seconds, *arguments)
            self.assertEqual(len(self.lines()), lines)
        self.assertFalse(any(r["found"] for r in self.results()))
        self.assertTrue(all(r["inputs"] > 0 for r in self.results()))
        self.assertEqual(self.row(HARD), ["> 2 s, 0 of 1"])

    def test_an_interrupted_run_loses_what_is_under_way_alone_and_leaves_no_process(self):
        what = ["--trials", 2, "--modes", "ours,bytes", "--jobs", 2, QUICK[0], HARD]
        for number in signal.SIGINT, signal.SIGTERM:
            with self.subTest(number), subprocess.Popen(
                    self.command("--seconds", 600, "--again", *what), env=self.environment(),
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
                before = len(self.lines())
                while len(self.lines()) == before or not self.processes():
                    self.assertIsNone(run.poll())
                    time.sleep(0.01)
                run.send_signal(number)
                self.assertRegex(run.communicate()[1], r"\Ainterrupted: [^\n]+ goes on from there\n\Z")
                self.assertEqual(run.returncode, 130)
                self.assertEqual(self.processes(), [])
                self.assertEqual(list(self.temporary.iterdir()), [])
        kept = self.lines()
        self.trials("--seconds", 1, *what)
        self.assertEqual(self.lines()[:len(kept)], kept)
        self.assertEqual(len(set(self.keys())), 8)
        self.assertEqual(len(set(self.keys()[:len(kept)])) + len(self.keys()) - len(kept), 8)

    def test_two_runs_do_not_write_to_one_file(self):
        with subprocess.Popen(
                self.command("--seconds", 600, "--trials", 1, "--modes", "bytes", HARD),
                env=self.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
            while not self.processes():
                self.assertIsNone(run.poll())
                time.sleep(0.01)
            done = self.trials(QUICK[0])
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, r"\Ascripts/trials: another run [^\n]+\n\Z")
            run.terminate()
            run.communicate()

    # --- results ---

    def test_the_table_has_a_line_for_every_planted_bug(self):
        bugs = json.loads(subprocess.run([WALKPROOF, "planted", "--list", "--json"], text=True,
                                         capture_output=True, check=True).stdout)
        self.write_results({})
        self.assertEqual(re.findall(r"(?m)^\| ([a-z0-9-]+) \|", self.section())[1:],
                         [bug["bug"] for bug in bugs])

    def test_a_trial_that_found_nothing_takes_longer_than_any_other(self):
        lost = {"found": False, "inputs": 9000, "seconds": 20.1}
        for found, cell in (10, "109 (0.5 s)"), (6, "109 (0.5 s), 6 of 10"), (
                5, "> 20 s, 5 of 10"), (0, "> 20 s, 0 of 10"):
            with self.subTest(found):
                self.write_results(*[{"trial": i, "inputs": 100 + 2 * i} |
                                     (lost if i >= found else {}) for i in range(10)])
                self.assertEqual(self.row("x86-user-bit"), [cell])

    def test_a_later_result_takes_the_place_of_an_earlier(self):
        self.write_results({"inputs": 7}, {"inputs": 9})
        self.assertEqual(self.row("x86-user-bit")[0], "9 (0.5 s)")

    def test_damaged_results_are_told_and_left_alone(self):
        self.write_results({}, {})
        whole = self.file.read_text()
        for damage in whole[:-30], whole + "\n", whole + "{}\n", whole.replace("100", '"100"'):
            self.file.write_text(damage)
            for arguments in ["--table"], QUICK:
                done = self.trials(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertRegex(done.stderr, r"\Ascripts/trials: [^\n]+: line \d is no result[^\n]+\n\Z")
            self.assertEqual(self.file.read_text(), damage)

    def test_the_page_is_made_of_the_results(self):
        page = subprocess.run([ROOT / "scripts/trials", "--table"], text=True,
                              capture_output=True, check=True).stdout
        self.assertEqual((ROOT / "fuzz/TRIALS.md").read_text(), page,
                         "run scripts/trials --table >fuzz/TRIALS.md")

    # --- bugs and targets ---

    def test_each_bug_has_a_target_that_serves_its_regime(self):
        bugs = {(bug["regime"], bug.get("found")): bug
                for bug in plant.read_bugs(ROOT / "fuzz/planted/bugs.txt")}
        for bug in bugs.values():
            with self.subTest(bug["bug"]):
                trial = Trial(bug, target_of(bug), "ours", 1)
                done = subprocess.run(
                    [pathlib.Path(TARGETS) / trial.target, "-runs=0", self.temporary],
                    env=environment(trial), capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_wrong_arguments_get_one_line_and_exit_2(self):
        for arguments, says in (["--modes", "none"], "no swarm"), (["no-such-bug"], "no-such-bug"), (
                ["--jobs", "0"], "--jobs"), (["--targets", "nowhere", QUICK[0]], "nowhere"):
            with self.subTest(arguments):
                done = self.trials(*arguments)
                self.assertEqual(done.returncode, 2)
                self.assertRegex(done.stderr, r"\Ascripts/trials: [^\n]+\n\Z")
                self.assertIn(says, done.stderr)


unittest.main()
