#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# The side tables of a session against sysfs: devices with driver, group, DMA mask and NUMA node, reserved regions, nodes,
# IOMMUs, the names that the log uses; of drivers that were loaded after tracing had begun.
# usage: side_tables.sh [KERNEL...]   (default: debian:6.1 debian:6.12 source:7.2)
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

# said_so: what the session says, in the words of the guest's script. The last word on each device counts.
said_so()
{
	babeltrace2 "$dir/files/session/ctf" 2>>"$dir/err" | python3 -c '
import re, sys
devices, regions, attrs, clocks = {}, {}, {}, 0
region_words = {"direct": "direct", "direct_relaxable": "direct-relaxable", "reserved": "reserved", "msi": "msi",
	"sw_msi": "msi"}
for line in sys.stdin:
    def num(key):
        return int(re.search(r"[ {]" + key + r" = (?:\( \".*?\" : container = )?(-?(?:0x)?[0-9A-Fa-f]+)", line)[1], 0)
    def text(key):
        return re.search(r" " + key + r" = \"(.*?)\"[ ,]", line)[1]
    if " device: " in line:
        devices[text("name")] = (num("group"), text("driver"), num("dma_bits"),
            num("node") if num("node_known") else -1, text("iommu"), num("rid") if num("rid_known") else -1)
    elif " region: " in line:
        kind = region_words[re.search(r"kind = \( \"(\w+)\"", line)[1]]
        regions[(num("group"), num("first"), num("last"), kind)] = regions.get((num("group"), num("first"), num("last"), kind), 0) + 1
    elif " attr: " in line:
        key, _, value = text("text").partition("=")
        attrs[key] = value
    elif " clock_sample: " in line:
        clocks += 1
for name, d in devices.items():
    print("device", name, *(x if x != "" else "-" for x in d))
for (group, first, last, kind), times in regions.items():
    print("region", group, first, last, kind, times)
for key, value in attrs.items():
    print("attr", key, value)
print("clocks", clocks)
'
}

# of_device NAME FIELD, as the session says and as sysfs says
session_device() { awk -v n="$1" -v f="$2" '$1 == "device" && $2 == n { print $f }' "$dir/facts/says"; }
attr() { sed -n "s/^attr $1 //p" "$dir/facts/says"; }

compare()
{
	local name group driver bits node iommu rest n=0 words first last kind number cpus cap ecap pci

	while read -r name group driver bits node iommu rest; do
		n=$((n + 1))
		equal "$kernel: group of $name" "$(session_device "$name" 3)" "$group"
		# where there is none, babeltrace2 2.0 shows what an earlier event had
		[ "$driver" = - ] || equal "$kernel: driver of $name" "$(session_device "$name" 4)" "$driver"
		[ "$bits" = - ] || equal "$kernel: DMA mask of $name" "$(session_device "$name" 5)" "$bits"
		[ "$node" = - ] || equal "$kernel: NUMA node of $name" "$(session_device "$name" 6)" "$node"
		equal "$kernel: IOMMU of $name" "$(session_device "$name" 7)" "$iommu"
	done < <(sed -n 's/^device //p' "$dir/files/truth")
	check "$kernel: there are devices behind the IOMMU ($n)" [ "$n" -ge 5 ]
	equal "$kernel: no others are told" "$(grep -c '^device ' "$dir/facts/says")" "$n"

	while read -r words; do
		check "$kernel: region $words, once" grep -qx "region $words 1" "$dir/facts/says"
	done < <(sed -n 's/^region //p' "$dir/files/truth")
	equal "$kernel: no other region" "$(grep -c '^region ' "$dir/facts/says")" "$(grep -c '^region ' "$dir/files/truth")"

	while read -r number cpus; do
		equal "$kernel: CPUs of node $number" "$(attr "node\.$number")" "$cpus"
	done < <(sed -n 's/^node //p' "$dir/files/truth")
	equal "$kernel: NUMA nodes" "$(grep -c '^attr node\.' "$dir/facts/says")" "$(grep -c '^node ' "$dir/files/truth")"

	while read -r name cap ecap; do
		[ "$cap" = - ] || check "$kernel: capabilities of $name" grep -qE "^attr iommu\.$name .*cap $cap, ecap $ecap" "$dir/facts/says"
	done < <(sed -n 's/^iommu //p' "$dir/files/truth")
	equal "$kernel: IOMMUs" "$(grep -c '^attr iommu\.' "$dir/facts/says")" "$(grep -c '^iommu ' "$dir/files/truth")"
	check "$kernel: dmar0 has capabilities" grep -qE '^iommu dmar0 [0-9a-f]+ [0-9a-f]+$' "$dir/files/truth"

	n=0
	while read -r name pci; do
		n=$((n + 1))
		equal "$kernel: $name is" "$(attr "alias\.$name")" "$pci"
	done < <(sed -n 's/^alias //p' "$dir/files/truth")
	check "$kernel: names were given ($n)" [ "$n" -ge 3 ]

	equal "$kernel: kernel" "$(attr kernel)" "$(sed -n 's/^kernel //p' "$dir/files/truth")"
	equal "$kernel: options" "$(attr iommu_options)" intel_iommu=on
	check "$kernel: clocks at begin and end" [ "$(awk '$1 == "clocks" { print $2 }' "$dir/facts/says")" -ge 2 ]
	equal "$kernel: how maps are seen" "$(attr 'plan\.map' | sed 's/ .*//')" fexit
	equal "$kernel: what wasn't asked for" "$(attr 'plan\.iova-alloc')" off
	# its module was loaded (and unloaded and loaded again) while tracing went on
	equal "$kernel: time-outs of nvme" "$(attr 'plan\.nvme-timeout')" "kprobe nvme_timeout"
}

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 source:7.2)
for kernel in "${kernels[@]}"; do
	rm -rf "$dir/files" "$dir/facts"
	mkdir "$dir/facts"
	more=()
	# the kernel with our configuration has no SCSI, no graphics and no NUMA
	[ "$kernel" = source:7.2 ] || {
		: >"$dir/with-ahci"
		more=(--module ahci --module gpu-sched --file "$dir/with-ahci")
	}
	# the bridge to the far node comes last: QEMU would put the other devices behind it
	boot --kernel "$kernel" --iommu intel --no-drivers "${more[@]}" \
		--qemu-arg -object --qemu-arg memory-backend-ram,id=m0,size=512M \
		--qemu-arg -object --qemu-arg memory-backend-ram,id=m1,size=512M \
		--qemu-arg -numa --qemu-arg node,nodeid=0,cpus=0,memdev=m0 \
		--qemu-arg -numa --qemu-arg node,nodeid=1,cpus=1,memdev=m1 \
		--device nvme --device edu --module e1000e --timeout 10m --output "$dir/files" \
		--qemu-arg -device --qemu-arg pxb-pcie,id=far,bus_nr=128,numa_node=1 \
		--qemu-arg -device --qemu-arg pcie-root-port,id=far_port,bus=far,chassis=9 \
		--qemu-arg -device --qemu-arg e1000e,bus=far_port \
		--file "$here/refiommu_guest.sh" --file "$here/side_tables.guest" -- sh /root/side_tables.guest
	came_to_end "$kernel" || continue
	said_so >"$dir/facts/says"
	compare
	if [ "$kernel" = source:7.2 ]; then
		check "$kernel: SCSI is absent, and the plan says so" grep -qE '^attr plan.scsi-timeout absent: ' "$dir/facts/says"
	else
		check "$kernel: a device is on the far node" grep -qE '^device [^ ]+ [0-9]+ e1000e [0-9]+ 1 ' "$dir/facts/says"
		equal "$kernel: time-outs of SCSI" "$(attr 'plan\.scsi-timeout')" "kprobe scsi_timeout"
		equal "$kernel: time-outs of graphics" "$(attr 'plan\.drm-timeout')" "kprobe drm_sched_job_timedout"
	fi
done
finish
