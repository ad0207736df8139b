#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Why flushes are made, by the reference driver's own counters: strict unmaps, inside of unmaps whose ranges have gaps, at
# detach, after maps, by full queues and their timer. And flushes that overlap, of one domain on two CPUs and in an
# interrupt of another: begin and end of each are those of the invalidation that it made.
# usage: flush_reasons.sh [KERNEL...]   (default: debian:6.1 debian:6.12 source:7.2)
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

# synced RUN OF: strict flushes, and those inside of unmaps, of the facts below OF.
synced()
{
	local what="$kernel $1"

	equal "$what: inside of unmaps" "$(fact "$1" "$2.flushes.range")" "$(grown "$1" sync_in_unmap)"
	equal "$what: strict" "$(fact "$1" "$2.flushes.strict")" $(($(grown "$1" sync) - $(grown "$1" sync_in_unmap)))
}

# ranges: the domain of the second run is the one with most unmaps; the first one's flushes are not all seen.
ranges()
{
	local what="$kernel ranges" d

	session "$dir/files/ranges" >"$dir/facts/ranges"
	equal "$what: loss, but of the functions that the first run brought" \
		"$(awk '$1 ~ /^losses\.[0-9]+\.cause_code$/ && $2 != 10 { n++ } END { print n + 0 }' "$dir/facts/ranges")" 0
	d=$(awk '$1 ~ /^domains\.[0-9]+\.stats\.unmaps$/ && $2 > most { most = $2; sub(/\.unmaps$/, "", $1); d = $1 } END { print d }' \
		"$dir/facts/ranges")
	equal "$what: unmaps" "$(fact ranges "$d.unmaps")" "$(grown ranges unmaps)"
	synced ranges "$d"
	check "$what: there were gaps ($(grown ranges sync_in_unmap))" [ "$(grown ranges sync_in_unmap)" -gt 50 ]
	equal "$what: the device left it, with a flush" "$(fact ranges "$d.flushes.detach")" 1
	# the other one is the device's default domain, left twice
	equal "$what: the driver says so, of this run" "$(grown ranges flush_at_detach)" 2
	check "$what: of all flushes at detach, none is lost but the first run's own" \
		[ "$(fact ranges totals.flushes.detach)" -ge 3 -a "$(fact ranges totals.flushes.detach)" -le 4 ]
}

# reasons RUN: the session's numbers, by reason, are the driver's.
reasons()
{
	local what="$kernel $1"

	session "$dir/files/$1" >"$dir/facts/$1"
	equal "$what: loss" "$(fact "$1" losses.nr)" 0
	synced "$1" totals
	equal "$what: at detach" "$(fact "$1" totals.flushes.detach)" "$(grown "$1" flush_at_detach)"
	equal "$what: of queues" "$(sum "$1" totals.flushes.queue_full totals.flushes.timer)" \
		$(($(grown "$1" flush_all) - $(grown "$1" flush_at_detach)))
	equal "$what: after maps" "$(fact "$1" totals.flushes.map)" "$(grown "$1" sync_map)"
	equal "$what: of another reason, or none" "$(sum "$1" totals.flushes.other totals.flushes.unknown)" 0
}

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 source:7.2)
for kernel in "${kernels[@]}"; do
	rm -rf "$dir/files" "$dir/facts"
	mkdir "$dir/facts"
	boot --kernel "$kernel" --iommu ref --no-drivers --timeout 10m --file "$here/refiommu_guest.sh" --file "$here/facts_guest.sh" \
		--file "$here/flush_reasons.guest" --output "$dir/files" -- 'sh /root/flush_reasons.guest'
	came_to_end "$kernel" || continue
	cp "$dir"/files/*.before "$dir"/files/*.after "$dir/facts/"
	ranges
	reasons after_map
	check "$kernel after_map: there were some" [ "$(grown after_map sync_map)" -ge 200 ]
	reasons overlap
	timers=$(awk '{ print $2 }' "$dir/files/timers")
	check "$kernel overlap: queues were full, and the timer came ($timers)" \
		[ $(($(grown overlap flush_all) - $(grown overlap flush_at_detach) - timers)) -ge 4 -a "$timers" -gt 0 ]
	equal "$kernel overlap: by the timer, as the kernel's own events have it" "$(fact overlap totals.flushes.timer)" "$timers"

	# no invalidation is hidden from the driver's tracepoints, and each is told once, by who made it
	equal "$kernel overlap: events that the kernel's trace lost" "$(awk '{ print $2 }' "$dir/files/oracle")" 0
	babeltrace2 --clock-cycles --no-delta "$dir/files/overlap/ctf" 2>"$dir/err" |
		python3 "$here/flush_pairs.py" "$dir/files/overlap.trace" >"$dir/facts/pairs" 2>>"$dir/err"
	equal "$kernel overlap: flushes whose begin wasn't seen" "$(fact pairs without_begin)" 0
	equal "$kernel overlap: flushes, an invalidation each" "$(fact pairs flushes)" "$(fact pairs invalidations)"
	equal "$kernel overlap: that are not around their own" "$(fact pairs wrong)" 0
	check "$kernel overlap: of one domain on both CPUs at once ($(fact pairs at_once))" [ "$(fact pairs at_once)" -gt 10 ]
	check "$kernel overlap: in an interrupt of another ($(fact pairs nested))" [ "$(fact pairs nested)" -gt 0 ]
done
finish
