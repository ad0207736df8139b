#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# What iommutop records and shows live, against what the reference driver did: nothing lost flat out on two CPUs, every
# count equal to the modules' own, and with a ring that is too small, loss reported is events missing, exactly.
# usage: truth.sh [KERNEL...]   (default: debian:6.1 debian:6.12 source:7.2)
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

# counts NAME SAYS PREFIX: the facts SAYS, below PREFIX, against the modules' counters of the run NAME.
counts()
{
	local what="$kernel $1"

	equal "$what: maps" "$(fact "$2" "$3maps")" "$(grown "$1" maps)"
	equal "$what: bytes mapped" "$(fact "$2" "$3map_bytes")" "$(grown "$1" map_bytes)"
	equal "$what: unmaps" "$(sum "$2" "$3unmaps_lazy" "$3unmaps_strict")" "$(grown "$1" unmaps)"
	equal "$what: bytes unmapped" "$(fact "$2" "$3unmap_bytes")" "$(grown "$1" unmap_bytes)"
	equal "$what: flushes of a full queue or its timer" \
		"$(sum "$2" "$3flushes.queue_full" "$3flushes.timer")" "$(grown "$1" flush_all)"
	equal "$what: strict flushes" "$(fact "$2" "$3flushes.strict")" "$(grown "$1" sync)"
	equal "$what: other flushes" "$(sum "$2" "$3flushes.unknown" "$3flushes.map" "$3flushes.other")" 0
}

# mode NAME SAYS PREFIX lazy|strict
mode()
{
	equal "$kernel $1: every unmap is $4" "$(fact "$2" "$3unmaps_$4")" "$(grown "$1" unmaps)"
}

# ran NAME LEAST: the device did what it was told.
ran()
{
	check "$kernel $1: it ran" [ "$(grown "$1" maps)" -ge "$2" ]
}

recorded() # NAME LEAST-MAPS lazy|strict
{
	local name=$1 what="$kernel $1"

	session "$dir/files/$name" >"$dir/facts/$name"
	ran "$name" "$2"
	equal "$what: loss" "$(fact "$name" losses.nr)" 0
	grep '^losses\.[0-9]' "$dir/facts/$name" | sed 's/^/# /'
	counts "$name" "$name" totals.
	mode "$name" "$name" totals. "$3"
	equal "$what: events of map" "$(fact "$name" event.map)" "$(grown "$name" maps)"
	equal "$what: events of unmap" "$(fact "$name" event.unmap)" "$(grown "$name" unmaps)"
	if [ "$3" = lazy ]; then
		equal "$what: whole flushes" "$(fact "$name" flush.all)" "$(grown "$name" flush_all)"
		equal "$what: no flush of a range" "$(fact "$name" flush.sync)" 0
	else
		equal "$what: flushes of ranges" "$(fact "$name" flush.sync)" "$(grown "$name" sync)"
		equal "$what: no whole flush" "$(fact "$name" flush.all)" 0
	fi
	equal "$what: the device" "$(fact "$name" devices.0.name)" refdma.0
	equal "$what: its maps" "$(fact "$name" devices.0.stats.maps)" "$(grown "$name" maps)"
}

live() # NAME LEAST-MAPS lazy|strict
{
	local name=$1 what="$kernel $1" d

	flatten <"$dir/files/$name.json" >"$dir/facts/$name"
	ran "$name" "$2"
	equal "$what: loss" "$(fact "$name" lost)" 0
	grep -E '^(lost|losses|loss)' "$dir/facts/$name" | grep -v '^lost 0' | sed 's/^/# /'
	# the domain of the run is the one that has maps
	d=$(awk '$1 ~ /^domains\.[0-9]+\.maps$/ && $2 > 0 { sub(/maps$/, "", $1); print $1 }' "$dir/facts/$name")
	equal "$what: the device" "$(fact "$name" "${d}device")" refdma.0
	counts "$name" "$name" "$d"
	mode "$name" "$name" "$d" "$3"
	equal "$what: windows measured, open and given up" \
		"$(sum "$name" "${d}window_$3.count" "${d}pending" "${d}windows_not_measured")" "$(grown "$name" unmaps)"
	equal "$what: no window is open" "$(fact "$name" "${d}pending")" 0
	equal "$what: submissions to the hardware" \
		"$(fact "$name" submissions.0.time.count)" "$(grown "$name" inval_submitted)"
	equal "$what: … by" "$(fact "$name" submissions.0.function) $(fact "$name" submissions.0.kind)" "inval_range iotlb"
	equal "$what: … and by nothing else" "$(fact "$name" submissions.nr)" 1
	check "$what: … took time, the shortest no more than the middle" [ "$(fact "$name" submissions.0.time.max_ns)" -gt 0 -a \
		"$(fact "$name" submissions.0.time.min_ns)" -le "$(fact "$name" submissions.0.time.p50_ns)" ]
}

small() # NAME
{
	local name=$1 what="$kernel $1" missing

	session "$dir/files/$name" >"$dir/facts/$name"
	missing=$(lost "$name" 1)
	check "$what: something was lost ($missing)" [ "$missing" -gt 0 ]
	equal "$what: events recorded and lost" \
		$(($(sum "$name" event.map event.unmap event.flush) + missing + $(lost "$name" 3))) \
		$(($(grown "$name" maps) + $(grown "$name" unmaps) + $(grown "$name" flush_all)))
}

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 source:7.2)
for kernel in "${kernels[@]}"; do
	rm -rf "$dir/files" "$dir/facts"
	mkdir "$dir/facts"
	boot --kernel "$kernel" --iommu ref --file "$here/refiommu_guest.sh" --file "$here/facts_guest.sh" \
		--file "$here/truth.guest" \
		--output "$dir/files" --timeout 10m -- 'sh /root/truth.guest'
	came_to_end "$kernel" || continue
	cp "$dir"/files/*.before "$dir"/files/*.after "$dir/facts/"
	recorded lazy_map 30000 lazy
	recorded lazy_dma 2000 lazy
	recorded strict_map 10000 strict
	recorded strict_dma 1000 strict
	live live_lazy 6000 lazy
	live live_strict 3000 strict
	small small
done
finish
