# SPDX-License-Identifier: GPL-2.0-only
"""Two prints of one session, by our reader and by babeltrace2: the same events with the same fields.

usage: real_babeltrace.py OURS THEIRS   prints "KIND COUNT" of ours, "different N" and "masked N"

Events of one time may come in another order, so they are matched by everything but their texts. Where a text is
empty, babeltrace2 2.0 prints one of an earlier event instead (docs/session-format.md): such texts are taken as equal,
and counted.
"""
import re
import sys
from collections import Counter

TEXT = re.compile(r'(\w+) = "((?:[^"\\]|\\.)*)"')
HEAD = re.compile(r"^(\[\d+\]) \S+ (\w+: )\{ events = \d+, crc32c = 0x[0-9A-F]+ \}, ")


def load(path, theirs):
    lines = []
    for line in open(path, errors="surrogateescape"):
        if theirs:
            line, n = HEAD.subn(r"\1 \2", line)
            if not n:
                sys.exit(f"babeltrace2 printed what is no event: {line}")
        texts = TEXT.findall(line)
        lines.append((TEXT.sub(r'\1 = ""', line), texts))
    lines.sort(key=lambda e: e[0])
    return lines


def main():
    ours, theirs = load(sys.argv[1], False), load(sys.argv[2], True)
    different = abs(len(ours) - len(theirs))
    masked = 0
    for a, b in zip(ours, theirs):
        same = a[0] == b[0]
        for (name, mine), (_, yours) in zip(a[1], b[1]):
            if mine == "" and yours != "":
                masked += 1
            elif mine != yours:
                same = False
        if not same:
            different += 1
            if different <= 5:
                print("#<", a, "\n#>", b, file=sys.stderr)
    for kind, n in sorted(Counter(e[0].split()[1].rstrip(":") for e in ours).items()):
        print(kind, n)
    for kind, n in sorted(Counter(e[0].split()[1].rstrip(":") for e in theirs).items()):
        print(f"theirs.{kind}", n)
    print("different", different)
    print("masked", masked)


main()
