#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Runs the guest parts of the reference driver's tests on each test kernel; prints one TAP stream.
# usage: refiommu_modules.sh [KERNEL...]   (default: debian:6.1 debian:6.12 source:7.2)
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
files=()
for f in "$here"/refiommu_guest.sh "$here"/refiommu_*.guest; do
	files+=(--file "$f")
done

# guest KERNEL IOMMU "NAME..." [OPTION...]: one after the other in one guest; renumbers what it says; a script that ends early is a failure.
guest()
{
	local kernel=$1 iommu=$2 names=$3 name=none line plans=
	shift 3
	echo "# $names on $kernel"
	boot --kernel "$kernel" --iommu "$iommu" --no-drivers "$@" "${files[@]}" --timeout 15m -- "
		cd /sys/kernel/tracing
		for name in $names; do
			echo 0 >events/enable
			echo >trace
			echo 1 >tracing_on
			dmesg -c >/dev/null
			echo \"script \$name\"
			sh /root/refiommu_\$name.guest || bad=1
		done
		exit \${bad:-0}"
	while IFS= read -r line; do
		case $line in
		"script "*) name=${line#script } ;;
		"ok "* | "not ok "*)
			tests=$((tests + 1))
			case $line in not*) failed=$((failed + 1)) ;; esac
			echo "${line%%ok *}ok $tests - $kernel $name: ${line#* - }" ;;
		1..*) plans="$plans$name " ;;
		*) echo "# ${line#\# }" ;;
		esac
	done <"$dir/out"
	check "$kernel: $names came to their ends" [ "$plans" = "$names " -a "$code" -le 1 ]
}

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 source:7.2)
for kernel in "${kernels[@]}"; do
	guest "$kernel" ref "counts bugs strays reload"
	guest "$kernel" intel beside --qemu "$sound_qemu"
	# What a kernel with debugging costs says nothing.
	[[ $kernel == *-lockdep ]] || guest "$kernel" ref cost --cost
done
finish
