# SPDX-License-Identifier: GPL-2.0-only
"""The detection matrix of docs/detection.md, held against what a run of assert_matrix.sh found.

usage: page.py TABLE PAGE [write]

TABLE: lines KERNEL|MODE|SCENARIO|INVARIANTS THAT FAIL|… THAT PASS|… THAT ARE INCONCLUSIVE. Prints each cell between the
marks of PAGE that isn't so and fails if there is one; kernels and modes that are not in TABLE are not looked at. With
"write", puts there what was found, which must be on all kernels that PAGE names and in all of its modes.
"""
import re
import sys

MARK = re.compile(r"(<!-- matrix: (\w+) -->\n)(.*?)(<!-- end -->)", re.S)
CELLS = {"FAIL": "**F**", "PASS": "·", "INCONCLUSIVE": "?", None: ""}
WORDS = {"**F**": "FAIL", "·": "PASS", "?": "INCONCLUSIVE", "": "SKIP", "nothing": "SKIP"}


def read(path):
    """{(mode, scenario): {kernel: {invariant: outcome}}}, in the order of the lines."""
    found = {}
    for line in open(path):
        kernel, mode, scenario, *outcomes = line.rstrip("\n").split("|")
        cells = found.setdefault((mode, scenario.replace("_", " ")), {}).setdefault(kernel.split(":")[1], {})
        for outcome, which in zip(("FAIL", "PASS", "INCONCLUSIVE"), outcomes):
            cells.update((invariant, outcome) for invariant in which.split())
    return found


def cell(by_kernel, invariant):
    """One letter if all kernels agree; else what each says."""
    said = {k: CELLS[cells.get(invariant)] for k, cells in by_kernel.items()}
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    return ", ".join(f"{k}: {c or 'nothing'}" for k, c in sorted(said.items()))


def matrix(mode, found, invariants):
    lines = ["| | " + " | ".join(str(i + 1) for i in range(len(invariants))) + " |", "|---|" + ":-:|" * len(invariants)]
    for (of, name), by_kernel in found.items():
        if of == mode:
            lines.append(f"| {name} | " + " | ".join(cell(by_kernel, i) for i in invariants) + " |")
    return "\n".join(lines) + "\n"


def on(kernel, text):
    """What a cell says of one kernel."""
    for part in text.split(", "):
        name, colon, what = part.partition(": ")
        if not colon:
            return WORDS.get(text, text)
        if name == kernel:
            return WORDS.get(what, what)
    return "no word about it"


def differences(page, found, invariants):
    for mode, text in ((m[2], m[3]) for m in MARK.finditer(page)):
        rows = [[c.strip() for c in line.strip("|\n").split("|")] for line in text.splitlines()[2:]]
        rows = {name: cells for name, *cells in rows}
        mine = {name: by_kernel for (of, name), by_kernel in found.items() if of == mode}
        if not mine:
            continue
        for name in rows.keys() ^ mine.keys():
            yield f"{mode}: {name}: {'was not run' if name in rows else 'is not on the page'}"
        for name in rows.keys() & mine.keys():
            for kernel, cells in mine[name].items():
                for i, invariant in enumerate(invariants):
                    says = on(kernel, rows[name][i]) if i < len(rows[name]) else "no word about it"
                    got = cells.get(invariant, "SKIP")
                    if says != got:
                        yield f"{mode}: {name}: {invariant} on {kernel}: {got}, not {says}"


def main():
    table, path = sys.argv[1:3]
    found = read(table)
    page = open(path).read()
    invariants = re.findall(r"^\d+\. `([a-z-]+)`", page, re.M)
    unknown = {i for by_kernel in found.values() for cells in by_kernel.values() for i in cells} - set(invariants)
    if unknown or not found:
        sys.exit(f"{path} doesn't list {', '.join(sorted(unknown)) or 'anything that was run'}")
    if sys.argv[3:] == ["write"]:
        kernels = {k for by_kernel in found.values() for k in by_kernel}
        for (mode, name), by_kernel in found.items():
            if by_kernel.keys() != kernels:
                sys.exit(f"{path} is about all kernels; {mode} {name} was run on {', '.join(by_kernel)} only")
        missing = {k for k in re.findall(r"\b(?:debian|source):([\d.]+\d)", page)} - kernels
        missing |= {m[2] for m in MARK.finditer(page)} - {mode for mode, _ in found}
        if missing:
            sys.exit(f"{path} is about {', '.join(sorted(missing))}, too, which was not run")
        page = MARK.sub(lambda m: m[1] + matrix(m[2], found, invariants) + m[4], page)
        open(path, "w").write(page)
    wrong = sorted(differences(page, found, invariants))
    if wrong:
        print("\n".join(wrong))
        sys.exit(f"{path} is not what was found; MATRIX=1 makes it anew")


main()
