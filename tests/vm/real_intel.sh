#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Real drivers (e1000e and nvme under traffic) behind QEMU's VT-d on Debian's 6.1, lazy and strict: bytes and unmaps are
# those of the kernel's own tracepoints, flushes are the invalidations that QEMU's IOMMU was given.
# usage: real_intel.sh
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

# invalidations: of IOTLB entries, in QEMU's trace between the two marks, by granularity.
invalidations()
{
	awk '/^pci_cfg_write edu .* @0x3c <- 0x4[12]$/ { on = /0x41$/; marks++ }
		on && /^vtd_inv_desc_iotlb_/ { n[$1]++ }
		END {
			print "marks", marks + 0
			split("global domain pages", names, " ")
			for (i in names) print names[i], n["vtd_inv_desc_iotlb_" names[i]] + 0
		}' "$dir/files/qemu-trace.log"
}

# coverage NAME CODE WANTED: both sides of a self-check of the session.
coverage()
{
	local i

	i=$(awk -v c="$2" '/^coverage\.[0-9]+\.check_code / && $2 == c { split($1, p, "."); print p[2]; exit }' \
		"$dir/facts/session")
	equal "$mode: $1, as the self-check counts our hooks" "$(fact session "coverage.$i.ours")" "$3"
	equal "$mode: $1, as the self-check counts the tracepoint" "$(fact session "coverage.$i.control")" "$3"
}

# of_driver DRIVER KEY: what list says of the device that the driver has.
of_driver()
{
	local d
	d=$(awk -v d="$1" '/^devices\.[0-9]+\.driver / && $2 == d { sub(/driver$/, "", $1); print $1; exit }' \
		"$dir/facts/list")
	fact list "$d$2"
}

for mode in lazy strict; do
	strict=(--append iommu.strict=1)
	[ $mode = strict ] || strict=()
	rm -rf "$dir/files" "$dir/facts"
	mkdir "$dir/facts"
	boot --kernel debian:6.1 --iommu intel --device e1000e --device nvme --device edu --no-drivers "${strict[@]}" \
		--qemu-trace 'vtd_inv_desc*' --qemu-trace pci_cfg_write --output "$dir/files" \
		--file "$here/refiommu_guest.sh" --file "$here/facts_guest.sh" \
		--file "$here/real_intel.guest" -- sh /root/real_intel.guest
	came_to_end "$mode" || continue
	cp "$dir/files/kernel" "$dir/facts/"
	session "$dir/files/session" >"$dir/facts/session"
	flatten <"$dir/files/list.json" >"$dir/facts/list"
	invalidations >"$dir/facts/qemu"

	equal "$mode: events that the kernel's trace lost" "$(fact kernel lost)" 0
	equal "$mode: events that iommutop lost" "$(fact session losses.nr)" 0
	check "$mode: there was traffic" [ "$(fact kernel unmaps)" -gt 300 ]
	equal "$mode: maps" "$(fact session totals.maps)" "$(fact kernel maps)"
	equal "$mode: bytes mapped" "$(fact session totals.map_bytes)" "$(fact kernel map_bytes)"
	equal "$mode: unmaps" "$(fact session totals.unmaps)" "$(fact kernel unmaps)"
	equal "$mode: bytes unmapped" "$(fact session totals.unmap_bytes)" "$(fact kernel unmap_bytes)"
	equal "$mode: events of unmap in the trace" "$(fact session event.unmap)" "$(fact kernel unmaps)"
	coverage "bytes mapped" 1 "$(fact kernel map_bytes)"
	coverage "bytes unmapped" 2 "$(fact kernel unmap_bytes)"
	coverage "unmaps" 3 "$(fact kernel unmaps)"
	equal "$mode: marks in QEMU's trace" "$(fact qemu marks)" 2
	equal "$mode: every unmap is $mode" "$(fact session totals.unmaps_$mode)" "$(fact kernel unmaps)"
	if [ $mode = lazy ]; then
		check "lazy: the IOMMU was told to invalidate" [ "$(fact qemu domain)" -gt 20 ]
		equal "lazy: whole flushes are QEMU's invalidations of a domain" "$(fact session flush.all)" "$(fact qemu domain)"
		equal "lazy: by queue or timer" "$(sum session totals.flushes.queue_full totals.flushes.timer)" "$(fact qemu domain)"
		equal "lazy: flushes of ranges are QEMU's invalidations of pages" "$(fact session flush.sync)" "$(fact qemu pages)"
	else
		equal "strict: flushes of ranges are QEMU's invalidations of pages" "$(fact session flush.sync)" "$(fact qemu pages)"
		equal "strict: one for each unmap" "$(fact session flush.sync)" "$(fact kernel unmaps)"
		equal "strict: by strict unmaps" "$(fact session totals.flushes.strict)" "$(fact qemu pages)"
		equal "strict: whole flushes are QEMU's invalidations of a domain" "$(fact session flush.all)" "$(fact qemu domain)"
	fi
	equal "$mode: no invalidation of everything" "$(fact qemu global)" 0
	for driver in e1000e nvme; do
		equal "$mode: list says so of $driver" "$(of_driver $driver unmap)" $mode
		equal "$mode: list names the flush of $driver" "$(of_driver $driver flush_iotlb_all)" intel_flush_iotlb_all
		equal "$mode: list names the sync of $driver" "$(of_driver $driver iotlb_sync)" intel_iommu_tlb_sync
		# the session knows it by name only: its driver was gone at the end
		i=$(awk -v d="$(of_driver $driver device)" \
			'/^devices\.[0-9]+\.name / && $2 == d { split($1, p, "."); print p[2]; exit }' "$dir/facts/session")
		check "$mode: $driver has unmaps of its own" [ "$(sum session "devices.$i.stats.unmaps")" -gt 50 ]
	done
done
finish
