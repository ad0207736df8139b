# SPDX-License-Identifier: GPL-2.0-only
"""Page requests of a session (babeltrace2 --clock-cycles on standard input) against the trace of the reference driver."""
import collections
import re
import sys

CODES = {0: "success", 1: "invalid", 2: "failure", 3: "refused"}


def num(line, key):
    got = re.search(r"[ {]" + key + r" = (?:\( \".*?\" : container = )?(-?(?:0x)?[0-9A-Fa-f]+)", line)
    return int(got[1], 0)


true_requests, true_answers = [], collections.Counter()
for line in open(sys.argv[1]):
    f = dict(re.findall(r"(\w+)=(\S+)", line))
    if " refiommu_page_request: " in line:
        true_requests.append((int(f["iova"], 16), int(f["pasid"]), int(f["has_pasid"]), int(f["prgi"]),
                              int(f["perm"]), int(f["last"])))
    else:
        true_answers[int(f["prgi"]), int(f["code"])] += 1

requests, answers, refused = [], [], []
devices, attached, pasid_domain, names, plan = {}, 0, 0, set(), "none"
for line in sys.stdin:
    kind = re.search(r" (device|attach|map|attr|page_request|page_response): ", line)
    if not kind:
        continue
    kind = kind[1]
    if kind == "attr":
        got = re.search(r'"plan\.page-answer=(.*?)"', line)
        plan = got[1] if got else plan
        continue
    if kind == "device":
        devices[num(line, "dev")] = re.search(r' name = "(.*?)"', line)[1]
        continue
    if kind == "attach":
        if devices.get(num(line, "dev")) == "refdma.0" and not num(line, "ret"):
            attached = num(line, "domain")
        continue
    if kind == "map":
        if num(line, "iova") == 1 << 30 and not pasid_domain:
            pasid_domain = num(line, "domain")
        continue
    ts = int(re.match(r"\[(\d+)\]", line)[1])
    e = {k: num(line, k) for k in ("dev", "domain", "pasid", "pasid_valid", "prgi")}
    e["ts"] = ts
    names.add(devices.get(e["dev"], "?"))
    if kind == "page_request":
        e.update({k: num(line, k) for k in ("iova", "perm", "last")})
        requests.append(e)
    else:
        e.update({k: num(line, k) for k in ("code", "ret", "latency")})
        (refused if e["code"] == 3 else answers).append(e)

ours = [(e["iova"], e["pasid"], e["pasid_valid"], e["prgi"], e["perm"], e["last"]) for e in requests]
print("requests", len(requests))
print("requests_differ", sum(a != b for a, b in zip(ours, true_requests)) + abs(len(ours) - len(true_requests)))

# What the core refused, its driver answered: invalid, one answer to a group.
own = {e["prgi"] for e in refused}
left = true_answers - collections.Counter({(p, 1): 1 for p in own})
print("drivers_own", sum(true_answers.values()) - sum(left.values()))
print("refused", len(refused))
seen = collections.Counter((e["prgi"], e["code"]) for e in answers)
print("answers_differ", sum(((seen - left) + (left - seen)).values()) + sum(e["ret"] != 0 for e in answers))
print("devices", " ".join(sorted(names)))

plain = [e for e in requests if not e["pasid_valid"]]
print("domain_attached", attached)
print("domain_pasid", pasid_domain)
print("domains_plain", " ".join(sorted({str(e["domain"]) for e in plain})))
print("domains_pasid", " ".join(sorted({str(e["domain"]) for e in requests if e["pasid_valid"]})))
taken = [e for e in answers if 100 <= e["prgi"]]
print("domains_answer", " ".join(sorted({str(e["domain"]) for e in taken if e["pasid_valid"]})))
print("pasids_differ", sum((e["pasid"], e["pasid_valid"]) != ((5, 1) if e["prgi"] >= 100 else (9, 1) if e["prgi"] == 2
                                                              else (0, 0)) for e in answers + refused))

# A group's last request before the answer is what its latency counts from.
wrong, least = 0, {}
for e in answers:
    before = [r for r in requests if r["prgi"] == e["prgi"] and r["pasid"] == e["pasid"] and r["last"] and r["ts"] < e["ts"]]
    if not before:  # refused at once: not the last of its group
        wrong += e["latency"] != 0
        continue
    since = e["ts"] - e["latency"]
    earlier = max([r["ts"] for r in requests if r["ts"] < before[-1]["ts"]], default=0)
    wrong += not (e["latency"] and earlier < since <= before[-1]["ts"])
    if e["code"] == (1 if e["prgi"] < 300 and e["prgi"] >= 200 else 0) and len(before) == 1:
        phase = e["prgi"] // 100 * 100
        least[phase] = min(least.get(phase, e["latency"]), e["latency"])
for phase in sorted(least):
    print(f"latency_{phase}", least[phase])
print("latency_wrong", wrong)
print("plan_answer", plan)
