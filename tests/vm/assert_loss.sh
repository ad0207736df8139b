#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Loss never passes: assert with every invariant and rings that are too small for the traffic. A rule that needs events that
# were lost is INCONCLUSIVE and says why; one that the kernel side counts is decided all the same, rightly: what it counted is
# what the reference driver did.
# usage: [RECORDINGS=DIR] [KERNELS=...] assert_loss.sh [KERNEL...]   (default: debian:6.1; make matrix: three)
# RECORDINGS: where the reports are kept; those that are there are looked at again instead of making new ones.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

# What each invariant needs: maps, unmaps, flushes, IOVAs and tables, whose ring is always too small …
stream="no-stale-access flush-before-reuse strict-means-strict window flush-covers-unmap no-map-over-map unmap-matches-map sync-map
	pt-freed-after-flush"
# … of these, what the kernel side's counts can decide either way (unmap-matches-map: to fail only) …
counted="no-leak pt-balance detach-empty flush-latency"
# … and faults, hangs, log lines and domains, which have a ring of their own.
rare="no-fault no-hang invalidation-timeout domain-type teardown-stall coverage"

# with FACTS KEY VALUE: the rules whose KEY is VALUE, as a line.
with()
{
	awk -v k="$2" -v v="$3" '
		$1 ~ /^results\.[0-9]+\.name$/ { name = $2 }
		$1 ~ "^results\\.[0-9]+\\." k "$" && $2 == v { print name }' "$dir/facts/$1" | sort | tr '\n' ' '
}
sorted() { echo "$@" | tr -s ' \t' '\n' | sort | tr '\n' ' '; }

# of FACTS RULE KEY: one fact of it, as fact().
of()
{
	local n
	n=$(awk -v r="$2" '$1 ~ /^results\.[0-9]+\.name$/ && $2 == r { split($1, part, "."); print part[2] }' "$dir/facts/$1")
	fact "$1" "results.${n:-none}.$3"
}
# told FACTS RULE: the number in brackets that ends its first finding, by the kernel side's counts.
told() { of "$1" "$2" findings.0.text | sed -n "s/^by the kernel side's own counts, .*(\([0-9]*\))$/\1/p"; }

# reasons FACTS RULES: each is inconclusive and says that events are missing, or what they could have changed.
reasons()
{
	local rule
	for rule in $2; do
		if [ "$(of "$1" "$rule" outcome)" != INCONCLUSIVE ] ||
			! [[ $(of "$1" "$rule" why.0) =~ ^([0-9]+\ event(\ is|s\ are)\ missing|what\ looks\ like\ a\ violation\ may\ be\ none\ \() ]]; then
			echo "# $rule: $(of "$1" "$rule" outcome), $(of "$1" "$rule" why.0)"
			return 1
		fi
	done
}

# passes_counted FACTS: what passes was counted.
passes_counted() { [ -z "$(comm -23 <(with "$1" outcome PASS | xargs -n 1) <(with "$1" counted_only true | xargs -n 1))" ]; }
show() { awk '/^results\.[0-9]+\.(name|outcome|why\.[0-9]+|findings\.[0-9]+\.text) / { sub(/^results\./, "# "); print }' "$dir/facts/$1"; }

read -ra kernels <<<"${KERNELS:-debian:6.1}"
[ $# = 0 ] || kernels=("$@")
for kernel in "${kernels[@]}"; do
	files=${RECORDINGS:-$dir/files}/$kernel
	rm -rf "$dir/facts"
	mkdir -p "$dir/facts" "$(dirname "$files")"
	code=0
	: >"$dir/out"
	[ -d "$files" ] || boot --kernel "$kernel" --iommu ref --no-drivers --append iommu.strict=1 --timeout 15m --output "$files" \
		--file "$here/refiommu_guest.sh" --file "$here/facts_guest.sh" --file "$here/assert_loss.yaml" --file "$here/assert_loss.guest" -- sh /root/assert_loss.guest
	came_to_end "$kernel" || continue
	cp "$files"/*.before "$files"/*.after "$dir/facts/"
	# 7.2 as it is built for tests may be preempted anywhere: only that a whole teardown is below the limit can be seen
	stall=teardown-stall
	[ "$kernel" != source:7.2 ] || stall=
	for name in clean flood bugs faults; do
		flatten <"$files/$name.json" | sed 's/^report\.losses/losses/' >"$dir/facts/$name"
		check "$kernel $name: maps, unmaps and flushes were lost" [ "$(lost $name 1)" -gt 0 ]
		equal "$kernel $name: nothing is skipped" "-$(with $name outcome SKIP)" "-"
	done
	failed_before=$failed

	equal "$kernel clean: nothing fails" "-$(with clean outcome FAIL)" "-"
	equal "$kernel clean: passed, though events are missing" "$(with clean counted_only true)" "$(sorted "$counted")"
	equal "$kernel clean: these and what needs none of them pass" "$(with clean outcome PASS)" "$(sorted "$counted $rare")"
	check "$kernel clean: all others say what is missing" reasons clean "$stream"
	equal "$kernel clean: nothing rare was lost" "$(lost clean 2)" 0

	check "$kernel flood: what is rare was lost too" [ "$(lost flood 2)" -gt 0 ]
	equal "$kernel flood: nothing fails" "-$(with flood outcome FAIL)" "-"
	check "$kernel flood: what passes was counted" passes_counted flood
	check "$kernel flood: all others say what is missing" reasons flood "$stream ${rare/teardown-stall/}"

	equal "$kernel bugs: what is counted fails" "$(with bugs outcome FAIL | sed 's/window //')" \
		"$(sorted "$counted unmap-matches-map $stall")"
	check "$kernel bugs: nothing else passes but what nothing is missing of" \
		[ "$(with bugs outcome PASS)" = "$(sorted "${rare/teardown-stall/}")" ]
	equal "$kernel bugs: bytes that leaked" "$(told bugs no-leak)" "$(grown bugs refdma.leaked_bytes)"
	equal "$kernel bugs: of a domain that was freed" "$(told bugs detach-empty)" "$(grown bugs refiommu.bytes_mapped_at_free)"
	equal "$kernel bugs: page-table pages that leaked" "$(told bugs pt-balance)" "$(grown bugs refiommu.injected_pt_leak)"
	# one of these is certain by itself, if its event was not lost
	if [ "$(of bugs unmap-matches-map counted_only)" = true ]; then
		equal "$kernel bugs: unmaps of nothing" "$(told bugs unmap-matches-map)" "$(grown bugs refdma.injected_double_unmap)"
	else
		check "$kernel bugs: unmaps of nothing" \
			[ "$(of bugs unmap-matches-map violations)" -le "$(grown bugs refdma.injected_double_unmap)" ]
	fi

	check "$kernel faults: what is rare was lost" [ "$(lost faults 2)" -gt 0 ]
	equal "$kernel faults: they fail" "$(with faults outcome FAIL)" "no-fault "
	check "$kernel faults: what passes was counted" passes_counted faults
	[ $failed = $failed_before ] || for name in clean flood bugs faults; do echo "# $name:"; show $name; done
done
finish
