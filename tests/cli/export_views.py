# SPDX-License-Identifier: GPL-2.0-only
"""
Exports that say less than the session, held against what babeltrace2 reads in it. Exit code 1 if they differ.

  export_views.py perfetto TEXT DECODED     DECODED: protoc --decode=Trace
  export_views.py folded TEXT FOLDED count|bytes
  export_views.py redacted PLAIN.jsonl REDACTED.jsonl full|offset|names
  export_views.py part ALL SOME             both as DECODED; SOME: flushes of CPU 1, maps of CPU 2
  export_views.py hidden PLAIN.jsonl FILE...  no address or name of PLAIN is in the bytes of FILE
"""
import json
import re
import sys
from collections import Counter, defaultdict

from export_truth import parse, same


def decode(path):
    """protoc's text format: dicts of lists."""
    top = {}
    stack = [top]
    for line in open(path, encoding="utf-8"):
        line = line.strip()
        if line.endswith("{"):
            new = {}
            stack[-1].setdefault(line[:-2], []).append(new)
            stack.append(new)
        elif line == "}":
            stack.pop()
        else:
            key, v = line.split(": ", 1)
            v = v[1:-1] if v[0] == '"' else int(v) if re.match(r"-?\d+$", v) else v
            stack[-1].setdefault(key, []).append(v)
    return top["packet"]


def one(d, key, default=None):
    return d.get(key, [default])[0]


class Trace:
    """A reader of its own: tracks, slices, instants and counters with their names put in."""

    def __init__(self, packets, bad):
        first = packets[0]
        same("clock of the packets", one(one(first, "trace_packet_defaults"), "timestamp_clock_id"), 3, bad)
        same("first packet clears the state", one(first, "sequence_flags"), 1, bad)
        interned = one(first, "interned_data")
        names = {one(n, "iid"): one(n, "name") for n in interned["event_names"]}
        args = {one(n, "iid"): one(n, "name") for n in interned["debug_annotation_names"]}
        self.tracks, self.clocks = {}, []
        self.slices, self.instants, self.counters = [], [], defaultdict(list)
        open_slices, order = {}, []
        for p in packets:
            same("sequence", one(p, "trusted_packet_sequence_id"), 1, bad)
            same("fields nobody knows", [k for k in p if k.isdigit()], [], bad)
            if "track_descriptor" in p:
                t = one(p, "track_descriptor")
                same("track told twice", one(t, "uuid") in self.tracks, False, bad)
                self.tracks[one(t, "uuid")] = (one(t, "name"), one(t, "parent_uuid"),
                                               one(one(t, "counter", {}), "unit"))
            elif "clock_snapshot" in p:
                s = one(p, "clock_snapshot")
                same("primary clock", one(s, "primary_trace_clock"), "BUILTIN_CLOCK_MONOTONIC", bad)
                self.clocks.append({one(c, "clock_id"): one(c, "timestamp") for c in s["clocks"]})
            elif "track_event" in p:
                order.append((one(p, "timestamp"), len(order), p))
        # a reader sorts by time and leaves what is of the same time as it is
        for ts, _, p in sorted(order, key=lambda o: o[:2]):
            e = one(p, "track_event")
            track, kind = one(e, "track_uuid"), one(e, "type")
            same("track is told", track in self.tracks or track == 0, True, bad)
            same("state is needed", one(p, "sequence_flags"), 2, bad)
            a = {args[one(d, "name_iid")]: [v[0] for k, v in d.items() if k != "name_iid"][0]
                 for d in e.get("debug_annotations", [])}
            if kind == "TYPE_COUNTER":
                self.counters[track].append((ts, one(e, "counter_value")))
            elif kind == "TYPE_INSTANT":
                self.instants.append((names[one(e, "name_iid")], ts, self.tracks[track][0], a))
            elif kind == "TYPE_SLICE_BEGIN":
                same("slice open on %x at %d" % (track, ts), track in open_slices, False, bad)
                open_slices[track] = (names[one(e, "name_iid")], ts, a)
            else:
                name, begin, a = open_slices.pop(track)
                parent = self.tracks[track][1]
                self.slices.append((name, self.tracks[parent][0] if parent else None, begin, ts, a))
        same("slices without end", open_slices, {}, bad)


def domain_track(nr):
    return {1: "domain 1: 0000:3a:1f.7", 2: "domain 2: 0000:3b:00.0", 3: "domain 3: group 7"}[nr]


def windows(events):
    """Unmaps to the flush that covers them (docs/events.md): (domain, oldest, end, lazy, strict)."""
    waiting = defaultdict(list)
    out = []
    for e in events:
        if e["event"] == "unmap":
            waiting[e["domain"]].append((e["ts"], e["own"]["mode"], e["own"]["gather"]))
        if e["event"] != "flush":
            continue
        own = e["own"]
        done = [u for u in waiting[e["domain"]]
                if (own["kind"] == "all" and u[0] < own["begin"]) or
                (own["kind"] == "sync" and u[1] == "strict" and u[2] == own["gather"] and u[0] <= own["begin"])]
        waiting[e["domain"]] = [u for u in waiting[e["domain"]] if u not in done]
        if done:
            lazy = sum(u[1] == "lazy" for u in done)
            out.append((domain_track(e["domain"]), min(done)[0], e["ts"], lazy, len(done) - lazy))
    return out


def live_bytes(events):
    """By domain: [(ts, bytes)] after each change."""
    live, total, out = {}, Counter(), defaultdict(list)
    for e in events:
        own, key = e["own"], (e["domain"], e["own"].get("iova"))
        if e["event"] == "map" and not own["ret"]:
            live[key] = own["size"]
            total[e["domain"]] += own["size"]
        elif e["event"] == "unmap":
            total[e["domain"]] -= live.pop(key)
        else:
            continue
        out[e["domain"]].append((e["ts"], total[e["domain"]]))
    return out


def check_counters(t, events, bad):
    live = live_bytes(events)
    for uuid, samples in t.counters.items():
        name, parent, unit = t.tracks[uuid]
        nr = int(re.match(r"domain (\d+)", t.tracks[parent][0])[1])
        if name == "mapped bytes":
            same("unit of bytes", unit, "UNIT_SIZE_BYTES", bad)
            known = set(live[nr])
            same("domain %d: mapped bytes that never were" % nr, [s for s in samples if s not in known], [], bad)
            same("domain %d: mapped bytes at the end" % nr, samples[-1], live[nr][-1], bad)
            span = (live[nr][-1][0] - live[nr][0][0]) / 1e6
            same("domain %d: a sample a millisecond" % nr, span * 0.9 <= len(samples) <= 2 * span + 2, True, bad)
        else:
            maps = sum(e["event"] == "map" and not e["own"]["ret"] and e["domain"] == nr for e in events)
            same("domain %d: maps" % nr, sum(v for _, v in samples), maps * 100, bad)
            same("domain %d: rate at the end" % nr, samples[-1][1], 0, bad)
    same("counters", len(t.counters), 6, bad)


def perfetto(text, path, _, bad):
    events = parse(text)
    t = Trace(decode(path), bad)
    names = {"all": "flush all", "sync": "flush range", "sync_map": "flush after map"}
    flushes = [(names[e["own"]["kind"]], domain_track(e["domain"]), e["own"]["begin"], e["ts"], str(e["own"]["why"]),
                e["cpu"]) for e in events if e["event"] == "flush"]
    got = [s[:4] + (s[4]["why"], s[4]["cpu"]) for s in t.slices if s[0].startswith("flush")]
    same("flushes", Counter(got) - Counter(flushes), Counter(), bad)
    same("number of flushes", len(got), len(flushes), bad)
    want = windows(events)
    got = [s[1:4] + (s[4].get("lazy_unmaps", 0), s[4].get("strict_unmaps", 0)) for s in t.slices
           if s[0] == "unmapped, not flushed"]
    same("windows", Counter(got) - Counter(want), Counter(), bad)
    same("number of windows", (len(got), bool(want)), (len(want), True), bad)
    devices = {1: "0000:3a:1f.7", 2: "0000:3b:00.0"}
    want = [("fault", e["ts"], devices[e["dev"]], int(e["own"]["iova"])) for e in events if e["event"] == "fault"]
    want += [("fault", e["ts"], devices[1], 0xd3c47000) for e in events
             if e["event"] == "log" and "fault addr" in e["own"]["text"]]
    got = [(i[0], i[1], i[2], i[3]["iova"]) for i in t.instants if i[0] == "fault"]
    same("faults", sorted(got), sorted(want), bad)
    for kind in ("hang", "error"):
        want = [(kind, e["ts"], devices[e["dev"]], e["own"]["what"]) for e in events if e["event"] == kind]
        got = [(i[0], i[1], i[2], i[3]["what"]) for i in t.instants if i[0] == kind]
        same(kind, (got, bool(got)), (want, True), bad)
    want = [("reset", devices[e["dev"]], e["own"]["begin"], e["ts"]) for e in events if e["event"] == "reset"]
    same("resets", [s[:4] for s in t.slices if s[0] == "reset"], want, bad)
    want = [("events missing", None, e["own"]["begin"], e["own"]["end"], {"count": 7, "cause": "ring", "what": "ring 1"})
            for e in events if e["event"] == "loss"]
    same("losses", ([s for s in t.slices if s[0] == "events missing"], bool(want)), (want, True), bad)
    want = [{3: e["ts"], 6: e["own"]["boot"], 1: e["own"]["real"]} for e in events if e["event"] == "clock_sample"]
    same("clocks", t.clocks[1:], want, bad)
    same("log lines", sum(i[0] == "kernel log" for i in t.instants), sum(e["event"] == "log" for e in events), bad)
    check_counters(t, events, bad)


def part(everything, path, _, bad):
    """With a filter for some flushes and maps: their slices are as they were, and none is of others."""
    full, some = (Trace(decode(p), bad) for p in (everything, path))
    key = lambda s: s[:4] + (json.dumps(s[4], sort_keys=True),)
    want = {key(s) for s in full.slices if s[0].startswith("flush") and s[4]["cpu"] == 1}
    same("flushes", {key(s) for s in some.slices if s[0].startswith("flush")}, want, bad)
    # a flush and its window end together
    ends = {s[3] for s in want}
    windows_of = lambda t: {key(s) for s in t.slices if s[0] == "unmapped, not flushed" and s[3] in ends}
    same("windows", {key(s) for s in some.slices if s[0] == "unmapped, not flushed"}, windows_of(full), bad)
    same("there are windows", len(windows_of(full)) > 10, True, bad)
    same("faults", [i for i in some.instants if i[0] == "fault"], [], bad)
    only = [(i[2], i[3]["text"].replace("\\'", "'")) for t in (full, some) for i in t.instants if i[0] == "only"]
    same("what it is a part of", only, [("capture", "--filter 'id==flush && cpu==1 || id==map && cpu==2'")], bad)
    for t in (full, some):
        t.bytes = {s for u, samples in t.counters.items() if t.tracks[u][0] == "mapped bytes" for s in samples}
        t.top = max(v for _, v in t.bytes)
    # sampled at other moments, but not smaller for what isn't shown
    same("most mapped: %d of %d" % (some.top, full.top), some.top > full.top * 0.9, True, bad)


def folded(text, path, weight, bad):
    events = parse(text)
    symbols = {e["own"]["addr"]: re.sub(r"[; ]", "_", e["own"]["text"]) for e in events if e["event"] == "symbol"}
    stacks = {e["stack"]: e["own"]["ip"] for e in events if e["event"] == "stack"}
    want = Counter()
    for e in events:
        if e["event"] in ("stack", "symbol", "attr", "device", "log", "loss", "clock_sample") or e["flags"] & 2:
            if e["event"] == "log" and "fault addr" in e["own"]["text"] and weight == "count":
                want["fault;[no stack]"] += 1
            continue
        frames = [symbols.get(ip, "0x%x" % ip) for ip in reversed(stacks.get(e["stack"], []))] or ["[no stack]"]
        own = e["own"]
        size = {"map": 0 if own.get("ret") else own.get("size"), "unmap": own.get("unmapped"), "flush": own.get("size"),
                "iova_alloc": own.get("size")}.get(e["event"], 0)
        want[";".join([e["event"]] + frames)] += 1 if weight == "count" else size
    got = Counter()
    for line in open(path, encoding="utf-8"):
        stack, n = line.rsplit(" ", 1)
        same("frames have no space", " " in stack.replace("[no stack]", ""), False, bad)
        got[stack] += int(n)
    same("stacks", got, +want, bad)


ADDRESSES = {"iova", "paddr", "limit", "first", "last", "flush_all", "sync", "sync_map", "owner", "addr", "gather"}
NAMES = {"name", "physfn", "iommu", "device", "domain_name", "rid"}


def pairs(plain, redacted):
    """(key, before, after) of every value, lists taken apart."""
    for a, b in zip(plain, redacted):
        for k in a:
            for x, y in zip(a[k] if k == "ip" else [a[k]], b[k] if k == "ip" else [b[k]]):
                yield k, x, y


def redacted(plain, path, how, bad):
    a, b = ([json.loads(line) for line in open(p, encoding="utf-8")] for p in (plain, path))
    same("what is said of it", b[0]["redacted"], "names" if how == "names" else "addresses", bad)
    same("number of lines", len(b), len(a), bad)
    forward, backward = {}, {}
    hidden = NAMES if how == "names" else ADDRESSES | {"ip"}
    for k, x, y in pairs(a[1:-1], b[1:-1]):
        if k in ("text", "name", "device") and x != y:
            continue  # told apart by the test of what is hidden
        if k not in hidden or x in ("0x0", "", None) or (k == "domain_name" and x.startswith("group")):
            same("%s stays" % k, y, x, bad)
            continue
        kind = k if k in ("gather", "iommu", "rid") else "address"
        same("%s %s: its token" % (k, x), forward.setdefault((kind, x), y), y, bad)
        same("%s %s: whose token" % (k, y), backward.setdefault((kind, y), x), x, bad)
        if how == "offset" and kind == "address":
            same("%s: page offset" % x, int(y, 16) % 4096, int(x, 16) % 4096, bad)
    # 32 bits may come out as they were, once in a very long time
    same("values without a token", sum(y == x for (_, x), y in forward.items()) < 3, True, bad)
    same("tokens for %d" % len(forward), len(forward) > (5 if how == "names" else 1000), True, bad)
    if how == "full":
        kept = sum(int(x, 16) % 4096 == int(y, 16) % 4096 for (k, x), y in forward.items() if k == "address")
        same("page offsets that stayed: %d of %d" % (kept, len(forward)), kept < len(forward) / 100, True, bad)


def hidden(plain, paths, _, bad):
    a = [json.loads(line) for line in open(plain, encoding="utf-8")][1:-1]
    secrets = {int(x, 16) for k, x, _ in pairs(a, a) if k in ADDRESSES - {"gather"} | {"ip"}} - {0}
    secrets |= {0xd3c45000, 3552858112, 0xa5c3b7001000, 0xd3c47000}
    names = [b"secret", b"3a:1f.7", b"3b:00.0", b"calc"]
    large = {s.to_bytes(8, "little") for s in secrets if s >= 2**32}
    same("secrets", len(large) > 100, True, bad)
    for path in paths:
        data = open(path, "rb").read()
        for n in names:
            same("%s: %s" % (path, n), n in data, False, bad)
        # gather tokens are 32 random bits: one may well be an address of another
        text = re.sub(rb'"gather":"\w+"', b"", data)
        for word in set(re.findall(rb"[0-9A-Fa-f]{5,}", text)):
            same("%s: %s" % (path, word), int(word, 16) in secrets, False, bad)
            if word.isdigit():
                same("%s: %s" % (path, word), int(word) in secrets, False, bad)
        for at in range(len(data) - 8):
            if data[at:at + 8] in large:
                same("%s at %d" % (path, at), data[at:at + 8].hex(), "", bad)


def main():
    bad = []
    mode, first = sys.argv[1:3]
    if mode == "hidden":
        hidden(first, sys.argv[3:], None, bad)
    else:
        {"perfetto": perfetto, "folded": folded, "part": part, "redacted": redacted}[mode](
            first, sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else None, bad)
    for line in bad[:20]:
        print(line[:600])
    print("%d differences" % len(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
