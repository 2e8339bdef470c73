#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Any page-table code as the subject: shared objects, their profiles, `walkproof check`.

    test_check.py WALKPROOF DEVIANT.so EXAMPLES_BUILD CC
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

WALKPROOF, DEVIANT, EXAMPLES, CC = sys.argv[1:5]
ROOT = pathlib.Path(__file__).resolve().parent.parent
QUICK = ["--without", "qemu", "--without", "kvm", "--without", "unicorn"]

# What the library does if it is told to. Those that tables must stay for are the naive
# mapper's; skipping holes takes two steps, of which the second may lack a frame.
DEVIATIONS = {
    "own-status": "", "aligns-down": "", "no-1g": "", "no-huge": "", "partial-regions": "",
    "unmap-skips-holes": "assumes-memory", "protect-refuses-holes": "",
    "no-break-before-make": "", "no-no-access": "", "no-memory-types": "", "regions-of-4k": "",
    "no-split": "", "truncates-addresses": "", "assumes-aligned": "", "assumes-sizes": "",
    "approximates-flags": "", "assumes-unmapped": "", "assumes-mapped": "", "assumes-memory": "",
    "trusts-tables": "",
}


def run(*arguments, **environment):
    return subprocess.run([WALKPROOF, *arguments], text=True, capture_output=True,
                          env={**os.environ, **environment}, timeout=500)


def check(subject, *arguments, **environment):
    return run("check", subject, *QUICK, *arguments, **environment)


def proposal(text):
    found = re.search(r'\.deviations = "(.*)"', text)
    return found.group(1).split() if found else []


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        before = os.getcwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, before)

    def compile(self, name, *sources, text=None, defines=()):
        if text is not None:
            (self.folder / f"{name}.c").write_text(text)
            sources = [str(self.folder / f"{name}.c"), *sources]
        subprocess.run([CC, "-shared", "-fPIC", "-g", f"-I{ROOT}/fuzz/include",
                        f"-I{ROOT}/examples", *defines, *sources, "-o", f"{name}.so"],
                       check=True)
        return f"./{name}.so"

    def naive(self, name, change_mapper=lambda text: text, change_glue=lambda text: text):
        mapper = change_mapper((ROOT / "examples/naive_x86_64.c").read_text())
        (self.folder / "mapper.c").write_text(mapper)
        return self.compile(name, "mapper.c",
                            text=change_glue((ROOT / "examples/naive_glue.c").read_text()))


class SharedObjects(InFolder):
    def test_an_object_that_is_no_subject_is_refused_in_one_line(self):
        empty = '#include <walkproof/subject.h>\nconst struct wp_subject_calls walkproof_subject'
        objects = {
            "exports no 'walkproof_subject'": "int nothing;",
            "is of version 7": f"{empty} = {{.version = 7}};",
            "`bytes` is 20": f"{empty} = {{.version = 1, .bytes = 20}};",
            "has no create()": f"{empty} = {{.version = 1, .bytes = sizeof walkproof_subject}};",
        }
        for i, (why, text) in enumerate(objects.items()):
            with self.subTest(why):
                done = run("fuzz", "--subject", self.compile(f"bad{i}", text=text))
                self.assertEqual(done.returncode, 2)
                self.assertIn(why, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)
        for why, find, put in (("no regime is 'sparc'", '"x86_64"', '"sparc"'),
                               ("no deviation is called 'lazy'", '"no-1g', '"lazy')):
            with self.subTest(why):
                subject = self.naive("bad", change_glue=lambda text: text.replace(find, put))
                done = check(subject)
                self.assertEqual(done.returncode, 2)
                self.assertIn(why, done.stderr)
        self.assertEqual(run("replay", "--subject", "./none.so", "x").returncode, 2)

    def test_a_path_works_wherever_a_command_takes_a_subject(self):
        subject = self.naive("naive", change_mapper=lambda text: text.replace("invlpg(va);", ""))
        done = run("fuzz", "--subject", subject, "--programs", "300", "--seed", "1", *QUICK)
        self.assertEqual(done.returncode, 1)
        self.assertIn("x86_64-L3-unmap-stale", done.stdout)
        program = str(next(pathlib.Path("findings").glob("*.wp")))
        self.assertIn(f"replay --subject {subject} {program}", done.stdout)
        for command in ("replay", "shrink"):
            done = run(command, "--subject", subject, program, *QUICK)
            self.assertEqual((command, done.returncode), (command, 1))
            self.assertIn("x86_64-L3-unmap-stale", done.stdout)
        self.assertIn("unmap", run("explain", "--subject", subject, program, *QUICK).stdout)
        self.assertIn("leaves", run("show", "--subject", subject, program).stdout)
        self.assertIn("paper", run("walk", "--subject", subject, program, "0x0", *QUICK).stdout)

    def test_what_damaged_tables_lead_it_to_is_replayed_shrunk_and_explained(self):
        subject = self.naive("trusting", change_glue=lambda text: text.replace(
            " trusts-tables", ""))
        done = run("fuzz", "--subject", subject, "--programs", "500", "--seed", "1", *QUICK)
        self.assertEqual(done.returncode, 1)
        died = sorted(pathlib.Path("findings").glob("x86_64-crash-*-damaged-*.wp"))
        differs = sorted(pathlib.Path("findings").glob("x86_64-L7-*-damaged-*.wp"))
        for path in (died[0], differs[0]):
            key = re.match(r"(.+-damaged)-", path.name).group(1)
            for command in ("replay", "shrink", "explain"):
                done = run(command, "--subject", subject, str(path), *QUICK)
                with self.subTest((command, key)):
                    self.assertEqual(done.returncode, 1)
                    self.assertIn(f"{key}\n", done.stdout)
            trusting = run("replay", "--subject", f"{subject},trusts-tables", str(path), *QUICK)
            self.assertEqual(trusting.returncode, 0, trusting.stdout)

    def test_a_subject_that_finds_memory_at_a_fixed_offset_gets_it_there(self):
        done = check(self.naive("fixed", change_glue=lambda text: text
                                .replace("host->window + (pa - host->window_pa)", "pa")
                                .replace(".name =", ".fixed_offset = 1, .name =")),
                     "--programs", "200")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = check(self.naive("taken", change_glue=lambda text: text
                                .replace(".name =", ".fixed_offset = 1ull << 60, .name =")))
        self.assertEqual(done.returncode, 2)
        self.assertIn("where there is no room", done.stderr)

    def test_json_says_the_same_as_the_report(self):
        subject = self.naive("naive", change_mapper=lambda text: text.replace("invlpg(va);", ""),
                             change_glue=lambda text: text.replace("truncates-addresses ", ""))
        done = check(subject, "--programs", "300", "--json")
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        said = json.loads(done.stdout)
        text = check(subject, "--programs", "300").stdout
        self.assertEqual((said["subject"], said["passed"]), (subject, False))
        self.assertEqual(said["profile"], proposal(text))
        self.assertEqual([one["deviations"] for one in said["undeclared"]], [["truncates-addresses"]])
        self.assertNotIn("truncates-addresses", said["declared"])
        self.assertIn("x86_64-L3-unmap-stale", [bug["key"] for bug in said["bugs"]])
        for bug in said["bugs"]:
            self.assertIn(bug["sentence"], text)
            self.assertTrue(pathlib.Path(bug["path"]).exists())
        for finding in said["bugs"] + said["undeclared"]:
            self.assertTrue(finding["program"].startswith("walkproof 1\nregime x86_64\n"))

    def test_what_it_lacks_and_what_is_lost_is_told_first(self):
        done = check(f"{EXAMPLES}/naive_x86_64.so", "--programs", "20")
        self.assertIn("programs do without protect, remap,", done.stdout)
        self.assertIn("reports no stores: L4", done.stdout)


class Endings(InFolder):
    """A panic, an abort, an assertion or a signal is a finding with its message."""

    ENDINGS = {
        "assertion": ('assert(size != 0x200000 && "no huge pages");', "no huge pages", "abrt"),
        "panic": ('if (size == 0x200000) host->panicked(host->context, "out of pages");',
                  "out of pages", "abrt"),
        "signal": ("if (size == 0x200000) *(volatile int *)8 = 0;", "Segmentation fault", "segv"),
    }

    def test_a_process_that_ends_is_a_finding_with_its_message(self):
        for name, (code, message, key) in self.ENDINGS.items():
            with self.subTest(name):
                subject = self.naive(name, change_glue=lambda text: "#include <assert.h>\n" +
                                     text.replace("if (size > 0x200000)",
                                                  f"{code}\n\tif (size > 0x200000)"))
                done = check(subject, "--programs", "200")
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"x86_64-crash-map-{key}", done.stdout)
                self.assertIn(message, done.stdout)
                self.assertIn("FAIL: 1 bug, 0 deviations", done.stdout)
                self.assertIn("200 programs", done.stdout)  # the campaign went on

    def test_a_lock_that_is_left_held_is_a_hang_of_the_program_that_did_it(self):
        self.assertEqual(check(f"{EXAMPLES}/locked.so", "--programs", "300").returncode, 0)
        done = check(f"{EXAMPLES}/locked_forgets.so", "--programs", "300")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, "x86_64-hang-[a-z]+\n")
        self.assertIn("FAIL: 1 bug, 0 deviations", done.stdout)


class Profiles(InFolder):
    def test_the_library_as_a_shared_object_needs_no_deviation(self):
        done = check(DEVIANT, "--programs", "200")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotIn("not judged", done.stdout)

    def test_each_deviation_is_proposed_where_it_is_needed_and_declared_passes(self):
        for name, beside in DEVIATIONS.items():
            regime = "aarch64_low" if name == "no-break-before-make" else "x86_64"
            arguments = [DEVIANT, "--programs", "300", "--regime", regime]
            with self.subTest(name):
                done = check(*arguments, DEVIANT=name, DECLARE=beside)
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertEqual(proposal(done.stdout), [name, *beside.split()])
                self.assertIn("FAIL: 0 bugs, 1 deviation not declared", done.stdout)
                done = check(*arguments, DEVIANT=name, DECLARE=f"{name} {beside}")
                self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_naive_mapper_needs_each_deviation_that_it_declares(self):
        glue = (ROOT / "examples/naive_glue.c").read_text()
        self.assertLessEqual(glue.count("\n"), 40)
        self.assertLessEqual((ROOT / "examples/naive_x86_64.c").read_text().count("\n"), 80)
        declared = re.search(r'\.deviations = ("[^,]*"),', glue).group(1)
        words = re.sub(r'"\s*"', "", declared).strip('"').split()
        self.assertEqual(check(f"{EXAMPLES}/naive_x86_64.so", "--programs", "300").returncode, 0)
        for word in words:
            others = [other for other in words if other != word]
            subject = self.naive("less", change_glue=lambda text: text.replace(
                declared, '"' + " ".join(others) + '"'))
            with self.subTest(word):
                done = check(subject, "--programs", "500")
                self.assertEqual(done.returncode, 1, done.stdout)
        subject = self.naive("none", change_glue=lambda text: text.replace(declared, "0"))
        self.assertEqual(proposal(check(subject, "--programs", "500").stdout), words)

    def test_a_global_user_page_is_forgiven_by_user_global_alone(self):
        def is_global(text):
            return text.replace("pa | PRESENT |", "pa | PRESENT | 0x100 |")

        subject = self.naive("global", is_global)
        self.assertIn("user-global", proposal(check(subject, "--programs", "300").stdout))
        subject = self.naive("declared", is_global,
                             lambda text: text.replace('"no-1g', '"user-global no-1g'))
        self.assertEqual(check(subject, "--programs", "300").returncode, 0)

    def test_a_bug_is_no_deviation(self):
        bugs = {
            "x86_64-L3-unmap-stale": ("invlpg(va);", ""),
            "x86_64-L1-map-user-read": ("(user ? USER : 0)", "USER"),
            "x86_64-L6-end-leak": ("level > 0", "level > 1"),
            "x86_64-L5-map-store": ("return entry != 0 &&",
                                    "if (entry != 0) *entry = *entry;\n\treturn entry != 0 &&"),
        }
        for key, (find, put) in bugs.items():
            with self.subTest(key):
                subject = self.naive("wrong", lambda text: text.replace(find, put))
                done = check(subject, "--programs", "300")
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"  {key}\n", done.stdout)
                self.assertEqual(proposal(done.stdout), [])

    def test_the_same_seed_finds_the_same(self):
        subject = self.naive("none", change_glue=lambda text: re.sub(
            r'\.deviations = "[^,]*",', "", text))
        first, second = (check(subject, "--programs", "300", "--seed", "7") for _ in range(2))
        self.assertEqual(first.stdout, second.stdout)

    def test_the_list_of_deviations_says_what_each_forgives(self):
        done = run("check", "--deviations")
        self.assertEqual(done.returncode, 0)
        for name in (*DEVIATIONS, "no-reclaim", "partial-tables", "user-global"):
            self.assertRegex(done.stdout, rf"(?m)^{name} +\w.*$")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])
