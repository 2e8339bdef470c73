#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each program of findings/ still breaks what the page beside it says, on the subject and not
on the library. Usage: test_findings.py WALKPROOF FOLDER_OF_OBJECTS

A program's first lines say how it is run: its key, which deviations are forgiven so that nothing
else is found before it, which checks are on, and which build shows it.
"""
import collections
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

WALKPROOF, OBJECTS = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
del sys.argv[1:]
HERE = pathlib.Path(__file__).resolve().parent
CASES = {
    "page_table_multiarch": "libsubject_page_table_multiarch.so",
    "x86_64_crate": "libsubject_x86_64_crate.so",
}
PROFILE = (HERE / "page_table_multiarch/profile").read_text().split()
PROFILED = ",".join([str(OBJECTS / "release" / CASES["page_table_multiarch"]), *PROFILE])
QUICK = ["--without", "qemu", "--without", "kvm", "--without", "unicorn"]


# Refused for a table that stayed, not for the page that the model would refuse it for later.
REFUSED_TWICE = """walkproof 1
regime aarch64_low
map_region t0 va=0x0 pa=0x0 size=513x4K flags=r-----
unmap_region t0 va=0x0 size=2M
map_region t0 va=0x0 pa=0x0 size=513x4K flags=r----- huge
"""


def heading(path):
    return dict(re.findall(r"^# (\w+): (.+)$", path.read_text(), re.MULTILINE))


def replay(files, *options):
    return subprocess.run([WALKPROOF, "replay", *QUICK, *options, *files], text=True,
                          capture_output=True, timeout=300, check=False)


class Findings(unittest.TestCase):
    def check_subject(self, folder):
        runs = collections.defaultdict(list)
        for path in sorted((HERE / folder / "findings").glob("*.wp")):
            said = heading(path)
            runs[said.get("build", "release"), said.get("forgiven", ""),
                 said.get("law", "all")].append(path)
        self.assertTrue(runs)
        for (build, forgiven, law), files in runs.items():
            subject = f"{OBJECTS / build / CASES[folder]},{forgiven.replace(' ', ',')}"
            done = replay(files, "--law", law, "--subject", subject)
            self.assertEqual(done.returncode, 1, done.stderr)
            for path in files:
                with self.subTest(path.stem):
                    self.assertIn(f"{path}: {heading(path)['key']}\n", done.stdout)

    def test_page_table_multiarch_still_has_each(self):
        self.check_subject("page_table_multiarch")

    def test_x86_64_crate_still_has_each(self):
        self.check_subject("x86_64_crate")

    def test_the_library_has_none(self):
        files = sorted(HERE.glob("*/findings/*.wp"))
        done = replay(files)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.count(": fine"), len(files))

    def test_the_pages_name_each_program_and_no_other(self):
        for folder in CASES:
            page = (HERE / folder / "FINDINGS.md").read_text()
            programs = {path.stem for path in (HERE / folder / "findings").glob("*.wp")}
            self.assertEqual(set(re.findall(r"\(findings/([^)]+)\.wp\)", page)), programs)

    def test_a_region_refused_for_two_reasons_is_within_the_profile(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "program.wp"
            path.write_text(REFUSED_TWICE)
            done = replay([path], "--subject", PROFILED)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_crate_and_the_library_do_the_same_but_for_its_profile(self):
        done = subprocess.run([WALKPROOF, "compare", PROFILED, "--programs", "6000"], text=True,
                              capture_output=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("\n0 differences\n", done.stdout)


if __name__ == "__main__":
    unittest.main()
