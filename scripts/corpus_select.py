# SPDX-License-Identifier: MIT
"""Which files scripts/corpus keeps: corpus_select.py CONTROL FOLDER MOST TARGET KEPT

CONTROL is the control file of libFuzzer's -set_cover_merge=1, which tells what each file
reaches. Into FOLDER go files that between them reach the same, each the one that adds
most for its size, or, if these are more than MOST, that adds most; MOST at most. First come
those that the file KEPT names for the target. Prints how much is left out.
"""
import collections, heapq, os, shutil, sys


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


def for_its_size(new, size):
    return -new / (size + 100)


def by_itself(new, size):
    return -new + min(size, 999) / 1000


def kept(path, target):
    words = [line.split() for line in open(path) if not line.startswith("#")]
    return {line[0].partition("/")[2] for line in words if line[0].startswith(target + "/")}


def select(files, worth, first):
    """Those of FIRST, and then, each time, the one that is worth most."""
    left = set().union(*(reached for _, _, reached in files))
    heap = [(worth(len(reached), size), name, size, reached) for name, size, reached in files]
    heapq.heapify(heap)
    chosen = [name for name, _, _ in files if os.path.basename(name) in first]
    left -= set().union(*(reached for name, _, reached in files if name in chosen))
    while left and heap:
        _, name, size, reached = heapq.heappop(heap)
        count = len(reached & left)
        new = worth(count, size)
        if count > 0 and heap and new > heap[0][0]:  # less than it was: others may be better
            heapq.heappush(heap, (new, name, size, reached))
        elif count > 0:
            chosen.append(name)
            left -= reached
    return chosen


def without_superfluous(chosen, reached, first):
    """What came early may be reached by those together that came later."""
    times = collections.Counter(point for name in chosen for point in reached[name])
    for name in sorted(chosen, key=lambda name: len(reached[name])):
        if os.path.basename(name) not in first and all(times[p] > 1 for p in reached[name]):
            chosen = [other for other in chosen if other != name]
            times.subtract(reached[name])
    return chosen


def fewest(files, most, first):
    """The files, and how much they leave out."""
    reached = {name: points for name, _, points in files}
    for worth in for_its_size, by_itself:
        chosen = without_superfluous(select(files, worth, first), reached, first)
        if len(chosen) <= most:
            break
    chosen = chosen[:most]
    everything = set().union(*reached.values())
    return chosen, len(everything.difference(*(reached[name] for name in chosen)))


def main():
    control, folder, most, target, path = sys.argv[1:]
    chosen, left = fewest(read(control), int(most), kept(path, target))
    for name in chosen:
        shutil.copy(name, os.path.join(folder, os.path.basename(name)))
    print(left)


main()
