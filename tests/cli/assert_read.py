#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""assert_read.py FORMAT FILE: reads a report of `iommutop assert` as strictly as its format is written down, and prints a
line for each result: what became of it (pass, fail, inconclusive, skip, warning), a tab, its name. The formats, but for
github, have to print the same. Exits with 1 and says where, if the file isn't as it has to be.
"""
import json
import re
import sys
import xml.etree.ElementTree as ET

import yaml


class Bad(Exception):
    pass


def plan_and_points(lines, version, point):
    """Common to TAP and KTAP: version, plan, numbered points. Yields (match, lines before it, lines after it)."""
    if not lines or lines[0] != version:
        raise Bad(f"the first line isn't {version!r}")
    plan = re.fullmatch(r"1\.\.([0-9]+)", lines[1])
    if not plan:
        raise Bad("the second line is no plan")
    found = []
    for number, line in enumerate(lines[2:], 3):
        match = point.fullmatch(line)
        if match:
            found.append((match, number))
            if int(match["number"]) != len(found):
                raise Bad(f"line {number}: number {match['number']}, not {len(found)}")
    if len(found) != int(plan[1]):
        raise Bad(f"{len(found)} tests, planned {plan[1]}")
    return found


def tap(lines):
    point = re.compile(r"(?P<ok>ok|not ok) (?P<number>[0-9]+) - "
                       r"(?P<name>(?:[^#\\]|\\#|\\\\)*?)(?: # (?P<directive>SKIP|TODO)(?: (?P<why>.*))?)?")
    for match, number in plan_and_points(lines, "TAP version 14", point):
        name = re.sub(r"\\(.)", r"\1", match["name"])
        block = None
        if number < len(lines) and lines[number] == "  ---":
            end = lines.index("  ...", number)
            block = yaml.safe_load("\n".join(lines[number + 1 : end]))
            lines[number : end + 1] = ["# read"] * (end + 1 - number)
        if match["ok"] == "not ok" and block is None:
            raise Bad(f"line {number}: no diagnostics")
        if match["directive"] == "SKIP":
            yield "skip" if match["ok"] == "ok" else "skip, but not ok", name
        elif match["directive"] == "TODO":
            yield "warning" if block["severity"] == "warning" else "TODO, but no warning", name
        elif match["ok"] == "ok":
            yield "pass", name
        else:
            yield block["outcome"].lower(), name
    for number, line in enumerate(lines[2:], 3):
        if not line.startswith("#") and not point.fullmatch(line):
            raise Bad(f"line {number} is nothing that TAP knows: {line!r}")


def ktap(lines):
    point = re.compile(r"(?P<ok>ok|not ok) (?P<number>[0-9]+) (?P<name>[^#]*?)(?: # ?(?P<rest>.*))?")
    totals = re.compile(r"# Totals: pass:(\d+) fail:(\d+) xfail:(\d+) xpass:0 skip:(\d+) error:(\d+)")
    count = dict.fromkeys(("pass", "fail", "warning", "skip", "inconclusive"), 0)
    for match, _ in plan_and_points(lines, "KTAP version 1", point):
        rest = match["rest"] or ""
        directive = re.match(r"(SKIP|XFAIL|ERROR|TODO|TIMEOUT)\b", rest)
        directive = directive and directive[1]
        what = {("ok", None): "pass", ("ok", "SKIP"): "skip", ("ok", "XFAIL"): "warning", ("not ok", None): "fail",
                ("not ok", "ERROR"): "inconclusive"}.get((match["ok"], directive), f"{match['ok']} with {directive}")
        if what == "inconclusive" and "INCONCLUSIVE" not in rest:
            raise Bad(f"an error that doesn't say INCONCLUSIVE: {rest!r}")
        count[what] += 1
        yield what, match["name"]
    for number, line in enumerate(lines[2:], 3):
        if not line.startswith("# ") and not point.fullmatch(line):
            raise Bad(f"line {number} is nothing that KTAP knows: {line!r}")
    said = totals.fullmatch(lines[-1])
    if not said or [int(n) for n in said.groups()] != list(count.values()):
        raise Bad(f"totals {lines[-1]!r} of {count}")


def junit(text):
    suites = ET.fromstring(text.encode())
    for suite in suites:
        count = {"failure": 0, "error": 0, "skipped": 0}
        cases = suite.findall("testcase")
        for case in cases:
            kinds = [child.tag for child in case]
            if len(kinds) != 1:
                raise Bad(f"{case.get('name')}: {kinds}")
            count[kinds[0]] = count.get(kinds[0], 0) + 1
            out = case.findtext("system-out") or ""
            yield {"failure": "fail", "error": "inconclusive", "skipped": "skip"}.get(
                kinds[0], "warning" if out.startswith("only a warning") else "pass"), case.get("name")
        said = [int(suite.get(key)) for key in ("tests", "failures", "errors", "skipped")]
        if said != [len(cases), count["failure"], count["error"], count["skipped"]]:
            raise Bad(f"attributes {said} of {len(cases)} cases, {count}")


def as_json(text):
    report = json.loads(text)
    rows = [(r["outcome"], r["severity"], r["name"]) for r in report["results"]]
    if report["run"]:
        rows.append((report["run"]["outcome"], "error", "run"))
    for outcome, severity, name in rows:
        counts = severity == "error" or outcome in ("PASS", "SKIP")
        yield outcome.lower() if counts else "warning", name


def github(lines):
    """Only what has an annotation: the level, its title and its text, unescaped."""
    for number, line in enumerate(lines, 1):
        match = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line)
        if not match:
            raise Bad(f"line {number} is no command: {line!r}")
        title = dict(p.split("=", 1) for p in match[2].split(","))["title"]
        yield match[1], re.sub(r"%(25|0D|0A|3A|2C)", lambda m: chr(int(m[1], 16)), title)


def main():
    text = open(sys.argv[2], encoding="utf-8").read()
    if not text.endswith("\n"):
        raise Bad("no line end at the end")
    readers = {"tap": tap, "ktap": ktap, "github": github, "junit": junit, "json": as_json}
    given = text if sys.argv[1] in ("junit", "json") else text[:-1].split("\n")
    for what, name in readers[sys.argv[1]](given):
        print(f"{what}\t{name}")


try:
    main()
except (Bad, ValueError, KeyError, ET.ParseError, yaml.YAMLError) as e:
    sys.exit(f"{sys.argv[2]}: {e!r}")
