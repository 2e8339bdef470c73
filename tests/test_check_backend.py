#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""walkproof check BACKEND, as its user sees it. Usage: test_check_backend.py WALKPROOF"""
import html.parser
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import wrong_backends

WALKPROOF = str(pathlib.Path(sys.argv.pop(1)).resolve())
ROOT = wrong_backends.ROOT
FAST = ["--without", "qemu", "--without", "kvm"]


def check(*arguments):
    return subprocess.run([WALKPROOF, "check", *map(str, arguments)], text=True,
                          capture_output=True, timeout=300, check=False)


def built_in():
    names = check("nonsense").stderr.partition("there is ")[2]
    return names.strip().split(", ")


def rows(report):
    """Of each check: PASS, FAIL or why it was not made; and how much was compared."""
    found = {}
    for line in report.splitlines():
        row = re.match(r"(PASS|FAIL)? +(\S.*?) {2,}([\d,]+)?(?:not checked: (.*))?$", line)
        if row and (row[3] or row[4]) and not row[2].startswith("as "):
            found[row[2]] = (row[1] or row[4], int((row[3] or "0").replace(",", "")))
    return found


class Page(html.parser.HTMLParser):
    VOID = {"meta", "br"}

    def __init__(self, text):
        super().__init__()
        self.open, self.classes, self.tags = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.classes += (dict(attrs).get("class") or "").split()
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


class RightBackends(unittest.TestCase):
    def test_every_right_backend_passes(self):
        names = built_in()
        self.assertGreater(len(names), 10)
        for name in names:
            with self.subTest(name):
                done = check(name, "--seconds", 0, *FAST)
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assertIn(f"{name}: PASS", done.stdout.splitlines()[0])
                report = rows(done.stdout)
                self.assertEqual(len(report), 20, done.stdout)
                for row, (verdict, compared) in report.items():
                    self.assertEqual(verdict == "PASS", compared > 0, row)
                for row in ["every flag set, level and access: paper",
                            "each bit flipped, alone and in pairs: paper",
                            "a no-access leaf is one, no hole, no table, not valid"]:
                    self.assertEqual(report[row][0], "PASS")

    def test_every_machine_that_is_there_is_asked(self):
        for name in ["aarch64_el2", "loongarch64"]:
            report = rows(check(name, "--seconds", 0).stdout)
            for row in ["every flag set, level and access: qemu",
                        "each bit flipped, alone and in pairs: qemu"]:
                with self.subTest(f"{name}: {row}"):
                    verdict, compared = report[row]
                    self.assertTrue((verdict == "PASS" and compared > 1000) or
                                    "scripts/setup" in verdict, verdict)

    def test_a_machine_that_is_left_out_is_no_pass(self):
        report = rows(check("x86_64", "--seconds", 0, *FAST, "--without", "unicorn").stdout)
        self.assertEqual(report["each bit flipped, alone and in pairs: unicorn"],
                         ("left out", 0))
        self.assertEqual(report["operations, by all the laws"][0], "not asked for (--seconds)")

    def test_the_same_programs_give_the_same_report(self):
        arguments = ["riscv64_sv39", "--programs", 40, *FAST]
        first, second = check(*arguments), check(*arguments)
        self.assertEqual(first.stdout, second.stdout)
        self.assertGreater(rows(first.stdout)["operations, by all the laws"][1], 40)

    def test_an_operation_that_breaks_a_law_is_shown_with_its_program(self):
        done = check("x86_64_la57", "--subject", "x86-unmap-no-flush", "--programs", 300, *FAST)
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAIL: x86_64-L3-unmap-stale", done.stdout.splitlines()[0])
        self.assertIn("unmap t0 va=", "\n".join(done.stdout.splitlines()[:10]))

    def test_a_header_of_ones_own_is_checked_with_the_library(self):
        """2,000 programs have a destroy() that refuses, and flushed the table's own batch before."""
        for header, *more in [["arch/loongarch64.h", "--programs", "20"],
                              ["arch/aarch64.h", "--programs", "2000", "--regime", "aarch64_64k",
                               "--define", "PT_GRANULE_64K"],
                              ["arch/riscv64.h", "--programs", "20", "--regime",
                               "riscv64_sv39_svpbmt", "--define", "PT_RISCV_SVPBMT"]]:
            done = subprocess.run([ROOT / "scripts/check-backend", ROOT / header, *more, *FAST],
                                  text=True, capture_output=True,
                                  env={**os.environ, "WALKPROOF": WALKPROOF}, timeout=300,
                                  check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn(": PASS", done.stdout.splitlines()[0])


class WrongBackends(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.page = pathlib.Path(cls.folder.name) / "report.html"
        cls.reports = {}
        for backend in wrong_backends.backends():
            options = ["--html", str(cls.page)] if backend["bug"] == "user-bit" else []
            cls.reports[backend["bug"]] = wrong_backends.check(WALKPROOF, backend, *options)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @staticmethod
    def user_bit(*options, **machines):
        backend = next(one for one in wrong_backends.backends() if one["bug"] == "user-bit")
        return wrong_backends.check(WALKPROOF, backend, *options, **machines)

    def test_there_are_ten_and_more_of_every_architecture(self):
        files = [backend["file"] for backend in wrong_backends.backends()]
        self.assertGreaterEqual(len(files), 10)
        for arch in ["x86_64", "aarch64", "riscv64", "loongarch64"]:
            self.assertIn(f"arch/{arch}.h", files)

    def test_each_is_found_and_its_faulty_field_named_in_the_first_ten_lines(self):
        for backend in wrong_backends.backends():
            report, status = self.reports[backend["bug"]]
            with self.subTest(backend["bug"]):
                self.assertEqual(status, 1, report)
                self.assertIn(backend["field"], "\n".join(report.splitlines()[:10]))

    def test_each_check_is_seen_to_fail(self):
        failed = set()
        for report, _ in self.reports.values():
            failed |= {row for row, (verdict, _) in rows(report).items() if verdict == "FAIL"}
        asked = {row for row in rows(check("aarch64", "--seconds", 0, *FAST).stdout)
                 if not re.search("qemu|kvm|operations", row)}
        self.assertEqual(asked - failed, set())

    def test_every_machine_finds_a_wrong_memory_type(self):
        backend = next(wrong for wrong in wrong_backends.backends()
                       if wrong["bug"] == "attribute-index")
        report = rows(wrong_backends.check(WALKPROOF, backend, machines=())[0])
        for row in ["every flag set, level and access: qemu",
                    "each bit flipped, alone and in pairs: qemu"]:
            self.assertRegex(report[row][0], "FAIL|scripts/setup")

    def test_kvm_finds_a_wrong_right(self):
        report = rows(self.user_bit(machines=("--without", "qemu", "--without", "unicorn"))[0])
        for row in ["every flag set, level and access: kvm",
                    "each bit flipped, alone and in pairs: kvm"]:
            self.assertRegex(report[row][0], "FAIL|(?i:kvm)")

    def test_json_says_the_same_as_the_report(self):
        text, _ = self.reports["user-bit"]
        said, status = self.user_bit("--json")
        said = json.loads(said[said.index("{"):])
        self.assertEqual((status, said["passed"], said["regimes"]), (1, False, ["x86_64"]))
        verdicts = {"pass": "PASS", "fail": "FAIL"}
        self.assertEqual({line["check"]: (verdicts.get(line["result"]) or line["why"],
                                          line["compared"]) for line in said["checks"]},
                         rows(text))
        wrong = next(line["counterexample"] for line in said["checks"]
                     if "counterexample" in line)
        self.assertIn(wrong["field"], text.splitlines()[0])
        self.assertIn(wrong["said"], text.splitlines()[1])
        self.assertIn(wrong["entry"], wrong["said"])

    def test_the_page_shows_what_each_report_says(self):
        lines = wrong_backends.HEAD.splitlines()
        for backend in wrong_backends.backends():
            lines += wrong_backends.section(backend, self.reports[backend["bug"]][0])
        self.assertEqual(wrong_backends.PAGE.read_text(), "\n".join(lines) + "\n",
                         "run tests/wrong_backends.py build/walkproof")

    def test_the_html_page_needs_nothing_else_and_marks_the_wrong_bit(self):
        text = self.page.read_text()
        page = Page(text)
        self.assertEqual(page.open, [])
        self.assertTrue(page.tags.isdisjoint({"script", "img", "link", "iframe"}))
        self.assertNotRegex(text, r"https?:|url\(|@import")
        self.assertIn("wrong", page.classes)
        self.assertIn("arch_leaf_bits: USER", text)
        self.assertIn("prefers-color-scheme: dark", text)


class BadInput(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)

    def shared_object(self, source):
        code, path = self.dir / "codec.c", self.dir / "codec.so"
        code.write_text(source)
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-o", path, code,
                        f"-I{ROOT}/fuzz/include"], check=True)
        return path

    def assert_refused(self, *arguments, says):
        done = check(*arguments)
        self.assertEqual(done.returncode, 2, arguments)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Awalkproof: [^\n]+\n\Z")
        self.assertIn(says, done.stderr)

    def test_what_is_no_backend_gets_one_line_and_exit_2(self):
        codec = '#include <walkproof/codec.h>\nconst struct wp_codec walkproof_codec = {%s};'
        whole = ".version = 1, .bytes = sizeof(struct wp_codec)"
        self.assert_refused(says="--help")
        self.assert_refused("mips", says="x86_64")
        self.assert_refused("x86_64", "aarch64", says="--help")
        self.assert_refused("x86_64", "--regime", "mips", says="mips")
        self.assert_refused("x86_64", "--html", "/no/such/folder/x", "--seconds", 0, *FAST,
                            says="/no/such/folder")
        self.assert_refused("x86_64", "--subject", "x86-unmap-no-flush", says="x86_64")
        self.assert_refused("./missing.so", says="No such file")
        self.assert_refused(__file__, says="test_check_backend")
        self.assert_refused(self.shared_object("int x;"), says="exports no 'walkproof_subject'")
        self.assert_refused(self.shared_object(codec % ".version = 2"), says="version 2")
        self.assert_refused(self.shared_object(codec % whole), says="lacks level")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
