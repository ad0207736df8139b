#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# No false alarm: every invariant watches, live, a kernel that breaks no rule (assert_clean.guest), and none fails. Each
# passes, but for one thing: the kernel skips a tracing program where an interrupt comes upon the same one, now and then in
# some million operations, and rules that need what it would have told say so. `make soak` does it with OPS=20000000 maps and
# unmaps on three kernels.
# usage: [OPS=NUMBER] [KERNELS=LIST] [KEEP=DIR] assert_clean.sh   (default: 100000 on debian:6.12)
# KEEP: where reports and consoles are kept.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

ops=${OPS:-100000}
echo "$ops" >"$dir/ops"

# Every invariant. Machines that take a CPU away from the guest make flushes slow, so limits of time are far from the defaults.
rules()
{
	local invariant

	echo "rules:"
	for invariant in $("$iommutop" assert --list | awk '/^Invariants/ { on = 1 } /^[P-Z]/ { on = 0 } on && /^  [a-z]/ { print $1 }'); do
		case $invariant in
		domain-type) # types are switched on purpose; these devices end as they began
			echo "  - {invariant: domain-type, name: lazy, select: {device: refdma.0}, params: {is: DMA-FQ}, phase: workload}"
			continue
			;;
		window | flush-latency | teardown-stall) params=", params: {below: 20s}" ;;
		*) params= ;;
		esac
		echo "  - {invariant: $invariant, phase: workload$params}"
	done
}
rules >"$dir/every.yaml"

# ended OUTCOME: the rules that did.
ended()
{
	awk -v o="$1" '$1 ~ /^results\.[0-9]+\.name$/ { name = $2 }
		$1 ~ /^results\.[0-9]+\.outcome$/ && $2 == o { print name }' "$dir/facts/result" | sort | tr '\n' ' '
}

# doubts: what made rules inconclusive, beside programs that the kernel skipped.
doubts()
{
	awk '$1 ~ /^results\.[0-9]+\.why\.[0-9]+/ && !/the kernel skipped a tracing program|calls of a driver.s own function were not seen/ {
		sub(/^[^ ]* /, ""); print }' "$dir/facts/result"
}

for kernel in ${KERNELS:-debian:6.12}; do
	files=${KEEP:-$dir/files}/$kernel
	rm -rf "$files" "$dir/facts"
	mkdir -p "$files" "$dir/facts"
	boot --kernel "$kernel" --iommu ref --no-drivers --memory 2G --file "$here/refiommu_guest.sh" --file "$here/assert_clean.guest" \
		--file "$dir/ops" --file "$dir/every.yaml" --timeout 60m --silence 60m --output "$files" -- 'sh /root/assert_clean.guest'
	came_to_end "$kernel" || { sed 's/^/# /' "$dir/err"; continue; }
	flatten <"$files/result" >"$dir/facts/result"
	done_=$(awk '/^refdma\.api_(maps|unmaps|allocs|frees) / { n += $2 } END { print n + 0 }' "$files/truth")
	check "$kernel: maps and unmaps ($done_)" [ "$done_" -ge "$ops" ]
	equal "$kernel: rules that fail" "$(ended FAIL)." .
	equal "$kernel: what made rules inconclusive, beside skipped programs" "$(doubts)." .
	echo "# inconclusive: $(ended INCONCLUSIVE)"
	equal "$kernel: skipped rules" "$(ended SKIP)." .
	sed 's/^/# /' "$files/report"
	sed 's/^/# /' "$files/truth" | grep -E 'api_|refiommu.(maps|unmaps|sync|flush_all) '
	echo "# seconds since the kernel started: $(cat "$files/uptime")"
done
finish
