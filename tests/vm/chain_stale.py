# SPDX-License-Identifier: GPL-2.0-only
"""
Writes after unmap, as the buffer knows them (what edudma wrote down), against the flushes of a session, as babeltrace2 reads them.
usage: chain_stale.py SESSION ANALYSIS.json TRY...   prints facts
"""
import json
import re
import subprocess
import sys

# edu moves the bytes 100 ms after it was told to, by a clock of whole ms; not before
ACCESS_NS = 99_000_000

session, analysis, tries = sys.argv[1], json.load(open(sys.argv[2])), sys.argv[3:]
text = subprocess.run(["babeltrace2", "--clock-cycles", session + "/ctf"], capture_output=True, text=True, check=True).stdout
events = []
for line in text.splitlines():
    m = re.match(r"\[(\d+)\].*? (unmap|flush): ", line)
    if m:
        fields = {k: v.strip('"') for k, v in re.findall(r"(\w+) = (?:\( )?(\"\w+\"|-?\w+)", line)}
        events.append((int(m[1]), m[2], fields))


def number(text):
    return int(text, 0)


def covering_flush(begin, end, iova):
    """The domain, the unmap's time, and begin and end of the first flush that began after it and takes the address with it."""
    unmap = next((e for e in events if e[1] == "unmap" and begin <= e[0] <= end and number(e[2]["iova"]) == iova), None)
    if not unmap:
        return None, None, None, None
    domain = unmap[2]["domain"]
    for ts, what, f in events:
        if what != "flush" or f["domain"] != domain or number(f["begin"]) < unmap[0]:
            continue
        first, size = number(f["iova"]), number(f["size"])
        if f["kind"] == "all" or (f["kind"] == "sync" and first <= iova < first + size):
            return int(domain), unmap[0], number(f["begin"]), ts
    return int(domain), unmap[0], None, None


n = dict.fromkeys(["in_time", "late", "no_unmap", "landed", "possible", "impossible", "unclear", "wrong"], 0)
needed, longest = 0, 0
for path in tries:
    t = dict(line.split() for line in open(path))
    start, unmapped, landed, done = (int(t[k]) for k in ("start", "unmap_end", "landed", "done"))
    domain, at, began, flushed = covering_flush(int(t["unmap_begin"]), unmapped, int(t["iova"], 0))
    if at is None:
        n["no_unmap"] += 1
        continue
    if unmapped >= start + ACCESS_NS:
        n["late"] += 1
        continue
    n["in_time"] += 1
    # the shortest time from an unmap to its write
    needed = min(needed or 1 << 62, start + ACCESS_NS - at)
    n["landed"] += landed > 0
    # a flush takes the entry at some time between its begin and its end
    if flushed is None or (flushed > landed if landed else began > done):
        n["possible"] += 1
        n["wrong"] += landed == 0
    elif flushed < start + ACCESS_NS:
        n["impossible"] += 1
        n["wrong"] += landed > 0
    else:
        n["unclear"] += 1
    print("#", path.rsplit("/", 1)[-1], "unmapped", at - start, "flushed", flushed and flushed - start,
          "landed", landed and landed - start, "done", done - start)
    stats = next(d for d in analysis["domains"] if d["number"] == domain)["stats"]
    longest = max(w["max_ns"] for w in (stats["window_lazy"], stats["window_strict"]) if w)
# what the report says by itself, of the domain that the last one was in
print("window_max_ns", longest)
print("needed_ns", needed)
for k, v in n.items():
    print(k, v)
