#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Sessions of real kernels, reference driver and real drivers behind VT-d: our reader and babeltrace2 see the same
# events with the same fields.
# usage: real_babeltrace.sh [KERNEL...]   (default: debian:6.1 debian:6.12 debian:7.2 source:7.2)
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"
gen=${BUILD:-$top/build}/tests/gen_session

# compare NAME KIND...: of the session; so many different kinds must be in it.
compare()
{
	local what=$1 kind complaints
	shift
	"$gen" "$dir/files/session" >"$dir/ours" 2>"$dir/err"
	check "$what: our reader reads it without a word" [ ! -s "$dir/err" -a -s "$dir/ours" ]
	babeltrace2 --clock-cycles --no-delta "$dir/files/session/ctf" >"$dir/theirs" 2>"$dir/err"
	complaints=$(wc -l <"$dir/err")
	equal "$what: complaints of babeltrace2" "$complaints" 0
	python3 "$here/real_babeltrace.py" "$dir/ours" "$dir/theirs" >"$dir/facts/$what" 2>"$dir/err"
	equal "$what: events that differ in any field" "$(fact "$what" different)" 0
	echo "# $what: $(wc -l <"$dir/ours") events; texts that babeltrace2 gets wrong: $(fact "$what" masked)"
	for kind in $(awk '!/^theirs|^different|^masked/ { print $1 }' "$dir/facts/$what"); do
		equal "$what: $kind" "$(fact "$what" "$kind")" "$(fact "$what" "theirs.$kind")"
	done
	for kind in "$@"; do
		check "$what: it has events of $kind" [ "$(fact "$what" "$kind")" != none ]
	done
}

run() # KERNEL IOMMU KIND...
{
	local kernel=$1 iommu=$2 devices=()
	shift 2
	rm -rf "$dir/files"
	[ "$iommu" = intel ] && devices=(--device e1000e --device nvme)
	boot --kernel "$kernel" --iommu "$iommu" "${devices[@]}" --timeout 10m --output "$dir/files" --file "$here/refiommu_guest.sh" \
		--file "$here/facts_guest.sh" --file "$here/real_babeltrace.guest" -- "sh /root/real_babeltrace.guest $iommu"
	came_to_end "$kernel-$iommu" || return
	compare "$kernel-$iommu" "$@"
}

command -v babeltrace2 >/dev/null || { echo "1..0 # SKIP babeltrace2 is not installed"; exit 77; }
check "what prints our reader's events is there (make test-programs)" [ -x "$gen" ]
mkdir "$dir/facts"
kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 debian:7.2 source:7.2)
for kernel in "${kernels[@]}"; do
	run "$kernel" intel map unmap flush iova_alloc iova_free domain attach log capture coverage device stack symbol attr clock_sample region
	if [ "$kernel" = debian:7.2 ]; then
		skip "$kernel-ref" "the reference driver can't be built for Debian's 7.2 (its headers need a newer compiler)"
		continue
	fi
	run "$kernel" ref map unmap flush iova_alloc iova_free fault log domain attach capture coverage device stack symbol attr \
		clock_sample
done
finish
