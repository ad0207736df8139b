#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034,SC2154 # variables of boot_lib.sh
#
# iommutop assert on a running kernel: how it begins and ends, what becomes of the command, marks, reports, the saved
# session. assert_live.guest does it in one guest and speaks TAP; its reports come out, and others read them here.
# usage: assert_live.sh [KERNEL...]   (default: debian:6.12)
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"

for kernel in "${@:-debian:6.12}"; do
	boot --kernel "$kernel" --iommu ref --smp 1 --timeout 10m --file "$here/refiommu_guest.sh" --file "$here/facts_guest.sh" \
		--file "$here/assert_live.guest" --output "$dir/files" -- sh /root/assert_live.guest
	sed -e '/^1\.\./d' -e "s/^\(not ok\|ok\) [0-9]* -/\1 - $kernel:/" "$dir/out" |
		awk -v n="$tests" '/^(not )?ok - / { sub(/ok - /, "ok " ++n " - ") } { print }'
	tests=$((tests + $(grep -cE '^(not )?ok ' "$dir/out")))
	failed=$((failed + $(grep -cE '^not ok ' "$dir/out")))
	check "$kernel: it came to its end" grep -q '^1\.\.' "$dir/out"
	check "$kernel: the saved session is whole" "$iommutop" session verify "$dir/files/saved"
	check "$kernel: and holds the maps before the fault, as babeltrace2 reads it" \
		grep -q ' map: ' <(babeltrace2 "$dir/files/saved/ctf" 2>/dev/null)
	rm -rf "$dir/files"
done
finish
