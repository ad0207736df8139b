# SPDX-License-Identifier: GPL-2.0-only
"""Flushes of a session against the reference driver's tracepoints of its invalidations (trace_clock mono).

usage: babeltrace2 --clock-cycles --no-delta SESSION/ctf | flush_pairs.py TRACE

Prints facts: flushes and invalidations; without_begin; wrong: flushes that don't have exactly one invalidation of the same
task, interrupt or not, submitted and completed between their begin and end; at_once: flushes of a domain that overlap with
one on another CPU; nested: flushes in an interrupt on a CPU where another was under way. The tracepoints' times are in
whole microseconds.
"""
import bisect
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from ctf_text import parse

ENTRY = re.compile(r"-(\d+) +\[(\d+)\] (\S{5}) +(\d+)\.(\d{6}): refiommu_inval_(submit|complete): .*\bseq=(\d+)")
IRQ = 1
ROUND = 1000


def who(tid, cpu, irq):
    """Every idle CPU is task 0."""
    return tid, cpu if tid == 0 else -1, irq


def invalidations(path):
    submits, completes = [], {}
    for line in open(path):
        m = ENTRY.search(line)
        if not m:
            continue
        tid, cpu, flags, at, seq = int(m[1]), int(m[2]), m[3], int(m[4]) * 10**9 + int(m[5]) * 1000, int(m[7])
        if m[6] == "complete":
            completes[seq] = at
        else:
            # the third of the flags: in a hard or soft interrupt, or neither
            submits.append((who(tid, cpu, flags[2] in "hHsZz"), at, seq))
    return [(key, at, completes[seq]) for key, at, seq in submits]


def main():
    made = {}
    all_made = invalidations(sys.argv[1])
    for key, submit, complete in all_made:
        made.setdefault(key, []).append((submit, complete))
    for times in made.values():
        times.sort()
    found = [e for e in parse("/dev/stdin") if e.name == "flush"]
    for f in found:
        f["irq"] = bool(f.flags & IRQ)
    wrong = 0
    for f in found:
        times = made.get(who(f["tid"], f["cpu"], f["irq"]), [])
        first = bisect.bisect_left(times, (f["begin"] - ROUND, 0))
        inside = [t for t in times[first:first + 4] if t[0] <= f["ts"] and t[1] <= f["ts"] + ROUND]
        # a neighbour may have been submitted in the same microsecond
        inside = [t for t in inside if t[0] + ROUND >= f["begin"]]
        if len(inside) != 1:
            wrong += 1
            if wrong <= 3:
                print(f"wrong: {f}, around {len(inside)} of {times[max(first - 1, 0):first + 3]}", file=sys.stderr)
    at_once = nested = 0
    found.sort(key=lambda f: f["begin"])
    for i, f in enumerate(found):
        for g in found[i + 1:i + 50]:
            if g["begin"] >= f["ts"]:
                break
            at_once += g["domain"] == f["domain"] and g["cpu"] != f["cpu"]
            nested += g["cpu"] == f["cpu"] and g["irq"] and not f["irq"] and g["ts"] <= f["ts"]
    print("flushes", len(found))
    print("invalidations", len(all_made))
    print("without_begin", sum(f["begin"] == 0 for f in found))
    print("wrong", wrong)
    print("at_once", at_once)
    print("nested", nested)


main()
