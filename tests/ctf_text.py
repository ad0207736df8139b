# SPDX-License-Identifier: GPL-2.0-only
"""Events of a session as `babeltrace2 --clock-cycles` prints them, for tests that compare them with somebody else's."""
import re

FIELD = re.compile(r'(\w+) = (?:\( (?:"(\w+)"|<unknown>) : container = (\d+) \)|\[((?: \[\d+\] = \w+,?)*) \]|"((?:[^"\\]|\\.)*)"'
                   r'|(-?\w+))')


class Event(dict):
    """Fields by name, beside them name and ts (ns)."""
    __getattr__ = dict.__getitem__


def parse(path):
    events = []
    for line in open(path, encoding="utf-8", errors="replace"):
        head = re.match(r"\[(\d+)\] (?:\([^)]*\) )?(?:[\w.-]+ )?(\w+): ", line)
        e = Event(name=head[2], ts=int(head[1]))
        for m in FIELD.finditer(line, head.end()):
            if m[3]:
                e[m[1]] = m[2] or int(m[3])
            elif m[4] is not None:
                e[m[1]] = [int(v, 0) for v in re.findall(r"= (\w+)", m[4])]
            elif m[5] is not None:
                e[m[1]] = m[5]
            else:
                e[m[1]] = int(m[6], 0)
        events.append(e)
    return events
