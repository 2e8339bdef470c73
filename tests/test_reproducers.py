#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each planted bug's C file fails on the library with that bug, and passes on the good one.

Usage: test_reproducers.py WALKPROOF PLANTED_DIR CC [BUG...]
PLANTED_DIR holds, for each bug, the copy of lib/ and arch/ that it was planted in.
"""
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

SOURCE = pathlib.Path(__file__).resolve().parent.parent
WALKPROOF, PLANTED, CC = sys.argv[1:4]

# Of each bug: a compiler run for each takes its time.
FINDINGS = 1

# What a file without the framework can't show, and why.
NOT_ALONE = { # only damaged tables show them, and the framework does the damage
    "x86-table-rights", "rv-malformed-hole", "a64-outside-table", "la-malformed-hole",
    "a64-region-rights", "ept-misaligned-leaf", "ept-rights-of-leaf",
    # a table takes another's place: the file's CPU looks at leaves
    "a64-make-early", "a64-copy-no-break", "la-copy-no-break", "a64-make-under-waiting",
    # the file's CPU has pages of 4 KiB and 512 entries a table
    "gstage-user-bit", "gstage-nine-bits", "gstage-root-alignment", "gstage-user-flag",
    "a64-64k-page-type", "a64-64k-cleared", "a64-64k-empty", "a64-64k-block-bits",
}


def run(*command, **options):
    return subprocess.run([*map(str, command)], text=True, capture_output=True, timeout=120,
                          check=False, **options)


def build(c_file, library, program):
    """By the command that the file itself gives."""
    command = re.search(r"(?ms)^ \*   (cc .*?) && ", c_file.read_text()).group(1)
    words = shlex.split(re.sub(r"\\\n \*", " ", command))
    words[0] = CC
    words = [str(library / word) if word.startswith("lib/") and word.endswith("backend.c") else
             word.replace("FILE", str(c_file)) for word in words]
    words[words.index("finding")] = str(program)
    done = run(*words, "-w", cwd=SOURCE)
    assert done.returncode == 0, f"{c_file} doesn't compile:\n{done.stderr}"


def outcome(c_file, library, program):
    build(c_file, library, program)
    return run(program)


def check_bug(bug, scratch):
    """None, or what is wrong: of all findings, any must reproduce, and none may cry wolf."""
    planted = pathlib.Path(PLANTED) / bug["bug"].replace("-", "_")
    out = scratch / bug["bug"]
    for programs in (100, 3000):
        found = json.loads(run(WALKPROOF, "fuzz", "--subject", bug["bug"], "--programs", programs,
                               "--seed", 1, "--jobs", 1, "--without", "qemu", "--without", "kvm",
                               "--without", "unicorn", "--out", out, "--json").stdout)["findings"]
        if found:
            break
    shown, notes = [], []
    for finding in found[:FINDINGS]:
        if not finding["c"]:
            notes.append(f"{finding['key']} has no C file")
            continue
        c_file = pathlib.Path(finding["c"])
        bad = outcome(c_file, planted, scratch / f"{bug['bug']}.bad")
        good = outcome(c_file, SOURCE, scratch / f"{bug['bug']}.good")
        if good.returncode != 0 or good.stdout != "fine\n":
            return [], [f"{finding['key']}: fails on the good library: {good.stdout.strip()}"], True
        if bad.returncode != 0:
            shown.append(finding["key"])
        else:
            notes.append(f"{finding['key']} isn't shown by {c_file}")
    return shown, notes or ([] if found else ["no finding"]), False


def main():
    bugs = json.loads(run(WALKPROOF, "planted", "--list", "--json").stdout)
    if sys.argv[4:]:
        bugs = [bug for bug in bugs if bug["bug"] in sys.argv[4:]]
    failed = []
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as pool:
        scratch = pathlib.Path(name)
        results = list(pool.map(lambda bug: check_bug(bug, scratch), bugs))
    alone = 0
    for bug, (shown, notes, wolf) in zip(bugs, results):
        alone += bool(shown)
        expected = bug["bug"] not in NOT_ALONE
        if wolf or bool(shown) != expected:
            failed.append(bug["bug"])
        if notes:
            print(f"{bug['bug']}: {len(shown)} shown; {'; '.join(notes)}")
    print(f"{alone} of {len(bugs)} planted bugs fail without the framework")
    for bug in failed:
        print(f"FAILED: {bug}")
    return bool(failed)


sys.exit(main())
