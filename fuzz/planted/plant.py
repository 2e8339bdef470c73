#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plants the bugs of bugs.txt: for each, a copy of lib/ and arch/ with one change.

usage: plant.py SOURCE_DIR OUTPUT_DIR

Writes OUTPUT_DIR/ID/{lib,arch} and OUTPUT_DIR/planted_list.h; prints "ID BACKEND;..."
for the build. A bug whose text isn't found exactly once fails the build, so that no
bug is lost when the library changes.
"""
import pathlib
import shutil
import sys


def read_bugs(path):
    """Blocks of `key: value` lines; `-` and `+` lines are the change."""
    bugs = []
    for block in path.read_text().split("\n\n"):
        bug = {"-": [], "+": []}
        for line in block.splitlines():
            if line.startswith("#") or not line:
                continue
            if line[0] in "-+":
                bug[line[0]].append(line[1:])
            else:
                key, _, value = line.partition(":")
                bug[key] = value.strip()
        if "bug" in bug:
            bugs.append(bug)
    return bugs


def change(bug, text, where):
    """The text with the bug in it. It must be there exactly once."""
    old, new = "\n".join(bug["-"]), "\n".join(bug["+"])
    if text.count(old) != 1:
        sys.exit(f"{where}: {bug['bug']}: its text is in {bug['file']} "
                 f"{text.count(old)} times, not once")
    return text.replace(old, new)


def write_if_changed(path, text):
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def plant(bug, source, target):
    for folder in ("lib", "arch"):
        for file in sorted((source / folder).glob("*.[ch]")):
            text = file.read_text()
            if f"{folder}/{file.name}" == bug["file"]:
                text = change(bug, text, "bugs.txt")
            write_if_changed(target / folder / file.name, text)


def main():
    source, output = map(pathlib.Path, sys.argv[1:3])
    bugs = read_bugs(source / "fuzz" / "planted" / "bugs.txt")
    found_on = {"": "false", "damage": "true"}
    lines, entries = [], []
    for bug in bugs:
        ident = bug["bug"].replace("-", "_")
        plant(bug, source, output / ident)
        lines.append(f"{ident} {bug['backend']}")
        entries.append(f'PLANTED({ident}, "{bug["bug"]}", "{bug["regime"]}", "{bug["what"]}", '
                       f'{found_on[bug.get("found", "")]})\n')
    write_if_changed(output / "planted_list.h", "".join(entries))
    for stale in output.iterdir():
        if stale.is_dir() and stale.name not in {line.split()[0] for line in lines}:
            shutil.rmtree(stale)
    print(";".join(lines))


if __name__ == "__main__":
    main()
