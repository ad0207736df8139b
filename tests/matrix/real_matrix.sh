#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Real drivers under traffic behind each emulated IOMMU, on each kernel: bytes and unmaps are those of the kernel's own
# tracepoints, and what QEMU's IOMMU was told is what our events of flushes (virtio-iommu: of maps and unmaps) make of it
# by the rules of its driver. A cell is KERNEL/IOMMU-MODE/DEVICE.
# usage: [MATRIX=docs/compatibility.md] real_matrix.sh [PATTERN...]   (default: all cells)
# PATTERN: of cells, as of file names: 'debian:6.1/intel-*/*'. MATRIX: a page that the table is written into. MATRIX_KEEP: a
# directory for what the guests left.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../vm/boot_lib.sh"
. "$here/../vm/facts_lib.sh"

kernels="debian:6.1 debian:6.12 debian:7.2 source:7.2"
modes="intel-lazy intel-strict intel-caching amd-strict amd-lazy virtio-lazy virtio-strict"
devices="e1000e nvme virtio-net igb"
# Debian 12's QEMU has no igb: a boot with it is of this one
igb_qemu=debian:10

# machine MODE: options of iommutop boot to $options, what sysfs makes of the domains to $type, flush functions to $prefix;
# $unmaps: what all unmaps must be.
machine()
{
	type=- unmaps=${1#*-}
	case $1 in
	intel-*) options=(--iommu intel --qemu-trace 'vtd_inv_desc_iotlb_*') prefix=intel_ ;;
	amd-*) options=(--iommu amd --qemu-trace amdvi_pages_inval --qemu-trace amdvi_all_inval) prefix=amd_iommu_ ;;
	virtio-*) options=(--iommu virtio --qemu-trace 'virtio_iommu_*map') prefix=viommu_ ;;
	esac
	case $1 in
	intel-strict | virtio-strict) options+=(--append iommu.strict=1) ;;
	intel-caching) options[1]=intel,caching-mode=on unmaps=strict ;;
	amd-lazy) type=DMA-FQ ;;
	esac
}

# wanted CELL: it is one of those asked for.
wanted()
{
	local pattern

	for pattern in "${patterns[@]}"; do
		# shellcheck disable=SC2053 # it is a pattern
		[[ $1 != $pattern ]] || return 0
	done
	return 1
}

# coverage NAME CODE WANTED: both sides of a self-check of the session.
coverage()
{
	local i

	i=$(awk -v c="$2" '/^coverage\.[0-9]+\.check_code / && $2 == c { split($1, p, "."); print p[2]; exit }' \
		"$dir/facts/session")
	equal "$cell: $1, as the self-check counts our hooks" "$(fact session "coverage.$i.ours")" "$3"
	equal "$cell: $1, as the self-check counts the tracepoint" "$(fact session "coverage.$i.control")" "$3"
}

# of_driver DRIVER KEY: what list says of the device that the driver has.
of_driver()
{
	local d
	d=$(awk -v d="$1" '/^devices\.[0-9]+\.driver / && $2 == d { sub(/driver$/, "", $1); print $1; exit }' \
		"$dir/facts/list")
	fact list "$d$2"
}

# judge MODE DEVICE NUMBER: one cell, whose files are there; NUMBER: which of the devices of the boot it was.
judge()
{
	local driver=${2/virtio-net/virtio-pci} cell=$kernel/$1/$2 i name making made queues before=$failed

	rm -rf "$dir/facts"
	mkdir "$dir/facts"
	cp "$files/$2/kernel" "$dir/facts/"
	session "$files/$2/session" >"$dir/facts/session"
	flatten <"$files/$2/list.json" >"$dir/facts/list"
	babeltrace2 --clock-cycles --no-delta "$files/$2/session/ctf" 2>/dev/null |
		python3 "$here/real_told.py" "$kernel" "$1" "$3" "$files/qemu-trace.log" >"$dir/facts/told" 2>"$dir/err"

	equal "$cell: events that the kernel's trace lost" "$(fact kernel lost)" 0
	equal "$cell: events that iommutop lost" "$(fact session losses.nr)" 0
	check "$cell: there was traffic" [ "$(fact kernel unmaps)" -gt 50 ]
	equal "$cell: maps" "$(fact session totals.maps)" "$(fact kernel maps)"
	equal "$cell: bytes mapped" "$(fact session totals.map_bytes)" "$(fact kernel map_bytes)"
	equal "$cell: unmaps" "$(fact session totals.unmaps)" "$(fact kernel unmaps)"
	equal "$cell: bytes unmapped" "$(fact session totals.unmap_bytes)" "$(fact kernel unmap_bytes)"
	equal "$cell: events of unmap in the trace" "$(fact session event.unmap)" "$(fact kernel unmaps)"
	coverage "bytes mapped" 1 "$(fact kernel map_bytes)"
	coverage "bytes unmapped" 2 "$(fact kernel unmap_bytes)"
	coverage "unmaps" 3 "$(fact kernel unmaps)"
	equal "$cell: every unmap is $unmaps" "$(fact session "totals.unmaps_$unmaps")" "$(fact kernel unmaps)"

	equal "$cell: marks in QEMU's trace" "$(fact told marks)" 2
	for name in $(awk '/^qemu\./ { sub(/^qemu\./, "", $1); print $1 }' "$dir/facts/told"); do
		equal "$cell: QEMU's IOMMU was told, $name" "$(fact told "ours.$name")" "$(fact told "qemu.$name")"
	done
	equal "$cell: flushes with a submission of their task's inside, of those that the hardware is told" \
		"$(fact told inside)" "$(fact told flushes)"
	check "$cell: it was told something" [ "$(fact told told)" -gt 0 ]
	# An IOMMU driver that is a module is asked for a domain only when a device's driver comes: until 6.15, whose core sets up
	# all devices when the IOMMU's driver comes (iommu_init_device() calls the bus' dma_configure())
	making=$(fact told making)
	made=0
	case $kernel.$1 in
	debian:6.12.virtio-*) [ "$2" = virtio-net ] || made=1 ;;
	esac
	equal "$cell: domains that the core made, and flushed" "$making" $made
	equal "$cell: other whole flushes are of those" "$(fact session totals.flushes.other)" "$making"
	if [ "$unmaps" = lazy ]; then
		queues=$(sum session totals.flushes.queue_full totals.flushes.timer)
		equal "$cell: whole flushes are by queue or timer" $((queues + making)) "$(fact session flush.all)"
		coverage "flushes of the queues" 4 "$queues"
	else
		equal "$cell: one flush for each unmap" "$(fact session flush.sync)" "$(fact kernel unmaps)"
		equal "$cell: by strict unmaps" "$(fact session totals.flushes.strict)" "$(fact session flush.sync)"
		equal "$cell: none of the whole" "$(fact session flush.all)" "$making"
	fi

	equal "$cell: list says how it unmaps" "$(of_driver "$driver" unmap)" "$unmaps"
	equal "$cell: list names the flush" "$(of_driver "$driver" flush_iotlb_all)" "${prefix}flush_iotlb_all"
	name=${prefix}iotlb_sync
	equal "$cell: list names the sync" "$(of_driver "$driver" iotlb_sync)" "${name/intel_iotlb/intel_iommu_tlb}"
	# the session knows it by name only: its driver was gone at the end
	i=$(awk -v d="$(of_driver "$driver" device)" \
		'/^devices\.[0-9]+\.name / && $2 == d { split($1, p, "."); print p[2]; exit }' "$dir/facts/session")
	if [ "$(fact session "devices.$i.group_devices.nr")" = 0 ]; then
		equal "$cell: all unmaps are the device's" "$(fact session "devices.$i.stats.unmaps")" "$(fact kernel unmaps)"
	else
		# source:7.2 on VT-d: igb and the port above it are one group, whose unmaps are the domain's
		equal "$cell: the port above shares the group" "$(of_driver "$driver" group_devices.0)" "$(of_driver pcieport device)"
		i=$(awk -v d="$(fact session "devices.$i.domain")" \
			'/^domains\.[0-9]+\.number / && $2 == d { split($1, p, "."); print p[2]; exit }' "$dir/facts/session")
		equal "$cell: all unmaps are the group's" "$(fact session "domains.$i.stats.unmaps")" "$(fact kernel unmaps)"
	fi
	[ "$failed" = "$before" ] && name=ok || name=FAILED
	printf '%s|%s|%s|%s|%s|%s|%s|%s\n' "$kernel" "$1" "$2" $name "$(fact kernel maps)" "$(fact kernel unmaps)" \
		"$(sum session flush.all flush.sync flush.sync_map)" "$(fact told told)" >>"$dir/table"
}

# absent CELL WHY
absent()
{
	skip "$1" "$2"
	printf '%s|-|%s\n' "${1//\//|}" "$2" >>"$dir/table"
}

# run MODE DEVICE...: one boot of $kernel; igb comes last.
run()
{
	local mode=$1 number=0 device args=()
	shift

	machine "$mode"
	if [ "${*: -1}" = igb ]; then
		if ! "$top/tools/boot/qemu.sh" get "$igb_qemu" >"$dir/out" 2>"$dir/err"; then
			absent "$kernel/$mode/igb" "no QEMU that has igb: $(tail -n 1 "$dir/err")"
			[ $# = 1 ] || run "$mode" "${@:1:$#-1}"
			return
		fi
		options+=(--qemu "$igb_qemu")
	fi
	for device; do args+=(--device "$device"); done
	rm -rf "$files"
	boot --kernel "$kernel" "${options[@]}" "${args[@]}" --device edu --no-drivers --qemu-trace pci_cfg_write \
		--timeout 15m --output "$files" --file "$here/../vm/refiommu_guest.sh" --file "$here/../vm/facts_guest.sh" \
		--file "$here/real_matrix.guest" -- sh /root/real_matrix.guest $type "$@"
	if [ "$code" = 125 ] && said 'no module [a-z0-9_]+'; then
		for device; do absent "$kernel/$mode/$device" "the kernel has $(grep -oE 'no module [a-z0-9_]+' "$dir/err" | head -n 1)"; done
		return
	fi
	[ -z "${MATRIX_KEEP:-}" ] || cp -r "$files" "$MATRIX_KEEP/${kernel/:/-}-$mode-${*// /-}"
	if ! came_to_end "$kernel/$mode"; then
		for device; do printf '%s|%s|%s|FAILED\n' "$kernel" "$mode" "$device" >>"$dir/table"; done
		return
	fi
	echo "# $kernel/$mode, before the drivers came:"
	sed 's/^/# /' "$files/list"
	for device; do
		number=$((number + 1))
		judge "$mode" "$device" $number
	done
}

patterns=("$@")
[ $# -gt 0 ] || patterns=('*')
files=$dir/files
: >"$dir/table"
for kernel in $kernels; do
	for mode in $modes; do
		now=()
		for device in $devices; do
			! wanted "$kernel/$mode/$device" || now+=("$device")
		done
		[ ${#now[@]} = 0 ] || run $mode "${now[@]}"
	done
done
check "there were cells of that name: ${patterns[*]}" [ -s "$dir/table" ]
sed 's/^/# /' "$dir/table"
[ -z "${MATRIX:-}" ] || check "$MATRIX is written" python3 "$here/real_page.py" "$dir/table" "$MATRIX"
finish
