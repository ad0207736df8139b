#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Resets and VFIO behind QEMU's VT-d, and faults behind it and virtio-iommu. Fault records: each that QEMU's IOMMU told of
# comes out once, below the rate limit of the log and far above it; of VT-d, which has one register for them, also where the
# driver takes many in one call. Resets: each form that the devices have is told with its device, its method and its
# end. VFIO's type 1 and, where the kernel has it, iommufd: their maps and unmaps are those of the kernel's tracepoints, and told
# apart from each other and from the DMA API's.
# Drivers that nobody has heard of are traced, and what a virtual IOMMU hides is hidden: docs/cookbook/strangers.md, iommufd.md.
# usage: [COOKBOOK=1] troubles.sh [KERNEL...]   (default: debian:6.1 debian:6.12 source:7.2)
# COOKBOOK: the transcripts in those pages are made anew from this run.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

# told: "PHASE EVENT DEVICE ENDS RET SOURCE WHAT" of each reset and fault of the session (for faults, WHAT is the address).
told()
{
	babeltrace2 "$dir/files/session/ctf" 2>>"$dir/err" | python3 -c '
import re, sys
devices, phase = {0: "-"}, "quiet"
for line in sys.stdin:
    m = re.search(r" (device|fault|reset|log|loss): ", line)
    if not m:
        continue
    def num(key):
        return int(re.search(r"[ {]" + key + r" = (?:\( \".*?\" : container = )?(-?(?:0x)?[0-9A-Fa-f]+)", line)[1], 0)
    if m[1] == "log":
        mark = re.search(r"troubles: ([^\"\s\\]+)", line)
        phase = mark[1] if mark else phase
        continue
    if m[1] == "loss":
        print(phase, "loss", num("cause"), num("count"))
        continue
    if m[1] == "device":
        devices[num("dev")] = re.search(r" name = \"(.*?)\"", line)[1]
        continue
    dev = devices.get(num("dev"), "?")
    if m[1] == "fault":
        print(phase, "fault", dev, hex(num("iova")), num("access"), num("source"))
    else:
        print(phase, "reset", dev, int(num("begin") != 0), num("ret"), re.search(r" what = \"(.*?)\"", line)[1])
'
}

# addresses PHASE: what the fault hook says; recorded FIRST LAST: what QEMU put into its fault registers.
addresses() { awk -v p="$1" '$1 == p && $2 == "fault" && $6 == 4 { print $4 }' "$dir/facts/told"; }
recorded()
{
	sed -nE 's/^virtio_iommu_report_fault .*address *= *0x([0-9a-f]+).*/\1/p' \
		"$dir/files/qemu-trace.log" |
		while read -r lo; do printf '0x%x\n' $((0x$lo & ~0xfff)); done | sed -n "$1,$2p"
}
number() { awk -v p="$1" -v e="$2" '$1 == p && $2 == e { n++ } END { print n + 0 }' "$dir/facts/told"; }
logged() { grep -c 'fault from EP' "$dir/files/dmesg"; }

# reset_of PHASE DEVICE WHAT: one begin and one end of it, in order, and nothing else
reset_of()
{
	equal "$kernel: $1" "$(sed -n "s/^$1 reset //p" "$dir/facts/told" | tr '\n' ';')" \
		"$2 0 0 pci reset;$2 1 0 $3;"
}

faults()
{
	local nr

	equal "$kernel: three faults: QEMU's records" "$(addresses few | tr '\n' ' ')" "$(recorded 1 3 | tr '\n' ' ')"
	nr=$(recorded 1 999 | wc -l)
	equal "$kernel: all faults were recorded by QEMU" "$nr" 27
	equal "$kernel: many faults: QEMU's records" "$(addresses many | tr '\n' ' ')" "$(recorded 4 999 | tr '\n' ' ')"
	check "$kernel: the log has fewer ($(logged))" [ "$(logged)" -lt 27 -a "$(logged)" -ge 3 ]
	equal "$kernel: of which device" "$(awk '$2 == "fault" && $6 == 4 { print $3 }' "$dir/facts/told" | sort -u)" \
		"$(fact truth edu)"
	equal "$kernel: counted once, records and lines together" "$(fact session totals.faults)" 27
	check "$kernel: not a lower limit" grep -q '^incidents.0.fault_count_is_floor false$' "$dir/facts/session"
	# the same session without its records: what can be said is less, and is said to be
	equal "$kernel: the log alone is a lower limit" "$(fact klog incidents.0.fault_count_is_floor)" true
	check "$kernel: … of ($(fact klog totals.faults))" [ "$(fact klog totals.faults)" -lt 27 ]
}

# What VT-d recorded in the storms, in its order: "DEVICE PAGE ACCESS" (1 read, 2 write).
vtd_recorded()
{
	sed -nE 's/^vtd_frr_new index [0-9]+ high 0x([0-9a-f]+) low 0x([0-9a-f]+)$/\1 \2/p' "$dir/files/qemu-trace.log" |
		while read -r high low; do
			high=$((0x$high)) low=$((0x$low & ~0xfff))
			[ $((low >> 20)) -lt $((0x310)) ] || [ $((low >> 20)) -gt $((0x330)) ] ||
				printf '0000:%02x:%02x.%x 0x%x %d\n' $((high >> 8 & 0xff)) $((high >> 3 & 0x1f)) $((high & 7)) \
					"$low" $((high >> 62 & 1 ? 1 : 2))
		done
}
# vtd_told PHASE...: what we say of it
vtd_told() { awk -v p="$*" 'index(" " p " ", " " $1 " ") && $2 == "fault" && $6 == 4 { print $3, $4, $5 }' "$dir/facts/told"; }

storms()
{
	local nr lost logged count floor

	vtd_recorded >"$dir/facts/vtd"
	vtd_told storm storms stormed >"$dir/facts/vtd.told"
	nr=$(wc -l <"$dir/facts/vtd")
	# in the microsecond between our look and the driver's one may come: it is counted, not told
	lost=$("$iommutop" session cat --kind loss "$dir/files/session" |
		sed -nE 's/.* count=([0-9]+) cause=record what="VT-d: fault records"$/\1/p' | awk '{ n += $1 } END { print n + 0 }')
	check "$kernel, storms: VT-d recorded ($nr)" [ "$nr" -gt 100 ]
	equal "$kernel, storms: every record of VT-d's" "$(($(wc -l <"$dir/facts/vtd.told") + lost))" "$nr"
	check "$kernel, storms: each in its place (or $lost lost)" [ "$lost" -gt 0 -o \
		-z "$(diff "$dir/facts/vtd" "$dir/facts/vtd.told" 2>&1 | head -n 3)" ]
	# ten in each 5 s, and how long it takes depends on the machine
	logged=$(grep -c 'fault addr 0x3[1-3]0' "$dir/files/dmesg")
	check "$kernel, storms: the log has far fewer ($logged)" [ "$logged" -lt $((nr / 2)) ]
	read -r count floor < <(counted 0x31000000)
	equal "$kernel, storm of one card: counted" "$count" "$(vtd_told storm | wc -l)"
	check "$kernel, storm of one card: that is all (or $lost lost)" [ "$lost" -gt 0 -o "$floor" = false ]
}
# counted IOVA: how often analyze counts faults at that page, and whether that is a lower limit
counted()
{
	awk -v iova="$1" '/^incidents\.[0-9]+\./ { split($1, p, ".") }
		/^incidents\.[0-9]+\.faults\.[0-9]+\.iova / && $2 == iova { at[p[2] "." p[4]] }
		/^incidents\.[0-9]+\.faults\.[0-9]+\.count / { count[p[2] "." p[4]] = $2 }
		/^incidents\.[0-9]+\.fault_count_is_floor / { is[p[2]] = $2 }
		END { for (k in at) { n += count[k]; split(k, p, "."); floor = is[p[1]] } print n + 0, floor }' "$dir/facts/session"
}

resets()
{
	local slot method nr=0 own="device's own"

	while read -r slot method; do
		nr=$((nr + 1))
		# the controller of a disk is reset afterwards by its driver
		sed -i -E "/^reset_${slot}_$method reset $slot 0 0 nvme controller reset$/d" "$dir/facts/told"
		reset_of "reset_${slot}_$method" "$slot" "pci reset, ${method/device_specific/$own}"
	done < <(sed -n 's/^reset //p' "$dir/files/truth")
	check "$kernel: forms of reset ($(sed -n 's/^reset [^ ]* //p' "$dir/files/truth" | sort -u | tr '\n' ' '))" [ $nr -ge 3 ]
	# QEMU's bus doesn't come back in time: the kernel says ENOTTY (6.1 before it has tried)
	equal "$kernel: a reset that the kernel gave up" \
		"$(sed -n 's/^reset_[^ ]*_refused reset //p' "$dir/facts/told" | sed 's/, bus$//' | tr '\n' ';')" \
		"$(fact truth below) 0 0 pci reset;$(fact truth below) 1 -25 pci reset;"
	equal "$kernel: nothing else was reset meanwhile" \
		"$(awk '$2 == "reset" && ($1 == "few" || $1 == "many" || $1 == "removed" || $1 == "scanned" || $1 == "vfio" || $1 == "vfio_bound" || $1 == "iommufd")' "$dir/facts/told")$kernel" \
		"$kernel"
	equal "$kernel: a disk's controller, by sysfs" "$(sed -n 's/^nvme_sysfs reset //p' "$dir/facts/told")" \
		"$(fact truth nvme) 0 0 nvme controller reset"
	equal "$kernel: … as the kernel's log says" "$(awk '/troubles: / { on = $0 ~ /nvme_sysfs/ }
		on && /nvme nvme0: .*queues/ { n++ } END { print n + 0 }' "$dir/files/dmesg")" 1
	check "$kernel: a device alone behind a bridge, by its bus" grep -q "^reset $(fact truth alone) bus$" "$dir/files/truth"
	# the bus is reset for both of its functions; before, when VFIO lets the open one go, it tries that one alone, which has no way
	for slot in $(fact truth shared); do
		equal "$kernel: hot reset by VFIO: $slot: how" "$(sed -n "s/^vfio_hot reset $slot //p" "$dir/facts/told" | grep -v '^1 -25 pci reset$' |
			sort -u | tr '\n' ';')" \
			"0 0 pci reset;1 0 pci reset, bus;"
	done
	equal "$kernel: hot reset by VFIO: of nothing else" "$(sed -n 's/^vfio_hot reset \([^ ]*\) .*/\1/p' "$dir/facts/told" | sort -u | tr '\n' ' ' | sed 's/ $//')" \
		"$(fact truth shared)"
	check "$kernel: by VFIO" grep -q "^vfio_reset reset $(fact truth below) 1 0 pci reset, " "$dir/facts/told"
	check "$kernel: every reset that began has ended" \
		[ "$(awk '$2 == "reset" && $6 == "pci" && !$4' "$dir/facts/told" | wc -l)" = \
		"$(awk '$2 == "reset" && $6 == "pci" && $4' "$dir/facts/told" | wc -l)" ]
}

# mapped WHO: edu's maps by VFIO's type 1 or by iommufd: whose they are, and how many, as the program and the kernel's events say
mapped()
{
	local who=$1 in="$kernel, $1" i d at_once own=0

	equal "$in: list: whose it is" "$(of_device owner)" "$who"
	equal "$in: list: the kernel's type" "$(of_device type)" unmanaged
	check "$in: list, as text" grep -qE "^ +[0-9]+ +$(fact truth edu) +vfio-pci .* $who +" "$dir/files/$who.list"
	check "$in: list, as text, has the three functions" grep -qE \
		" $(fact truth edu) .* intel_flush_iotlb_all, intel_iommu_tlb_sync, (intel_iommu_iotlb_sync_map|-)$" "$dir/files/$who.list"
	check "$in: top, and no other is" [ "$(grep -o "\"owner\":\"$who\"" "$dir/files/$who.top" | wc -l)" = 2 -a \
		"$(wc -l <"$dir/files/$who.top")" = 2 ]

	i=$(awk -v who="$who" '/^domains\.[0-9]+\.owner / && $2 == who { split($1, p, "."); print p[2] }' "$dir/facts/session" |
		while read -r d; do [ "$(fact session "domains.$d.stats.map_bytes")" -lt 100000 ] || echo "$d"; done)
	check "$in: one domain of it has the maps ($i)" is_number "$i"
	# up to 6.12 VFIO finds out whether adjacent pages are one mapping, by two of its own
	[ "$kernel" = source:7.2 ] || own=8192
	equal "$in: bytes mapped, as vfio_dma says" "$(fact session "domains.$i.stats.map_bytes")" $(($(fact "$who" mapped_bytes) + own))
	equal "$in: bytes mapped, as the tracepoint says" "$(fact session "domains.$i.stats.map_bytes")" "$(total map size)"
	equal "$in: maps, as the tracepoint says" "$(fact session "domains.$i.stats.maps")" "$(grep -c ' map: ' "$dir/files/$who.trace")"
	equal "$in: bytes unmapped, as the tracepoint says" "$(fact session "domains.$i.stats.unmap_bytes")" \
		"$(total unmap unmapped_size)"
	equal "$in: unmaps, as the tracepoint says" "$(fact session "domains.$i.stats.unmaps")" \
		"$(grep -c ' unmap: ' "$dir/files/$who.trace")"
	at_once=$(($(fact "$who" unmapped_one_by_one) + $(fact "$who" unmapped_at_once) + $(fact "$who" left_to_close) + own))
	equal "$in: bytes unmapped, as vfio_dma says" "$(fact session "domains.$i.stats.unmap_bytes")" "$at_once"
	check "$in: analyze, as text" grep -qE "^  [0-9]+ +$who +strict " "$dir/facts/text"
}
total() { sed -nE "s/.* $1: .*\\b$2=([0-9]+).*/\\1/p" "$dir/files/$who.trace" | awk '{ s += $1 } END { print s + 0 }'; }
# of_device KEY: what list said of edu
of_device()
{
	local d
	d=$(awk -v d="$(fact truth edu)" '/^devices\.[0-9]+\.device / && $2 == d { sub(/device$/, "", $1); print $1; exit }' \
		"$dir/facts/$who.list")
	fact "$who.list" "$d$1"
}

vfio()
{
	mapped vfio
	# Debian's kernels have no iommufd
	[ "$kernel" != source:7.2 ] || mapped iommufd
	check "$kernel: DMA API's domains are told apart" grep -qE '^domains\.[0-9]+\.owner dma-api$' "$dir/facts/session"
}

# Drivers that came later and that nobody had heard of: their functions are found, of each kind of domain, and counted
strangers()
{
	local in="$kernel, drivers nobody knows" name d=$dir/files

	for name in module mock; do session "$d/$name" >"$dir/facts/$name"; done
	cp "$d/module.before" "$d/module.after" "$dir/facts/"
	equal "$in: a module's flushes of the whole domain" "$(fact module flush.all)" "$(grown module flush_all)"
	equal "$in: functions of each kind of domain" \
		"$("$iommutop" session cat "$d/module" | sed -nE 's/.*flush_fn\.[0-9]+=[a-z_]+ (refiommu_[a-z_]+) .*/\1/p' | sort | tr '\n' ' ')" \
		"refiommu_dma_flush_iotlb_all refiommu_dma_iotlb_sync refiommu_unmanaged_flush_iotlb_all refiommu_unmanaged_iotlb_sync "
	equal "$in: that they weren't traced at first is said" "$(unhooked)" \
		"refiommu_dma_flush_iotlb_all refiommu_dma_iotlb_sync refiommu_unmanaged_flush_iotlb_all refiommu_unmanaged_iotlb_sync "
	equal "$in: the mock's function" "$(mocked iotlb_sync mapped)" mock_iotlb_sync
	equal "$in: whose it is" "$(mocked owner mapped) $(mocked type mapped)" "iommufd unmanaged"
	equal "$in: behind a virtual IOMMU" "$(mocked owner nested) $(mocked type nested) $(mocked iotlb_sync nested)" "iommufd nested -"
	equal "$in: the mock's maps" "$(of_iommufd maps)" "$(grep -c ' map: ' "$d/mock.trace")"
	equal "$in: their bytes, in two domains" "$(of_iommufd map_bytes)" $((2 * $(sed -n 's/^unmapped_bytes //p' "$d/mock.facts")))
	equal "$in: the mock's unmaps" "$(of_iommufd unmaps)" "$(grep -c ' unmap: ' "$d/mock.trace")"
	equal "$in: one flush each, and none of a guest's" "$(of_iommufd flush_kinds.sync.count)" "$(of_iommufd unmaps)"
	equal "$in: … of which there were" "$(sed -n 's/^invalidations //p' "$d/mock.facts")" 8
	same_words strangers.md "$kernel" "$d"
	same_words iommufd.md "$kernel" "$d"
}
# of_iommufd STAT: summed over the domains of the mock's device
of_iommufd()
{
	awk -v stat="$1" '/^domains\.[0-9]+\.owner iommufd$/ { split($1, p, "."); of[p[2]] }
		/^domains\.[0-9]+\.stats\./ { split($1, p, "."); value[$1] = $2 }
		END { for (d in of) sum += value["domains." d ".stats." stat]; print sum + 0 }' "$dir/facts/mock"
}
# unhooked: functions of which a loss says so
unhooked()
{
	"$iommutop" session cat --kind loss "$dir/files/module" |
		sed -nE 's/.* cause=unhooked what="(refiommu_[a-z_]+)".*/\1/p' | sort -u | tr '\n' ' '
}
# mocked KEY STAGE: what list said of the mock's device
mocked()
{
	python3 - "$dir/files/$2.list.json" "$1" <<'END'
import json, sys
print(*[d[sys.argv[2]] for d in json.load(open(sys.argv[1]))["devices"] if d["device"] == "iommufd_mock0"])
END
}

# Two devices behind one bridge: each is told with the other.
groups()
{
	local a b d

	read -r a b < <(sed -n 's/^shared //p' "$dir/files/truth")
	for d in "$a $b" "$b $a"; do
		check "$kernel: list: ${d% *} shares its group with ${d#* }" \
			grep -qE "shares group [0-9]+ with .*${d#* }" <(grep -A 1 " ${d% *} " "$dir/files/vfio.list")
	done
	check "$kernel: JSON names them" grep -qE "^devices\.[0-9]+\.group_devices\.[0-9]+ $a$" "$dir/facts/session"
	check "$kernel: analyze names them" grep -qE "shares group [0-9]+ with .*$b" "$dir/facts/text"
}

# What both kinds of run have in common.
facts()
{
	cp "$dir/files/truth" "$dir/facts/"
	told >"$dir/facts/told"
	session "$dir/files/session" >"$dir/facts/session"
	"$iommutop" analyze --json --klog "$dir/files/dmesg" 2>>"$dir/err" | flatten >"$dir/facts/klog"
	equal "$kernel: events lost" "$(awk '$2 == "loss" && $3 != 10 && $3 != 15' "$dir/facts/told" | wc -l)" 0
}
fresh()
{
	rm -rf "$dir/files" "$dir/facts"
	mkdir "$dir/facts"
}

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 source:7.2)
for kernel in "${kernels[@]}"; do
	fresh
	more=()
	[ "$kernel" = source:7.2 ] || {
		: >"$dir/with-modules"
		more=(--module vfio-pci --module vfio_iommu_type1 --file "$dir/with-modules")
	}
	boot --kernel "$kernel" --iommu intel --no-drivers "${more[@]}" --timeout 9m \
		--append iomem=relaxed --append vfio_iommu_type1.allow_unsafe_interrupts=1 --qemu-trace vtd_frr_new \
		--device nvme --device edu --device e1000e --device pcie-root-port,id=above,chassis=9 \
		--device e1000e,bus=above --device pcie-pci-bridge,id=shared --device edu,bus=shared,addr=1 \
		--device edu,bus=shared,addr=2 --device pcie-pci-bridge,id=alone --device edu,bus=alone,addr=1 --output "$dir/files" \
		--file "$here/refiommu_guest.sh" --file "$here/troubles.guest" --file "$top/build/guest/vfio_dma" --file "$top/build/guest/devpoke" \
		--file "$here/strangers.guest" --file "$top/build/guest/iommufd_mock" \
		-- "sh /root/troubles.guest && $([ "$kernel" = source:7.2 ] && echo sh /root/strangers.guest || echo true)"
	came_to_end "$kernel" || continue
	for who in vfio iommufd; do
		[ -e "$dir/files/$who" ] || continue
		cp "$dir/files/$who" "$dir/facts/"
		flatten <"$dir/files/$who.list.json" >"$dir/facts/$who.list"
	done
	facts
	"$iommutop" analyze "$dir/files/session" >"$dir/facts/text" 2>>"$dir/err"
	resets
	vfio
	groups
	storms
	[ "$kernel" != source:7.2 ] || strangers
done

: >"$dir/only-faults"
for kernel in "${kernels[@]}"; do
	# 6.1 has no driver for virtio-iommu; 6.12, where it is a module, leaves a device without a driver unprotected
	[ "$kernel" = source:7.2 ] || continue
	fresh
	boot --kernel "$kernel" --iommu virtio --no-drivers --timeout 5m --append iomem=relaxed --device edu \
		--qemu-trace virtio_iommu_report_fault --output "$dir/files" --file "$dir/only-faults" \
		--file "$here/refiommu_guest.sh" --file "$here/troubles.guest" --file "$top/build/guest/devpoke" -- sh /root/troubles.guest
	kernel="$kernel, virtio"
	came_to_end "$kernel" || continue
	facts
	faults
done
finish
