#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034,SC2154 # variables of boot_lib.sh
#
# What goes wrong from outside: robust.guest does it all in one guest and speaks TAP itself.
# usage: robust.sh [KERNEL]   (default: debian:6.12)
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"

# One CPU: programs are detached under full load here, and emulated CPUs were seen to trap on the breakpoint of code
# patching after the kernel had taken it away, which no real CPU does.
boot --kernel "${1:-debian:6.12}" --iommu ref --smp 1 --timeout 15m --program bpftool --file "$here/refiommu_guest.sh" \
	--file "$here/facts_guest.sh" --file "$here/robust.guest" -- sh /root/robust.guest
sed '/^1\.\./d' "$dir/out"
tests=$(grep -cE '^(not )?ok ' "$dir/out")
failed=$(grep -cE '^not ok ' "$dir/out")
check "the guest's script came to its end" grep -q '^1\.\.' "$dir/out"
finish
