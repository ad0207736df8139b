#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# What tracing costs the thread that maps, and what a verdict adds to a boot: guest instructions, the same in each run, so that
# limits can be asserted.
# tests/bench/run measures more, beside other tracers.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/boot_lib.sh"

live_limit=600 # instructions per map+unmap pair above untraced
record_limit=800
verdict_limit=1350 # million instructions from the begin of assert to its last line
end_limit=1750 # to its end

value() { awk -v k="$1" '$1 == "row" && $2 == k && $3 ~ /^[0-9]+$/ { print $3 }' "$dir/out"; }
at_most() { [ -n "$1" ] && [ -n "$untraced" ] && [ $(($1 - untraced)) -le "$2" ] && [ "$1" -gt "$untraced" ]; }

boot --cost --kernel debian:6.12 --iommu ref --file "$top/tests/bench/cost.guest" -- \
	sh /root/cost.guest verdict thread untraced live record
untraced=$(value untraced) live=$(value live) record=$(value record)
read -r bare verdict end word < <(awk '$1 == "row" && $2 == "verdict" { print $3, $4, $5, $6 }' "$dir/out")
bare=${bare:-0} verdict=${verdict:-0} end=${end:-0}
sed 's/^/# /' "$dir/out"
check "the guest measured" [ "$code" = 0 ]
check "a boot is bare at $bare million instructions, and passes at $verdict" \
	[ "${word:-}" = PASS -a "$bare" -gt 500 -a "$verdict" -gt "$bare" -a "$end" -ge "$verdict" ]
check "a verdict adds at most $verdict_limit million instructions ($((verdict - bare)))" \
	[ $((verdict - bare)) -le $verdict_limit ]
check "the end of assert at most $end_limit ($((end - bare)))" [ $((end - bare)) -le $end_limit ]
check "a pair costs 1,000 to 1,600 instructions untraced" \
	[ "${untraced:-0}" -ge 1000 -a "${untraced:-0}" -le 1600 ]
check "live adds at most $live_limit (${live:-?} of ${untraced:-?})" at_most "$live" $live_limit
check "record adds at most $record_limit (${record:-?} of ${untraced:-?})" at_most "$record" $record_limit
finish
