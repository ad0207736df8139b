#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Assertions from the begin of user space: an archive appended to somebody's initrd, whose init starts them and hands over;
# reports over serial, the kernel's log and a file; through a switch of root, and up to a panic.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/boot_lib.sh"

# A QEMU whose initrd has the archive behind it, as a boot loader's configuration would.
sound=$("$top/tools/boot/qemu.sh" get "$sound_qemu")
cat >"$dir/qemu" <<END
#!/bin/bash
args=()
while [ \$# -gt 0 ]; do
	if [ "\$1" = -initrd ]; then
		cat "\$2" "$dir/archive" >"\$2.both"
		args+=("\$1" "\$2.both")
		shift 2
	else
		args+=("\$1")
		shift
	fi
done
exec "$sound/qemu-system-x86_64" "\${args[@]}"
END
chmod +x "$dir/qemu"
early() { boot --qemu "$dir/qemu" --append rdinit=/iommutop/init "$@"; }

# report LOG: the last report in it to $dir/report, its exit code to $verdict.
report()
{
	verdict=0
	"$iommutop" boot --read-report "$1" >"$dir/report" 2>"$dir/err" || verdict=$?
	sed 's/^/# /' "$dir/report"
}
says() { grep -qE -- "$1" "$dir/report"; }
wait_for_end='n=0; while pidof iommutop >/dev/null && [ $n -lt 3000 ]; do n=$((n + 1)); usleep 100000; done'

# --- serial, gzip, a preset; drivers that are built in map before user space

boot --emit-initrd "$dir/archive" --gzip
check "an archive is written" [ "$code" = 0 -a "$(head -c 2 "$dir/archive" | od -An -tx1)" = " 1f 8b" ]
early --kernel source:7.2 --iommu intel --device nvme --append 'trace_event=iommu:* iommutop.every=5s' --output "$dir/a" -- \
	"ls -d /proc/[0-9]*/root/iommutop >/dev/null; mount | grep -c iommutop; tr '\0' ' ' </proc/\$(pidof iommutop | cut -d' ' -f1)/cmdline; echo
	dd if=/dev/nvme0n1 of=/dev/null bs=64k count=16 iflag=direct 2>/dev/null; echo 'iommutop: end' >/dev/kmsg; $wait_for_end
	grep -c ' map: IOMMU' /sys/kernel/tracing/trace"
check "serial: the real init runs, with its command" [ "$code" = 0 ]
check "serial: nothing of ours is mounted where it sees it" [ "$(head -n 1 "$dir/out")" = 0 ]
check "serial: its name spares it from who ends all processes" printed '^@'
check "serial: a partial report was there first" grep -qa '^iommutop-report: BEGIN 1 partial' "$dir/a/console.log"
report "$dir/a/console.log"
check "serial: the last report is whole" [ ! -s "$dir/err" ]
check "serial: it passes, or says what could not be seen" [ "$verdict" = 0 -o "$verdict" = 5 ]
check "serial: no fault, in maps that were looked at" says '^PASS +no-fault'
check "serial: the run ended at the mark" says '^PASS +run: .* until the line that ends it'
before=$(sed -nE 's/^.*Before the hooks: ([0-9,]+) maps.*/\1/p' "$dir/report" | tr -d ,)
check "serial: maps before user space are told (${before:-none})" [ "${before:-0}" -gt 0 ]

# --- a file, rules of one's own, through a switch of root, until SIGTERM

cat >"$dir/rules.yaml" <<'END'
rules:
  - invariant: no-fault
    name: mine
END
cat >"$dir/real-init" <<'END'
#!/bin/busybox sh
# as an initrd does: a new root, everything of the old one deleted
busybox mkdir /new
busybox mount -t tmpfs tmpfs /new
for d in bin sbin usr lib etc root run output init; do busybox cp -a /$d /new/; done
busybox mkdir /new/proc /new/sys /new/dev /new/tmp
exec busybox switch_root /new /init
END
chmod +x "$dir/real-init"
boot --emit-initrd "$dir/archive" --rules "$dir/rules.yaml"
check "an archive with rules is written" [ "$code" = 0 ]
# uncompressed: the kernel wants it at a multiple of four
early --kernel debian:6.12 --iommu ref --no-drivers --file "$dir/real-init:/real-init" --output "$dir/b" \
	--append 'iommutop.init=/real-init iommutop.out=/output/report iommutop.end=shutdown' -- \
	"ls -d /real-init /iommutop 2>/dev/null | wc -l; modprobe refiommu; modprobe refdma
	echo 'use-after-unmap next=1 skip=100 when=after' >/sys/kernel/debug/refiommu/bugs
	echo 'run workload=single ops=300' >/sys/kernel/debug/refdma/refdma.0/control
	kill -TERM \$(pidof iommutop | tr ' ' '\n' | sort -n | head -n 1); $wait_for_end; ls /output"
check "file: the new root is in place, the old one is gone" [ "$code" = 0 -a "$(head -n 1 "$dir/out")" = 0 ]
check "file: it is there" [ -f "$dir/b/report" ]
report "$dir/b/report"
check "file: the fault fails" [ "$verdict" = 1 ]
check "file: by the rule of the archive" says '^FAIL +mine'
check "file: the run ended by SIGTERM" says '^PASS +run: .* until SIGTERM'

# --- the kernel's log, and a panic

early --kernel debian:6.12 --iommu ref --no-drivers --output "$dir/c" \
	--append 'ignore_loglevel iommutop.out=kmsg iommutop.every=1s' -- \
	"modprobe refiommu; modprobe refdma; echo 'use-after-unmap next=1 skip=100 when=after' >/sys/kernel/debug/refiommu/bugs
	echo 'run workload=single ops=300' >/sys/kernel/debug/refdma/refdma.0/control
	n=0; until dmesg | grep -q 'END [0-9]* partial-FAIL' || [ \$n -gt 3000 ]; do n=\$((n + 1)); usleep 100000; done
	echo c >/proc/sysrq-trigger"
check "panic: it is one" [ "$code" = 255 ]
report "$dir/c/console.log"
check "panic: what was known until then fails" [ "$verdict" = 1 ]
check "panic: and is told to be partial" said 'broke off'
check "panic: with what was violated" says '^ +mine +1 violation'

# --- mistakes

early --kernel debian:6.12 --output "$dir/d" --append 'iommutop.rules=/nosuch iommutop.out=kmsg ignore_loglevel' -- \
	"n=0; until dmesg | grep -q 'iommutop-report: END' || [ \$n -gt 3000 ]; do n=\$((n + 1)); usleep 100000; done; echo on"
check "no rules: the boot goes on" printed '^on$'
report "$dir/d/console.log"
check "no rules: it is no pass" [ "$verdict" = 5 ]
check "no rules: the word is named" says 'iommutop.rules=/nosuch: No such file or directory \(it must be in the initrd\)'
finish
