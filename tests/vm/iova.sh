#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# record --iova: every range that is mapped was allocated before, freed after, and both name the domain and the device.
# Allocations say how long they took, and those that the range caches had nothing for are marked.
# usage: iova.sh [KERNEL...]   (default: debian:6.1 debian:6.12 source:7.2)
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

# allocations: "SIZE FLAGS BEGIN? NS" of each
allocations()
{
	babeltrace2 --clock-cycles "$dir/files/session/ctf" | python3 -c '
import re, sys
for line in sys.stdin:
    if " iova_alloc: " not in line:
        continue
    def num(key):
        return int(re.search(r" " + key + r" = (0x[0-9A-Fa-f]+|\d+)", line)[1], 0)
    begin = num("begin")
    print(num("size"), num("flags"), 1 if begin else 0, int(re.match(r"\[(\d+)\]", line)[1]) - begin)
'
}
# allocs CONDITION: how many there are, as awk sees the fields; flag 0x10: slow, 0x8: no begin
allocs() { awk "function has(b) { return int(\$2 / b) % 2 } $1 { n++ } END { print n + 0 }" "$dir/facts/allocs"; }

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 source:7.2)
for kernel in "${kernels[@]}"; do
	rm -rf "$dir/files" "$dir/facts"
	mkdir "$dir/facts"
	boot --kernel "$kernel" --iommu ref --timeout 10m --output "$dir/files" --file "$here/refiommu_guest.sh" \
		--file "$here/facts_guest.sh" --file "$here/iova.guest" -- sh /root/iova.guest
	came_to_end "$kernel" || continue
	session "$dir/files/session" >"$dir/facts/says"
	cp "$dir/files/ref.before" "$dir/files/ref.after" "$dir/facts/"
	babeltrace2 "$dir/files/session/ctf" | grep -E ' iova_(alloc|free): ' >"$dir/ranges"
	allocations >"$dir/facts/allocs"
	check "$kernel: it ran" [ "$(grown ref maps)" -ge 800 ]
	# single buffers and coherent rings are one range and one run of pages each
	equal "$kernel: ranges allocated" "$(grep -c " iova_alloc: " "$dir/ranges")" "$(grown ref maps)"
	equal "$kernel: ranges freed, the queue being flushed" "$(grep -c " iova_free: " "$dir/ranges")" "$(grown ref unmaps)"
	check "$kernel: each names the domain and the device" \
		sh -c '[ -s "$1" ] && ! grep -vE "domain = 1, dev = 1," "$1"' - "$dir/ranges"
	equal "$kernel: slow ones are the kernel's searches of the tree" "$(allocs 'has(16)')" "$(grown ref slow)"
	equal "$kernel: those that no cache keeps are slow" "$(allocs 'has(16) && $1 == 262144')" "$(allocs '$1 == 262144')"
	# how many depends on when the flush queue gives ranges back; which ones, the equality above has checked
	check "$kernel: caches served some" [ "$(allocs '!has(16)')" -gt 0 ]
	equal "$kernel: each has a begin" "$(allocs '$3 && !has(8)')" "$(grown ref maps)"
	check "$kernel: before its end, and not by long" [ "$(allocs '$4 <= 0 || $4 > 10e9')" = 0 ]
	equal "$kernel: loss" "$(fact says losses.nr)" 0
done
finish
