#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Every verdict by a real scenario (verdicts.list): a bug of the reference driver's device, recorded, and explained as
# the driver's own tracepoints and counters say that it was. A scenario has the verdict that it was made for and no
# other; one without a bug has none. At the end: the table of scenarios and verdicts.
# usage: [EXPLAIN=docs/explain.md] verdicts.sh [KERNEL...]   (default: debian:6.1 debian:6.12 source:7.2)
# EXPLAIN: the transcripts in that page are made anew from this run.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

# at NAME FACT, true_ NAME FACT: what iommutop says of the recording that the scenario is in; what the driver's trace says.
at() { fact "$group" "$2"; }
true_() { fact "$1.true" "$2"; }

# follows NAME TRUE-FACT FACT: iommutop's time is that of the driver's event or later. It is taken at the end of the
# function that the driver's event is in, and the trace cuts its times to microseconds.
follows()
{
	local said
	said=$(at "$1" "$3")
	in_order "$(true_ "$1" "$2")" "${said%???}"
}
in_order() { is_number "$1" && is_number "$2" && [ "$1" -le "$2" ]; }

# mapping NAME PREFIX TRUTH: the range that iommutop names is the one of the driver's trace.
mapping()
{
	equal "$what: the mapping begins" "$(at "$1" "$2.start")" "$(true_ "$1" "$3.start")"
	equal "$what: and ends" "$(at "$1" "$2.last")" "$(true_ "$1" "$3.last")"
	check "$what: mapped not before the driver was told" follows "$1" "$3.map_us" "$2.map_ns"
}

# difference A B: of two addresses or times, or none if one isn't known.
difference() { if is_number "$1" && is_number "$2"; then echo $(($1 - $2)); else echo none; fi; }

# by_verdict NAME VERDICT: what a verdict says beyond its name.
by_verdict()
{
	local name=$1 region=

	case $2 in
	use_after_unmap*)
		mapping "$name" $f.owner dead
		equal "$what: it is unmapped" "$(at "$name" $f.owner.still_mapped)" false
		check "$what: unmapped not before the driver was told" follows "$name" dead.unmap_us $f.owner.unmap_ns
		check "$what: and before the fault" in_order "$(at "$name" $f.owner.unmap_ns)" "$(at "$name" $f.first_ns)"
		equal "$what: lazily" "$(at "$name" $f.owner.mode)" \
			"$([ "$(true_ "$name" dead.queued)" = 1 ] && echo lazy || echo strict)"
		;;&
	use_after_unmap_flushed)
		check "$what: the flush ended before the fault" in_order "$(true_ "$name" dead.complete_us)" "$(true_ "$name" fault.us)"
		check "$what: as iommutop says" in_order "$(at "$name" $f.owner.flush_end_ns)" "$(at "$name" $f.first_ns)"
		;;
	use_after_unmap_flush_in_flight)
		check "$what: the flush began before the fault" in_order "$(true_ "$name" dead.submit_us)" "$(true_ "$name" fault.us)"
		check "$what: and had not ended" [ "$(true_ "$name" dead.complete_us)" = none ]
		check "$what: as iommutop says" in_order "$(at "$name" $f.owner.flush_begin_ns)" "$(at "$name" $f.first_ns)"
		check "$what: and that it ended later" in_order "$(at "$name" $f.first_ns)" "$(at "$name" $f.owner.flush_end_ns)"
		;;
	use_after_unmap)
		check "$what: the flush had ended, unseen" in_order "$(true_ "$name" dead.complete_us)" "$(true_ "$name" fault.us)"
		;;
	use_after_unmap_window_open)
		check "$what: the flush had not begun" [ "$(true_ "$name" dead.submit_us)" = none ]
		;;
	past_the_end)
		mapping "$name" $f.clue.mapping below
		equal "$what: by so much" "$(at "$name" $f.clue.distance)" \
			"$(difference "$(true_ "$name" fault.iova)" "$(true_ "$name" below.last)")"
		;;
	before_the_start)
		mapping "$name" $f.clue.mapping above
		equal "$what: by so much" "$(at "$name" $f.clue.distance)" \
			"$(difference "$(true_ "$name" above.start)" "$(true_ "$name" fault.iova)")"
		;;
	wrong_permission | mapped_but_faults)
		mapping "$name" $f.owner live
		equal "$what: it is mapped" "$(at "$name" $f.owner.still_mapped)" true
		equal "$what: the driver's reason" "$(true_ "$name" fault.reason)" \
			"$([ "$2" = wrong_permission ] && echo no permission || echo not present)"
		;;
	address_truncated)
		equal "$what: the bits that are left" "$(at "$name" $f.clue.bits)" 32
		equal "$what: of an address whose lower half it is" "$(at "$name" $f.clue.iova | sed 's/^0x.*\(........\)$/0x\1/')" \
			"$(true_ "$name" fault.iova)"
		;;
	other_domain)
		mapping "$name" $f.clue.mapping other
		;;
	domain_torn_down)
		equal "$what: the mapping was the ring's" "$(at "$name" $f.clue.mapping.start)" 0x102000000
		;;
	reserved_region)
		[ "$name" = msi ] && region="msi 0xfee00000 0xfeefffff" || region="reserved 0x40000000 0x4000ffff"
		equal "$what: the region" "$(for k in kind first last; do at "$name" $f.clue.$k; done | tr '\n' ' ')" "$region "
		;;
	invalidation_failed)
		equal "$what: the driver's message" "$(at "$name" $i.error.signal)" "invalidation timed out"
		check "$what: logged when it was over" follows "$name" late.us $i.error.first_ns
		;;
	flush_stalled)
		check "$what: as long as the hardware took, or longer" in_order "$(true_ "$name" late.ns)" \
			"$(difference "$(at "$name" $i.stall.end_ns)" "$(at "$name" $i.stall.begin_ns)")"
		check "$what: until it was over" follows "$name" late.us $i.stall.end_ns
		;;
	esac
}

# of_device NAME FACT: what iommutop says of the scenario's device.
of_device()
{
	local d
	d=$(awk -v d="$(fact "$1.before" device)" '/^devices\.[0-9]+\.name / && $2 == d { sub(/name$/, "", $1); print $1; exit }' \
		"$dir/facts/$group")
	fact "$group" "$d$2"
}

# hung NAME: hangs and resets, as the device counted them; the incident has them.
hung()
{
	local hangs
	hangs=$(grown "$1" refdma.stalls)
	equal "$what: hangs" "$(of_device "$1" stats.hangs)" "$hangs"
	equal "$what: resets" "$(of_device "$1" stats.resets)" "$(grown "$1" refdma.resets)"
	[ "$hangs" = 0 ] && return
	equal "$what: the hang is the device's" "$(at "$1" $i.hang.device_name)" "$device"
	equal "$what: for as long as it logged" "$(at "$1" $i.hang.stalled_ns)" \
		"$(sed -n 's/.*queue 0 stalled for \([0-9]*\) ms.*/\1000000/p' "$dir/files/$1.log")"
	equal "$what: the reset is the device's" "$(at "$1" $i.reset.device_name)" "$device"
}

# incidents NAME: those that began within the scenario, as "incidents.N".
incidents()
{
	awk -v from="$(true_ "$1" begin.us)" -v to="$(true_ "$1" end.us)" '
		$1 ~ /^incidents\.[0-9]+\.first_ns$/ && $2 / 1000 >= from && $2 / 1000 <= to {
			sub(/\.first_ns$/, "", $1)
			print $1
		}' "$dir/facts/$group"
}

# nameless: the driver doesn't say which device it was; the fault is its domain's.
nameless()
{
	equal "$what: no device is claimed" "$(at "$name" $i.device)" null
	equal "$what: nor has it any faults" "$(of_device "$name" stats.faults)" 0
	equal "$what: the domain is its device's" "$(at "$name" $f.domain)" "$(of_device "$name" domain)"
	check "$what: that is told" grep -qE "^$i.title .*: device not known\$" "$dir/facts/$group"
	check "$what: and which one is left" grep -qE "^$i\.not_seen\.[0-9]+ .*didn't say\. $device is the only one" "$dir/facts/$group"
}

faults()
{
	local blind=
	[ "$1" = blind ] && blind=null
	equal "$what: an access of that kind" "$(at "$1" $f.access)" "${blind:-$(true_ "$1" fault.access)}"
	equal "$what: IOVA" "$(at "$1" $f.iova)" "${blind:-$(true_ "$1" fault.iova)}"
	check "$what: not before the driver knew" follows "$1" fault.us $f.first_ns
}

# told NAME: why a scenario failed: all that the recording has, and the driver's times of the scenario.
told()
{
	grep -E '^(begin|end|late|fault)\.' "$dir/facts/$1.true" | sed "s/^/# $kernel $1: the driver: /"
	grep -E '^(incidents\.[0-9]+\.(verdict|device_name|first_ns|last_ns|stall\..*|error\..*)|losses\..*) ' "$dir/facts/$group" |
		sed "s/^/# $kernel $group: /"
}

# one NAME VERDICT GROUP
one()
{
	local group=$3 failures=$failed
	scenario "$1" "$2"
	[ "$failed" = "$failures" ] || told "$1"
}

# scenario NAME VERDICT, of $group
scenario()
{
	local name=$1 verdict=$2 device said i f
	what="$kernel $name"
	python3 "$here/verdicts_truth.py" "$dir/files/$group.trace" "$name" >"$dir/facts/$name.true"
	device=$(fact "$name.before" device)
	i=$(incidents "$name")
	said=$(for n in $i; do at "$name" "$n.verdict"; done | sort | uniq | tr '\n' ' ')
	printf '%-12s %-16s %-32s %s\n' "$kernel" "$name" "$verdict" "${said:-none}" >>"$dir/table"
	equal "$what: incidents" "$(echo "$i" | grep -c .)" "$([ "$verdict" = none ] && echo 0 || echo 1)"
	equal "$what: faults as the driver counts them" "$(true_ "$name" faults)" "$(grown "$name" refiommu.faults)"
	[ "$name" = nameless ] || equal "$what: faults of the device" "$(of_device "$name" stats.faults)" "$(true_ "$name" faults)"
	i=${i%%[[:space:]]*}
	f=$i.faults.0
	hung "$name"
	[ "$verdict" = none ] && return
	equal "$what: verdict" "${said% }" "$verdict"
	echo "$verdict $group $(at "$name" $i.number)" >>"$dir/incidents"
	if [ "$name" = nameless ]; then
		nameless
	else
		equal "$what: the device" "$(at "$name" $i.device_name)" "$device"
	fi
	check "$what: it says how sure it is" grep -qE "^$i.confidence (certain|likely|unknown)\$" "$dir/facts/$group"
	[ "$(true_ "$name" faults)" = 0 ] || faults "$name"
	by_verdict "$name" "$verdict"
}

# recording GROUP
recording()
{
	local unexpected
	"$iommutop" analyze --json "$dir/files/$1" 2>"$dir/err" | without_standstills "$dir/files/$1.trace" |
		flatten >"$dir/facts/$1"
	[ "$1" = lossy ] && return
	# a domain of another type brings flush functions that nobody has traced until then
	unexpected=$(awk '$1 ~ /^losses\.[0-9]+\.cause_code$/ && $2 != 10 { n++ } END { print n + 0 }' "$dir/facts/$1")
	equal "$kernel $1: loss, flush functions that come with their domain apart" "$unexpected" 0
	equal "$kernel $1: incidents of its scenarios only" "$(fact "$1" incidents.nr)" \
		"$(awk -F '|' -v g="$1" '$3 == g && $2 != "none"' "$here/verdicts.list" | wc -l)"
}

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 source:7.2)
for kernel in "${kernels[@]}"; do
	rm -rf "$dir/files" "$dir/facts"
	mkdir "$dir/facts"
	boot --kernel "$kernel" --iommu ref --no-drivers --file "$here/refiommu_guest.sh" --file "$here/verdicts.guest" --file "$here/verdicts.list" --timeout 15m \
		--output "$dir/files" -- 'sh /root/verdicts.guest'
	came_to_end "$kernel" || continue
	cp "$dir"/files/*.before "$dir"/files/*.after "$dir/facts/"
	: >"$dir/incidents"
	for group in $(cut -d '|' -f 3 "$here/verdicts.list" | uniq); do recording "$group"; done
	while IFS='|' read -r name verdict group _; do one "$name" "$verdict" "$group"; done <"$here/verdicts.list"
	if [ -n "${EXPLAIN:-}" ]; then
		python3 "$here/verdicts_explain.py" "$iommutop" "$dir/files" "$dir/incidents" "$EXPLAIN" 2>&1 | sed 's/^/# /'
	fi
done
printf '# %-12s %-16s %-32s %s\n' kernel scenario expected "what iommutop says"
sed 's/^/# /' "$dir/table"
finish
