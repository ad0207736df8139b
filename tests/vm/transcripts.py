# SPDX-License-Identifier: GPL-2.0-only
"""Transcripts in a page of docs/cookbook, from a run of the test that keeps the page true.

usage: transcripts.py fill|check PAGE BOOT DIR

A line "<!-- transcript: BOOT NAME -->" of PAGE has a code block behind it: what was printed into DIR/NAME.txt.
fill: puts it there. check: what is there says the same, but for numbers with their units, and the width of columns;
a page without any transcript of BOOT, and a transcript that wasn't printed, are failures too.
"""
import os
import re
import sys

MARK = re.compile(r"<!-- transcript: ([^\n]+) ([\w.-]+) -->\n(?:```\n(.*?)\n```\n)?", re.S)
QUANTITY = re.compile(r"(?<![\w.])[0-9]+(\.[0-9]+)? (ns|us|ms|s|B|KiB|MiB|GiB)\b")
NUMBER = re.compile(r"(?<![\w.:-])(0x[0-9a-f]+|[0-9]+(\.[0-9]+)*)(?![\w:])")


def printed(directory, name):
    path = f"{directory}/{name}.txt"
    return open(path).read().rstrip("\n") if os.path.exists(path) else None


def words(text):
    return NUMBER.sub("#", QUANTITY.sub("#", " ".join(text.split())))


def fill(page, boot, directory):
    def block(mark):
        text = printed(directory, mark[2])
        if mark[1] != boot or text is None:
            return mark[0]
        return f"<!-- transcript: {mark[1]} {mark[2]} -->\n```\n{text}\n```\n"

    text = open(page).read()
    open(page, "w").write(MARK.sub(block, text))


def check(page, boot, directory):
    seen = bad = 0
    for mark in MARK.finditer(open(page).read()):
        if mark[1] != boot:
            continue
        seen += 1
        text = printed(directory, mark[2])
        if text is None or mark[3] is None or words(text) != words(mark[3]):
            bad += 1
            print(f"{mark[2]}: the page has\n  {words(mark[3] or 'nothing')}\nand this run\n  {words(text or 'nothing')}")
    if not seen:
        print(f"{page} has no transcript of {boot}")
    return bad or not seen


action, *rest = sys.argv[1:]
sys.exit({"fill": fill, "check": check}[action](*rest))
