#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# What a verdict adds to a boot, in guest instructions: from the kernel's first one to the end of the same workload, without and
# with the assertions. Waiting isn't counted: on the one CPU, what isn't idle is instructions (1 ns = 1 instruction).
# For an idle host: on a loaded one, the guest waits in loops for its devices, which is counted.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../vm/boot_lib.sh"

added_limit=4000 # million instructions; docs/bench.md has what was measured

job='dd if=/dev/nvme0n1 of=/dev/null bs=64k count=64 iflag=direct 2>/dev/null'
# million instructions up to now
busy='awk "{ printf \"busy %d\n\", (\$1 - \$2) * 1000 }" /proc/uptime'
measure() # NAME COMMAND
{
	boot --cost --kernel debian:6.12 --iommu intel --device nvme -- "$2; echo code \$?; $busy"
	printed '^code [045]$' && sed -n 's/^busy //p' "$dir/out"
}
bare=$(measure bare "$job")
verdict=$(measure verdict "iommutop assert --preset boot --text /dev/null -- sh -c '$job'")
ratio=$(awk -v a="$verdict" -v b="$bare" 'BEGIN { if (b) printf "%.2f", a / b }')
echo "# bare boot: ${bare:-?} million instructions; to the verdict: ${verdict:-?}; ratio ${ratio:-?}"
check "both were measured" [ "${bare:-0}" -gt 100 -a "${verdict:-0}" -gt "${bare:-0}" ]
check "a verdict adds at most $added_limit million instructions ($((${verdict:-99999} - ${bare:-0})))" \
	[ $((${verdict:-99999} - ${bare:-0})) -le $added_limit ]
finish
