#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Each emulated IOMMU comes up on each kernel that has a driver for it, with devices that do DMA behind it.
# usage: boot_devices.sh
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/boot_lib.sh"

# In the guest: traffic over both network cards and from the disk, and the type of each device's domain.
cat >"$dir/command" <<'END'
ping -c 2 -W 30 10.0.2.2 >/dev/null && echo "ping e1000e"
ping -c 2 -W 30 10.0.3.2 >/dev/null && echo "ping virtio-net"
dd if=/dev/nvme0n1 of=/dev/null bs=64k count=16 iflag=direct 2>/dev/null && echo "read nvme"
lspci() { for d in /sys/bus/pci/devices/*; do echo "$(cat $d/vendor):$(cat $d/device) $d"; done; }
lspci | while read -r id device; do
	[ -e "$device/iommu_group/type" ] || continue
	case $id in
	0x8086:0x10d3) echo "type e1000e $(cat $device/iommu_group/type)" ;;
	0x1b36:0x0010) echo "type nvme $(cat $device/iommu_group/type)" ;;
	esac
done
:
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
}

devices debian:6.12 none none
for kernel in debian:6.1 debian:6.12 source:7.2; do
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

# A server of this machine's loopback, which the guest's gateway would lead to if it led anywhere.
serve()
{
	local try
	echo secret >"$dir/page"
	for try in $(seq 20); do
		port=$((20000 + RANDOM % 20000))
		busybox httpd -f -p 127.0.0.1:$port -h "$dir" 2>/dev/null &
		server=$!
		# Until it answers; one whose port is taken ends.
		while kill -0 $server 2>/dev/null; do
			busybox wget -q -O - "http://127.0.0.1:$port/page" 2>/dev/null | grep -q secret && return
			sleep 0.05
		done
	done
	echo "# no server after $try tries"
	return 1
}
check "a server on the loopback answers here" serve
boot --kernel debian:6.12 --device e1000e --no-drivers -- \
	"[ -e /sys/class/net/eth0 ] && exit 9; [ -e /lib/modules/ref/refiommu.ko ] || exit 10
	modprobe e1000e && net-up && ping -c 1 -W 30 10.0.2.2 || exit 11
	timeout 5 wget -q -O - http://10.0.2.2:$port/page; true"
kill $server
check "without drivers, the command can load them" [ "$code" = 0 ]
check "the guest reaches its gateway" printed '1 packets received'
check "the guest does not reach what is behind it" [ "$(grep -c secret "$dir/out")" = 0 ]
boot --kernel debian:6.12 --iommu ref -- 'lsmod'
check "the reference driver is loaded" printed '^refiommu '
check "its DMA master is loaded" printed '^refdma '
boot --kernel debian:6.12 --iommu ref --no-drivers -- 'lsmod; modprobe refdma && lsmod | grep -c ^refiommu'
check "without drivers, it is not loaded until asked for" same <(echo 1) <(grep -E '^refdma|^1$' "$dir/out")
finish
