#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# The presets on real drivers (e1000e, nvme, VFIO) behind each emulated IOMMU: the one that fits passes, the one for the other
# kind of domains fails by domain-type alone, and a device that is meant to be in an identity domain can be waived.
# usage: [KEEP=DIR] assert_real.sh [KERNEL IOMMU PRESET]...   PRESET: the one that fits; KEEP: where reports are kept
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

# outcomes RUN OUTCOME: the rules that ended so.
outcomes()
{
	awk -v o="$2" '$1 ~ /^results\.[0-9]+\.name$/ { name = $2 }
		$1 ~ /^results\.[0-9]+\.outcome$/ && $2 == o { print name }' "$dir/facts/$1" | sort | tr '\n' ' '
}

# run NAME CODE FAILS LOOKED...: how a run of assert ended, which rules failed, and that those named were looked at.
run()
{
	local name=$1 code=$2 fails=$3 rule
	shift 3

	flatten <"$files/$name.json" >"$dir/facts/$name"
	equal "$where $name: exit code" "$(cat "$files/$name.code")" "$code"
	equal "$where $name: rules that fail" "$(outcomes "$name" FAIL)." "$fails."
	equal "$where $name: inconclusive rules" "$(outcomes "$name" INCONCLUSIVE)." .
	for rule; do
		check "$where $name: $rule passes" grep -qw -- "$rule" <<<" $(outcomes "$name" PASS)"
	done
	[ "$(cat "$files/$name.code")" = "$code" ] || sed 's/^/# /' "$files/$name.err" "$files/$name.text"
}

one()
{
	local kernel=$1 iommu=$2 right=$3 wrong=lazy strict=() looked

	where="$kernel $iommu $right" files=${KEEP:-$dir/files}/$kernel.$iommu.$right
	[ "$right" = strict ] || wrong=strict
	case $iommu.$right in
	intel.strict | virtio.strict) strict=(--append iommu.strict=1) ;;
	esac
	rm -rf "$files" "$dir/facts"
	mkdir -p "$files" "$dir/facts"
	# one CPU: emulated ones that patch code and run it at once oops now and then (docs/compatibility.md)
	boot --kernel "$kernel" --iommu "$iommu" --smp 1 --device e1000e --device nvme --device edu --module vfio-pci --module vfio_iommu_type1 \
		"${strict[@]}" --file "$here/refiommu_guest.sh" --file "$here/assert_real.guest" --file "$BUILD/guest/vfio_maps" \
		--append vfio_iommu_type1.allow_unsafe_interrupts=1 --append iommufd.allow_unsafe_interrupts=1 --timeout 10m \
		--output "$files" -- sh /root/assert_real.guest "$right" "$wrong"
	came_to_end "$where" || { sed 's/^/# /' "$dir/err"; return; }
	looked=(no-fault no-hang flush-before-reuse flush-covers-unmap no-map-over-map unmap-matches-map window flush-latency coverage)
	[ "$right" = lazy ] || looked+=(strict-means-strict)
	run right 0 "" domain-type "${looked[@]}"
	run wrong 1 "domain-type "
	run all 0 "" domain-type "${looked[@]}" vfio-flush-before-reuse vfio-flush-covers-unmap vfio-no-map-over-map vfio-unmap-matches-map \
		vfio-detach-empty
	run waived 0 "" domain-type
	check "$where waived: it is told" grep -q intended "$files/waived.text"
}

[ $# -gt 0 ] || set -- debian:6.1 intel strict debian:6.12 amd strict source:7.2 virtio lazy
while [ $# -ge 3 ]; do
	one "$1" "$2" "$3"
	shift 3
done
finish
