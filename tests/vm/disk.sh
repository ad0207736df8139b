#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034,SC2154 # variables of boot_lib.sh
#
# What happens to a session when its disk does not play along, and what is kept when not everything is: disk.guest and
# flight.guest do it in one guest each and speak TAP; their sessions come out, and other readers look at them here.
# usage: disk.sh [KERNEL]   (default: debian:6.12)
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"

# in_guest SCRIPT MORE-ARGUMENTS...: its lines of TAP become ours.
in_guest()
{
	local script=$1
	shift
	# One CPU: programs are detached under full load here, see robust.sh.
	boot --kernel "$kernel" --iommu ref --smp 1 --timeout 15m "$@" --file "$here/refiommu_guest.sh" \
		--file "$here/facts_guest.sh" --file "$here/$script" --output "$dir/files" -- sh "/root/$script"
	sed -e '/^1\.\./d' -e "s/^\(not ok\|ok\) [0-9]* -/\1 - ${script%.guest}:/" "$dir/out" |
		awk -v n="$tests" '/^(not )?ok - / { sub(/ok - /, "ok " ++n " - ") } { print }'
	tests=$((tests + $(grep -cE '^(not )?ok ' "$dir/out")))
	failed=$((failed + $(grep -cE '^not ok ' "$dir/out")))
	check "$script came to its end" grep -q '^1\.\.' "$dir/out"
}

# counted DIR: events that babeltrace2 sees without a complaint; nothing if it has one
counted()
{
	babeltrace2 "$1/ctf" --component sink.utils.counter -p step=+0 >"$dir/counted" 2>"$dir/complaints"
	[ ! -s "$dir/complaints" ] && awk '$2 == "Event" && $3 == "messages" { n = $1 } END { print n }' "$dir/counted"
}
delivered() { sed -n 's/^iommutop record: \([0-9]*\) events in .*/\1/p' "$dir/files/$1.err"; }
equal() { check "$1 (${2:-nothing})" [ -n "$2" -a "$2" = "$3" ]; [ "$2" = "$3" ] || echo "# wanted '$3'"; }

# A session of compressed packets is, unpacked, a trace for everybody.
unpack()
{
	local f
	for f in "$1"/zst/*.zst; do
		zstd -q -d "$f" -o "$1/ctf/$(basename "$f" .zst)" || return
	done
}

kernel=${1:-debian:6.12}
mkdir "$dir/files"
in_guest disk.guest --program mkfs.ext4 --module scsi_debug --module sd_mod --module ext4 --module crc32c_generic
in_guest flight.guest
cd "$dir/files" || exit 1

check "slow disk: the trace is whole for babeltrace2 too" [ -n "$(counted slow)" ]
check "rotated: several files" [ "$(find rotated/ctf -name 'events_*' | wc -l)" -ge 3 ]
equal "rotated: babeltrace2 counts what record delivered" "$(counted rotated)" "$(delivered rotated)"
check "compressed: no plain stream" [ -z "$(find packed/ctf -name '*_0')" ]
equal "compressed: frames, each with its content's size" \
	"$(zstd -l -v packed/zst/events_0.zst 2>/dev/null | grep -c '^Decompressed Size: .*([0-9]* B)')" 1
check "compressed: zstd unpacks it" unpack packed
equal "compressed: babeltrace2 counts what record delivered" "$(counted packed)" "$(delivered packed)"
plain=$(stat -c %s packed/ctf/events_0) zst=$(stat -c %s packed/zst/events_0.zst)
echo "# compressed: $((zst * 64 * 10 / plain)) tenths of a byte for an event of 64 bytes"
check "compressed: to a third or less" [ "$((zst * 3))" -le "$plain" ]
check "flight recorder: babeltrace2 reads the dumps" [ "$(counted flight)" -gt 1000 ]
finish
