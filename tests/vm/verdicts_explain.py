# SPDX-License-Identifier: GPL-2.0-only
"""Fills the transcripts of a page (docs/explain.md) from the recordings of a run (verdicts.sh, chain.sh).

usage: verdicts_explain.py IOMMUTOP RECORDINGS INCIDENTS EXPLAIN

Behind each line "<!-- transcript: VERDICT -->" of EXPLAIN comes, as a code block that takes the place of the one that
is there, what `iommutop analyze` says of an incident with that verdict: the first in INCIDENTS, lines of
"VERDICT RECORDING NUMBER". A verdict that isn't in it keeps what it has, and is named.
"""
import re
import subprocess
import sys

MARK = re.compile(r"<!-- transcript: (\w+) -->\n(?:```\n.*?\n```\n)?", re.S)


def incident(iommutop, recording, number):
    """One incident of the report, which ends where the next one or the tables begin."""
    text = subprocess.run([iommutop, "analyze", recording], check=True, capture_output=True, text=True).stdout
    found = re.search(rf"^ *{number}\. .*?(?=\n\n+(?:\S|  ?\d+\. )|\Z)", text, re.S | re.M)
    if not found:
        sys.exit(f"{recording}: no incident {number} in the report")
    # numbers are of no use to a reader who has this one only
    return re.sub(r"^  ? ?", "", re.sub(r"^ *\d+\. ", "", found[0]), flags=re.M)


def main():
    iommutop, recordings, incidents, path = sys.argv[1:]
    places = {}
    for line in open(incidents):
        verdict, recording, number = line.split()
        places.setdefault(verdict, (f"{recordings}/{recording}", number))

    def fill(mark):
        place = places.get(mark[1])
        if not place:
            print(f"{mark[1]}: no scenario", file=sys.stderr)
            return mark[0]
        return f"<!-- transcript: {mark[1]} -->\n```\n{incident(iommutop, *place)}\n```\n"

    text = open(path).read()
    filled = MARK.sub(fill, text)
    open(path, "w").write(filled)


main()
