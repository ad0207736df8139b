#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# record --invariants: what drivers tell their IOMMU, pages of page tables, ends of domains and the counts of the kernel side
# are those of the reference driver, also if events are lost, and if the driver is loaded late. VT-d: what it invalidates covers
# what it was asked for.
# usage: invariant_events.sh [KERNEL...]   (default: debian:6.1 debian:6.12 source:7.2)
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

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 source:7.2)
for kernel in "${kernels[@]}"; do
	# 7.2 as it is built for tests may be preempted anywhere: its cond_resched() does nothing
	offers=seen
	[ "$kernel" != source:7.2 ] || offers=anywhere
	rm -rf "$dir/files"
	boot --kernel "$kernel" --iommu ref --output "$dir/files" --file "$here/refiommu_guest.sh" \
		--file "$here/facts_guest.sh" --file "$here/invariant_events.guest" -- sh /root/invariant_events.guest
	came_to_end "$kernel" || continue
	held life life $offers "$kernel"
	held small small $offers "$kernel, small ring"
	held late late $offers "$kernel, loaded late"
	# Intel's functions are inlined on 6.1
	[ "$kernel" != debian:6.1 ] || continue
	rm -rf "$dir/files"
	boot --kernel "$kernel" --iommu intel --device e1000e --no-drivers --append iommu.strict=1 --output "$dir/files" \
		--file "$here/refiommu_guest.sh" --file "$here/invariant_events_intel.guest" -- \
		sh /root/invariant_events_intel.guest
	came_to_end "$kernel, VT-d" || continue
	held intel intel $offers "$kernel, VT-d"
done
finish
