#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Loss never passes: assert with every invariant and rings that are too small for the traffic. A rule that needs events that
# were lost is INCONCLUSIVE and says why; one that the kernel side counts is decided all the same, rightly: what it counted is
# what the reference driver did.
# usage: assert_loss.sh [KERNEL...]   (default: debian:6.1 debian:6.12 source:7.2)
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

# reasons FACTS RULES...: each says that events are missing.
reasons()
{
	local facts=$1 rule
	shift
	for rule in $*; do
		[[ $(of "$facts" "$rule" why.0) =~ ^[0-9]+\ events\ are\ missing ]] || { echo "# $rule: $(of "$facts" "$rule" why.0)"; return 1; }
	done
}

# verdicts NAME FAILED PASSED: these rules, all others are INCONCLUSIVE.
verdicts()
{
	equal "$kernel $1: fail" "$(with "$1" outcome FAIL)" "$(sorted $2)"
	equal "$kernel $1: pass" "$(with "$1" outcome PASS)" "$(sorted $3)"
	equal "$kernel $1: skipped" "-$(with "$1" outcome SKIP)" "-"
	awk '/^results\.[0-9]+\.(name|outcome|why\.[0-9]+|findings\.[0-9]+\.text|counted_only) / { sub(/^results\./, "# "); print }' "$dir/facts/$1" >"$dir/told"
}

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 source:7.2)
for kernel in "${kernels[@]}"; do
	rm -rf "$dir/files" "$dir/facts"
	boot --kernel "$kernel" --iommu ref --no-drivers --timeout 10m --output "$dir/files" --file "$here/refiommu_guest.sh" \
		--file "$here/facts_guest.sh" --file "$here/assert_loss.yaml" --file "$here/assert_loss.guest" -- sh /root/assert_loss.guest
	came_to_end "$kernel" || continue
	mkdir "$dir/facts"
	cp "$dir/files"/*.before "$dir/files"/*.after "$dir/facts/"
	for name in clean flood bugs faults; do
		flatten <"$dir/files/$name.json" | sed 's/^report\.losses/losses/' >"$dir/facts/$name"
		check "$kernel $name: hot events were lost" [ "$(lost $name 1)" -gt 0 ]
	done
	cp -r "$dir/files" "$dir/facts" "${KEEP:-$dir/tmp}/" 2>/dev/null
done
finish
