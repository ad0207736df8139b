#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Runs of the same thing have no difference; slower invalidations are found, with their size, and nothing else is. The guest's
# clock counts instructions (--cost), so that the host's load is not what is measured.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

answer() { jq -r --arg id "$2" '.figures[] | select(.id == $id) | .answer' "$dir/$1.json"; }
figure() { jq -r --arg id "$2" --arg key "$3" '.figures[] | select(.id == $id) | .[$key]' "$dir/$1.json"; }
between() { awk -v v="$1" -v a="$2" -v b="$3" 'BEGIN { exit !(v >= a && v <= b) }'; }

kernel=debian:6.12
s=$dir/files
boot --kernel $kernel --iommu ref --cost --output "$s" --file "$here/diff.guest" -- sh /root/diff.guest
if came_to_end $kernel; then
	"$iommutop" diff --json "$s/same1" "$s/same2" >"$dir/pair.json"
	"$iommutop" diff --json -a "$s/same1" -a "$s/same3" -a "$s/same5" -b "$s/same2" -b "$s/same4" -b "$s/same6" \
		>"$dir/same.json"
	"$iommutop" diff --json -a "$s/same1" -a "$s/same2" -a "$s/same3" -b "$s/slow1" -b "$s/slow2" -b "$s/slow3" \
		>"$dir/slow.json"
	equal "one run each of the same thing: differences" "$(jq .different "$dir/pair.json")" 0
	equal "three runs each of the same thing: differences" "$(jq .different "$dir/same.json")" 0
	check "and for most figures that is certain" \
		[ "$(jq '[.figures[] | select(.answer == "no_difference")] | length' "$dir/same.json")" -ge 8 ]
	# an invalidation waits for the simulated hardware: 1 us before, 20 us after
	equal "slower invalidations: the median flush" "$(answer slow flush_p50)" sure
	check "by 19 us" between "$(figure slow flush_p50 b | awk -v a="$(figure slow flush_p50 a)" '{ print $1 - a }')" 17000 21000
	equal "and that is worse" "$(figure slow flush_p50 direction)" worse
	equal "the share of lazy unmaps is the same" "$(answer slow lazy)" no_difference
	equal "bytes per map are the same" "$(answer slow bytes_per_map)" no_difference
	"$iommutop" diff "$s/same1" "$s/slow1" >"$dir/text"
	check "in words: likely, from one run each" grep -qE '^Flush, median .* different, likely: worse$' "$dir/text"
	check "and why no more than that" grep -q 'give three' "$dir/text"
	check "lines of at most 100 columns" sh -c '! grep -qE "^.{101}" "$1"' - "$dir/text"
	"$iommutop" diff --markdown "$s/same1" "$s/slow1" >"$dir/text"
	check "Markdown: every row of the table has as many cells" \
		sh -c 'grep "^|.*Flush\|^| Figure" "$1" | tr -cd "|\n" | sort -u | grep -cx "|||||||"' - "$dir/text"
fi
finish
