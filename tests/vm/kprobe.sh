#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# An IOMMU driver in a module without BTF: its functions are attached by kprobe, and every flush, invalidation and page of a
# page table is seen.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

kernel=debian:6.1
mkdir "$dir/facts"
boot --kernel $kernel --iommu ref --no-drivers --program objcopy --timeout 10m --output "$dir/files" \
	--file "$here/refiommu_guest.sh" --file "$here/kprobe.guest" -- sh /root/kprobe.guest
if came_to_end $kernel; then
	session "$dir/files/session" >"$dir/facts/says"
	cp "$dir/files/truth.before" "$dir/facts/ref.before"
	cp "$dir/files/truth.after" "$dir/facts/ref.after"
	check "it ran" [ "$(grown ref maps)" -ge 3000 ]
	check "the function is attached by kprobe" \
		grep -q 'flush_iotlb_all refiommu_dma_flush_iotlb_all refiommu, kprobe' <(babeltrace2 "$dir/files/session/ctf")
	equal "whole flushes" "$(fact says flush.all)" "$(grown ref flush_all)"
	equal "each with its reason" "$(sum says totals.flushes.queue_full totals.flushes.timer)" "$(grown ref flush_all)"
	equal "unmaps" "$(fact says event.unmap)" "$(grown ref unmaps)"
	check "its other functions, too" grep -q 'plan.refiommu_inval_range=kprobe ' <(babeltrace2 "$dir/files/session/ctf")
	equal "invalidations" "$(fact says event.invalidate)" "$(grown ref inval_submitted)"
	check "tables were needed" [ "$(grown ref tables_allocated)" -gt 0 ]
	equal "pages of tables allocated" "$(fact says event.table_alloc)" "$(grown ref tables_allocated)"
	equal "loss" "$(fact says losses.nr)" 0
fi
finish
