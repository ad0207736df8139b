#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Chains with real drivers: a card that looks for its transmit ring where a buffer was, faults and hangs; a virtual function that
# faults, and its card that hangs; a disk whose queues are nowhere, faults, times out and is reset: one incident each, with device,
# order and times as the kernel's log and QEMU's trace have them. The same hangs without a fault blame no IOMMU. And a write after
# unmap: whether it was possible is told by the flush that iommutop saw, whether it happened by the buffer.
# usage: [EXPLAIN=docs/cookbook/hung-nic.md] chain.sh [KERNEL/IOMMU/QEMU...]   (QEMU: as for iommutop boot; -: this machine's)
# EXPLAIN: the transcripts of incidents in that page are made anew from this run. CHAIN_KEEP: a directory for what the guests left.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

i=incidents.0 f=incidents.0.faults.0
hangs='Detected (Tx|Hardware) Unit Hang|NETDEV WATCHDOG|transmit queue [0-9]+ timed out'
ascending() { while [ $# -gt 1 ]; do is_number "$1" && is_number "$2" && [ "$1" -lt "$2" ] || return 1; shift; done; }
says() { fact "$1" $i.explanation | grep -qE -- "$2"; }
# page IOVA: its number, also of a fact that is missing
page() { if is_number "$1"; then echo $(($1 >> 12)); else echo none; fi; }
# near NS NS: as close as two clocks of one guest are over some seconds
near() { local d=$(($1 - $2)); [ ${d#-} -le 100000000 ]; }
# apart NAME FACT FACT PATTERN PATTERN: two facts are as far apart as the first lines of these kinds in the log
apart()
{
	local a b c d
	a=$(fact "$1" "$2") b=$(fact "$1" "$3") c=$(log_ns "$1" "$4") d=$(log_ns "$1" "$5")
	is_number "$a" && is_number "$b" && is_number "$c" && is_number "$d" && near $((b - a)) $((d - c))
}

# log_ns NAME PATTERN [N]: when the kernel log has the Nth line of them, on the log's clock.
log_ns() { grep -E -- "$2" "$dir/files/$1.log" | sed -n "${3:-1}s/^\[ *\([0-9]*\)\.\([0-9]*\)\].*/\1\2000/p" | sed 's/^0*//'; }

# begin NAME: its facts, and what is true of each.
begin()
{
	what="$config $1"
	session "$dir/files/$1" >"$dir/facts/$1"
	cp "$dir/files/$1.facts" "$dir/facts/$1.guest"
	device=$(fact "$1.guest" slot)
	# Debian's 7.2 is preemptible (PREEMPT_LAZY): there the kernel skips a program now and then, and with that of a flush its end
	skipped=
	[[ $kernel != debian:7.* ]] || skipped='3 13'
	equal "$what: loss, lines that the kernel suppressed apart" "$(awk -v s=" 8 10 $skipped " '
		$1 ~ /^losses\.[0-9]+\.cause_code$/ && !index(s, " " $2 " ") { n++ } END { print n + 0 }' "$dir/facts/$1")" 0
	lost_map=$(awk '$1 ~ /^losses\.[0-9]+\.cause_code$/ { code = $2 } $1 ~ /\.what$/ && code == 3 && $2 ~ /^(un)?map$/ { print "yes"; exit }' \
		<(grep -E '^losses\.[0-9]+\.(cause_code|what) ' "$dir/facts/$1"))
	[ -z "$lost_map" ] || echo "# $what: the kernel skipped a program that tells of maps or unmaps"
}

# one_incident NAME: with that device.
one_incident()
{
	# what only says that a machine was busy is no part of the chain
	local stalls
	stalls=$(grep -cE '^incidents\.[0-9]+\.verdict flush_stalled$' "$dir/facts/$1")
	equal "$what: incidents" $(($(fact "$1" incidents.nr) - stalls)) 1
	n=$(grep -E '^incidents\.[0-9]+\.verdict ' "$dir/facts/$1" | grep -v flush_stalled | head -n 1 | cut -d . -f 2)
	i=incidents.${n:-0} f=$i.faults.0
	equal "$what: the device" "$(fact "$1" $i.device_name)" "$device"
	case $iommu.$1 in
	virtio.*) echo "$1 $1 $((${n:-0} + 1))" >>"$dir/incidents" ;;
	amd.strict) echo "amd $1 $((${n:-0} + 1))" >>"$dir/incidents" ;;
	esac
}

# faults_in_qemu: the addresses of the faults that QEMU's trace has for this device, in their order.
faults_in_qemu()
{
	local rid=$((16#${device:5:2} * 256 + 16#${device:8:2} * 8 + ${device:11}))
	case $iommu in
	virtio) sed -nE "s/^virtio_iommu_report_fault .*endpoint=$rid address *=(0x[0-9a-f]+).*/\1/p" ;;
	intel) sed -nE "s/^vtd_dmar_fault sid 0x0*$(printf %x $rid) fault [0-9]+ addr (0x[0-9a-f]+) .*/\1/p" ;;
	esac <"$dir/files/qemu-trace.log"
}

ring()
{
	local iova first verdict

	begin "$1"
	one_incident "$1"
	iova=$(fact "$1.guest" iova)
	equal "$what: the hang is the card's" "$(fact "$1" $i.hang.device_name)" "$device"
	check "$what: the hang's signal" grep -qE "^$i.hang.signal ($hangs|net_dev_xmit_timeout)" "$dir/facts/$1"
	if [ "$iommu.$qemu" = amd.debian:11 ]; then
		# a fault with a wrong address (0 in 11.1.3): the page's owner can't be told from it, and isn't
		equal "$what: verdict" "$(fact "$1" $i.verdict)" address_unknown
		check "$what: faults are logged" [ "$(grep -c IO_PAGE_FAULT "$dir/files/$1.log")" -gt 0 ]
		check "$what: poked, faulted, hung in this order" ascending "$(fact "$1.guest" poke)" \
			"$(fact "$1" $f.first_ns)" "$(fact "$1" $i.hang.first_ns)"
		return
	fi
	if [ "$iommu" = amd ]; then
		# this QEMU doesn't let its guest know of the fault
		equal "$what: no fault is logged" "$(grep -c IO_PAGE_FAULT "$dir/files/$1.log")" 0
		equal "$what: verdict" "$(fact "$1" $i.verdict)" hang_without_fault
		check "$what: no cause is made up" says "$1" 'nothing here says that the IOMMU is the cause'
		check "$what: what isn't known is said" says "$1" "doesn't exclude a fault that wasn't reported"
		check "$what: and why" grep -qE "^$i.not_seen.[0-9]+ The machine is virtual .* refuses accesses without a word" "$dir/facts/$1"
		check "$what: poked, then hung" ascending "$(fact "$1.guest" poke)" "$(fact "$1" $i.hang.first_ns)"
		return
	fi
	first=$(faults_in_qemu | grep -m 1 "^0x0*$(printf %x $((iova >> 12)))...$")
	check "$what: QEMU refused an access to the page ($first)" [ -n "$first" ]
	# longer than 1 s ago, and right behind what is mapped now, counts as past the end of that (docs/explain.md)
	verdict=use_after_unmap_flushed
	[ "$(fact "$1" $i.verdict)" != past_the_end ] ||
		[ $(($(fact "$1" $f.first_ns) - $(fact "$1" $f.owner.unmap_ns))) -lt 1000000000 ] || verdict=past_the_end
	equal "$what: verdict" "$(fact "$1" $i.verdict)" "$verdict"
	equal "$what: the address of the first fault is QEMU's" "$(page "$(fact "$1" $f.iova)")" "$(page "$first")"
	check "$what: no more faults than QEMU's trace has" [ "$(fact "$1" $i.fault_count)" -le "$(faults_in_qemu | wc -l)" ]
	equal "$what: the owner is the large frame" "$(page "$(fact "$1" $f.owner.start)")" "$(page "$iova")"
	equal "$what: which is unmapped" "$(fact "$1" $f.owner.still_mapped)" false
	check "$what: mapped, unmapped, flushed, poked, faulted, hung in this order" ascending \
		"$(fact "$1" $f.owner.map_ns)" "$(fact "$1" $f.owner.unmap_ns)" "$(fact "$1" $f.owner.flush_end_ns)" \
		"$(fact "$1.guest" poke)" "$(fact "$1" $f.first_ns)" "$(fact "$1" $i.hang.first_ns)"
	check "$what: from fault to hang as long as in the log" apart "$1" "$f.first_ns" "$i.hang.first_ns" 'fault addr|page fault from' "$hangs"
	check "$what: the stack of the unmap names the card's driver" \
		grep -qE "^$f\.owner\.unmap_stack\.[0-9]+ (.*\[(igb|e1000e)\]|(igb|e1000)_)" "$dir/facts/$1" # or it is built in
}

# number_of LIST KEY VALUE: which element of the list has it.
number_of() { awk -v k="$2" -v v="$3" '$1 ~ "^devices\\.[0-9]+\\." k "$" && $2 == v { split($1, p, "."); print p[2]; exit }' "$dir/facts/$1"; }
# kin FILE KEY: how list or the session names the card and its functions: "FUNCTION GROUP DRIVER PF" and "FUNCTION has VFS"
kin()
{
	local name n

	for name in $(sed -n 's/^function\.\([^ ]*\) .*/\1/p' "$dir/facts/vf.guest"); do
		n=devices.$(number_of "$1" "$2" "$name")
		echo "$name $(fact "$1" "$n.group") $(fact "$1" "$n.driver") $(fact "$1" "$n.physfn" | sed 's/null//')"
		awk -v n="$n.virtfns." -v d="$name" 'index($1, n) == 1 && $1 !~ /nr$/ { print d, "has", $2 }' "$dir/facts/$1"
	done | sort | tr '\n' ';'
}

# The card's functions on every view as sysfs has them; a fault of one of them and a hang of the card are one incident.
vf()
{
	local card wanted name

	begin vf
	card=$device
	wanted=$(awk -v c="$card" '/^function\./ {
			sub(/^function\./, "")
			print $1, $2, $3, $4
			if ($4) print $4, "has", $1
		}' "$dir/facts/vf.guest" | sort | tr '\n' ';')
	flatten <"$dir/files/vf.list.json" >"$dir/facts/list"
	equal "$what: functions" "$(grep -c '^function\.' "$dir/facts/vf.guest")" 3
	equal "$what: list: groups, drivers and kin" "$(kin list device)" "$wanted"
	equal "$what: session: groups, drivers and kin" "$(kin vf name)" "$wanted"
	check "$what: list, as text: the card" grep -qE "^ +PF of $(awk -v c="$card" '/^function\./ && $4 == c {
		sub(/^function\./, ""); print $1 }' "$dir/facts/vf.guest" | sort | paste -sd , | sed 's/,/, /')" "$dir/files/vf.list.txt"
	device=$(fact vf.guest vf)
	check "$what: list, as text: a function" grep -qE "^ +VF of $card" <(grep -A 1 " $device " "$dir/files/vf.list.txt")

	one_incident vf
	equal "$what: the hang is the card's" "$(fact vf $i.hang.device_name)" "$card"
	equal "$what: they belong together" "$(fact vf $i.hang.relation)" physfn
	check "$what: as it says" says vf "$device is a virtual function of $card"
	check "$what: poked, faulted, stopped, hung in this order" ascending "$(fact vf.guest poke)" "$(fact vf $f.first_ns)" \
		"$(fact vf.guest mute)" "$(fact vf $i.hang.first_ns)"
	check "$what: from fault to hang as long as in the log" apart vf "$f.first_ns" "$i.hang.first_ns" \
		'page fault from|fault addr|IO_PAGE_FAULT' "$hangs"
	if [ "$iommu" = amd ]; then # its faults have a wrong address
		equal "$what: verdict" "$(fact vf $i.verdict)" address_unknown
		return
	fi
	if [ -n "$lost_map" ] && [ "$(fact vf $i.verdict)" = cannot_be_known ]; then
		check "$what: not known, as a map may be missing" grep -qE "^$i\..*a map or an unmap of this address may be among them" "$dir/facts/vf"
	else
		equal "$what: verdict" "$(fact vf $i.verdict)" never_mapped
	fi
	equal "$what: the address of the first fault is QEMU's" "$(page "$(fact vf $f.iova)")" "$(page "$(faults_in_qemu | head -n 1)")"
	equal "$what: and the one that was poked" "$(page "$(fact vf $f.iova)")" "$(page "$(fact vf.guest iova)")"
	check "$what: no more faults than QEMU's trace has" [ "$(fact vf $i.fault_count)" -le "$(faults_in_qemu | wc -l)" ]
}

# without_fault NAME SIGNAL
without_fault()
{
	begin "$1"
	one_incident "$1"
	equal "$what: verdict" "$(fact "$1" $i.verdict)" hang_without_fault
	equal "$what: faults of the incident" "$(fact "$1" $i.fault_count)" 0
	check "$what: the hang's signal" grep -qE "^$i.hang.signal ($2)" "$dir/facts/$1"
	check "$what: the IOMMU isn't blamed" says "$1" 'nothing here says that the IOMMU is the cause|By all that can be seen, the IOMMU is not the cause'
}

queue()
{
	begin queue
	one_incident queue
	check "$what: QEMU refused an access to address 0" [ "$(faults_in_qemu | grep -cE '^0x0+[0-9a-f]{0,3}$')" -gt 0 ]
	# which of the two depends on whether the domain could be made anew within the recording
	check "$what: verdict" grep -qE "^$i.verdict (never_mapped|cannot_be_known)$" "$dir/facts/queue"
	check "$what: nobody is said to have had the address" [ "$(fact queue $f.owner)$(fact queue $f.owner.start)" = nullnone ]
	equal "$what: address" "$(page "$(fact queue $f.iova)")" 0
	equal "$what: a" "$(fact queue $f.access)" read
	equal "$what: the hang is the disk's" "$(fact queue $i.hang.device_name)" "$device"
	equal "$what: a command out of time" "$(fact queue $i.hang.signal)" "nvme timeout"
	equal "$what: the reset is the disk's" "$(fact queue $i.reset.device_name)" "$device"
	check "$what: poked, faulted, out of time, reset in this order" ascending "$(fact queue.guest poke)" \
		"$(fact queue $f.first_ns)" "$(fact queue $i.hang.first_ns)" "$(fact queue $i.reset.first_ns)"
	check "$what: from fault to reset as long as in the log" apart queue "$f.first_ns" "$i.reset.first_ns" 'fault addr' 'will reset|reset controller'
}

# stale NAME: the writes of edu after their unmaps, to $dir/facts/NAME.stale.
stale()
{
	begin "$1"
	"$iommutop" analyze --json "$dir/files/$1" >"$dir/json" 2>>"$dir/err"
	python3 "$here/chain_stale.py" "$dir/files/$1" "$dir/json" "$dir/files/$1".try* >"$dir/facts/$1.stale" 2>>"$dir/err"
	sed 's/^#* */# /' "$dir/facts/$1.stale"
	equal "$what: unmaps that the session hasn't" "$(fact "$1.stale" no_unmap)" 0
	equal "$what: whether a write lands is what the flush says" "$(fact "$1.stale" wrong)" 0
}

lazy()
{
	stale lazy
	check "$what: writes landed after the unmap" [ "$(fact lazy.stale landed)" -gt 0 ]
	check "$what: they were possible by the flushes" [ "$(fact lazy.stale possible)" -gt 0 ]
	check "$what: and by the longest window" [ "$(fact lazy.stale window_max_ns)" -ge "$(fact lazy.stale needed_ns)" ]
}

strict()
{
	stale strict
	check "$what: unmapped in time" [ "$(fact strict.stale in_time)" -gt 0 ]
	equal "$what: writes that landed" "$(fact strict.stale landed)" 0
	equal "$what: impossible by the flushes" "$(fact strict.stale impossible)" "$(fact strict.stale in_time)"
	one_incident strict
	equal "$what: verdict" "$(fact strict $i.verdict)" use_after_unmap_flushed
}

# After the flush: it faults, and the incident has everything.
fault()
{
	stale fault
	check "$what: a write came after the flush" [ "$(fact fault.stale impossible)" -gt 0 ]
	equal "$what: it did not land" "$(fact fault.guest landed)" 0
	one_incident fault
	equal "$what: verdict" "$(fact fault $i.verdict)" use_after_unmap_flushed
	equal "$what: the address" "$(page "$(fact fault $f.iova)")" "$(page "$(fact fault.guest iova)")"
	equal "$what: a" "$(fact fault $f.access)" write
	equal "$what: the owner's mode" "$(fact fault $f.owner.mode)" lazy
	check "$what: unmapped when the driver did, flushed, then refused" ascending \
		"$(fact fault.guest unmap_begin)" "$(fact fault $f.owner.unmap_ns)" "$(fact fault $f.owner.flush_end_ns)" \
		"$(fact fault $f.first_ns)"
	check "$what: not before the device moved anything" ascending \
		"$(awk '$1 == "start" { printf "%.0f", $2 + 99000000 }' "$dir/facts/fault.guest")" "$(fact fault $f.first_ns)"
	check "$what: the stack of the unmap names edu's driver" \
		grep -qE "^$f\.owner\.unmap_stack\.[0-9]+ .*\[edudma\]" "$dir/facts/fault"
}

configs=("$@")
[ $# -gt 0 ] || configs=(debian:6.12/intel/- debian:6.12/virtio/debian:10 debian:6.12/amd/debian:10)
truncate -s 64M "$dir/slow.img"
for config in "${configs[@]}"; do
	IFS=/ read -r kernel iommu qemu <<<"$config"
	rm -rf "$dir/files" "$dir/facts" "$dir/incidents"
	mkdir "$dir/facts"
	[ "$qemu" != - ] || qemu="qemu-system-x86_64"
	case $qemu in
	debian:*)
		if ! "$top/tools/boot/qemu.sh" get "$qemu" >"$dir/out" 2>"$dir/err"; then
			skip "$config" "no QEMU $qemu: $(tail -n 1 "$dir/err")"
			continue
		fi ;;
	esac
	case $iommu.$qemu in
	intel.qemu*) # one CPU: see boot_lib.sh of what emulates them
		more=(--smp 1 --device e1000e --device nvme --device edu --device "nvme,drive=slow,serial=slow" --qemu-trace vtd_dmar_fault
			--qemu-arg -drive
			--qemu-arg "file=$dir/slow.img,if=none,id=slow,format=raw,cache=unsafe,throttling.iops-write=1")
		scenarios='ring=ring,DMA-FQ mute=mute lazy=edu96,DMA-FQ strict=edu96,DMA fault=edu60,DMA-FQ queue=queue slow=slow' ;;
	intel.*)
		more=(--device igb --qemu-trace vtd_dmar_fault)
		scenarios='ring=ring,DMA-FQ mute=mute vf=vf' ;;
	virtio.*)
		more=(--device igb --qemu-trace virtio_iommu_report_fault)
		scenarios='ring=ring mute=mute vf=vf' ;;
	amd.*)
		more=(--device igb --qemu-trace 'amdvi_page_fault')
		scenarios='strict=ring,DMA lazy=ring,DMA-FQ'
		[ "$qemu" != debian:11 ] || scenarios+=' vf=vf' ;;
	esac
	# our own configuration has no driver for virtual functions
	[ "$kernel" != source:7.2 ] || scenarios=${scenarios% vf=vf}
	[[ $scenarios != *vf=vf ]] || more+=(--module igbvf)
	boot --kernel "$kernel" --iommu "$iommu" --qemu "$qemu" --no-drivers --append iomem=relaxed --timeout 10m "${more[@]}" \
		--file "$here/refiommu_guest.sh" --file "$here/chain.guest" --file "$top/build/guest/devpoke" \
		--output "$dir/files" -- "sh /root/chain.guest $scenarios"
	[ -z "${CHAIN_KEEP:-}" ] || cp -r "$dir/files" "$CHAIN_KEEP/${config//[:\/]/-}"
	came_to_end "$config" || continue
	case $iommu.$qemu in
	intel.qemu*)
		ring ring
		without_fault mute "$hangs|net_dev_xmit_timeout"
		lazy
		strict
		fault
		queue
		without_fault slow 'nvme timeout'
		;;
	amd.*)
		ring strict
		ring lazy
		;;
	*)
		ring ring
		without_fault mute "$hangs|net_dev_xmit_timeout"
		;;
	esac
	[[ $scenarios != *vf=vf ]] || vf
	if [ -n "${EXPLAIN:-}" ] && [ -e "$dir/incidents" ]; then
		python3 "$here/verdicts_explain.py" "$iommutop" "$dir/files" "$dir/incidents" "$EXPLAIN" 2>&1 | sed 's/^/# /'
	fi
done
finish
