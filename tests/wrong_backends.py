#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The backends of examples/backends/wrong.txt, each checked by scripts/check-backend.

usage: wrong_backends.py WALKPROOF

Writes examples/backends/README.md: each mistake, and the first lines of its report.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "fuzz/planted"))
import plant  # noqa: E402

PAGE = ROOT / "examples/backends/README.md"
WITHOUT = ["--without", "qemu", "--without", "kvm"]

HEAD = """# Wrong backends

What `walkproof check` says of a backend with one mistake in it: the first lines of each
report, of which the first names the part of the form ([arch/form.h](../../arch/form.h))
that is wrong. The mistakes are those of [wrong.txt](wrong.txt); this page is written by
`tests/wrong_backends.py build/walkproof`, and a test asserts that it is up to date.

A header of your own is checked by

    scripts/check-backend my_arch.h --regime riscv64_sv39
"""


def backends():
    return plant.read_bugs(ROOT / "examples/backends/wrong.txt")


def check(walkproof, backend, *options, machines=WITHOUT):
    """The report, as text, and the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        source = ROOT / backend["file"]
        header = pathlib.Path(folder) / source.name
        header.write_text(plant.change(backend, source.read_text(), "wrong.txt"))
        define = ["--define", backend["define"]] if "define" in backend else []
        done = subprocess.run(
            [ROOT / "scripts/check-backend", header, "--regime", backend["regime"], *define,
             "--entries-only", *machines, *options], env={**os.environ, "WALKPROOF": walkproof},
            text=True, capture_output=True, timeout=120, check=False)
    return done.stdout + done.stderr, done.returncode


def section(backend, report):
    lines = ["", f"## {backend['bug']}: {backend['what']}", "", f"In `{backend['file']}`:", "",
             "```diff"]
    lines += [sign + line for sign in "-+" for line in backend[sign]]
    lines += ["```", "", "```"]
    lines += report.split("\n\n", 1)[0].splitlines()
    return lines + ["```"]


def page(walkproof):
    lines = HEAD.splitlines()
    for backend in backends():
        lines += section(backend, check(walkproof, backend)[0])
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit("usage: wrong_backends.py WALKPROOF, such as build/walkproof")
    PAGE.write_text(page(str(pathlib.Path(sys.argv[1]).resolve())))
