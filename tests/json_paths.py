#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""json_paths.py PAGE FILE...: holds docs/json.md (PAGE) against reports (FILE, JSON of `analyze`, or all of `assert`).

Each key of a report must have a row in the page, and each row must be found in one of the reports. A key is written as its
path, `incidents[].faults[].iova`; objects that occur in many places have a name of their own (`stats`, `times`,
`trouble`, `range`, `mapping`, `clue`, `stall`, `page_request`, `iommu_share`, `waiver`). Paths of `assert` begin with `assert.`.
"""
import json
import re
import sys

TIMES = ("window_lazy", "window_strict", "window", "flush_time", "flush_after_map_time", "iova_time", "time", "latency")


def paths(value, at, found):
    if isinstance(value, list):
        for v in value:
            paths(v, at + "[]", found)
    elif isinstance(value, dict):
        for key, v in value.items():
            if at in ("source", "assert.report"):  # its own keys; documented as of analyze
                continue
            if re.search(r"(^|\.)(numa|flush_kinds|params)$", at):
                path = at + ".*"
                if not isinstance(v, dict):
                    found.add(path)
            else:
                path = f"{at}.{key}" if at else key
                found.add(path)
            if isinstance(v, dict) and key in TIMES:
                path = "times"
            elif key in ("stats", "totals") and at != "assert":
                path = "stats"
            elif isinstance(v, dict) and key in ("hang", "reset", "reset_before", "error"):
                path = "trouble"
            elif isinstance(v, dict) and key in ("below", "above", "mapped") and at.startswith("journey"):
                path = "range"
            elif isinstance(v, dict) and key in ("mapping", "reused"):
                path = "mapping"
            elif isinstance(v, dict) and key in ("clue", "stall", "page_request", "iommu_share"):
                path = key
            elif isinstance(v, dict) and key in ("waiver", "expired_waiver"):
                path = "assert.waiver"
            paths(v, path, found)


def main():
    documented = set()
    for line in open(sys.argv[1]):
        row = re.match(r"\| `([^`]+)` \|", line)
        if row:
            documented.add(row.group(1))
    found = set()
    for name in sys.argv[2:]:
        report = json.load(open(name))
        paths(report, "assert" if "assert_schema" in report else "", found)
    of_assert = any(path.startswith("assert.") for path in found)
    documented = {path for path in documented if path.startswith("assert.") == of_assert}
    for path in sorted(found - documented):
        print(f"# not in {sys.argv[1]}: {path}")
    for path in sorted(documented - found):
        print(f"# in no report: {path}")
    return found != documented


sys.exit(main())
