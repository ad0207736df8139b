#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the guest parts of the reference driver's tests on each test kernel; prints one TAP stream.
# usage: refiommu_modules.sh [KERNEL...]   (default: debian:6.1 debian:6.12 source:7.2)
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
iommutop=${IOMMUTOP:-$top/build/iommutop}
total=0
failed=0
files=()
for f in "$here"/refiommu_guest.sh "$here"/refiommu_*.guest; do
	files+=(--file "$f")
done

# guest KERNEL IOMMU NAME [OPTION...]: renumbers what the guest says; a guest that ends early is a failure.
guest()
{
	local kernel=$1 iommu=$2 name=$3 line code plan=
	shift 3
	echo "# $name on $kernel"
	while IFS= read -r line; do
		case $line in
		"ok "* | "not ok "*)
			total=$((total + 1))
			case $line in not*) failed=$((failed + 1)) ;; esac
			echo "${line%%ok *}ok $total - $kernel $name: ${line#* - }" ;;
		1..*) plan=$line ;;
		"code "*) code=${line#code } ;;
		*) echo "# ${line#\# }" ;;
		esac
	done < <("$iommutop" boot --kernel "$kernel" --iommu "$iommu" --no-drivers "$@" \
			"${files[@]}" --timeout 8m -- "sh /root/refiommu_$name.guest" 2>&1; echo "code $?")
	total=$((total + 1))
	if [ -n "$plan" ] && [ "$code" -le 1 ]; then
		echo "ok $total - $kernel $name: came to its end"
	else
		failed=$((failed + 1))
		echo "not ok $total - $kernel $name: came to its end"
		echo "# boot's exit code was ${code:-none}"
	fi
}

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 source:7.2)
for kernel in "${kernels[@]}"; do
	for name in counts bugs strays reload; do
		guest "$kernel" ref $name
	done
	guest "$kernel" intel beside
	# What a kernel with debugging costs says nothing.
	[[ $kernel == *-lockdep ]] || guest "$kernel" ref cost --cost
done
echo "1..$total"
echo "# $((total - failed)) passed, $failed failed"
[ $failed = 0 ]
