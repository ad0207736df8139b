# SPDX-License-Identifier: GPL-2.0-only
"""What an emulated IOMMU was told, by QEMU's trace and by the events of a session: facts for real_matrix.sh.

usage: babeltrace2 --clock-cycles --no-delta SESSION/ctf | real_told.py KERNEL MODE NUMBER QEMU-TRACE

MODE: intel-*, amd-* or virtio-*. NUMBER: counts of QEMU's trace are taken between the marks of the device with this number.
Prints facts "qemu.NAME N" and "ours.NAME N", which must be equal; "marks N"; "told N": commands in QEMU's trace; "flushes
N": events that the hardware must have been told of; "inside N": those of them that have a submission of their task's inside;
"making N": whole flushes of domains that no device was ever in by then, which are the core's, when it makes one.

ours.* is worked out from events by what the kernel's drivers do (drivers/iommu of 6.1, 6.12 and 7.2):
intel   a flush of a range is one invalidation of pages, one of the domain if the aligned power of two around it is beyond what
        the IOMMU takes (MAMV, 2^18 pages in QEMU's capability register); a flush after map is only made in caching mode
amd     QEMU's IOMMU says that it caches what is not present, so a range is told in naturally aligned powers of two, after
        maps too; a flush of everything is one command, but debian:6.12 (6.12.95) cuts 2^63 - 1 bytes like any other range
virtio  maps and unmaps are told by their bytes: a request for each step of the page sizes; nobody is told of a flush of a
        domain without devices
and ours.submitted (intel, amd) from the commands in events of submissions to the hardware.
"""
import bisect
import collections
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from ctf_text import parse

MAMV = 18


def between_marks(path, number):
    """Lines of QEMU's trace in the part of this number, and how many marks it has."""
    part, marks, inside = 0, 0, []
    on = False
    for line in open(path):
        mark = re.match(r"pci_cfg_write edu .* @0x3c <- 0x4([12])$", line)
        if mark:
            on = mark[1] == "1"
            part += on
            marks += part == number
        elif on and part == number and not line.startswith("pci_cfg_write"):
            inside.append(line)
    return inside, marks


def aligned_order(start, last):
    """Pages, as a power of two, of the aligned range around it."""
    return (start >> 12 ^ last >> 12).bit_length()


def pieces(start, size):
    n = 0
    while size:
        step = 1 << size.bit_length() - 1
        if start:
            step = min(step, start & -start)
        start, size, n = start + step, size - step, n + 1
    return n


def submitted(events, by):
    """Commands for the IOTLB."""
    return sum(e.commands for e in events if e.name == "submit" and e.by == by and e.kind == "iotlb")


def in_making(events):
    """Whole flushes of domains before the first device came. A domain of the snapshot has its devices in it."""
    first = {}
    for e in events:
        if e.name == "attach" and not e.ret:
            first.setdefault(e.domain, e.ts)
    return [e for e in events if e.name == "flush" and e.kind == "all" and e.ts < first.get(e.domain, 2**64)]


def tells(mode, e):
    """The hardware is told of this flush."""
    if mode.startswith("intel") and e.kind == "sync_map":
        return mode == "intel-caching"
    return e.kind == "all" or e.size > 0


def who(e):
    """Every idle CPU is task 0."""
    return e.tid, e.cpu if e.tid == 0 else -1


def inside(flushes, events):
    """How many have a submission inside."""
    ends = collections.defaultdict(list)
    for e in events:
        if e.name == "submit":
            ends[who(e)].append((e.ts, e.begin))
    n = 0
    for f in flushes:
        times = ends[who(f)]
        i = bisect.bisect_right(times, (f.ts, 2**64)) - 1
        n += i >= 0 and times[i][1] >= f.begin
    return n


def intel(_, mode, events, lines):
    ours = collections.Counter(pages=0, domain=0)
    ours["global"] = 0
    for e in events:
        if e.name != "flush" or not tells(mode, e):
            continue
        if e.kind == "all":
            ours["domain"] += 1
        else:
            small = aligned_order(e.iova, e.iova + e.size - 1) <= MAMV
            ours["pages" if small else "domain"] += 1
    qemu = collections.Counter(m[1] for m in (re.match(r"vtd_inv_desc_iotlb_(\w+)", s) for s in lines) if m)
    ours["submitted"] = submitted(events, "qi_submit_sync")
    qemu["submitted"] = sum(qemu.values())
    return ours, qemu


def amd(kernel, _, events, lines):
    whole = pieces(0, 2**63 - 1) if kernel == "debian:6.12" else 1
    ours = collections.Counter(pages=0, all=0)
    for e in events:
        if e.name == "flush":
            ours["pages"] += whole if e.kind == "all" else pieces(e.iova, e.size)
    qemu = collections.Counter(m[1] for m in (re.match(r"amdvi_(pages|all)_inval", s) for s in lines) if m)
    ours["submitted"] = submitted(events, "amd_queue_command")
    qemu["submitted"] = sum(qemu.values())
    return ours, qemu


def virtio(_, __, events, lines):
    ours = collections.Counter(map_bytes=0, unmap_bytes=0)
    for e in events:
        if e.name == "map" and not e.ret:
            ours["map_bytes"] += e.size
        elif e.name == "unmap":
            ours["unmap_bytes"] += e.unmapped
    qemu = collections.Counter()
    for line in lines:
        m = re.match(r"virtio_iommu_(map|unmap) .*virt_start=(\w+) virt_end=(\w+)", line)
        if m:
            qemu[m[1] + "_bytes"] += int(m[3], 0) - int(m[2], 0) + 1
    return ours, qemu


def main():
    kernel, mode, number, trace = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    lines, marks = between_marks(trace, number)
    events = parse("/dev/stdin")
    making = in_making(events)
    flushes = [e for e in events if e.name == "flush" and tells(mode, e) and not (mode.startswith("virtio") and e in making)]
    ours, qemu = {"intel": intel, "amd": amd, "virtio": virtio}[mode.split("-")[0]](kernel, mode, events, lines)
    print("marks", marks)
    print("told", len(lines))
    print("making", len(making))
    print("flushes", len(flushes))
    print("inside", inside(flushes, events))
    for name in sorted(set(ours) | set(qemu)):
        print(f"qemu.{name}", qemu[name])
        print(f"ours.{name}", ours[name])


main()
