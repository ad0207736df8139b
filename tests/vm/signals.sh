#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Hangs and errors that the kernel tells by function or tracepoint: NVMe, ATA and SCSI commands out of time, devlink reports,
# graphics schedulers, PCI Express errors and the reset that a fatal one leads to. Each is made for real, comes out with its device, as often as the kernel counts it, and not before.
# usage: signals.sh [KERNEL...]   (default: debian:6.1 debian:6.12 debian:7.2 source:7.2)
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

# Tells QEMU to report an error of the device below the root port (which has no driver), once the guest is ready.
inject()
{
	python3 - "$dir" <<-'END'
	import os, socket, sys, time
	top, done, f = sys.argv[1], 0, None
	end = time.time() + 600
	while time.time() < end:
	    try:
	        asked = [l.split()[1] for l in open(top + "/out") if l.startswith("inject ") and l.endswith("\n")]
	    except FileNotFoundError:
	        asked = []
	    for name in asked[done:]:
	        if not f:
	            s = socket.socket(socket.AF_UNIX)
	            s.connect(top + "/monitor")
	            f = s.makefile("rw")
	        f.write(f"pcie_aer_inject_error ill {name}\n")
	        f.flush()
	        done += 1
	    time.sleep(0.1)
	END
}

# signals: "PHASE NAME-OF-DEVICE QUEUE STALLED? WHAT" of each hang and error in the session, and of each reset.
signals()
{
	babeltrace2 "$dir/files/session/ctf" 2>>"$dir/err" | python3 -c '
import re, sys
devices, phase = {0: "-"}, "quiet"
for line in sys.stdin:
    m = re.search(r" (device|hang|error|reset|log): ", line)
    if not m:
        continue
    if m[1] == "log":
        mark = re.search(r"signals: (\w+)", line)
        phase = mark[1] if mark else phase
        continue
    dev = int(re.search(r" dev = (\d+)", line)[1])
    if m[1] == "device":
        devices[dev] = re.search(r" name = \"(.*?)\"", line)[1]
        continue
    queue = re.search(r" queue = (-?\d+)", line)[1]
    stalled = int(re.search(r" stalled = (\d+)", line)[1])
    what = re.search(r" what = \"(.*?)\"", line)[1]
    print(phase, m[1], devices.get(dev, "?"), queue, stalled, what)
'
}

# of PHASE EVENT: how many; all PHASE EVENT FIELD: the different values of a field
number() { awk -v p="$1" -v e="$2" '$1 == p && $2 == e { n++ } END { print n + 0 }' "$dir/facts/signals"; }
values() { awk -v p="$1" -v e="$2" -v f="$3" '$1 == p && $2 == e { print $f }' "$dir/facts/signals" | sort -u | tr '\n' ' ' | sed 's/ $//'; }

# timed_out PHASE DEVICE WHAT: every hang of a phase is of the device, and says since when
timed_out()
{
	equal "$kernel: $1: device" "$(values "$1" hang 3)" "$2"
	equal "$kernel: $1: what" "$(awk -v p="$1" '$1 == p && $2 == "hang" { print $6, $7 }' "$dir/facts/signals" | sort -u)" "$3"
	check "$kernel: $1: begun a time-out before, at least" \
		awk -v p="$1" -v up="$(fact truth uptime)" \
		'$1 == p && $2 == "hang" && ($5 < 900000000 || $5 > up * 1e9) { bad = 1 } END { exit bad }' \
		"$dir/facts/signals"
}

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 debian:7.2 source:7.2)
for kernel in "${kernels[@]}"; do
	rm -rf "$dir/files" "$dir/facts" "$dir/monitor" "$dir/out"
	mkdir "$dir/facts"
	more=()
	[ "$kernel" = source:7.2 ] || {
		: >"$dir/with-scsi"
		more=(--module ahci --module sd_mod --module scsi_debug --module aer_inject --module gpu-sched --file "$dir/with-scsi")
	}
	for disk in nvme ata; do truncate -s 64M "$dir/$disk.img"; done
	inject &
	injector=$!
	boot --kernel "$kernel" --iommu intel --no-drivers "${more[@]}" --timeout 9m \
		--device e1000e --device nvme,drive=slow --device pcie-root-port,id=above,chassis=9 \
		--device virtio-net,id=ill,bus=above,addr=0,aer=on \
		--qemu-arg -drive \
		--qemu-arg "file=$dir/nvme.img,if=none,id=slow,format=raw,cache=unsafe,throttling.iops-write=1" \
		--qemu-arg -drive \
		--qemu-arg "file=$dir/ata.img,if=none,id=ata,format=raw,cache=unsafe,throttling.iops-write=1" \
		--qemu-arg -device --qemu-arg ide-hd,bus=ide.0,drive=ata \
		--qemu-arg -chardev --qemu-arg "socket,id=monitor,path=$dir/monitor,server=on,wait=off" \
		--qemu-arg -mon --qemu-arg chardev=monitor --output "$dir/files" \
		--file "$here/refiommu_guest.sh" --file "$here/signals.guest" -- sh /root/signals.guest
	kill $injector 2>/dev/null
	wait $injector
	sed -i '/^inject /d' "$dir/out"
	came_to_end "$kernel" || continue
	cp "$dir/files/truth" "$dir/facts/truth"
	signals >"$dir/facts/signals"
	sed 's/^/# /' "$dir/facts/signals"

	check "$kernel: nothing is told while all is well" [ "$(grep -c '^quiet ' "$dir/facts/signals")" = 0 ]
	check "$kernel: nvme commands were out of time ($(fact truth nvme))" [ "$(fact truth nvme)" -gt 0 ]
	equal "$kernel: nvme: hangs are the kernel's" "$(number nvme hang)" "$(fact truth nvme)"
	timed_out nvme "$(fact truth nvme_dev)" "nvme timeout"
	check "$kernel: nvme: the queues are those that the log names" \
		sh -c 'for q in $1; do case " $2 " in *" $q "*) ;; *) exit 1 ;; esac; done' - \
		"$(awk '$1 == "nvme_queue" { print $2 }' "$dir/facts/truth")" "$(values nvme hang 4)"
	if [ "$kernel" = source:7.2 ]; then
		skip "$kernel: SCSI" "this kernel has none"
	else
		check "$kernel: SCSI commands were out of time ($(fact truth scsi))" [ "$(fact truth scsi)" -gt 1 ]
		equal "$kernel: SCSI: hangs are the kernel's" \
			$(($(number ahci hang) + $(number scsi_debug hang))) "$(fact truth scsi)"
		timed_out ahci "$(fact truth ahci_dev)" "scsi timeout"
		timed_out scsi_debug adapter0 "scsi timeout"
	fi
	case $kernel in
	debian:6*)
		equal "$kernel: devlink and graphics: hangs are the kernel's" "$(number reftrouble hang)" \
			$(($(fact truth devlink) + $(fact truth drm)))
		equal "$kernel: devlink and graphics: what" \
			"$(sed -n 's/^reftrouble hang //p' "$dir/facts/signals" | tr '\n' ';')" \
			"reftrouble -1 0 devlink reftrouble;reftrouble -1 0 drm scheduler timeout;"
		;;
	*) skip "$kernel: devlink and graphics" "the module that makes such trouble isn't built for it, or it has none" ;;
	esac
	equal "$kernel: PCI Express errors are the kernel's" \
		$(($(number corrected error) + $(number aer error) + $(number reset error) + $(number fatal error))) "$(fact truth aer)"
	equal "$kernel: reset: device" "$(values reset reset 3)" 0000:01:00.0
	# its begin, and its end with the method, which is the first that the device has
	equal "$kernel: reset: once" "$(sed -n 's/^reset reset [^ ]* -1 0 //p' "$dir/facts/signals" | tr '\n' ';')" \
		"pci reset;pci reset, $(fact truth reset_method | sed "s/device_specific/device's own/");"
	if [ "$(fact truth aer_enabled)" = no ]; then
		skip "$kernel: AER" "the kernel didn't take it over on this machine"
		continue
	fi
	equal "$kernel: aer: device" "$(values aer error 3)" 0000:01:00.0
	check "$kernel: aer: which error" grep -q '^aer error .* AER non-fatal: Unsupported Request$' "$dir/facts/signals"
	[ "$kernel" = source:7.2 ] || equal "$kernel: aer: corrected" "$(sed -n 's/^corrected error //p' "$dir/facts/signals" | sort -u)" \
		"0000:01:00.0 -1 0 AER corrected: Bad TLP"
	# of an endpoint's fatal errors, kernels don't read which it was: the link may be down
	check "$kernel: aer: fatal" grep -qE '^fatal error 0000:01:00\.0 -1 0 AER fatal: (no error bit|Data Link)$' "$dir/facts/signals"
	# recovery resets what is below the port, and says so of the port alone
	equal "$kernel: aer: fatal: reset" "$(sed -n 's/^fatal reset //p' "$dir/facts/signals" | sort -u)" \
		"$(fact truth port) -1 0 pci reset, bus"
done
finish
