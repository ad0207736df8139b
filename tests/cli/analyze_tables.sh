#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # functions are called through check
#
# The tables, the journey of an address, leaks, folded stacks and filters of analyze, on a session whose numbers are
# worked out by hand from its recipe (tests/unit/gen_scene.c); docs/json.md against what is printed.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tap_lib.sh"
gen=${BUILD:-$top/build}/tests/gen_scene
scene=$dir/scene

[ -x "$gen" ] || { echo "Bail out! $gen is missing: make test-programs"; exit 1; }
"$gen" "$scene" || { echo "Bail out! no session"; exit 1; }

try()
{
	code=0
	"$iommutop" analyze "$@" >"$dir/out" 2>"$dir/err" </dev/null || code=$?
}
ended() { [ "$code" = "$1" ]; }
printed() { grep -qE -- "$1" "$dir/out"; }
said() { grep -qE -- "$1" "$dir/err"; }
lines() { [ "$(grep -cE -- "$1" "$dir/out")" = "$2" ]; }
narrow() { [ "$(wc -L <"$dir/out")" -le 100 ]; }
# value PATH: of the JSON in $dir/out, with null, true and false as Python writes them
value() { python3 -c 'import json, sys; print(eval(sys.argv[1], {"d": json.load(open(sys.argv[2]))}))' "$1" "$dir/out"; }
is() { [ "$(value "$1")" = "$2" ] || { echo "# $1 is $(value "$1"), not $2"; false; }; }

# --- tables: domain 3 is lazy, with 100 lists of 4 pages and one map of 3 MiB that holds one large page

try "$scene"
check "the report is made" ended 0
check "no line is longer than 100 columns" narrow
check "maps: 401 in 101 lists, the longest of 4" printed '^  3 +401 +101 +4\.0 +4 '
check "maps: 2 of 4.56 MiB could be mapped with a large page" printed '^  3 +401 .* 56\.2 % +43\.8 % +0\.0 %$'
check "maps: each strict map is a list with a flush of its own" printed '^  4 +50 +50 +1\.0 +1 +64 KiB +1\.00 '
check "errors by name" printed 'domain 3 +3 of 404 maps: 2 ENOMEM, 1 EINVAL'
check "flushes by reason, with their time" printed '^  4 +50 +0 +0 +0 +50 +0 +0 +0 +250 us +150 us$'
check "submissions: 48 of the IOTLB, two commands each, one that failed" \
	printed '^  intel +qi_submit_sync +iotlb +48 +2\.00 us +3\.97 us +4\.00 us +98\.0 us +96 +1$'
check "submissions: those of interrupt remapping apart" printed '^  intel +qi_submit_sync +irq +2 '
check "submissions: the flushes beside them" printed '^  any +flushes of unmaps +'
check "covered: 25 unmaps of 4 pages to a flush" printed '^  3 +whole domain +3 +0 +25\.0 +25 +100\.0$'
check "windows: strict ones take 6 us" printed '^  4 +strict +50 +50 +6\.00 us( +6\.00 us){4}$'
check "IOVA: every tenth allocation is slow" printed '^  3 +100 +0 +95 +10\.0 % +500 ns '
check "NUMA: CPUs 0 and 1 are the reference device's" printed '^  refdma\.0 +0 +own +201 +48 +2 '
check "NUMA: CPUs 2 and 3 are not" printed '^  refdma\.0 +0 +other +200 +47 +1 '
check "NUMA: a NIC is served from its own node" printed '^  0000:03:00\.0 +1 +own +50 +50 +50 '
check "what if: strict unmaps waited 250 us" printed '^  4 +50 +50 +250 us +0\.[0-9]+ % +[0-9]+ +32 KiB$'
check "what if: lazy unmaps that nothing covered are told" printed '^  3 +95 +75 +20 .* 14\.[0-9] KiB '
try --tables why "$scene"
check "why: the lazy group is the default's" printed '^ +5 +refdma\.0 +DMA-FQ +lazy +Kconfig \(certain\)$'
check "why: the strict one is its driver's" printed '^ +6 +0000:03:00\.0 +DMA +strict +driver \(inferred\)$'

try --tables maps,numa "$scene"
check "--tables prints those" printed '^NUMA'
check "--tables prints no others" lines '^(Devices|Windows|IOTLB|Loss)' 0
try --tables none --why "$scene"
check "--why: each chooser of each group" lines '^ +(\* )?(Kconfig|command line|machine|untrusted|driver|capability|flush queue|sysfs|owner) ' 18
check "--why: no line is longer than 100 columns" narrow
check "--why: the one that decided is marked" printed '^ +\* driver +DMA +inferred: .*smmu_def_domain_type'
try --tables none "$scene"
check "--tables none prints none" lines '^(Maps|NUMA|Devices|Loss)' 0
try --tables help
check "--tables help lists them" printed '^whatif '
try --tables maps,nosuch "$scene"
check "an unknown table is refused" ended 2
check "an unknown table is refused with a hint" said "not 'maps,nosuch'.*--tables help"

# --- JSON

try --json --iova 0xff000040 --leaks "$scene"
cp "$dir/out" "$dir/scene.json"
check "JSON: lists" is 'd["domains"][0]["stats"]["map_lists"]' 101
check "JSON: large pages" is 'd["domains"][0]["stats"]["mappable_bytes"]["2m"]' 2097152
# From one unmap to the next are 1017.5 us, and 4.5 us more before each tenth. A flush ends 21 us after the last of its 25
# unmaps: 300 * 1017.5 + 25 * 21 us for each of three, and 4.5 us for each unmap that waits over a tenth: 80.
# 3 * 305775 us + 360 us = 0.917685 s, of 16 KiB each.
check "JSON: bytes times seconds are the sum over all windows" is \
	'round(d["domains"][0]["stats"]["exposed_lazy_byte_s"], 5)' 15035.35104
check "JSON: strict flushes cost 250 us" is 'd["domains"][1]["strict_or_lazy"]["strict"]["flush_ns"]' 250000
check "JSON: NUMA" is 'd["devices"][0]["numa"]["other_node"]["unmaps"]' 47
check "JSON: totals are the sum" is 'd["totals"]["maps"], d["totals"]["unmaps"], d["totals"]["iova_slow"]' '(451, 145, 10)'
check "JSON: the bins hold every allocation" is 'sum(b["allocs"] for b in d["domains"][0]["iova_over_time"]["bins"])' 100
check "JSON: why" is '[(w["devices"], w["unmap"], w["decided_by"], w["certainty"]) for w in d["why"]]' \
	"[(['refdma.0'], 'lazy', ['kconfig'], 'certain'), (['0000:03:00.0'], 'strict', ['driver'], 'inferred')]"
check "JSON: leaks" is 'd["leaks"]["mappings"], d["leaks"]["bytes"]' "(21, $((20 * 4096 + 3 * 1048576)))"
check "JSON: the journey" is '[s["what"] for s in d["journey"]["steps"]]' "['alloc', 'map', 'unmap', 'free', 'flush', 'fault']"
check "JSON: the journey's times" is '[s["since_ns"] for s in d["journey"]["steps"]][2]' 14000
"$gen" "$dir/troubled" troubled || echo "Bail out! no session"
try --json "$dir/troubled"
cp "$dir/out" "$dir/troubled.json"
check "JSON: what was before the hooks" is 'd["capture"]["before"]' "{'events': 'iommu:*', 'error': None, 'maps': 12, \
'map_bytes': 49152, 'unmaps': 1, 'unmap_bytes': 4096, 'faults': 0, 'overwritten': 0}"
try "$dir/troubled"
tr '\n' ' ' <"$dir/out" >"$dir/flat"
tr -s ' \n' ' ' <"$dir/out" >"$dir/flat-spaces"
check "text: what was before the hooks" grep -q "Before the hooks: 12 maps (48 KiB), 1 unmap (4 KiB), 0 faults, from the \
kernel's trace buffer; 0 entries were overwritten\." "$dir/flat"
check "text: page requests by answer, and their times" \
	printed '^  0000:03:00\.0 +6 +4 +1 +2 +0 +1 +1 +38\.9 us +38\.9 us +40\.0 us$'
check "text: one that was refused, and used" grep -q "1\.04 ms before the fault, 0000:03:00\.0 (nic) asked for the page at 0xfee00000 \
(read, PASID 5, group 9)\. This request was answered INVALID (this access can't be) 40\.0 us later, by task 61 (dma-test)\. The fault is at the \
same page, after the device had been told that it can't have it\." "$dir/flat-spaces"
check "text: page requests that nobody answered" printed '0000:03:00\.0: 1 group has no answer at the end, the oldest for '
"$iommutop" session merge -o "$dir/merged" "$scene" "$dir/troubled" >"$dir/out" 2>&1 || echo "Bail out! no merged session"
try --json "$dir/merged"
cp "$dir/out" "$dir/merged.json"
check "JSON: origins of merged sessions" is '[o["number"] for o in d["origins"]]' '[0, 1]'
printf '%s\n' '[  100.000000] pcieport 0000:00:01.0: AER: Uncorrected (Fatal) error received: 0000:03:00.0' \
	'[  101.000000] DMAR: VT-d detected Invalidation Time-out Error: SID 0' >"$dir/log"
try --json --klog "$dir/log"
cp "$dir/out" "$dir/klog.json"
check "docs/json.md has every key, and no other" python3 "$top/tests/json_paths.py" "$top/docs/json.md" \
	"$dir/scene.json" "$dir/troubled.json" "$dir/merged.json" "$dir/klog.json"

# --- journey

try --iova 0xff000040 --tables none "$scene"
check "journey: who mapped" printed ' map +0xff000000-0xff000fff 4 KiB to 0x10000000, task 61 \(dma-test\)'
check "journey: how long it was mapped" printed ' unmap +0xff000000-0xff003fff 16 KiB, lazy, 14\.0 us after the map'
check "journey: the flush that covers it, and no other" lines ' domain 3 +flush .*covers the unmap' 1
check "journey: freed and no flush seen" printed ' free .*NO FLUSH OF IT SEEN'
check "journey: the fault" printed ' fault +write of refdma\.0 .*unmapped 102 ms ago'
try --iova 0xfe000000 --tables none "$scene"
check "journey: an address used again and again" lines ' map .*again 107 us after' 49
check "journey: nothing wrong with a strict one" lines 'NO FLUSH' 0
try --iova 0x1234 --tables none "$scene"
check "journey: nothing touched it" printed 'Journey of IOVA 0x1234: 0 events; nothing touched it'
try --iova 0xff000040 --domain 4 --tables none "$scene"
check "journey: --domain narrows it" printed '0 events; nothing'

# --- leaks and folded stacks

try --leaks --tables none "$scene"
check "leaks: how many, how much" printed '^Still mapped at the end: 21 mappings, 3\.1 MiB'
check "leaks: without stacks, by task, and said so" printed 'no stacks of maps'
check "leaks: of a device and a task" grep -qE 'refdma\.0 +21 .* task 61 \(dma-test\)' <(tr -s '\n ' ' ' <"$dir/out")
try --folded unmap "$scene"
check "folded: outermost function first, with their number" [ "$(cat "$dir/out")" = 'kthread;refdma_unmap [refdma] 145' ]
try --folded unmap --weight bytes "$scene"
check "folded: bytes" [ "$(cat "$dir/out")" = "kthread;refdma_unmap [refdma] $((95 * 16384 + 50 * 65536))" ]
try --folded flush --weight time "$scene"
check "folded: time, by task without stacks" [ "$(cat "$dir/out")" = "task 61 (dma-test);[no stack] 460000" ]
for wrong in '--weight bytes' '--folded map --weight time' '--folded nosuch' '--folded map --json' '--folded map --leaks' \
	'--folded map --tables maps' '--iova x'; do
	# shellcheck disable=SC2086
	try $wrong "$scene"
	check "'$wrong' is refused" ended 2
done

# --- what leaks don't know

try --tables none --leaks --time 600,601 "$scene"
check "leaks: nothing of what was asked for isn't nothing at all" printed '^Still mapped at the end: nothing of what was asked for\.'
check "leaks: nothing is missing" [ "$(grep -c 'Events are missing' "$dir/out")" = 0 ]
"${gen%/*}/gen_busy" "$dir/lossy"
try --tables none --leaks "$dir/lossy"
check "leaks: events that are missing make them unsure" printed 'Events are missing: some of it may have been unmapped unseen'
try --json --leaks "$dir/lossy"
check "leaks: in JSON, too" is 'd["leaks"]["unsure"]' True
echo '[ 1.000000] x' >"$dir/log"
try --tables none --leaks --klog "$dir/log"
check "leaks: a kernel log doesn't tell" printed '^Still mapped at the end: not known'

# --- what counts

try --dev 0000:03:00.0 --tables domains "$scene"
check "--dev counts its events" printed '^  4 .* 50 +50 '
check "--dev counts no others" printed '^  3 .* 0 +0 +0 B '
check "--dev leaves out another's incident" printed 'No incidents.* in what was asked for'
check "--dev is told" printed '^Asked for: --dev 0000:03:00\.0$'
try --dev 03:00.0 --json "$scene"
check "JSON: what was asked for" is 'd["scope"]' '--dev 03:00.0'
check "a short PCI address names it too" is 'd["totals"]["maps"]' 50
try --group 5 --json "$scene"
check "--group" is 'd["totals"]["maps"]' 401
try --dev nosuch "$scene"
check "a device that isn't in it is told" said "device nosuch is not in $scene; "
try --time 0.1,0.104 --json "$scene"
check "--time counts what is in it" is 'd["totals"]["iova_allocs"]' 0
check "--time keeps the incident in it" is 'len(d["incidents"])' 1
check "--time: a mapping before explains it" is 'd["incidents"][0]["verdict"]' use_after_unmap_flushed
try --time ,0.05 --json "$scene"
check "--time leaves out the incident behind it" is 'len(d["incidents"]), d["incidents_out_of_scope"]' '(0, 1)'
try --time @100.1,@100.104 --json "$scene"
check "--time takes the kernel's time" is 'len(d["incidents"])' 1
try --filter 'id==map && ret==-ENOMEM' --json "$scene"
check "--filter counts what it holds for" is 'd["totals"]["maps"], d["totals"]["map_failed"]' '(0, 2)'
try --filter 'id==unmap && dev~"ref*"' --json "$scene"
check "--filter knows devices by name" is 'd["totals"]["unmaps"], d["totals"]["window_lazy"]["count"]' '(95, 75)'
try --filter help
check "--filter help lists fields" printed 'unmap: iova size unmapped gather mode'
try --klog "$top/tests/fixtures/klog/82599-vf.txt" --dev '0000:04:*' --json
check "--dev of a log: the device of the fault" is 'len(d["incidents"])' 1
try --klog "$top/tests/fixtures/klog/82599-vf.txt" --dev '0000:05:*' --json
check "--dev of a log: no other" is 'len(d["incidents"])' 0

# --- what isn't known isn't none

try --klog "$top/tests/fixtures/klog/82599-vf.txt"
check "a log tells of no maps: no numbers of them" printed '^  0000:04:10\.0 +vfio-pci +- +- +- +- +- +1 +0 +0$'
"$gen" "$dir/second" && "$iommutop" session merge -o "$dir/apart" --offset 1:1000000000000 "$scene" "$dir/second" >"$dir/out" 2>&1 ||
	echo "Bail out! not merged"
try --tables whatif "$dir/apart"
check "sessions that were not recorded at the same time: that is told" printed '^The sessions in it were not recorded at the same time'
check "and they take from the first event to the last" printed '^[0-9]+ events over 1000 s'
check "and so do shares of the time" printed '^  4 +50 +50 +250 us +0\.00 % '
finish
