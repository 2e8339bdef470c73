# SPDX-License-Identifier: MIT
"""What scripts/coverage prints: coverage_report.py LLVM_COV PROFILE HTML OBJECT...

The objects are the library's, one for each backend. llvm-cov knows a function by its
name, of which each backend has one: so each object is asked for by itself, and what they
say of a line or a branch is added up.
"""
import collections, html, json, os, re, subprocess, sys

FOLDERS = ("lib/", "arch/")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
MARK = re.compile(r"/\* unreached: \S")


def fail(why):
    print(f"scripts/coverage: {why}", file=sys.stderr)
    sys.exit(2)


class File:
    def __init__(self, name):
        self.name = name
        self.text = open(name).read().split("\n")
        self.code = COMMENT.sub(lambda match: "\n" * match[0].count("\n"),
                                "\n".join(self.text)).split("\n")
        self.lines = collections.Counter()  # times run, by line
        self.branches = {}  # [times true, times false], by (line, column, line, column)
        self.marks = {}  # line of the comment, by line that it justifies
        self.find_marks()

    def indent(self, line):
        text = self.text[line - 1]
        return len(text) - len(text.lstrip())

    def find_marks(self):
        for line, text in enumerate(self.text, 1):
            if not MARK.search(text):
                continue
            if not text.lstrip().startswith("/*"):
                self.marks[line] = line
                continue
            first = line
            while "*/" not in self.text[first - 1]:
                first += 1
            for covered in self.statement(first + 1):
                self.marks[covered] = line

    def statement(self, first):
        """The lines of what starts there: all that is further in, up to its last brace."""
        indent = self.indent(first)
        yield first
        for line in range(first + 1, len(self.text)):
            text = self.text[line - 1].strip()
            if self.indent(line) == indent and text == "{":
                yield line
            elif self.indent(line) == indent and "else" in text.split():
                yield line
            elif self.indent(line) == indent and text.startswith("}"):
                yield line
                return
            elif self.indent(line) <= indent and text:
                return
            else:
                yield line

    def unreached(self):
        """(line, column, what) of each line and each outcome of a condition that isn't."""
        for line, count in sorted(self.lines.items()):
            if count == 0:
                yield line, 0, "never run"
        for (line, column, end, end_column), outcomes in sorted(self.branches.items()):
            what = self.text[line - 1][column - 1 : end_column - 1 if end == line else None]
            for outcome, word in zip(outcomes, ("true", "false")):
                if outcome == 0 and self.lines.get(line) != 0:
                    yield line, column, f"never {word}: {what}"


def export(cov, profile, form, thing):
    command = [cov, "export", f"-format={form}", f"-instr-profile={profile}", thing]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{thing}: {done.stderr.strip()}")
    return done.stdout


def relative(path):
    name = os.path.relpath(os.path.realpath(path))
    return name if name.startswith(FOLDERS) else None


def add_lines(files, lcov):
    file = None
    for line in lcov.splitlines():
        if line.startswith("SF:"):
            name = relative(line[3:])
            file = files.setdefault(name, File(name)) if name else None
        elif file and line.startswith("DA:"):
            number, count = map(int, line[3:].split(",")[:2])
            # a macro is reached where it is used; an unused function has its comments counted
            code = file.code[number - 1].strip()
            if code and not code.startswith("#"):
                file.lines[number] += count


def add_branches(files, data):
    for function in data["functions"]:
        for branch in function["branches"]:
            name = relative(function["filenames"][branch[6]])
            if name in files:
                outcomes = files[name].branches.setdefault(tuple(branch[:4]), [0, 0])
                outcomes[0] += branch[4]
                outcomes[1] += branch[5]


def percent(part, whole):
    # never rounded up to 100
    return f"{int(1000 * part / whole) / 10:.1f}%" if whole else "-"


def row(files):
    lines = [count > 0 for file in files for count in file.lines.values()]
    branches = [n > 0 for file in files for both in file.branches.values() for n in both]
    open_ones = [(file, line) for file in files for line, _, _ in file.unreached()]
    justified = sum(line in file.marks for file, line in open_ones)
    return (f"{sum(lines)}/{len(lines)}", percent(sum(lines), len(lines)),
            f"{sum(branches)}/{len(branches)}", percent(sum(branches), len(branches)),
            str(justified), str(len(open_ones) - justified))


HEAD = ("file", "lines", "", "branches", "", "justified", "open")


def table(files):
    return [HEAD] + [(file.name, *row([file])) for file in files] + [("all", *row(files))]


def print_table(rows):
    widths = [max(len(cell) for cell in column) for column in zip(*rows)]
    for cells in rows:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(cells, widths))).rstrip())


STYLE = """<style>body{font:14px monospace;margin:2em}td,th{padding:0 1em;text-align:right}
td:first-child,td:last-child{text-align:left}pre{margin:0}.open{background:#f99}
.justified{background:#fd8}.run{background:#dfd}</style>"""


def page(path, title, body):
    with open(path, "w") as out:
        out.write(f"<!doctype html><meta charset=utf-8><title>{title}</title>{STYLE}"
                  f"<h1>{title}</h1>\n{body}")


def source_rows(file):
    """The source, with how often each line ran, and what of it was never reached."""
    notes = collections.defaultdict(list)
    for line, _, what in file.unreached():
        notes[line].append(what)
    for line, text in enumerate(file.text, 1):
        kind = "run" if file.lines.get(line) else ""
        if notes[line]:
            kind = "justified" if line in file.marks else "open"
        count = file.lines[line] if line in file.lines else ""
        yield (f'<tr class="{kind}" id=L{line}><td>{count}<td>{line}<td style="text-align:left">'
               f"<pre>{html.escape(text)}</pre><td>{html.escape('; '.join(notes[line]))}\n")


def write_html(folder, files, rows):
    os.makedirs(folder, exist_ok=True)
    index = "<table>"
    for cells in rows:
        link = cells[0].replace("/", "_") + ".html"
        name = f'<a href="{link}">{cells[0]}</a>' if "/" in cells[0] else cells[0]
        index += "<tr><td>" + "<td>".join((name, *cells[1:])) + "\n"
    page(folder + "/index.html", "lib/ and arch/, by the corpus", index + "</table>")
    for file in files:
        page(f"{folder}/{file.name.replace('/', '_')}.html", file.name,
             "<table>" + "".join(source_rows(file)) + "</table>")


def main():
    cov, profile, folder, *objects = sys.argv[1:]
    found = {}
    for thing in objects:
        add_lines(found, export(cov, profile, "lcov", thing))
        for data in json.loads(export(cov, profile, "text", thing))["data"]:
            add_branches(found, data)
    files = [found[name] for name in sorted(found)]
    if not files:
        fail("the objects hold no coverage of lib/ and arch/")
    rows = table(files)
    print_table(rows)
    write_html(folder, files, rows)
    wrong = 0
    for file in files:
        needed = set()
        for line, column, what in file.unreached():
            if line in file.marks:
                needed.add(file.marks[line])
                continue
            print(f"{file.name}:{line}{f':{column}' if column else ''}: {what}")
            wrong += 1
        for mark in sorted(set(file.marks.values()) - needed):
            print(f"{file.name}:{mark}: says unreached, and is reached")
            wrong += 1
    print(f"report: {folder}/index.html")
    print("all reached, or justified" if wrong == 0 else f"{wrong} not as they should be")
    sys.exit(1 if wrong else 0)


main()
