#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Page requests: what devices ask for and what they are answered comes out as the reference driver's own tracepoints have
# it, field by field; answers take at least the time that the driver let pass; what nobody answers is told as open.
# Those that aren't served are evidence of the fault and the hang after them; the live table has them while they wait.
# usage: [EXPLAIN=docs/explain.md] page_requests.sh [KERNEL...]   (default: debian:6.12; debian:6.1 and source:7.2 are the others)
# EXPLAIN: the transcripts in that page are made anew from this run.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

# Facts of the session and of the trace beside it.
compare()
{
	babeltrace2 --clock-cycles "$dir/files/session/ctf" 2>>"$dir/err" | python3 "$here/page_requests.py" "$dir/files/trace"
}

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.12)
for kernel in "${kernels[@]}"; do
	rm -rf "$dir/files" "$dir/facts"
	mkdir "$dir/facts"
	boot --kernel "$kernel" --iommu ref --timeout 10m --output "$dir/files" --file "$here/refiommu_guest.sh" \
		--file "$here/facts_guest.sh" --file "$here/page_requests.guest" -- sh /root/page_requests.guest
	came_to_end "$kernel" || continue
	cp "$dir/files/truth" "$dir/facts/"
	"$iommutop" analyze --json "$dir/files/session" 2>>"$dir/err" | without_standstills "$dir/files/ticks" | flatten >"$dir/facts/says"
	"$iommutop" analyze --tables pages "$dir/files/session" >"$dir/facts/text" 2>>"$dir/err"
	compare >"$dir/facts/is"
	# the answers that the driver gave by itself, because the core had nobody for the request, aren't seen
	own=0 refused=0 answer=iopf_group_response made=46
	[ "$kernel" != debian:6.1 ] || own=3 refused=$(fact truth page_refused) answer=iommu_page_response made=50

	# 1 + 2, 8 * 3, 3, 2, 2 * 2, 2, 2, 3 * 2; and 2 * 2 without PASID
	equal "$kernel: requests were made" "$(fact truth page_requests)" $made
	equal "$kernel: each request, field by field, in order" "$(fact is requests_differ)" 0
	equal "$kernel: and no other" "$(fact is requests)" "$(fact truth page_requests)"
	equal "$kernel: each answer by number and code" "$(fact is answers_differ)" 0
	equal "$kernel: requests that the core didn't take, and their driver answered" "$(fact is refused)" "$refused"
	equal "$kernel: so many were taken from the truth for that" "$(fact is drivers_own)" $own
	equal "$kernel: of the right device" "$(fact is devices)" refdma.0
	equal "$kernel: without a PASID, the device's domain" "$(fact is domains_plain)" "$(fact is domain_attached)"
	equal "$kernel: a PASID's domain isn't known before the answer" "$(fact is domains_pasid)" 0
	equal "$kernel: domains of its answers" "$(fact is domains_answer)" \
		"$([ "$kernel" = debian:6.1 ] && echo 0 || fact is domain_pasid)"
	equal "$kernel: every answer to a group has its PASID" "$(fact is pasids_differ)" 0
	for phase in 100:20000 200:6000; do
		check "$kernel: delay of ${phase#*:} us: least $(fact is "latency_${phase%:*}") ns" \
			[ "$(fact is "latency_${phase%:*}")" -ge "${phase#*:}000" ]
	done
	equal "$kernel: latency counts from the group's last request" "$(fact is latency_wrong)" 0
	equal "$kernel: losses" "$(fact says losses.nr)" 0

	equal "$kernel: analyze: requests" "$(fact says page_requests.0.requests)" "$(fact truth page_requests)"
	equal "$kernel: analyze: groups" "$(fact says page_requests.0.groups)" "$(fact truth page_groups)"
	equal "$kernel: analyze: success" "$(fact says page_requests.0.success)" "$(fact truth page_success)"
	equal "$kernel: analyze: invalid" "$(fact says page_requests.0.invalid)" $(($(fact truth page_invalid) - own))
	equal "$kernel: analyze: failure" "$(fact says page_requests.0.failure)" "$(fact truth page_failure)"
	equal "$kernel: analyze: refused" "$(fact says page_requests.0.refused)" "$refused"
	equal "$kernel: analyze: unanswered" "$(fact says page_requests.0.unanswered)" 3
	equal "$kernel: analyze: which is certain" "$(fact says page_requests.0.unanswered_is_ceiling)" false
	check "$kernel: analyze: the longest answer is no shorter than the longest delay" \
		[ "$(fact says page_requests.0.latency.max_ns)" -ge 20000000 ]
	equal "$kernel: analyze: no incident of it" "$(fact says incidents.nr)" 0
	check "$kernel: analyze: the table" grep -qE "^  refdma\.0 +$(fact truth page_requests) " "$dir/facts/text"
	check "$kernel: analyze: the open ones" grep -qE '^  refdma\.0: 3 groups have no answer at the end, the oldest for ' \
		"$dir/facts/text"
	equal "$kernel: the attach plan says how" "$(fact is plan_answer)" "fentry $answer"
	cp "$dir/files/before" "$dir/files/after" "$dir/facts/"
	mv "$dir/facts/before" "$dir/facts/all.before"
	mv "$dir/facts/after" "$dir/facts/all.after"
	flatten <"$dir/files/top.json" >"$dir/facts/top"
	"$iommutop" analyze --json "$dir/files/served" 2>>"$dir/err" | without_standstills "$dir/files/ticks" | flatten >"$dir/facts/served"
	"$iommutop" analyze "$dir/files/served" 2>>"$dir/err" | tr -s ' \n' ' ' >"$dir/facts/words"
	equal "$kernel: top: requests" "$(sum top page_requests.0.requests page_requests.1.requests)" "$(grown all page_requests)"
	equal "$kernel: top: groups" "$(sum top page_requests.0.groups page_requests.1.groups)" "$(grown all page_groups)"
	equal "$kernel: top: of each device" "$(fact top page_requests.0.device) $(fact top page_requests.1.device)" "refdma.0 refdma.1"
	equal "$kernel: top: invalid" "$(fact top page_requests.0.invalid)" "$(grown all page_invalid)"
	check "$kernel: top: its latency" [ "$(fact top page_requests.0.latency.max_ns)" -ge 2000000 ]
	equal "$kernel: top: the one that waits" "$(fact top page_requests.1.unanswered)" 1
	check "$kernel: top: for how long" [ "$(fact top page_requests.1.oldest_unanswered_ns)" -ge 500000000 ]
	equal "$kernel: top: which is certain" "$(fact top page_requests.1.unanswered_is_ceiling)" false
	equal "$kernel: top: nothing lost" "$(fact top lost)" 0
	equal "$kernel: served: losses" "$(fact served losses.nr)" 0
	equal "$kernel: served: incidents" "$(fact served incidents.nr)" 2
	equal "$kernel: a page that was refused and used" \
		"$(for f in device_name page_request.device_name page_request.end page_request.same_page page_request.addresses.0 \
			page_request.pasid page_request.group page_request.answer; do fact served "incidents.0.$f"; done | tr '\n' ' ')" \
		"refdma.0 refdma.0 invalid true 0x1234560000 5 700 INVALID "
	check "$kernel: its fault is behind the answer" \
		[ "$(fact served incidents.0.faults.0.first_ns)" -gt "$(fact served incidents.0.page_request.answered_ns)" ]
	check "$kernel: its words" grep -qE 'before the fault, refdma.0 \(refdma\) asked for the page at 0x1234560000 \(write, PASID 5, group 700\)\. This request was answered INVALID \(this access can.t be\) [0-9.]+ m?s later, by task' "$dir/facts/words"
	equal "$kernel: a device that hangs for its page" \
		"$(for f in device_name verdict page_request.end page_request.doubtful page_request.addresses.0 page_request.answer \
			hang.device_name; do fact served "incidents.1.$f"; done | tr '\n' ' ')" \
		"refdma.1 page_request_not_served unanswered false 0x60000 null refdma.1 "
	[ -z "${EXPLAIN:-}" ] || {
		printf '%s\n' "page_request_refused served 1" "page_request_not_served served 2" >"$dir/incidents"
		python3 "$here/verdicts_explain.py" "$iommutop" "$dir/files" "$dir/incidents" "$EXPLAIN"
	}
	check "$kernel: probe says so, too" grep -q '"page-request"' "$dir/files/probe.json"
done
finish
