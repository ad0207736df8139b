# SPDX-License-Identifier: GPL-2.0-only
"""The detection matrix of docs/detection.md, made from what a run of assert_matrix.sh found.

usage: page.py TABLE PAGE [write]

TABLE: lines KERNEL|MODE|SCENARIO|INVARIANTS THAT FAIL|… THAT PASS|… THAT ARE INCONCLUSIVE. Compares what stands in PAGE
between its marks with the matrix of these lines, and fails if they differ; with "write", puts it there.
"""
import re
import sys

MARK = re.compile(r"(<!-- matrix: (\w+) -->\n).*?(<!-- end -->)", re.S)
CELLS = {"FAIL": "**F**", "PASS": "·", "INCONCLUSIVE": "?", None: ""}


def read(path):
    found, names = {}, []
    for line in open(path):
        kernel, mode, scenario, *outcomes = line.rstrip("\n").split("|")
        if scenario not in names:
            names.append(scenario)
        for outcome, which in zip(("FAIL", "PASS", "INCONCLUSIVE"), outcomes):
            for invariant in which.split():
                found.setdefault((mode, scenario, invariant), {})[kernel] = outcome
    kernels = sorted({line.split("|")[0] for line in open(path)})
    return found, names, kernels


def cell(by_kernel, kernels):
    """One letter if all kernels agree; else what each says."""
    all_of = [by_kernel.get(k) for k in kernels]
    if len(set(all_of)) == 1:
        return CELLS[all_of[0]]
    return " ".join(f"{k.split(':')[1]}: {CELLS[o] or 'nothing'}" for k, o in zip(kernels, all_of))


def matrix(mode, found, names, kernels, invariants):
    lines = ["| | " + " | ".join(str(i + 1) for i in range(len(invariants))) + " |", "|---|" + ":-:|" * len(invariants)]
    for name in names:
        cells = [cell(found.get((mode, name, i), {}), kernels) for i in invariants]
        lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main():
    found, names, kernels = read(sys.argv[1])
    page = open(sys.argv[2]).read()
    invariants = re.findall(r"^\d+\. `([a-z-]+)`", page, re.M)
    unknown = {i for _, _, i in found} - set(invariants)
    if unknown:
        sys.exit(f"{sys.argv[2]} doesn't list {', '.join(sorted(unknown))}")
    new = MARK.sub(lambda m: m[1] + matrix(m[2], found, names, kernels, invariants) + m[3], page)
    if sys.argv[3:] == ["write"]:
        open(sys.argv[2], "w").write(new)
    elif new != page:
        sys.exit(f"{sys.argv[2]} is not what was found; MATRIX={sys.argv[2]} makes it anew")


main()
