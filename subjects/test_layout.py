#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Rust side's structs are laid out as the C compiler lays out those of subject.h, and a
struct that isn't is noticed. Usage: test_layout.py LAYOUT COMPILER INCLUDE"""
import subprocess
import sys
import unittest

LAYOUT, COMPILER, INCLUDE = sys.argv[1:4]
del sys.argv[1:]


class Layout(unittest.TestCase):
    def compile(self, text):
        return subprocess.run([COMPILER, "-std=c11", "-fsyntax-only", "-I", INCLUDE, "-x", "c", "-"],
                              input=text, text=True, capture_output=True, timeout=60, check=False)

    def setUp(self):
        done = subprocess.run([LAYOUT], text=True, capture_output=True, timeout=60, check=True)
        self.asserted = done.stdout

    def test_all_fields_and_sizes_agree(self):
        for struct in ("wp_leaf", "wp_host", "wp_entry_seen", "wp_subject_calls"):
            self.assertIn(f"sizeof(struct {struct})", self.asserted)
        done = self.compile(self.asserted)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_field_elsewhere_is_noticed(self):
        moved = self.asserted.replace("offsetof(struct wp_host, window) == ",
                                      "offsetof(struct wp_host, window) == 8 + ")
        self.assertNotEqual(moved, self.asserted)
        self.assertIn("wp_host.window", self.compile(moved).stderr)


if __name__ == "__main__":
    unittest.main()
