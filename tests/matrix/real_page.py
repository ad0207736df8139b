# SPDX-License-Identifier: GPL-2.0-only
"""The table of real drivers in docs/compatibility.md, from what a run of real_matrix.sh found.

usage: real_page.py TABLE PAGE

TABLE: lines KERNEL|MODE|DEVICE|ok|MAPS|UNMAPS|FLUSHES|COMMANDS, KERNEL|MODE|DEVICE|FAILED, or KERNEL|MODE|DEVICE|-|WHY NOT. Puts
them into PAGE between its marks; cells that TABLE doesn't have stay as they are there.
"""
import re
import sys

MARK = re.compile(r"(<!-- real drivers -->\n)(.*?)(<!-- end -->)", re.S)
DEVICES = ["e1000e", "nvme", "virtio-net", "igb"]


def old_cells(text):
    cells = {}
    for line in text.splitlines():
        columns = [c.strip() for c in line.strip("|").split("|")]
        if len(columns) == 2 + len(DEVICES) and ":" in columns[0]:
            cells.update({(*columns[:2], d): c for d, c in zip(DEVICES, columns[2:])})
    return cells


def new_cells(path):
    for line in open(path):
        kernel, mode, device, outcome, *rest = line.rstrip("\n").split("|")
        if outcome == "ok":
            text = f"ok: {rest[0]} maps, {rest[1]} unmaps, {rest[2]} flushes"
        else:
            text = " ".join(rest) if outcome == "-" else outcome
        yield (kernel, mode.replace("-", " "), device), text


def main():
    page = open(sys.argv[2]).read()
    mark = MARK.search(page)
    if not mark:
        sys.exit(f"{sys.argv[2]} has no place for it: <!-- real drivers --> … <!-- end -->")
    cells = old_cells(mark[2])
    cells.update(new_cells(sys.argv[1]))
    lines = ["| kernel | IOMMU | " + " | ".join(DEVICES) + " |", "|---|---|" + "---|" * len(DEVICES)]
    for kernel, mode in sorted({k[:2] for k in cells}):
        lines.append(f"| {kernel} | {mode} | " + " | ".join(cells.get((kernel, mode, d), "not run") for d in DEVICES) + " |")
    text = "\n" + "\n".join(lines) + "\n\n"
    open(sys.argv[2], "w").write(page[:mark.start()] + mark[1] + text + mark[3] + page[mark.end():])


main()
