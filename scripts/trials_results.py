# SPDX-License-Identifier: MIT
"""What scripts/trials keeps of each trial, and the page that it makes of it."""
import json
import math
import statistics

FIELDS = {"bug": str, "engine": str, "mode": str, "trial": int, "found": bool, "inputs": int,
          "seconds": float, "limit": int, "date": str, "cpu": str, "commit": str}
MODES = ["ours", "no swarm", "bytes"]
USUAL_TRIALS = 10

HEAD = """\
# How soon planted bugs are found

One planted bug in the library, an empty corpus, the paper machine alone, one process: how
many inputs it takes until the bug is found, and how many seconds of the CPU's time, shrinking
it included; both in the median of {trials} trials, or of those that there are so far. The inputs
don't depend on the machine, nor on what else it does. A trial that took its time without
finding anything counts as one that takes longer: where the median is one of these it is given
as more than that time. *ours* is the mutator by operations, *no swarm* the same where all
programs draw from one kind, *bytes* the engine's own mutator with the dictionary of `corpus/`.
Above each table: how many inputs each takes in the geometric mean of those bugs that all
always find.

`scripts/trials` runs what is missing of it, and adds to the files in [trials/](trials/), from which
`scripts/trials --table >fuzz/TRIALS.md` makes this page.
"""


class Damaged(Exception):
    """A line that is no result: says which."""


def parse(line):
    result = json.loads(line)
    if set(result) != set(FIELDS) or any(
            type(result[name]) is not kind for name, kind in FIELDS.items()):
        raise ValueError
    return result


def read(path):
    """Of each trial the latest result, by (bug, mode, trial)."""
    results = {}
    text = path.read_text(encoding="utf8") if path.exists() else ""
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        try:
            if not line.endswith("\n"):
                raise ValueError
            result = parse(line)
        except ValueError as error:
            raise Damaged(f"{path}: line {number} is no result: take it out, and start again") \
                from error
        results[result["bug"], result["mode"], result["trial"]] = result
    return results


def is_done(result, seconds):
    """What ran out of a shorter time than it would have now is to be tried again."""
    return result is not None and (result["found"] or result["limit"] >= seconds)


def median(results, what):
    """Infinite, if it is among those that found nothing."""
    return statistics.median(r[what] if r["found"] else math.inf for r in results)


def cell(results):
    """Such as "1,234 (0.5 s)", or "> 20 s, 4 of 10" where not all found it."""
    if not results:
        return ""
    found = sum(r["found"] for r in results)
    inputs = median(results, "inputs")
    if inputs < math.inf:
        text = f"{inputs:,.0f} ({median(results, 'seconds'):.1f} s)"
    else:
        text = f"> {min(r['limit'] for r in results if not r['found'])} s"
    return text if found == len(results) else f"{text}, {found} of {len(results)}"


def sources(results):
    """When, where and of what: in one line, however many runs it took."""
    dates = sorted({r["date"] for r in results})
    commits = {r["commit"] for r in results}
    newest = max(results, key=lambda r: r["date"])["commit"]
    others = f" and {len(commits) - 1} before it" if len(commits) > 1 else ""
    return (f"{dates[0]}{f' to {dates[-1]}' if len(dates) > 1 else ''}; "
            f"{'; '.join(sorted({r['cpu'] for r in results}))}; commit {newest}{others}.\n")


def summary(rows, modes, mode):
    """How much of the table a mode has, how many bugs it never misses, and how soon those."""
    tried = [row[mode] for row in rows if row[mode]]
    counts = sorted({len(results) for results in tried})
    always = sum(all(r["found"] for r in results) for results in tried)
    never = sum(not any(r["found"] for r in results) for results in tried)
    # bugs that some mode misses would count for that mode alone
    shared = [median(row[mode], "inputs") for row in rows
              if all(row[other] and all(r["found"] for r in row[other]) for other in modes)]
    mean = f"; {statistics.geometric_mean(shared):,.0f} inputs" if shared else ""
    trials = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1])))) if counts else "0"
    return (f"- *{mode}*, {trials} trials: of {len(tried)} bugs {always} are found in each of "
            f"them, {never} in none{mean}")


def engine_table(engine, results, bugs, target_of):
    rows = {bug["bug"]: {mode: [r for (name, how, _), r in sorted(results.items())
                                if name == bug["bug"] and how == mode] for mode in MODES}
            for bug in bugs}
    shown = [r for row in rows.values() for some in row.values() for r in some]
    if not shown:
        return f"## {engine}\n\nNot tried yet.\n"
    modes = [mode for mode in MODES if any(row[mode] for row in rows.values())]
    lines = [f"## {engine}\n", sources(shown)]
    lines += [summary(rows.values(), modes, mode) for mode in modes]
    lines += ["", "| bug | " + " | ".join(modes) + " |", "|---|" + "---|" * len(modes)]
    for bug in bugs:
        cells = [cell(rows[bug["bug"]][mode]) for mode in modes]
        if target_of(bug) is None:
            cells = ["no target runs it"] + [""] * (len(modes) - 1)
        lines.append(f"| {bug['bug']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page(engines, bugs, target_of):
    """ENGINES: for each name its results."""
    return "\n".join([HEAD.format(trials=USUAL_TRIALS)] + [
        engine_table(engine, results, bugs, target_of) for engine, results in engines.items()])
