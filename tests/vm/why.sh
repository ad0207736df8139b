#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# list --why: who decided that a group is strict or lazy. VT-d by default, with iommu.strict, iommu.passthrough and caching mode;
# AMD as QEMU has it; virtio; the reference driver with its silent def_domain_type, and without the capability; switches in
# sysfs. Each kernel has at least two of them.
# usage: [COOKBOOK=1] why.sh [BOOT...]   (default: all; the names are below)
# COOKBOOK: the transcripts in docs/cookbook/why-strict.md are made anew from this run.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

# say LOOK DEVICE: type, unmap, who decided, certainty, and whether there is a warning, of the device's group.
say()
{
	python3 - "$dir/files/$1.json" "$2" <<'END'
import json, sys
for g in json.load(open(sys.argv[1]))["why"]:
    if sys.argv[2] in g["devices"]:
        print(g["type"], g["unmap"] or "-", "+".join(g["decided_by"]), g["certainty"], "warned" if g["warning"] else "quiet")
END
}
# chooser LOOK DEVICE CHOOSER: what it said, asked for, and how that is known.
chooser()
{
	python3 - "$dir/files/$1.json" "$2" "$3" <<'END'
import json, sys
for g in json.load(open(sys.argv[1]))["why"]:
    for c in g["choosers"] if sys.argv[2] in g["devices"] else []:
        if c["chooser"] == sys.argv[3]:
            print(c["said"], c["asked"], c["how"])
END
}

# is LOOK DEVICE TYPE UNMAP WHO CERTAINTY: so list says, and sysfs and the driver's counters say the same.
is()
{
	local truth=$dir/files/$1.truth unmap
	equal "$boot, $1: $2" "$(say "$1" "$2")" "$3 $4 $5 $6 quiet"
	equal "$boot, $1: type of $2 in sysfs" "$(awk -v n="type.$2" '$1 == n { print $2 }' "$truth")" "$3"
	unmap=$(awk -v n="unmap.$2" '$1 == n { print $2 }' "$truth")
	[ -z "$unmap" ] || equal "$boot, $1: unmaps of $2 by the driver's counters" "$unmap" "$4"
}
has() { check "$boot, $1: $3 of $2: $4" grep -qE -- "$4" <(chooser "$1" "$2" "$3"); }
kernel_said() { check "$boot: the kernel said '$1'" grep -q -- "$1" "$dir/files/boot-lines"; }

edu() { cat "$dir/files/edu"; }

# run NAME KERNEL WHAT ARGUMENTS...
run()
{
	boot=$1
	local kernel=$2 what=$3
	shift 3
	rm -rf "$dir/files"
	boot --kernel "$kernel" --no-drivers --timeout 10m --output "$dir/files" --file "$here/refiommu_guest.sh" --file "$here/why.guest" \
		"$@" -- "sh /root/why.guest $what"
	came_to_end "$boot" || return
	for f in "$dir"/files/*.txt; do
		check "$boot: ${f##*/} has 100 columns at the most" [ "$(wc -L <"$f")" -le 100 ]
	done
}

boot_intel() # 6.12, as Debian has it: lazy; then by sysfs, which keeps the shell's writes and no others
{
	run intel debian:6.12 "real notrace lazy sysfs" --iommu intel --device edu || return
	kernel_said "policy: lazy mode"
	is real "$(edu)" DMA-FQ lazy kconfig certain
	has real "$(edu)" sysfs "no trace"
	is notrace "$(edu)" DMA strict flush_queue+sysfs not_known
	is lazy "$(edu)" DMA-FQ lazy kconfig certain
	has lazy "$(edu)" sysfs "no trace"
	is sysfs_dma "$(edu)" DMA strict sysfs inferred
	has sysfs_dma "$(edu)" sysfs "opened iommu_groups/[0-9]+/type to write it, at $(date -u +%Y)"
	is sysfs_fq "$(edu)" DMA-FQ lazy kconfig certain
}

boot_strict()
{
	run strict source:7.2 real --iommu intel --device edu --append iommu.strict=1 || return
	kernel_said "policy: strict mode (set via kernel command line)"
	is real "$(edu)" DMA strict command_line certain
	has real "$(edu)" command_line "asked strict iommu.strict=1"
	has real "$(edu)" capability "generic page tables"
}

boot_passthrough() # and the reference driver's devices beside it, which are translated when it answers so
{
	run passthrough source:7.2 "real ref" --iommu intel --device edu --append iommu.passthrough=1 || return
	kernel_said "Default domain type: Passthrough (set via kernel command line)"
	is real "$(edu)" identity - command_line certain
	is ref_dma refdma.0 DMA strict driver inferred
}

boot_caching() # the kernel's boot line says lazy
{
	run caching debian:6.1 "real lazy" --iommu intel,caching-mode=on --device edu --append iommu.strict=0 || return
	kernel_said "policy: lazy mode (set via kernel command line)"
	kernel_said "batching disallowed due to virtualization"
	is real "$(edu)" DMA strict machine certain
	has real "$(edu)" machine "asked strict dmar0 has caching mode"
	is lazy "$(edu)" DMA-FQ lazy sysfs inferred
}

boot_amd()
{
	run amd debian:6.12 "real lazy" --iommu amd --device edu || return
	kernel_said "policy: lazy mode"
	kernel_said "Using strict mode due to virtualization"
	is real "$(edu)" DMA strict machine certain
	has real "$(edu)" machine "asked strict ivhd0 .*NpCache"
	is lazy "$(edu)" DMA-FQ lazy sysfs inferred
}

boot_virtio()
{
	run virtio source:7.2 "real sysfs" --iommu virtio --device edu || return
	is real "$(edu)" DMA-FQ lazy kconfig certain
	has real "$(edu)" driver "nothing .*no def_domain_type"
	has real "$(edu)" capability "viommu_capable\(\) says yes"
	is sysfs_dma "$(edu)" DMA strict sysfs inferred
}

# ref KERNEL ASKS: the silent driver. ASKS: the kernel asks for the capability.
ref()
{
	run "ref $1" "$1" ref --iommu ref || return
	is ref refdma.0 DMA-FQ lazy kconfig certain
	is ref_sysfs refdma.0 DMA strict sysfs inferred
	is ref_identity refdma.0 identity - driver inferred
	has ref_identity refdma.0 driver "inferred identity .*refiommu_def_domain_type"
	if [ "$2" = asks ]; then
		is ref_dma refdma.0 DMA strict driver+capability not_known
		is ref_cap refdma.0 DMA strict capability inferred
	else
		is ref_dma refdma.0 DMA strict driver inferred
		is ref_cap refdma.0 DMA strict flush_queue+sysfs not_known
	fi
	same_words why-strict.md "$boot" "$dir/files"
	has ref_dma refdma.0 driver "(inferred|not_known) DMA .*refiommu_def_domain_type"
}
boot_ref61() { ref debian:6.1 no; }
boot_ref612() { ref debian:6.12 asks; }

boots=("$@")
[ $# -gt 0 ] || boots=(intel strict passthrough caching amd virtio ref61 ref612)
for b in "${boots[@]}"; do "boot_$b"; done
finish
