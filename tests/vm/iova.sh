#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# record --iova: every range that is mapped was allocated before, freed after, and both name the domain and the device.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

kernel=debian:6.12
mkdir "$dir/facts"
boot --kernel $kernel --iommu ref --output "$dir/files" --file "$here/iova.guest" -- sh /root/iova.guest
if came_to_end $kernel; then
	session "$dir/files/session" >"$dir/facts/says"
	cp "$dir/files/truth.before" "$dir/facts/ref.before"
	cp "$dir/files/truth.after" "$dir/facts/ref.after"
	babeltrace2 "$dir/files/session/ctf" | grep -E ' iova_(alloc|free): ' >"$dir/ranges"
	check "it ran" [ "$(grown ref maps)" -ge 500 ]
	# single buffers and coherent rings are one range and one run of pages each
	equal "ranges allocated" "$(grep -c " iova_alloc: " "$dir/ranges")" "$(grown ref maps)"
	equal "ranges freed, the queue being flushed" "$(grep -c " iova_free: " "$dir/ranges")" "$(grown ref unmaps)"
	check "each names the domain and the device" \
		sh -c '[ -s "$1" ] && ! grep -vE "domain = 1, dev = 1," "$1"' - "$dir/ranges"
	equal "loss" "$(fact says losses.nr)" 0
fi
finish
