#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# record --invariants: what drivers tell their IOMMU, pages of page tables, ends of domains and the counts of the kernel side
# are those of the reference driver, also if events are lost, and if the driver is loaded late. VT-d: what it invalidates covers
# what it was asked for. Domains that go, as docs/cookbook/teardown.md has it: what assert says, and what the driver says.
# usage: [COOKBOOK=1] invariant_events.sh [KERNEL...]   (default: debian:6.1 debian:6.12 source:7.2)
# COOKBOOK: the transcripts in that page are made anew from this run.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

# held WHAT SESSION OFFERS NAME
held()
{
	local name got wanted

	babeltrace2 --clock-cycles --no-delta "$dir/files/$2/ctf" >"$dir/text" 2>"$dir/complaints" || cat "$dir/complaints"
	python3 "$here/invariant_events.py" "$1" "$dir/text" "$dir/files/$2.before" "$dir/files/$2.after" "$3" >"$dir/held" ||
		echo "the checker failed	yes	no" >>"$dir/held"
	while IFS=$'\t' read -r name got wanted; do
		equal "$4: $name" "$got" "$wanted"
	done <"$dir/held"
}

# longest NAME: the longest teardown in the driver's own words: TABLES NS OFFERS; stalled NAME: TABLES, as assert says
longest() { awk '{ gsub(/[a-z_]+=/, ""); if ($4 > best) { best = $4; said = $2 " " $4 " " $3 } } END { print said }' "$dir/files/$1.teardowns"; }
stalled() { tr -s ' \n' '  ' <"$dir/files/$1.txt" | grep -oE '[0-9]+ tables, [0-9]+ breaks' | cut -d ' ' -f 1; }

# outcome NAME RULE: how the rule ended
outcome() { awk -v r="$2:" '$2 == r { print $1 }' "$dir/files/$1.txt"; }

# Domains that go: in one go, a page at a time, and with a page that is freed too early
teardown()
{
	local name

	mkdir -p "$dir/facts"
	for name in whole chunks early; do
		cp "$dir/files/$name.before" "$dir/files/$name.after" "$dir/facts/"
		check "$kernel, $name: page tables were needed" [ "$(grown "$name" tables_allocated)" -ge 30 ]
		equal "$kernel, $name: and freed, as the driver counts them" "$(grown "$name" tables_freed)" \
			"$(grown "$name" tables_allocated)"
		equal "$kernel, $name: pt-balance" "$(outcome $name pt-balance)" PASS
	done
	equal "$kernel, in one go: teardown-stall" "$(outcome whole teardown-stall)" FAIL
	equal "$kernel, in one go: tables" "$(stalled whole)" "$(longest whole | cut -d ' ' -f 1)"
	check "$kernel, in one go: as long as the driver says ($(longest whole))" [ "$(longest whole | cut -d ' ' -f 2)" -ge 400000000 ]
	equal "$kernel, in one go: breaks between its pages" "$(longest whole | cut -d ' ' -f 3)" 0
	for name in chunks early; do
		[ "$(longest $name | cut -d ' ' -f 2)" -ge 400000000 ] || continue
		skip "$kernel, $name" "the CPU was away for longer than the limit, the driver says, three times over: $(longest $name)"
		return
	done
	equal "$kernel, in chunks: teardown-stall" "$(outcome chunks teardown-stall)" PASS
	for name in whole chunks; do equal "$kernel, $name: pt-freed-after-flush" "$(outcome $name pt-freed-after-flush)" PASS; done
	equal "$kernel, too early: pt-freed-after-flush" "$(outcome early pt-freed-after-flush)" FAIL
	equal "$kernel: exit codes" "$(cat "$dir"/files/{whole,chunks,early}.code | tr '\n' ' ')" "1 0 1 "
	same_words teardown.md "$kernel" "$dir/files"
}

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 source:7.2)
for kernel in "${kernels[@]}"; do
	# 7.2 as it is built for tests may be preempted anywhere: its cond_resched() does nothing
	offers=seen
	[ "$kernel" != source:7.2 ] || offers=anywhere
	rm -rf "$dir/files"
	boot --kernel "$kernel" --iommu ref --timeout 15m --output "$dir/files" --file "$here/refiommu_guest.sh" \
		--file "$here/facts_guest.sh" --file "$here/invariant_events.guest" --file "$here/teardown.guest" -- \
		"sh /root/invariant_events.guest && $([ "$kernel" = debian:6.12 ] && echo sh /root/teardown.guest || echo true)"
	came_to_end "$kernel" || continue
	held life life $offers "$kernel"
	held small small $offers "$kernel, small ring"
	held late late $offers "$kernel, loaded late"
	[ "$kernel" != debian:6.12 ] || teardown
	# Intel's functions are inlined on 6.1
	[ "$kernel" != debian:6.1 ] || continue
	rm -rf "$dir/files"
	boot --kernel "$kernel" --iommu intel --device e1000e --no-drivers --append iommu.strict=1 --timeout 10m --output "$dir/files" \
		--file "$here/refiommu_guest.sh" --file "$here/invariant_events_intel.guest" -- \
		sh /root/invariant_events_intel.guest
	came_to_end "$kernel, VT-d" || continue
	held intel intel $offers "$kernel, VT-d"
done
finish
