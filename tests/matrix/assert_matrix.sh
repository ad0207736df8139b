#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# The detection matrix: every bug of the reference driver (assert_matrix.list) against every invariant, lazy and strict. A
# bug trips the invariants that name it and no other; what breaks no rule trips none, and nothing that was looked at is
# INCONCLUSIVE, but for what a kernel can't tell. "blind" in the list: nothing is tripped, for only the device could tell.
# usage: [MATRIX=1] [MODES=…] [RECORDINGS=DIR] assert_matrix.sh [KERNEL...]   (default: debian:6.1 debian:6.12 source:7.2)
# What is found must be what docs/detection.md says. MATRIX=1: the page is changed to say what is found.
# MODES: "lazy", "strict"; default: both.
# RECORDINGS: where they are kept; those that are there are judged again instead of making new ones.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../vm/boot_lib.sh"
. "$here/../vm/facts_lib.sh"

list=$here/assert_matrix.list
page=$top/docs/detection.md
modes=${MODES:-lazy strict}
# A machine that takes a CPU away from the guest makes flushes slow: 260 ms were seen. The bugs take 2 s; freeing
# a table 100 ms, of which there are four at least.
LATENCY=1800ms
WINDOW=1900ms
STALL=400ms

# rules MODE GROUP: every invariant for the device of each scenario, as a rule SCENARIO.INVARIANT.
rules()
{
	local id=0 name group domain invariant params

	echo "rules:"
	echo "  - {invariant: coverage, name: all.coverage}"
	while IFS='|' read -r name group domain _; do
		[ "$group" = "$2" ] || continue
		for invariant in $("$iommutop" assert --list | awk '/^Invariants/ { on = 1 } /^[P-Z]/ { on = 0 } on && /^  [a-z]/ { print $1 }'); do
			params=
			case $invariant in
			coverage) continue ;; # of no device: see below
			domain-type)
				[ "$domain" = new ] || continue # the run brings a domain of its own
				params="is: $([ "$1" = lazy ] && echo DMA-FQ || echo DMA)"
				;;
			window) params="below: $WINDOW" ;;
			flush-latency) params="below: $LATENCY, percentile: 100" ;;
			teardown-stall) params="below: $STALL" ;;
			esac
			echo "  - {invariant: $invariant, name: $name.$invariant, phase: workload, select: {device: refdma.$id}, params: {$params}}" |
				sed 's/, params: {}//'
		done
		id=$((id + 1))
	done <"$list"
}

# outcomes FILE SCENARIO OUTCOME: the invariants that ended so.
outcomes()
{
	awk -v s="$2." -v o="$3" '
		$1 ~ /^results\.[0-9]+\.name$/ { name = index($2, s) == 1 ? substr($2, length(s) + 1) : "" }
		$1 ~ /^results\.[0-9]+\.outcome$/ && name != "" && $2 == o { print name }' "$dir/facts/$1" | sort | tr '\n' ' '
}

# said FILE SCENARIO: findings and reasons, for whoever reads a failed check.
said()
{
	awk -v s="$2." '
		$1 ~ /^results\.[0-9]+\.name$/ { name = index($2, s) == 1 ? $2 : "" }
		name != "" && $1 ~ /\.(why\.[0-9]+|findings\.[0-9]+\.text)$/ { sub(/^[^ ]+ /, ""); print "# " name ": " $0 }' "$dir/facts/$1" |
		head -n 20
}

# one MODE SCENARIO GROUP WHAT NUMBER TRIPS
one()
{
	local got want open counter=$4 mark=

	[ "$6" != blind ] || mark=" (blind)"
	want=$(echo "$6" | tr ' ' '\n' | grep -vxE -- "-|blind|${blind:--}" | sort | tr '\n' ' ')
	got=$(outcomes "$1.$3" "$2" FAIL)
	open=$(outcomes "$1.$3" "$2" INCONCLUSIVE | tr ' ' '\n' | grep -vx -- "${blind:--}" | tr '\n' ' ')
	check "$kernel $1 $2: it happened ($counter)" [ "$(grown "$1.$2" "$counter")" -ge "$5" ]
	check "$kernel $1 $2: trips ${want:-nothing}" [ "$got" = "$want" ]
	[ "$got" = "$want" ] || echo "# got '$got'"
	check "$kernel $1 $2: nothing else is inconclusive" [ -z "${open% }" ]
	check "$kernel $1 $2: and something passes" [ -n "$(outcomes "$1.$3" "$2" PASS)" ]
	[ "$got$open" = "$want" ] || said "$1.$3" "$2"
	printf '%s|%s|%s|%s|%s|%s\n' "$kernel" "$1" "$2$mark" "$got" "$(outcomes "$1.$3" "$2" PASS)" \
		"$(outcomes "$1.$3" "$2" INCONCLUSIVE)" >>"$dir/table"
}

code=0
mkdir -p "${RECORDINGS:-$dir/files}"
kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 source:7.2)
: >"$dir/table"
for kernel in "${kernels[@]}"; do
	# a kernel that can be preempted anywhere tells nobody when it offers the CPU
	blind=
	[ "$kernel" != source:7.2 ] || blind=teardown-stall
	files=${RECORDINGS:-$dir/files}/$kernel
	rm -rf "$dir/facts"
	mkdir "$dir/facts"
	code=0
	: >"$dir/out"
	[ -d "$files" ] || boot --kernel "$kernel" --iommu ref --no-drivers --file "$here/../vm/refiommu_guest.sh" --file "$here/assert_matrix.guest" --file "$list" \
		--timeout 25m --output "$files" -- "sh /root/assert_matrix.guest $modes"
	came_to_end "$kernel" || continue
	cp "$files"/*.before "$files"/*.after "$dir/facts/"
	for mode in $modes; do
		for group in $(cut -d '|' -f 2 "$list" | uniq); do
			rules $mode "$group" >"$dir/rules.yaml"
			code=0
			"$iommutop" assert "$dir/rules.yaml" -i "$files/$mode.$group" --json "$dir/result" >"$dir/out" 2>"$dir/err" || code=$?
			check "$kernel $mode $group: assert gives a verdict" [ $code -le 1 -o $code = 5 ]
			flatten <"$dir/result" >"$dir/facts/$mode.$group"
			equal "$kernel $mode $group: coverage" "$(outcomes "$mode.$group" all PASS)" "coverage "
		done
		while IFS='|' read -r name group _ _ _ what number _ lazy strict; do
			[ $mode = lazy ] && trips=$lazy || trips=$strict
			one $mode "$name" "$group" "$what" "$number" "$trips"
		done <"$list"
	done
done
code=0
python3 "$here/page.py" "$dir/table" "$page" ${MATRIX:+write} >"$dir/out" 2>"$dir/err" || code=$?
check "docs/detection.md says what was found" [ $code = 0 ]
finish
