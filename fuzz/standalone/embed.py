#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes strings of the parts of stand-alone reproducers: embed.py OUTPUT PART..."""
import json
import pathlib
import sys

lines = ["/* Written by embed.py. */\n"]
for path in map(pathlib.Path, sys.argv[2:]):
    lines.append(f"static const char part_{path.stem}[] =\n")
    lines += [f"\t{json.dumps(line)}\n" for line in path.read_text().splitlines(True)
              if "SPDX" not in line] # a reproducer is its finder's
    lines.append("\t;\n")
pathlib.Path(sys.argv[1]).write_text("".join(lines))
