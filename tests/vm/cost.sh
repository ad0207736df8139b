#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# What tracing costs the thread that maps: guest instructions, the same in each run, so that a limit can be asserted.
# tests/bench/run measures more, beside other tracers.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/boot_lib.sh"

live_limit=600 # instructions per map+unmap pair above untraced
record_limit=800

value() { awk -v k="$1" '$1 == "row" && $2 == k && $3 ~ /^[0-9]+$/ { print $3 }' "$dir/out"; }
at_most() { [ -n "$1" ] && [ -n "$untraced" ] && [ $(($1 - untraced)) -le "$2" ] && [ "$1" -gt "$untraced" ]; }

boot --cost --kernel debian:6.12 --iommu ref --file "$top/tests/bench/cost.guest" -- \
	sh /root/cost.guest thread untraced live record
untraced=$(value untraced) live=$(value live) record=$(value record)
sed 's/^/# /' "$dir/out"
check "the guest measured" [ "$code" = 0 ]
check "a pair costs 1,000 to 1,600 instructions untraced" \
	[ "${untraced:-0}" -ge 1000 -a "${untraced:-0}" -le 1600 ]
check "live adds at most $live_limit (${live:-?} of ${untraced:-?})" at_most "$live" $live_limit
check "record adds at most $record_limit (${record:-?} of ${untraced:-?})" at_most "$record" $record_limit
finish
