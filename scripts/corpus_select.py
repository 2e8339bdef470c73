# SPDX-License-Identifier: MIT
"""Which files scripts/corpus keeps: corpus_select.py CONTROL FOLDER MOST TARGET KEPT

CONTROL is the control file of libFuzzer's -set_cover_merge=1, which tells what each file
reaches. Into FOLDER go files that between them reach the same, each the one that adds
most for its size; MOST at most. First come those that the file KEPT names for the target.
Prints how much is left out.
"""
import heapq, os, shutil, sys


def read(path):
    """(name, size, what it reaches) of each file."""
    lines = open(path).read().split("\n")
    count = int(lines[0])
    names, sizes, reached = lines[2 : 2 + count], {}, {}
    for line in lines[2 + count :]:
        words = line.split()
        if words[:1] == ["STARTED"]:
            sizes[int(words[1])] = int(words[2])
        elif words[:1] == ["FT"]:
            reached[int(words[1])] = frozenset(map(int, words[2:]))
    return [(names[i], sizes[i], reached[i]) for i in sorted(reached)]


def worth(new, size):
    return -new / (size + 100)


def kept(path, target):
    words = [line.split() for line in open(path) if not line.startswith("#")]
    return {line[0].partition("/")[2] for line in words if line[0].startswith(target + "/")}


def select(files, most, first):
    left = set().union(*(reached for _, _, reached in files))
    heap = [(worth(len(reached), size), name, size, reached) for name, size, reached in files]
    heapq.heapify(heap)
    chosen = []
    for name, _, reached in files:
        if os.path.basename(name) in first:
            chosen.append(name)
            left -= reached
    while left and heap and len(chosen) < most:
        _, name, size, reached = heapq.heappop(heap)
        new = worth(len(reached & left), size)
        if new < 0 and heap and new > heap[0][0]:  # less than it was: others may be better
            heapq.heappush(heap, (new, name, size, reached))
        elif new < 0:
            chosen.append(name)
            left -= reached
    return chosen, len(left)


def main():
    control, folder, most, target, path = sys.argv[1:]
    chosen, left = select(read(control), int(most), kept(path, target))
    for name in chosen:
        shutil.copy(name, os.path.join(folder, os.path.basename(name)))
    print(left)


main()
