#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each emulated IOMMU comes up on each kernel that has a driver for it, with devices that do DMA behind it.
# usage: boot_devices.sh
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/boot_lib.sh"

# In the guest: traffic over both network cards and from the disk, and the type of each device's domain.
cat >"$dir/command" <<'END'
ping -c 2 -W 5 10.0.2.2 >/dev/null && echo "ping e1000e"
ping -c 2 -W 5 10.0.3.2 >/dev/null && echo "ping virtio-net"
dd if=/dev/nvme0n1 of=/dev/null bs=64k count=16 iflag=direct 2>/dev/null && echo "read nvme"
lspci() { for d in /sys/bus/pci/devices/*; do echo "$(cat $d/vendor):$(cat $d/device) $d"; done; }
lspci | while read -r id device; do
	[ -e "$device/iommu_group/type" ] || continue
	case $id in
	0x8086:0x10d3) echo "type e1000e $(cat $device/iommu_group/type)" ;;
	0x1b36:0x0010) echo "type nvme $(cat $device/iommu_group/type)" ;;
	esac
done
[ -e /lib/modules/ref/refiommu.ko ] && echo "reference driver is there"
# Nothing beyond the gateway may be reached, whatever the host reaches.
ping -c 1 -W 1 10.0.2.3 >/dev/null 2>&1
wget -q -T 2 -O /dev/null http://10.0.2.2:22 2>/dev/null && echo "outside reached"
exit 0
END

devices()
{
	local kernel=$1 iommu=$2 type=$3

	boot --kernel "$kernel" --iommu "$iommu" --device e1000e --device virtio-net --device nvme --device edu \
		--qemu-trace "${4:-vtd_inv_desc*}" --output "$dir/files" -- "$(cat "$dir/command")"
	check "$kernel, $iommu: runs" [ "$code" = 0 ]
	check "$kernel, $iommu: network and disk work" [ "$(grep -cE '^(ping|read) ' "$dir/out")" = 3 ]
	if [ "$type" = none ]; then
		check "$kernel, $iommu: no domains" [ "$(grep -c '^type' "$dir/out")" = 0 ]
	else
		check "$kernel, $iommu: domains are $type" [ "$(grep -cE "^type .* $type\$" "$dir/out")" = 2 ]
	fi
	check "$kernel, $iommu: nothing outside is reached" [ "$(grep -c outside "$dir/out")" = 0 ]
}

for kernel in debian:6.1 debian:6.12 source:7.2; do
	devices "$kernel" none none
	check "$kernel: the reference driver is in the guest" printed '^reference driver'
	devices "$kernel" intel DMA-FQ
	check "$kernel, intel: QEMU's trace of invalidations is kept" grep -q '^vtd_inv_desc_iotlb' "$dir/files/qemu-trace.log"
done
devices debian:6.1 intel,caching-mode=on DMA
devices debian:6.12 amd DMA 'amdvi_*'
check "debian:6.12, amd: QEMU's trace of invalidations is kept" grep -q '^amdvi_' "$dir/files/qemu-trace.log"
devices debian:6.12 virtio DMA-FQ 'virtio_iommu_*'
devices source:7.2 virtio DMA-FQ 'virtio_iommu_*'
check "source:7.2, virtio: QEMU's trace of maps is kept" grep -q '^virtio_iommu_map' "$dir/files/qemu-trace.log"

boot --kernel debian:6.1 --iommu virtio -- true
check "virtio on debian:6.1 is 125, the module named" [ "$code" = 125 ]
check "the missing module is named" said 'no module virtio_iommu'

boot --kernel debian:6.12 --device e1000e --no-drivers -- \
	'[ -e /sys/class/net/eth0 ] && exit 9; modprobe e1000e && net-up && ping -c 1 -W 5 10.0.2.2'
check "without drivers, the command can load them" [ "$code" = 0 ]
boot --kernel debian:6.12 --iommu ref -- 'lsmod'
check "the reference driver is loaded" printed '^refiommu '
check "its DMA master is loaded" printed '^refdma '
boot --kernel debian:6.12 --iommu ref --no-drivers -- 'lsmod; modprobe refdma && lsmod | grep -c ^refiommu'
check "without drivers, it is not loaded until asked for" same <(echo 1) <(grep -E '^refdma|^1$' "$dir/out")
finish
