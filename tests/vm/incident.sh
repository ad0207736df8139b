#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Bugs of a device and what iommutop makes of them, against what the modules know: a use after unmap that
# faults and hangs the device is one incident with everything joined; one inside the lazy window is a stale hit
# that no IOMMU reports, and no incident; a hang without a fault isn't blamed on the IOMMU.
# usage: incident.sh [KERNEL...]   (default: debian:6.1 debian:6.12 source:7.2)
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

# has FILE NAME PATTERN: the fact matches; some FILE NAMES PATTERN: one of the facts whose name matches does.
has() { fact "$1" "$2" | grep -qE -- "$3"; }
some() { awk -v n="^$2\$" '$1 ~ n' "$dir/facts/$1" | grep -qE -- "$3"; }
ordered() { [ "$1" -lt "$2" ] && [ "$2" -lt "$3" ]; }

# common NAME: loss, and faults, hangs and resets as the modules counted them.
common()
{
	what="$kernel $1"
	session "$dir/files/$1" >"$dir/facts/$1"
	equal "$what: loss" "$(fact "$1" losses.nr)" 0
	equal "$what: hangs" "$(fact "$1" totals.hangs)" "$(grown "$1" refdma.stalls)"
	equal "$what: resets" "$(fact "$1" totals.resets)" "$(grown "$1" refdma.resets)"
	equal "$what: faults" "$(fact "$1" totals.faults)" "$(grown "$1" refiommu.faults)"
}

fault()
{
	local i=incidents.0 f=incidents.0.faults.0 iova tid

	common fault
	equal "$what: the device used it after the flush" "$(grown fault refdma.late_faults)" 1
	equal "$what: and hung" "$(grown fault refdma.hangs)" 1
	iova=$(grep -oE 'fault: device refdma\.0 .* iova 0x[0-9a-f]+' "$dir/files/fault.log" | sed 's/.* //')
	tid=$(awk '$2 == "refdma0/0" { print $1 }' "$dir/files/fault.tids")
	equal "$what: incidents" "$(fact fault incidents.nr)" 1
	equal "$what: the device" "$(fact fault $i.device_name)" refdma.0
	equal "$what: verdict" "$(fact fault $i.verdict)" use_after_unmap_flushed
	check "$what: it says how sure it is" has fault $i.confidence '^(certain|likely)$'
	equal "$what: faults of the incident" "$(fact fault $i.fault_count)" 1
	equal "$what: IOVA as the module logged it" "$(fact fault $f.iova)" "$iova"
	equal "$what: a write" "$(fact fault $f.access)" write
	equal "$what: the domain is the device's" "$(fact fault $f.domain)" "$(fact fault devices.0.domain)"
	equal "$what: the owner's range begins there" "$(fact fault $f.owner.start)" "$iova"
	equal "$what: it is unmapped" "$(fact fault $f.owner.still_mapped)" false
	equal "$what: lazily" "$(fact fault $f.owner.mode)" lazy
	equal "$what: flushed" "$(fact fault $f.owner.flushed)" true
	check "$what: unmap, flush and fault in this order" ordered "$(fact fault $f.owner.unmap_ns)" \
		"$(fact fault $f.owner.flush_end_ns)" "$(fact fault $f.first_ns)"
	check "$what: fault, hang and reset in this order" ordered "$(fact fault $f.first_ns)" \
		"$(fact fault $i.hang.first_ns)" "$(fact fault $i.reset.first_ns)"
	equal "$what: unmapped by the device's thread" "$(fact fault $f.owner.unmap_tid)" "$tid"
	check "$what: its stack names the driver's function" \
		some fault "$f\.owner\.unmap_stack\.[0-9]+" '(unmap|refdma_work).*\[refdma\]'
	check "$what: the fault's stack names the driver's function" \
		some fault "$f\.stack\.[0-9]+" 'refdma_hw_late.*\[refdma\]'
	equal "$what: the hang is the device's" "$(fact fault $i.hang.device_name)" refdma.0
	equal "$what: as the log tells it" "$(fact fault $i.hang.stalled_ns)" \
		"$(sed -n 's/.*queue 0 stalled for \([0-9]*\) ms.*/\1000000/p' "$dir/files/fault.log")"
	equal "$what: the reset is the device's" "$(fact fault $i.reset.device_name)" refdma.0
	"$iommutop" analyze "$dir/files/fault" >"$dir/text"
	check "$what: the text names IOVA and device" grep -q "refdma.0.* IOVA $iova" <(tr -s ' \n' '  ' <"$dir/text")
}

stale()
{
	common stale
	check "$what: stale entries were used" [ "$(grown stale refiommu.stale_hits)" -ge 3 ]
	equal "$what: no fault" "$(grown stale refiommu.faults)" 0
	equal "$what: no incident" "$(fact stale incidents.nr)" 0
}

hang()
{
	common hang
	equal "$what: the device hung" "$(grown hang refdma.hangs)" 1
	equal "$what: no fault" "$(grown hang refiommu.faults)" 0
	equal "$what: incidents" "$(fact hang incidents.nr)" 1
	equal "$what: the device" "$(fact hang incidents.0.device_name)" refdma.0
	equal "$what: verdict" "$(fact hang incidents.0.verdict)" hang_without_fault
	equal "$what: faults of the incident" "$(fact hang incidents.0.fault_count)" 0
	equal "$what: the reset is the device's" "$(fact hang incidents.0.reset.device_name)" refdma.0
	check "$what: the IOMMU isn't blamed" has hang incidents.0.explanation 'nothing here says that the IOMMU is the cause'
}

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 source:7.2)
for kernel in "${kernels[@]}"; do
	rm -rf "$dir/files" "$dir/facts"
	mkdir "$dir/facts"
	# the guest's clock counts instructions: when the host takes the CPU away, no flush stalls and no device hangs
	boot --kernel "$kernel" --iommu ref --cost --file "$here/refiommu_guest.sh" --file "$here/facts_guest.sh" \
		--file "$here/incident.guest" \
		--output "$dir/files" -- 'sh /root/incident.guest'
	came_to_end "$kernel" || continue
	cp "$dir"/files/*.before "$dir"/files/*.after "$dir/facts/"
	fault
	stale
	hang
done
finish
