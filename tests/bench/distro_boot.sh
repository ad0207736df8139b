#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of the libraries
#
# tests/bench/distro_boot.sh [KERNEL]...: what assertions from the begin of user space add to the boot of a distribution, in guest
# instructions: Debian 12's own systemd and udev up to multi-user.target, behind VT-d with an NVMe disk and a network card, and the
# archive of `iommutop boot --emit-initrd` appended to its initrd as a user would.
#   bare      up to multi-user.target
#   with      the same, with the hooks
#   verdict   up to the last line of the report, which is asked for at multi-user.target; detaching comes after it
# Waiting isn't counted: on the one CPU, what isn't idle is instructions (1 ns = 1 instruction).
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tap_lib.sh"
. "$top/tools/boot/debian.sh"


instead="run it where the machine's apt has a Debian archive"
distros=$cache/distro
specs=$distros/specs
suite=bookworm
packages="systemd-sysv udev dbus kmod login mount procps util-linux bash dash coreutils grep sed base-files base-passwd"
# what udev finds drivers for on this machine
drivers="nvme e1000e ahci sd_mod i2c_i801 lpc_ich evdev button psmouse intel_agp virtio_pci"
aim=150 # percent of the bare boot

# "NAME=VERSION" a line: what apt would install where nothing is, without what only installing takes.
closure()
{
	# shellcheck disable=SC2086
	apt-get -c "$apt_conf" -s --no-install-recommends install $packages |
		sed -nE 's/^Inst ([^ ]+) \(([^ ]+) .*/\1=\2/p' |
		grep -vE '^(lib)?perl|-perl=|^(adduser|debconf|dpkg|gcc-12-base|tar|usrmerge)=' | sort
}

# The directory of the unpacked packages, /bin and so on merged into /usr; made if it isn't there.
distro()
{
	local final pkgs d
	if ! final=$(readlink -e "$specs/$suite"); then
		begin_work "$distros" "distro-$suite"
		apt_setup "$suite"
		mapfile -t pkgs < <(closure)
		[ "${#pkgs[@]}" -gt 20 ] || die "apt can't tell what systemd of $suite depends on; $instead"
		final=$distros/$suite-$({ printf '%s\n' "${pkgs[@]}"; declare -f distro; } | sha256sum | cut -c1-12)
		fetch_unpack "$work/out" "${pkgs[@]}"
		for d in bin sbin lib lib64; do
			mkdir -p "$work/out/usr/$d"
			cp -a "$work/out/$d/." "$work/out/usr/$d/"
			rm -r "${work:?}/out/$d"
			ln -s "usr/$d" "$work/out/$d"
		done
		rm -rf "$work"/out/usr/share/{doc,info,locale,man,perl5,bash-completion,i18n,zsh,lintian}
		echo "$suite" >"$work/out/release"
		publish "$suite" "$final"
	fi
	echo "$final"
}

# configure PACKAGES ROOT: to ROOT, what the packages' scripts would have done, as far as a boot takes it, and a unit that measures.
configure()
{
	local from=$1 root=$2 file
	mkdir -p "$root/etc/systemd/system/multi-user.target.wants" "$root/root"
	for file in passwd group; do
		cp "$from/usr/share/base-passwd/$file.master" "$root/etc/$file"
	done
	echo 'messagebus:x:100:100::/nonexistent:/usr/sbin/nologin' >>"$root/etc/passwd"
	printf '%s\n' messagebus:x:100: systemd-journal:x:101: render:x:102: kvm:x:103: input:x:104: sgx:x:105: >>"$root/etc/group"
	echo guest >"$root/etc/hostname"
	echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
	: >"$root/etc/fstab"
	ln -s usr/lib/systemd/systemd "$root/init"
	ln -s /usr/lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
	ln -s ../measure.service "$root/etc/systemd/system/multi-user.target.wants/"
	cat >"$root/etc/systemd/system/measure.service" <<-'END'
	[Unit]
	After=multi-user.target
	[Service]
	Type=oneshot
	# what comes after the report, detaching, is not to run before it was seen
	CPUSchedulingPolicy=fifo
	CPUSchedulingPriority=50
	ExecStart=/bin/bash /root/measure
	END
	cat >"$root/root/measure" <<-'END'
	# a disk that something is mounted from would be waited for
	udevadm settle
	# million instructions up to now
	busy()
	{
		read -r up idle </proc/uptime
		echo "$* $(((10#${up/./} - 10#${idle/./}) * 10))" >/dev/console
	}
	busy boot
	if grep -q rdinit= /proc/cmdline; then
		echo 'iommutop: end' >/dev/kmsg
		# no pipe: tail goes on for ever. A file, for who writes to the kernel's log waits for its rate limit
		said=$(grep -m 1 -oE 'END [0-9]+ (PASS|FAIL|SKIP|INCONCLUSIVE|ERROR)' < <(tail -n +1 -F /root/report 2>/dev/null))
		busy "${said##* }"
	fi
	[ ! -e /root/report ] || cat /root/report >/dev/console
	systemctl list-units --failed --no-legend --plain | sed 's/^/failed: /' >/dev/console
	echo "drivers: $(cd /sys/bus/pci/drivers && ls -d -- */0000:* | sed 's,/.*,,' | sort -u | tr '\n' ' ')" >/dev/console
	echo measured >/dev/console
	echo o >/proc/sysrq-trigger
	END
}

# modules KERNEL-DIRECTORY ROOT: the drivers and what they need, to ROOT.
modules()
{
	local release from=$1 driver file
	release=$(cat "$from/release")
	from=$from/lib/modules/$release
	mkdir -p "$2/usr/lib/modules/$release"
	cp "$from"/modules.* "$2/usr/lib/modules/$release/"
	for driver in $drivers; do
		sed -nE "s,^([^ ]*/)?${driver//_/[-_]}\.ko: *,&,p" "$from/modules.dep" | tr -d : | tr ' ' '\n'
	done | sort -u | while read -r file; do
		[ -z "$file" ] || (cd "$from" && cp --parents "$file" "$2/usr/lib/modules/$release/")
	done
}

archive() { (cd "$1" && find . -mindepth 1 | sort | cpio --quiet -o -H newc -R +0:+0); }

# guest KERNEL INITRD CONSOLE WORD...: as `iommutop boot --cost` does it, but the init is the distribution's. bench/run says why
# without erms and fsrm.
guest()
{
	local kernel=$1 initrd=$2 console=$3
	shift 3
	timeout -k 5 1500 qemu-system-x86_64 -machine q35,kernel-irqchip=split -nodefaults -display none -no-reboot -monitor none \
		-accel tcg,thread=single -cpu max,-erms,-fsrm -smp 1 -icount shift=0,sleep=off \
		-rtc clock=vm,base=2026-01-01T00:00:00 -seed 1 -m 2G -kernel "$kernel/vmlinux" -initrd "$initrd" \
		-append "console=ttyS0 panic=-1 quiet mitigations=off tsc=reliable no_timer_check random.trust_cpu=on intel_iommu=on $*" \
		-device intel-iommu,intremap=on -serial "file:$console" \
		-drive if=none,id=disk,driver=null-co,read-zeroes=on,size=256M -device nvme,serial=1,drive=disk \
		-netdev user,id=net,restrict=on -device e1000e,netdev=net >"$dir/qemu" 2>&1 </dev/null || cat "$dir/qemu"
}

# of CONSOLE WORD: its million instructions
of() { tr -d '\r' <"$1" | sed -nE "s/.*\<$2 ([0-9]+)\$/\1/p"; }

measure()
{
	local spec=$1 kernel bare with verdict
	kernel=$("$top/tools/boot/kernel.sh" get "$spec")
	mkdir "$dir/$spec"
	configure "$packages_dir" "$dir/$spec"
	modules "$kernel" "$dir/$spec"
	archive "$dir/$spec" | cat "$dir/packages.cpio" - >"$dir/bare.cpio"
	cat "$dir/bare.cpio" "$dir/iommutop.cpio" >"$dir/with.cpio"
	guest "$kernel" "$dir/bare.cpio" "$dir/bare.$spec" &
	guest "$kernel" "$dir/with.cpio" "$dir/with.$spec" rdinit=/iommutop/init iommutop.out=/root/report
	wait
	sed 's/^/# bare: /' "$dir/bare.$spec"
	sed 's/^/# with: /' "$dir/with.$spec"
	bare=$(of "$dir/bare.$spec" boot) with=$(of "$dir/with.$spec" boot) verdict=$(of "$dir/with.$spec" PASS)
	echo "# $spec: bare $bare, with hooks $with, to the verdict $verdict million instructions," \
		"ratio $(awk -v a="$verdict" -v b="$bare" 'BEGIN { if (b) printf "%.2f", a / b }')"
	check "$spec: both boots came to their end" [ "$(cat "$dir/bare.$spec" "$dir/with.$spec" | grep -c '^measured')" = 2 ]
	check "$spec: all units started" [ "$(cat "$dir/bare.$spec" "$dir/with.$spec" | grep -c '^failed: ')" = 0 ]
	check "$spec: the disk and the card have their drivers" \
		[ "$(cat "$dir/bare.$spec" "$dir/with.$spec" | grep -c 'drivers: .*e1000e .*nvme ')" = 2 ]
	check "$spec: the verdict is a pass" [ -n "$verdict" ]
	check "$spec: it comes within $aim percent of the bare boot" \
		[ "${bare:-0}" -gt 1000 -a "${verdict:-0}" -gt "${bare:-0}" -a $((${verdict:-0} * 100)) -le $((${bare:-0} * aim)) ]
}

packages_dir=$(distro)
set +e
archive "$packages_dir" >"$dir/packages.cpio"
"$iommutop" boot --emit-initrd "$dir/iommutop.cpio"
for k in "${@:-debian:6.12}"; do
	measure "$k"
done
finish
