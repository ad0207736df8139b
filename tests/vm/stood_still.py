# SPDX-License-Identifier: GPL-2.0-only
"""Leaves out flushes that were long only because the machine took the CPU away from the guest.

usage: stood_still.py TRACE <REPORT >REPORT

REPORT: what `iommutop analyze --json` prints. TRACE: the reference driver's invalidations and the ticks of the CPUs, with
times of CLOCK_MONOTONIC (refiommu_guest.sh, watch_ticks). The CPU that a flush keeps busy takes ticks all the same: where it took
none, it didn't run. An incident that is a stalled flush is left out if, without such times, it would be none.
"""
import json
import re
import sys

LINE = re.compile(r"\[(\d+)\] \S+ +(\d+)\.(\d{6}): (\w+): ")
STALL = 100_000_000  # ns: shorter flushes are not told
TICK = 12_000_000  # ns: the longest time between two ticks is 10 ms


def load(path):
    events = []
    for line in open(path, errors="replace"):
        found = LINE.search(line)
        if found:
            events.append((int(found[2]) * 10**9 + int(found[3]) * 1000, found[1], found[4]))
    return sorted(events)


def ran(events, begin, end):
    """How long, of a flush, the CPU that made it ran."""
    inside = [e for e in events if begin <= e[0] <= end]
    cpus = {cpu for _, cpu, name in inside if name.startswith("refiommu_inval_")}
    if len(cpus) != 1:
        return end - begin
    times = [begin, *(at for at, cpu, _ in inside if cpu in cpus), end]
    return sum(b - a for a, b in zip(times, times[1:]) if b - a <= TICK)


def main():
    events = load(sys.argv[1])
    report = json.load(sys.stdin)
    kept = []
    for i in report["incidents"]:
        stall = i["stall"]
        if i["verdict"] == "flush_stalled" and ran(events, stall["begin_ns"], stall["end_ns"]) < STALL:
            print(f"# a flush of {stall['end_ns'] - stall['begin_ns']} ns, in which its CPU stood still", file=sys.stderr)
        else:
            kept.append(i)
    report["incidents"] = kept
    json.dump(report, sys.stdout)


main()
