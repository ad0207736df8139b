# SPDX-License-Identifier: GPL-2.0-only
"""Fills the transcripts of docs/explain.md from the recordings of a run of verdicts.sh.

usage: verdicts_explain.py IOMMUTOP RECORDINGS LIST EXPLAIN

Behind each line "<!-- transcript: VERDICT -->" of EXPLAIN comes, as a code block that takes the place of the one that
is there, what `iommutop analyze` says of the first scenario of LIST that has that verdict. A verdict without a
scenario keeps what it has, and is named.
"""
import re
import subprocess
import sys

MARK = re.compile(r"<!-- transcript: (\w+) -->\n(?:```\n.*?\n```\n)?", re.S)


def incident(iommutop, recording):
    """The first incident of the report, which ends where the tables begin."""
    text = subprocess.run([iommutop, "analyze", recording], check=True, capture_output=True, text=True).stdout
    found = re.search(r"^  1\. .*?(?=\n\n\S|\Z)", text, re.S | re.M)
    if not found:
        sys.exit(f"{recording}: no incident in the report")
    return re.sub(r"^  ", "", found[0], flags=re.M)


def main():
    iommutop, recordings, scenarios, path = sys.argv[1:]
    names = {}
    for line in open(scenarios):
        name, verdict = line.split("|")[:2]
        names.setdefault(verdict, name)

    def fill(mark):
        name = names.get(mark[1])
        if not name:
            print(f"{mark[1]}: no scenario", file=sys.stderr)
            return mark[0]
        return f"<!-- transcript: {mark[1]} -->\n```\n{incident(iommutop, f'{recordings}/{name}')}\n```\n"

    text = open(path).read()
    filled = MARK.sub(fill, text)
    open(path, "w").write(filled)


main()
