# SPDX-License-Identifier: GPL-2.0-only
"""
What an export has to hold, worked out from the text of a session (babeltrace2's, or gen_session's from the C structs),
and compared with it value by value. It shares nothing with the code under test. Prints differences; exit code 1 if any.

  export_truth.py jsonl TEXT EXPORT
  export_truth.py csv TEXT EXPORT
  export_truth.py tables TEXT ROWS      ROWS: JSON of parquet_read.mjs
"""
import csv
import json
import re
import sys

TOKEN = re.compile(
    r'[{}]|(\w+) = (?:(0x[0-9A-F]+)|(-?\d+)|"((?:[^"\\]|\\.)*)"'
    r'|\( (?:"(\w+)"|<unknown>) : container = (\d+) \)|\[((?: \[\d+\] = \w+,?)*) \])', re.S)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
HEADER = ["cpu", "flags", "tid", "domain", "dev", "stack"]
TABLES = {"map": "events", "unmap": "events", "flush": "events", "iova_alloc": "events", "iova_free": "events",
          "hang": "trouble", "reset": "trouble", "error": "trouble", "detach": "attach",
          "table_alloc": "page_table", "table_free": "page_table"}


class Hex(int):
    """Shown in hexadecimal by formats for people."""


class Label(str):
    """An enumeration's name; one without a name is its number."""


def value(m):
    if m[2]:
        return Hex(m[2], 16)
    if m[3]:
        return int(m[3])
    if m[6]:
        return Label(m[5]) if m[5] else Label(m[6])
    if m[7] is not None:
        return [Hex(v, 16) if v.startswith("0x") else int(v) for v in re.findall(r"= (\w+)", m[7])]
    return re.sub(r"\\(.)", lambda e: ESCAPES.get(e[1], e[1]), m[4] or "", flags=re.S)


def parse(path):
    """Events in order: {"event", "ts", header, then the event's own fields by name}."""
    events = []
    with open(path, newline="\n", encoding="utf-8", errors="replace") as f:
        for line in f:
            head = re.match(r"\[(\d+)\] (?:[\w.-]+ )?(\w+): ", line)
            groups = []
            for m in TOKEN.finditer(line, head.end()):
                if m[0] == "{":
                    groups.append({})
                elif m[0] != "}":
                    groups[-1][m[1]] = value(m)
            context, fields = groups[-2], groups[-1]
            e = {"event": head[2], "ts": int(head[1])}
            e.update((k, context[k]) for k in HEADER)
            e["own"] = {("%s_%s" % (e["event"], k) if k in HEADER else k): v for k, v in fields.items()
                        if k not in ("pad", "text_len", "nr")}
            events.append(e)
    return events


def with_time(events):
    """The time of day in microseconds, known from the first clock sample on."""
    offset = None
    for e in events:
        # of a merged session, the first session's clock is the one that all times are in
        if e["event"] == "clock_sample" and offset is None and not e["flags"] & 4 and not e["flags"] >> 12:
            offset = e["own"]["real"] - e["ts"]
        e["time"] = None if offset is None else (e["ts"] + offset) % 2**64 // 1000
    return events


def as_json(v):
    if isinstance(v, list):
        return [as_json(x) for x in v]
    if isinstance(v, Hex):
        return "0x%x" % v
    if isinstance(v, Label) and v.isdigit():
        return int(v)
    return v


def same(what, got, want, bad):
    if got != want:
        bad.append("%s: %r, should be %r" % (what, got, want))


def jsonl(events, path, bad):
    lines = [json.loads(line) for line in open(path, encoding="utf-8")]
    same("schema", lines[0].get("schema"), 1, bad)
    same("last line", (lines[-1].get("event"), lines[-1].get("events")), ("end", len(lines) - 2), bad)
    # what is made from log lines comes on top
    lines = [o for o in lines[1:-1] if not (o["flags"] == "0x4" and o.get("source") == "log")]
    same("number of events", len(lines), len(events), bad)
    for n, (o, e) in enumerate(zip(lines, events)):
        want = {"event": e["event"], "ts": e["ts"], **{k: as_json(e[k]) for k in HEADER}}
        want.update((k, as_json(v)) for k, v in e["own"].items())
        got = {k: v for k, v in o.items() if k not in ("device", "domain_name")}
        same("line %d" % (n + 2), got, want, bad)


def as_csv(v):
    return "" if v is None else "0x%x" % v if isinstance(v, Hex) else str(v)


def csv_all(events, path, bad):
    raw = open(path, "rb").read()
    same("line ends", raw.count(b"\r\n") > len(events), True, bad)
    with open(path, newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f, strict=True))
    rows = [r for r in rows if not (r["flags"] == "0x4" and '"source":"log"' in r["fields"])]
    same("number of rows", len(rows), len(events), bad)
    for n, (r, e) in enumerate(zip(rows, with_time(events))):
        fields = r.pop("fields")
        hot = TABLES.get(e["event"]) == "events"
        own = e["own"] if hot else {}
        for k, v in r.items():
            if k in ("device", "domain_name"):
                continue
            same("row %d, %s" % (n + 1, k), v, as_csv(e[k] if k in e else own.get(k)), bad)
        same("row %d, columns missing" % (n + 1), [k for k in own if k not in r], [], bad)
        if hot:
            same("row %d, fields" % (n + 1), fields, "", bad)
        else:
            same("row %d, fields" % (n + 1), json.loads(fields), {k: as_json(v) for k, v in e["own"].items()}, bad)


def rows_of(events):
    """By table: a dict a row, a sequence's elements in rows of their own."""
    tables = {}
    for e in with_time(events):
        base = {k: v for k, v in e.items() if k != "own"}
        rows = tables.setdefault(TABLES.get(e["event"], e["event"]), [])
        lists = [k for k, v in e["own"].items() if isinstance(v, list)]
        if lists and e["event"] != "stack":
            rows.append({**base, **{k: " ".join(map(str, v)) if k in lists else v for k, v in e["own"].items()}})
        elif lists:
            rows += [{**base, "frame": i, lists[0]: v} for i, v in enumerate(e["own"][lists[0]])]
        else:
            rows.append({**base, **e["own"]})
    return tables


def tables(events, path, bad):
    want = rows_of(events)
    got = json.load(open(path, encoding="utf-8"))
    same("tables", [t for t in want if t not in got], [], bad)
    for name, t in got.items():
        rows = [r for r in t["rows"] if not (r["flags"] == 4 and r.get("source") == "log")]
        expected = want.get(name, [])
        same("%s: rows" % name, len(rows), len(expected), bad)
        for n, (r, e) in enumerate(zip(rows, expected)):
            same("%s %d: columns missing" % (name, n), [k for k in e if k not in r], [], bad)
            for k, v in r.items():
                if k in ("device", "domain_name"):
                    continue
                w = e.get(k)
                v = int(v) if isinstance(w, int) and isinstance(v, str) else v
                same("%s %d: %s" % (name, n, k), v, w, bad)
        if len(rows) == len(t["rows"]):
            aggregates(name, t, expected, bad)


def aggregates(name, t, rows, bad):
    """What the reader summed itself, skipping row groups by their statistics where it can."""
    for column, got in t["aggregates"].items():
        values = [r[column] for r in rows if r.get(column) is not None]
        want = {"count": len(values), "min": min(values, default=None), "max": max(values, default=None),
                "sum": sum(values) if values else None, "upper": sum(v >= 2**63 for v in values), "negative": sum(v < 0 for v in values)}
        same("%s: %s" % (name, column), {k: v if v is None else int(v) for k, v in got.items()}, want, bad)


def main():
    bad = []
    {"jsonl": jsonl, "csv": csv_all, "tables": tables}[sys.argv[1]](parse(sys.argv[2]), sys.argv[3], bad)
    for line in bad[:20]:
        print(line[:400])
    print("%d differences" % len(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
