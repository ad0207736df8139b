#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Holds the events of `record --invariants` against what the reference driver counted, and against each other.

  invariant_events.py WHAT TEXT BEFORE AFTER OFFERS

TEXT: the session as babeltrace2 prints it (--clock-cycles). BEFORE, AFTER: the driver's counters. WHAT: life, small, late or
intel (no counters). OFFERS: what the attribute has to begin with. Prints lines "name TAB got TAB wanted".
"""
import os
import sys
from collections import Counter, defaultdict

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from ctf_text import parse


def counters(path):
    return Counter({k: int(v) for k, v in (line.split() for line in open(path))})


def out(name, got, wanted):
    print(name, got, wanted, sep="\t")


def within(e, outer):
    return outer.tid == e.tid and outer.domain == e.domain and outer.begin <= e.begin and e.ts <= outer.ts


def tallies(by, grown):
    """The kernel side's sums are the driver's own."""
    total = Counter()
    for t in by["tally"]:
        total.update({k: v for k, v in t.items() if isinstance(v, int)})
    for ours, theirs in (("maps", "maps"), ("map_bytes", "map_bytes"), ("unmaps", "unmaps"), ("unmap_bytes", "unmap_bytes"),
                         ("map_errors", "map_errors"), ("faults", "faults"), ("tables_allocated", "tables_allocated"),
                         ("tables_freed", "tables_freed")):
        out("tally: " + theirs, total[ours], grown[theirs])
    out("tally: sums of the lengths of flushes", sum(sum(t.flush) for t in by["tally"]), total["flushes"])
    # two tasks' operations may want one place to wait in; then one has no length, and that is told
    forgotten = sum(e.count for e in by["loss"] if e.cause == "begin")
    missing = grown["flush_all"] + grown["sync"] - total["flushes"]
    out("tally: flushes that are missing and not told to be", max(0, missing - forgotten) if missing >= 0 else missing, 0)
    out("operations without a begin are the exception", forgotten <= 3, True)
    end = [e.ts for e in by["capture"] if e.what == "end"]
    out("tally: after the end of the capture", sum(t.ts > end[0] for t in by["tally"]), 0)
    return total


def tally_against_events(by):
    """Nothing is lost, so what the kernel side counted can be counted again."""
    events = defaultdict(Counter)
    longest = defaultdict(int)
    for kind in ("map", "unmap", "table_alloc", "table_free"):
        for e in by[kind]:
            events[e.domain][kind] += 1
            events[e.domain][kind + "_bytes"] += e.get("unmapped", e.get("size", 0))
    for e in by["flush"]:
        if e.kind != "sync_map" and e.begin:
            length = e.ts - e.begin
            longest[e.domain] = max(longest[e.domain], length)
            events[e.domain][min((length >> 9).bit_length(), 31)] += 1
    wrong = []
    for t in by["tally"]:
        n = events.pop(t.domain, Counter())
        wanted = [n["map"], n["map_bytes"], n["unmap"], n["unmap_bytes"], n["table_alloc"], n["table_free"],
                  longest[t.domain], *(n[i] for i in range(32))]
        got = [t.maps, t.map_bytes, t.unmaps, t.unmap_bytes, t.tables_allocated, t.tables_freed, t.flush_longest, *t.flush]
        if got != wanted:
            wrong.append((t.domain, got, wanted))
    out("tally: domains whose events say something else", wrong[:2], [])
    out("tally: domains without one", sorted(events), [])


def invalidations(by, grown):
    flushes = defaultdict(list)
    for f in by["flush"]:
        flushes[f.tid, f.domain].append(f)
    inside = Counter()
    short = 0
    for e in by["invalidate"]:
        f = next((f for f in flushes[e.tid, e.domain] if within(e, f)), None)
        if f:
            inside[id(f)] += 1
            short += f.kind == "sync" and not (e.iova <= f.iova and f.iova + f.size - 1 <= e.last)
            short += f.kind == "all" and (e.iova, e.last) != (0, 2**64 - 1)
    out("invalidations that are shorter than their flush asks for", short, 0)
    if grown is None:
        return inside
    out("invalidations", len(by["invalidate"]), grown["inval_submitted"])
    # a domain whose devices are gone has nothing to forget; the last device of one leaves it with an invalidation
    detaches = grown["inval_submitted"] - sum(inside.values())
    out("invalidations inside of a flush", sum(inside.values()), len(inside))
    out("… all others are of detaching", detaches, len([e for e in by["detach"] if e.ret == 0]))
    return inside


def tables(by, known):
    """A page is allocated before it is freed, and not twice."""
    live, wrong, unknown = set(), 0, 0
    for e in sorted(by["table_alloc"] + by["table_free"], key=lambda e: e.ts):
        if e.name == "table_alloc":
            wrong += e.page in live
            live.add(e.page)
        elif e.page in live:
            live.remove(e.page)
        else:
            unknown += 1
    out("pages of tables allocated while they are", wrong, 0)
    if known is not None:
        out("pages of tables freed that were allocated before the recording", unknown, known)
    return live, unknown


def teardowns(by, grown, offers):
    # an identity domain of VT-d is one for all devices, which the driver has no function to free for
    freed = Counter(e.domain for e in by["domain"] if e.what == "free" and (grown is not None or e.type != "identity"))
    paging = [t for t in by["teardown"] if t.tables]
    if grown is not None:
        out("ends of domains", len(by["teardown"]), grown["domains_freed"])
        out("… with all their tables", sum(t.tables for t in paging),
            sum(any(t.tid == e.tid and t.domain == e.domain and t.begin <= e.ts <= t.ts for t in paging)
                for e in by["table_free"]))
    out("… each of a domain that was freed, once", Counter(t.domain for t in by["teardown"]), freed)
    seen = offers == "seen"
    out("… whose longest stretch is within it, and known if it can be",
        [t.domain for t in by["teardown"] if not (0 < t.longest <= t.ts - t.begin if seen else t.longest == 0)], [])
    if seen and grown is not None:
        out("… with an offer a table, as the driver makes them", [t.domain for t in paging if t.offers < t.tables], [])
    tally = {t.domain: t for t in by["tally"]}
    out("… which the kernel side counted, too",
        [t.domain for t in by["teardown"] if tally[t.domain].teardown_longest != t.longest], [])


def main():
    what, text, before, after, offers = sys.argv[1:]
    events = parse(text)
    by = defaultdict(list)
    for e in events:
        by[e.name].append(e)
    attrs = dict(e.text.split("=", 1) for e in by["attr"] if "=" in e.text)
    grown = None
    if what != "intel":
        grown = counters(after)
        grown.subtract(counters(before))
        for key, value in (("invalidate", "refiommu_inval_range"), ("tables", "refiommu_table_alloc refiommu_table_free"),
                           ("teardown", "refiommu_domain_free")):
            out("attribute " + key, attrs.get(key + ".refiommu_"), value)
    out("attribute offers", attrs.get("offers", "none").split(":")[0], offers)
    causes = Counter(e.cause for e in by["loss"] if e.cause != "begin")
    if what == "life":
        out("losses", dict(causes), {})
        tallies(by, grown)
        tally_against_events(by)
        invalidations(by, grown)
        old = [t for t in by["tally"] if t.snapshot]
        out("domains that are older than the recording", [t.domain for t in old], [1])
        known = old[0].tables_freed - old[0].tables_allocated if old else -1
        tables(by, known)
        young = [t for t in by["tally"] if t.domain and not t.snapshot]
        out("domains that came and went", len([t for t in young if t.tables_freed]), 1)
        gone = {e.domain for e in by["domain"] if e.what == "free"}
        out("… whose tables don't balance", [t.domain for t in young if t.domain in gone and
                                             t.tables_allocated != t.tables_freed], [])
        teardowns(by, grown, offers)
    elif what == "small":
        out("events were lost", causes["ring"] > 0, True)
        total = tallies(by, grown)
        out("maps are more than the events that are left", total["maps"] > len(by["map"]), True)
    elif what == "late":
        out("losses, but for what wasn't hooked", [c for c in causes if c != "unhooked"], [])
        out("functions that weren't hooked", {e.what for e in by["loss"]} >= {"refiommu_inval_range", "refiommu_table_alloc"},
            True)
        tally = [t for t in by["tally"] if t.domain and t.maps]
        out("domains that map", len(tally), 1)
        out("… maps of it", tally[0].maps, grown["maps"])
        out("… its first table was allocated unseen", tally[0].snapshot, 2)
    else:
        out("losses", dict(causes), {})
        tally_against_events(by)
        inside = invalidations(by, None)
        syncs = [f for f in by["flush"] if f.kind == "sync"]
        out("there are flushes", len(syncs) > 50, True)
        out("flushes without an invalidation", [f.ts for f in syncs if f.size and not inside[id(f)]][:3], [])
        out("attribute invalidate", attrs.get("invalidate.intel_", "none").split()[0], "cache_tag_flush_range")
        out("attribute teardown", attrs.get("teardown.intel_"), "intel_iommu_domain_free")
        teardowns(by, None, offers)
        if "tables." in attrs:
            _, unknown = tables(by, None)
            out("pages of tables that came and went", len(by["table_free"]) - unknown > 0, True)


main()
