#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Verdicts of faults that only the kernel log tells: QEMU's edu and e1000e behind VT-d are given addresses by the guest's
# script. With the session, an address that was never mapped is known to be so if the domain is younger than the
# recording; without it, and from the log alone, it can't be known, and that is said.
# usage: verdicts_intel.sh [KERNEL...]   (default: debian:6.1 debian:6.12 source:7.2)
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

# one NAME DEVICE VERDICT IOVA ACCESS
one()
{
	local f=incidents.0.faults.0 what="$kernel $1"

	"$iommutop" analyze --json "$dir/files/$1" 2>"$dir/err" | flatten >"$dir/facts/$1"
	equal "$what: loss, lines that the kernel suppressed apart" \
		"$(awk '$1 ~ /^losses\.[0-9]+\.cause_code$/ && $2 != 8 && $2 != 10 { n++ } END { print n + 0 }' "$dir/facts/$1")" 0
	equal "$what: incidents" "$(fact "$1" incidents.nr)" 1
	equal "$what: verdict" "$(fact "$1" incidents.0.verdict)" "$3"
	equal "$what: the device" "$(fact "$1" incidents.0.device_name)" "$2"
	equal "$what: address" "$(fact "$1" $f.iova)" "$4"
	equal "$what: a" "$(fact "$1" $f.access)" "$5"
	equal "$what: from the log" "$(fact "$1" $f.seen_by_hook)" 0

	"$iommutop" analyze --json --klog "$dir/files/$1.log" 2>"$dir/err" | flatten >"$dir/facts/$1.klog"
	equal "$what, the log alone: incidents" "$(fact "$1.klog" incidents.nr)" 1
	equal "$what, the log alone: verdict" "$(fact "$1.klog" incidents.0.verdict)" cannot_be_known
	equal "$what, the log alone: the device" "$(fact "$1.klog" incidents.0.device_name)" "$2"
	equal "$what, the log alone: address" "$(fact "$1.klog" $f.iova)" "$4"
}

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 source:7.2)
for kernel in "${kernels[@]}"; do
	rm -rf "$dir/files" "$dir/facts"
	mkdir "$dir/facts"
	# the driver must not be there before the domain is made new; where it is built in, the guest's script lets it go
	boot --kernel "$kernel" --smp 1 --iommu intel --device edu --device e1000e --no-drivers --append iomem=relaxed --timeout 10m \
		--file "$here/refiommu_guest.sh" --file "$here/verdicts_intel.guest" --file "$top/build/guest/devpoke" --output "$dir/files" \
		-- 'sh /root/verdicts_intel.guest'
	came_to_end "$kernel" || continue
	edu=$(cat "$dir/files/edu") nic=$(cat "$dir/files/nic")
	one edu_write "$edu" never_mapped 0x12345000 write
	one edu_read "$edu" never_mapped 0x12345000 read
	one edu_late "$edu" cannot_be_known 0x12345000 write
	one ring "$nic" never_mapped 0x123456000 read
	check "$kernel ring: the hang" grep -qE '^incidents.0.hang.signal (Detected Hardware Unit Hang|NETDEV WATCHDOG|net_dev_xmit_timeout)' \
		"$dir/facts/ring"
	equal "$kernel ring: is the card's" "$(fact ring incidents.0.hang.device_name)" "$nic"
done
finish
