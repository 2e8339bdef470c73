#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The real walkproof, as its user sees it. Usage: test_cli.py WALKPROOF"""
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import unittest

WALKPROOF = str(pathlib.Path(sys.argv.pop(1)).resolve())
QUIRKS = pathlib.Path(__file__).resolve().parent.parent / "corpus/quirks/debian12.txt"
BUG = "x86-user-bit"

PROGRAM = """walkproof 1
regime aarch64_low
map_region t0 va=0x40000000 pa=0x80000000 size=600x4K flags=rw----
map t0 va=0x80000000 pa=0x40000000 size=2M flags=r-xu--
map t1 va=0x1000 pa=0x3000 size=4K flags=rw--d-
"""


class CommandLine(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)

    def walkproof(self, *arguments):
        return subprocess.run([WALKPROOF, *map(str, arguments)], cwd=self.dir, text=True,
                              capture_output=True, timeout=120, check=False)

    def json_of(self, *arguments):
        return json.loads(self.walkproof(*arguments, "--json").stdout)

    def file(self, content, name="program.wp"):
        path = self.dir / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    def assert_refused(self, *arguments, says=""):
        """One line on standard error, nothing on standard output, exit 2."""
        done = self.walkproof(*arguments)
        self.assertEqual(done.returncode, 2, arguments)
        self.assertEqual(done.stdout, "", arguments)
        self.assertRegex(done.stderr, r"\Awalkproof: [^\n]+\n\Z")
        self.assertIn(says, done.stderr)

    # --- bad input ---

    def test_wrong_arguments_get_one_line_and_exit_2(self):
        good = self.file(PROGRAM)
        for arguments, says in [
                ([], "--help"), (["nonsense"], "nonsense"), (["fuzz", "--secs", "3"], "--secs"),
                (["fuzz", "--seconds"], "--seconds"), (["fuzz", "--seconds", "0"], "--seconds"),
                (["fuzz", "--seconds", "x"], "--seconds"), (["fuzz", "--jobs", "-1"], "--jobs"),
                (["fuzz", "--arch", "mips"], "mips"), (["fuzz", "--subject", "no"], "'no'"),
                (["fuzz", "--subject", BUG, "--arch", "riscv64"], "riscv64"),
                (["fuzz", "extra"], "extra"), (["replay"], "--help"), (["show"], "--help"),
                (["show", good, good], "--help"), (["shrink"], "--help"),
                (["shrink", good, good], "--help"), (["shrink", "--runs", "0", good], "--runs"),
                (["explain"], "--help"), (["explain", good, good], "--help"),
                (["walk", good], "--help"),
                (["walk", good, "0x"], "0x"), (["walk", good, "1.5"], "1.5"),
                (["walk", good, "0x1000", "--table", "2"], "--table"),
                (["walk", good, "0x1000", "--at", "0", "--table", "7"], "--table"),
                (["replay", "--scope", "mips", good], "mips"), (["machines", "x"], "x"),
                (["planted", "no-such-bug"], "no-such-bug"), (["planted", "-l", "x"], "-l")]:
            with self.subTest(arguments):
                self.assert_refused(*arguments, says=says)

    def test_damaged_and_missing_files_get_one_line_and_exit_2(self):
        for content, says in [
                ("", "empty"), ("walkproo 1\nregime x86_64\n", "walkproof 1"),
                ("walkproof 2\nregime x86_64\n", "line 1"), ("walkproof 1\nregime mips\n", "mips"),
                ("walkproof 1\nregime x86_64\nmap t0 va=zz\n", "line 3"),
                (b"walkproof 1\nregime x86_64\n\0query t0 va=0\n", "damaged"),
                (b"\xff\x01\x02", "--scope"), (b"\0" * 2000000, "1 MiB")]:
            for command in (["replay", "bad"], ["show", "bad"], ["walk", "bad", "0x1000"],
                            ["shrink", "bad"], ["explain", "bad"]):
                with self.subTest(content=content[:40], command=command):
                    self.file(content, "bad")
                    self.assert_refused(*command, says=says)
        self.assert_refused("replay", "missing", says="missing")
        self.assert_refused("replay", ".", says="directory")

    def test_a_damaged_file_among_others_is_found_before_anything_runs(self):
        self.assert_refused("replay", self.file(PROGRAM), self.file("", "bad"), says="bad")

    def test_help_teaches_with_an_example_and_exits_0(self):
        self.assertIn("walkproof fuzz --seconds 60", self.walkproof("--help").stdout)
        for command in ("fuzz", "replay", "shrink", "explain", "show", "walk", "machines",
                        "planted"):
            with self.subTest(command):
                done = self.walkproof(command, "--help")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertRegex(done.stdout, r"For\s+example")
                self.assertIn(f"\n  walkproof {command}", done.stdout)

    # --- fuzz and replay ---

    def test_the_same_seed_gives_the_same_table_whatever_the_jobs(self):
        tables = []
        for jobs in (1, 1, 2):
            done = self.walkproof("fuzz", "--programs", 200, "--seed", 1, "--jobs", jobs)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            tables.append(done.stdout[done.stdout.index("architecture "):])
        self.assertEqual(tables[0], tables[1])
        self.assertEqual(tables[0], tables[2])
        for arch in ("x86_64", "aarch64", "riscv64", "loongarch64", "x86_ept"):
            self.assertRegex(tables[0], rf"(?m)^{arch} +200 ")

    def test_a_worker_that_is_ended_from_outside_is_no_finding(self):
        with subprocess.Popen([WALKPROOF, "fuzz", "--seconds", "60", "--jobs", "1", "--arch",
                               "x86_64", "--without", "qemu", "--without", "kvm"], cwd=self.dir,
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as fuzz:
            children = pathlib.Path(f"/proc/{fuzz.pid}/task/{fuzz.pid}/children")
            while not children.read_text():
                time.sleep(0.01)
            time.sleep(0.5)
            os.kill(int(children.read_text().split()[0]), signal.SIGTERM)
            out, _ = fuzz.communicate(timeout=50)
        self.assertEqual(fuzz.returncode, 0)
        self.assertNotIn("crash", out)
        self.assertIn("interrupted", out)

    def test_another_seed_gives_other_programs(self):
        one, two = (self.json_of("fuzz", "--programs", 50, "--seed", seed)["architectures"]
                    for seed in (1, 2))
        self.assertNotEqual([row["operations"] for row in one],
                            [row["operations"] for row in two])

    def test_a_repeated_seed_is_told(self):
        done = self.walkproof("fuzz", "--programs", 1, "--arch", "riscv64_sv48")
        seed = re.search(r"repeat with --seed (\d+)", done.stdout).group(1)
        self.assertGreater(int(seed), 0)

    def test_time_is_shared_and_kept(self):
        # under sanitizers a few programs that QEMU is asked about would take all of it
        report = self.json_of("fuzz", "--seconds", 2, "--jobs", 2, "--without", "qemu",
                              "--without", "kvm")
        self.assertTrue(1.9 < report["seconds"] < 20)
        for row in report["architectures"]:
            self.assertGreater(row["programs"], 0)
            self.assertGreater(row["probes"]["paper"]["answered"], 0)

    def test_a_planted_bug_gets_a_reproducer_that_replays(self):
        report = self.json_of("fuzz", "--subject", BUG, "--programs", 100, "--seed", 1)
        self.assertGreater(len(report["findings"]), 0)
        for finding in report["findings"]:
            text = (self.dir / finding["path"]).read_text()
            self.assertTrue(text.startswith(f"# {finding['key']}\n"))
            self.assertLess(finding["number"], 100)
            self.assertGreater(finding["programs"], 0)
            again = self.walkproof("replay", "--subject", BUG, finding["path"])
            self.assertEqual(again.returncode, 1)
            self.assertIn(f"{finding['path']}: {finding['key']}\n", again.stdout)
            fine = self.walkproof("replay", finding["path"])
            self.assertEqual(fine.returncode, 0)
            self.assertRegex(fine.stdout, r": fine, \d+ operations?\n")

    def test_a_finding_is_told_in_four_lines_and_exit_1(self):
        done = self.walkproof("fuzz", "--subject", BUG, "--programs", 20, "--out", "here")
        self.assertEqual(done.returncode, 1)
        told = re.findall(r"(?m)^(x86_64-L\S+)\n  breaks L\d, .+: .+\n"
                          r"  (here/\1-[0-9a-f]{8}\.wp), and in C (here/\1-[0-9a-f]{8}\.c)\n"
                          rf"  walkproof replay --subject {BUG} \2$", done.stdout)
        self.assertGreater(len(told), 0)
        self.assertEqual(sorted(path for _, *paths in told for path in paths),
                         sorted(str(p.relative_to(self.dir))
                                for p in (self.dir / "here").iterdir()))

    def test_a_reproducer_that_can_not_be_written_is_printed_instead(self):
        self.file("in the way", "file")
        done = self.walkproof("fuzz", "--subject", BUG, "--programs", 20, "--out", "file/x")
        self.assertEqual(done.returncode, 1)
        self.assertIn("can't create the directory file/x", done.stderr)
        self.assertIn("\nwalkproof 1\nregime x86_64", done.stderr)

    def test_output_to_a_full_disk_is_no_success(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([WALKPROOF, "show", self.file(PROGRAM)], cwd=self.dir,
                                  stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("can't write the output", done.stderr)

    def test_a_binary_program_replays_in_its_scope(self):
        name = self.file(b"\x01\x00" + bytes(range(200)), "binary")
        for scope, regime in (("riscv64_sv48", "riscv64_sv48"), ("loongarch64", "loongarch64_low")):
            done = self.walkproof("show", "--scope", scope, name)
            self.assertEqual(done.returncode, 0)
            self.assertTrue(done.stdout.startswith(f"walkproof 1\nregime {regime}\n"))

    def test_an_empty_file_in_a_scope_is_the_simplest_program_as_to_a_target(self):
        (self.dir / "fuzz_aarch64").mkdir()
        empty, zero = self.file("", "fuzz_aarch64/empty"), self.file(b"\0", "fuzz_aarch64/zero")
        for command in "show", "replay", "explain", "shrink", "coverage":
            with self.subTest(command):
                told = [self.walkproof(command, "--scope", "aarch64", name)
                        for name in (empty, zero)]
                self.assertEqual([done.returncode for done in told], [0, 0], told[0].stderr)
                self.assertEqual(told[0].stdout.replace(empty, zero), told[1].stdout)
        self.assertTrue(self.walkproof("show", "--scope", "aarch64", empty).stdout
                        .startswith("walkproof 1\nregime aarch64_low\n"))
        self.file(bytes(range(200)), "fuzz_aarch64/full")
        self.assertRegex(self.walkproof("coverage", "fuzz_aarch64").stdout, r"\d+ coverpoints")

    # --- shrinking and explaining ---

    LONG_WAY = ("walkproof 1\nregime x86_64_la57\n"
                "map t1 va=0x40000000 pa=0x3000 size=4K flags=rw----\n"
                "protect t1 va=0x40000000 flags=r-----\n"
                "map t1 va=hot0 pa=hot1 size=2M flags=rwxu--\n"
                "walk t1\n")

    def test_shrink_tells_the_finding_and_leaves_what_is_simplest(self):
        name = self.file(self.LONG_WAY)
        done = self.walkproof("shrink", "--subject", BUG, "--without", "qemu", name)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertRegex(done.stdout, r"\n1 operation, from 4, in \d+\.\d ms:\n\n"
                         r"walkproof 1\nregime x86_64_la57\n"
                         r"map t0 va=0x0 pa=0x0 size=4K flags=\S+\n\Z")
        files = sorted(p.suffix for p in (self.dir / "findings").iterdir())
        self.assertEqual(files, [".c", ".wp"])
        again = self.walkproof("shrink", "--subject", BUG, "--without", "qemu", name)
        self.assertEqual(re.sub(r"[\d.]+ ms", "", again.stdout),
                         re.sub(r"[\d.]+ ms", "", done.stdout))

    def test_shrink_has_nothing_to_do_where_nothing_breaks(self):
        done = self.walkproof("shrink", self.file(PROGRAM))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("fine", done.stdout)
        self.assertFalse((self.dir / "findings").exists())

    def test_what_shrink_can_not_write_is_printed_instead(self):
        self.file("in the way", "file")
        done = self.walkproof("shrink", "--subject", BUG, "--out", "file/x",
                              self.file(self.LONG_WAY))
        self.assertEqual(done.returncode, 1)
        self.assertIn("can't create the directory file/x", done.stderr)
        self.assertIn("\nwalkproof 1\nregime x86_64", done.stderr)

    def test_explain_marks_the_operation_and_what_changed(self):
        done = self.walkproof("explain", "--subject", BUG, self.file(self.LONG_WAY))
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertNotIn("\033", done.stdout)
        self.assertRegex(done.stdout, r"\Ax86_64-L1-\S+\nbreaks L1, ")
        self.assertRegex(done.stdout, r"(?m)^>  3  map t1 .*<- here it breaks$")
        self.assertRegex(done.stdout, r"(?m)^\+ +L3\[  0\] 0x0001000000000000 .* kernel ")
        self.assertRegex(done.stdout, r"(?m)^level +entry before +entry after +which is$")
        self.assertRegex(done.stdout, r"(?m)^L0\[1\] +0x0{16} +0x\w{16} +table at 0x\w+$")
        self.assertRegex(done.stdout, r"(?m)^ +query\(\) +model +paper")
        self.assertIn("paper differs from the model: ", done.stdout)

    def test_explain_shows_what_an_entry_was_and_is_and_folds_what_is_alike(self):
        text = ("walkproof 1\nregime x86_64_la57\n"
                "map t0 va=0x0 pa=0x0 size=2M flags=r-----\n"
                "map_region t0 va=0x40000000 pa=0x0 size=3x4K flags=r-----\n"
                "protect_region t0 va=0x0 size=4K flags=r--u--\n")
        done = self.walkproof("explain", "--subject", BUG, self.file(text))
        self.assertRegex(done.stdout, r"(?m)^- +L3\[  0\] .* 2M  kernel r--, .*\n"
                                      r"\+ +L3\[  0\] .* table at 0x\w+$")
        self.assertRegex(done.stdout, r"(?m)^\+ +L4\[  0\] .*\n"
                                      r"\+ +\.\.\. 511 more like it, up to L4\[511\] 0x1ff000$")
        self.assertRegex(done.stdout, r"(?m)^ +\.\.\. 5 as before$")
        self.assertNotRegex(done.stdout, r"(?m)^[-+] +L[012]\[")
        text = ("walkproof 1\nregime x86_64_la57\n"
                "map_region t0 va=0x0 pa=0x0 size=9x4K flags=r-----\n"
                "protect_region t0 va=0x0 size=9x4K flags=r--u--\n")
        done = self.walkproof("explain", "--subject", BUG, self.file(text))
        self.assertRegex(done.stdout, r"(?m)^- +L4\[  0\] .*\n- +\.\.\. 8 more like it, .*\n"
                                      r"\+ +L4\[  0\] ")

    def test_explain_is_in_colour_on_a_terminal_unless_told_not_to(self):
        name = self.file(self.LONG_WAY)
        command = shlex.join([WALKPROOF, "explain", "--without", "qemu", "--subject", BUG, name])
        for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False),
                                      ({"TERM": "dumb"}, False)):
            with self.subTest(environment):
                inherited = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
                done = subprocess.run(["script", "-qec", command, "/dev/null"], cwd=self.dir,
                                      env={**inherited, "TERM": "xterm", **environment},
                                      stdin=subprocess.DEVNULL, text=True, capture_output=True,
                                      timeout=120, check=False)
                self.assertIn("here it breaks", done.stdout)
                self.assertEqual("\033[31m>" in done.stdout, coloured)

    def test_explain_has_nothing_to_tell_where_nothing_breaks(self):
        done = self.walkproof("explain", self.file(PROGRAM))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("fine", done.stdout)

    # --- looking ---

    def test_show_prints_the_program_and_folds_leaves_that_continue(self):
        out = self.walkproof("show", self.file(PROGRAM)).stdout
        self.assertTrue(out.startswith(PROGRAM))
        self.assertIn("table t0: root at 0xc0000000, 6 table frames, 601 leaves", out)
        self.assertIn("... 511 more like it, up to L3[511] 0x401ff000 -> 0x801ff000", out)
        self.assertIn("... 87 more like it", out)
        self.assertRegex(out, r"L2\[  0\] 0x0000000080000000  entry 0x\w{16}  "
                              r"-> 0x40000000  2M  r-xu--")

    def test_show_folds_no_leaf_that_leads_elsewhere(self):
        text = PROGRAM.replace("size=600x4K", "size=3x4K") + \
            "map t0 va=0x40003000 pa=0x80004000 size=4K flags=rw----\n"
        out = self.walkproof("show", self.file(text)).stdout
        self.assertIn("... 2 more like it, up to L3[  2] 0x40002000 -> 0x80002000\n", out)
        self.assertRegex(out, r"L3\[  3\] .* -> 0x80004000  4K  rw----\n")

    def test_show_as_json_has_every_entry(self):
        tables = self.json_of("show", self.file(PROGRAM))["tables"]
        leaves = [e for e in tables[0]["entries"] if e["kind"] == "leaf"]
        self.assertEqual(len(leaves), 601)
        self.assertEqual(leaves[600]["paddr"], "0x40000000")
        self.assertEqual(leaves[600]["size"], "0x200000")

    def test_coverage_tells_what_was_never_reached(self):
        done = self.walkproof("coverage", self.file(PROGRAM))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?m)^map_region +1 +never")
        self.assertIn("never reached: map returns PT_NO_MEMORY; ", done.stdout)
        self.assertRegex(done.stdout, r"; and \d+ more: see --never\n")
        done = self.walkproof("coverage", "--never", "program.wp")
        self.assertNotIn("; map with access meets a hole;", done.stdout)
        self.assertIn("; map meets a hole;", done.stdout)
        self.assertIn("; a leaf of 1G with rwxu-n\n", done.stdout)

    def test_coverage_takes_the_regimes_of_a_folder_from_its_name(self):
        folder = self.dir / "fuzz_riscv64_sv39"
        folder.mkdir()
        (folder / "seed").write_bytes(b"\x01\x00" + b"\x00" * 64)
        told = self.json_of("coverage", folder)
        self.assertEqual([row["architecture"] for row in told], ["riscv64"])
        self.assertIn("PT_OK", told[0]["calls"]["map"])
        self.assert_refused("coverage", "nowhere", says="nowhere")

    def test_walk_shows_everyone_in_agreement(self):
        done = self.walkproof("walk", self.file(PROGRAM), "0x80001234")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^physical( +0x40001234){3,}$")
        self.assertRegex(done.stdout, r"(?m)^user execute( +yes){3,}$")
        self.assertRegex(done.stdout, r"(?m)^  L2  at 0x\w+  0x\w{16}$")
        self.assertTrue(done.stdout.endswith("all agree\n"))
        hole = self.json_of("walk", self.file(PROGRAM), "0x2000", "--table", 1)
        self.assertTrue(hole["agree"])
        self.assertEqual({w["says"] for w in hole["says"][:2]}, {"PT_NOT_MAPPED"})

    def test_walk_shows_who_differs(self):
        text = "walkproof 1\nregime x86_64_la57\nmap t0 va=0x1000 pa=0x2000 size=4K flags=r--u--\n"
        done = self.walkproof("walk", "--subject", BUG, self.file(text), "0x1000")
        self.assertEqual(done.returncode, 1)
        self.assertIn("paper differs from the model: paper denies a user read", done.stdout)

    def test_a_subject_runs_no_program_of_a_regime_that_it_does_not_serve(self):
        for command in (["replay"], ["show"], ["walk"], ["shrink"], ["explain"]):
            with self.subTest(command):
                self.assert_refused(*command, "--subject", BUG, self.file(PROGRAM),
                                    *(["0x1000"] if command == ["walk"] else []),
                                    says="aarch64_low")

    def test_machines_tells_what_each_proved(self):
        machines = self.json_of("machines")
        papers = [m for m in machines if m["machine"] == "paper"]
        self.assertEqual({m["architecture"] for m in papers},
                         {"x86_64", "aarch64", "riscv64", "loongarch64", "x86_ept"})
        for machine in machines:
            self.assertTrue(machine["proved"])
            self.assertGreater(machine["probes_per_second"], 0)
            self.assertTrue(all(quirk["still_there"] for quirk in machine["quirks"]))

    def test_machines_says_where_paper_is_alone_and_why(self):
        done = self.walkproof("machines", "--without", "qemu", "--without", "kvm")
        self.assertRegex(done.stdout, r"(?m)^paper alone for x86_ept: .*VMX")

    def quirks_of(self, text):
        """{machine and version: {quirk: what shows it}}"""
        machines = {}
        for block in re.split(r"(?m)^(?=\w)", text):
            head, _, rest = block.partition("\n")
            quirks = re.split(r"(?m)^  quirk (\S+): .*\n", rest)
            machines[head] = dict(zip(quirks[1::2], quirks[2::2]))
        return machines

    def test_each_quirk_comes_with_what_shows_it(self):
        done = self.walkproof("machines", "--quirks", "--tables")
        self.assertEqual(done.returncode, 0)
        said = self.quirks_of(done.stdout)
        kept = self.quirks_of(QUIRKS.read_text())
        for head, quirks in {**kept, **said}.items():
            for quirk, shown in quirks.items():
                with self.subTest(machine=head, quirk=quirk):
                    self.assertRegex(shown, r"(?m)^      .*, the manual ")
        for head in said.keys() & kept.keys(): # other versions have other ones
            with self.subTest(head):
                self.assertEqual(said[head], kept[head])
        for machine in self.json_of("machines", "--quirks"):
            head = f"{machine['machine']} {machine['architecture']}, {machine['version']}:"
            self.assertEqual([quirk["key"] for quirk in machine["quirks"]],
                             list(said.get(head, [])))

    def test_planted_names_the_bug_and_how_it_was_found(self):
        bugs = self.json_of("planted", BUG)
        self.assertEqual([(bug["bug"], bug["found"]) for bug in bugs], [(BUG, True)])
        self.assertIn("x86_64-L", bugs[0]["key"])
        names = self.walkproof("planted", "--list").stdout
        self.assertRegex(names, rf"(?m)^{BUG} +\S")


if __name__ == "__main__":
    unittest.main()
