# SPDX-License-Identifier: GPL-2.0-only
"""The reference driver's own tracepoints as facts, "name value" lines, between the marks "begin NAME" and "end NAME":
the first fault, and what was mapped then.

usage: verdicts_truth.py TRACE NAME     (times in us of CLOCK_MONOTONIC, as the kernel's trace prints them)
"""
import copy
import re
import sys

LINE = re.compile(r"\s(\d+)\.(\d{6}): (?:refiommu_)?(\w+): (.*)")
FIELD = re.compile(r"(\w+)=(\S+)")


class Mapping:
    def __init__(self, domain, iova, size, us):
        self.domain, self.start, self.last, self.map_us = domain, iova, iova + size - 1, us
        self.unmap_us = self.queued = self.submit_us = self.complete_us = self.seq = None


def say(prefix, m):
    for name in ("domain", "start", "last", "map_us", "unmap_us", "queued", "submit_us", "complete_us"):
        value = getattr(m, name)
        if value is not None:
            print(f"{prefix}.{name}", hex(value) if name in ("start", "last") else value)


def covers(m, iova):
    return m.start <= iova <= m.last


def fault_facts(fault, live, dead):
    us, iova, f, text = fault
    print("fault.us", us)
    print("fault.iova", hex(iova))
    print("fault.device", f["device"])
    print("fault.access", "write" if " write reason=" in text else "read")
    print("fault.reason", text.split("reason=")[1])
    here = [m for m in live if m.domain == f["domain"]]
    for m in here:
        if covers(m, iova):
            say("live", m)
    below = [m for m in here if m.last < iova]
    above = [m for m in here if m.start > iova]
    if below:
        say("below", max(below, key=lambda m: m.last))
    if above:
        say("above", min(above, key=lambda m: m.start))
    for m in live:
        if m.domain != f["domain"] and covers(m, iova):
            say("other", m)
    for m in dead:
        if m.domain == f["domain"] and covers(m, iova):
            owner = m
            break
    else:
        return
    say("dead", owner)


def between(path, name):
    """The lines from mark to mark, which are facts themselves."""
    inside = False
    for line in open(path, errors="replace"):
        found = LINE.search(line)
        if not found:
            continue
        us, event, text = int(found[1]) * 1000000 + int(found[2]), found[3], found[4]
        if event != "tracing_mark_write":
            if inside:
                yield us, event, text
        elif text.strip() in (f"begin {name}", f"end {name}"):
            inside = text.startswith("begin")
            print(f"{text.split()[0]}.us", us)


def main():
    live, dead, fault, faults, longest = [], [], None, 0, 0
    for us, event, text in between(sys.argv[1], sys.argv[2]):
        f = dict(FIELD.findall(text))
        iova = int(f["iova"], 16) if "iova" in f else None
        if event == "fault":
            faults += 1
            if fault is None:
                fault = us, iova, f, text
                before = copy.deepcopy((live, dead))
        elif event == "map":
            live.append(Mapping(f["domain"], iova, int(f["size"]), us))
        elif event == "unmap":
            for m in [m for m in live if m.domain == f["domain"] and iova <= m.start and m.last < iova + int(f["size"])]:
                live.remove(m)
                m.unmap_us, m.queued = us, f["queued"]
                dead.insert(0, m)
        elif event == "inval_submit":
            for m in dead:
                if m.domain == f["domain"] and m.seq is None and int(f["start"], 16) <= m.start and m.last <= int(f["end"], 16):
                    m.seq, m.submit_us = f["seq"], us
        elif event == "inval_complete":
            for m in dead:
                if m.domain == f["domain"] and m.seq == f["seq"]:
                    m.complete_us = us
            if int(f["latency_ns"]) > longest:
                longest, longest_us = int(f["latency_ns"]), us
    print("faults", faults)
    if longest:
        print("late.ns", longest)
        print("late.us", longest_us)
    if fault:
        fault_facts(fault, *before)


main()
