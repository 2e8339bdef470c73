#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""walkproof compare, with planted bugs as the other implementation.
Usage: test_compare.py WALKPROOF"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

WALKPROOF = str(pathlib.Path(sys.argv.pop(1)).resolve())


def walkproof(*arguments):
    return subprocess.run([WALKPROOF, *arguments], text=True, capture_output=True, timeout=120,
                          check=False)


class Compare(unittest.TestCase):
    def test_the_library_agrees_with_itself(self):
        done = walkproof("compare", "library", "--programs", "300")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        programs, calls, addresses = re.match(
            r"(\d+) programs, (\d+) calls and (\d+) addresses on both; 0 programs", done.stdout
        ).groups()
        self.assertEqual(int(programs), 300)
        self.assertGreater(int(calls), 1000)
        self.assertGreater(int(addresses), 4000)

    def differences(self, bug):
        """For each key the sentence and the program."""
        done = walkproof("compare", bug, "--programs", "1000")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        found = re.findall(r"^(\S+-\S+)\n  (.+)\n((?:walkproof 1|[a-z].* .*)\n(?:[a-z].* .*\n)+)",
                           done.stdout, re.MULTILINE)
        self.assertIn(f"\n{len(found)} difference", done.stdout)
        return {key: (sentence, program) for key, sentence, program in found}

    def test_what_only_the_cpu_sees_is_a_difference(self):
        for key, (sentence, _) in self.differences("rv-global-user").items():
            self.assertRegex(key, r"^riscv64-\w+-cpu$")
            self.assertRegex(sentence, r"the CPU at 0x\w+: goes .*, global\); goes .*\w\)$")

    def test_the_program_of_a_difference_is_short_and_shows_the_bug(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "program.wp"
            for key, (_, program) in self.differences("x86-user-bit").items():
                self.assertLessEqual(len(program.splitlines()), 2 + 3, key)
                path.write_text(program)
                done = walkproof("replay", "--subject", "x86-user-bit", "--without", "qemu",
                                 "--without", "kvm", str(path))
                self.assertEqual(done.returncode, 1, key)

    def test_wrong_arguments_get_one_line_and_exit_2(self):
        for arguments, says in [([], "--help"), (["no-such"], "no-such"),
                                (["library", "library", "library"], "two subjects"),
                                (["x86-user-bit", "--regime", "riscv64"], "no regime"),
                                (["library", "--programs", "0"], "--programs")]:
            done = walkproof("compare", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertRegex(done.stderr, r"\Awalkproof: [^\n]+\n\Z")
            self.assertIn(says, done.stderr)


if __name__ == "__main__":
    unittest.main()
