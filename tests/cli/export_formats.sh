#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every text format and Perfetto's, held value by value against what babeltrace2 or the generator's C structs say; what
# redaction hides and what stays; pipes, full disks and mistakes.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tap_lib.sh"
gens=${BUILD:-$top/build}/tests
here=$top/tests/cli
unset code

# export_as FORMAT OUTPUT ARGUMENT...
export_as()
{
	code=0
	"$iommutop" export -f "$1" -o "${@:2}" >"$dir/out" 2>"$dir/err" || code=$?
	return "$code"
}
truth() { python3 "$here/export_truth.py" "$@" >"$dir/out" 2>"$dir/err"; }
views() { python3 "$here/export_views.py" "$@" >"$dir/out" 2>"$dir/err"; }
said() { grep -qE -- "$1" "$dir/err"; }
no_part_of() { [ -z "$(find "$dir" -maxdepth 1 -name "$1*")" ]; }

"$gens/gen_session" "$dir/random" 6000 21 >"$dir/random.text"
"$gens/gen_export" "$dir/busy" 8000 22
babeltrace2 --clock-cycles --no-delta "$dir/busy/ctf" >"$dir/busy.text"

# --- every value of every event

for session in random busy; do
	for format in jsonl csv; do
		check "$format: $session is exported" export_as $format "$dir/$session.$format" "$dir/$session"
		check "$format: every value of $session is there" truth $format "$dir/$session.text" "$dir/$session.$format"
	done
done
check "csv: one table" export_as csv "$dir/stack.csv" --table stack "$dir/busy"
check "csv: it has its own columns" grep -q '^ts,time,event,.*,domain_name,frame,ip.$' "$dir/stack.csv"
check "csv: a stack's addresses are rows" [ "$(grep -c ',0xffffffffb6e123' "$dir/stack.csv")" = 7 ]
check "csv: devices" export_as csv "$dir/device.csv" --table device "$dir/busy"
check "csv: hostile names are quoted" grep -qF ',"e,v""il",' "$dir/device.csv"
check "a session is left as it was" [ "$(find "$dir/busy" -newer "$dir/busy.text" | wc -l)" = 0 ]

for weight in count bytes; do
	check "folded by $weight" export_as folded "$dir/$weight.folded" --weight $weight "$dir/busy"
	check "folded by $weight: sums are those of the events" \
		views folded "$dir/busy.text" "$dir/$weight.folded" $weight
done

# --- Perfetto

decode() { protoc --decode=Trace -I "$top/tests/fixtures/perfetto" trace.proto <"$1" >"$2" 2>"$dir/err"; }
if command -v protoc >/dev/null; then
	check "perfetto: exported" export_as perfetto "$dir/busy.pf" "$dir/busy"
	check "perfetto: protoc decodes it" decode "$dir/busy.pf" "$dir/busy.pft"
	check "perfetto: flushes, windows, faults, losses, counters are those of the events" \
		views perfetto "$dir/busy.text" "$dir/busy.pft"
	check "perfetto: random values" export_as perfetto "$dir/random.pf" "$dir/random"
	check "perfetto: protoc decodes them" decode "$dir/random.pf" "$dir/random.pft"
else
	skip "perfetto: protoc decodes it" "protoc (protobuf-compiler) is not installed"
fi

# --- redaction

check "redact addresses" export_as jsonl "$dir/full.jsonl" --redact addresses "$dir/busy"
check "each address has one token, all else stays" views redacted "$dir/busy.jsonl" "$dir/full.jsonl" full
check "another time the tokens are others" export_as jsonl "$dir/again.jsonl" --redact addresses "$dir/busy"
check "they are" [ "$(grep -oE '"iova":"0x[0-9a-f]{9,}"' "$dir/full.jsonl" "$dir/again.jsonl" -h | sort -u | wc -l)" -gt \
	"$(($(grep -oE '"iova":"0x[0-9a-f]{9,}"' "$dir/full.jsonl" | sort -u | wc -l) * 19 / 10))" ]
check "redact addresses but for the page offset" \
	export_as jsonl "$dir/offset.jsonl" --redact addresses --keep-page-offset "$dir/busy"
check "the page offset stays" views redacted "$dir/busy.jsonl" "$dir/offset.jsonl" offset
check "redact names" export_as jsonl "$dir/names.jsonl" --redact names "$dir/busy"
check "each name has one token, all else stays" views redacted "$dir/busy.jsonl" "$dir/names.jsonl" names
"$gens/gen_export" "$dir/small" 3000 23
check "a session to hide" export_as jsonl "$dir/small.jsonl" "$dir/small"
hidden=()
for format in jsonl csv folded perfetto; do
	check "hide everything: $format" export_as $format "$dir/hidden.$format" --redact addresses,names "$dir/small"
	hidden+=("$dir/hidden.$format")
done
check "hide everything: parquet" export_as parquet "$dir/hidden.pq" --uncompressed --redact addresses,names "$dir/small"
check "no address and no name is left in any byte" views hidden "$dir/small.jsonl" "${hidden[@]}" "$dir"/hidden.pq/*
check "the search finds them where they are" [ "$(views hidden "$dir/small.jsonl" "$dir/small.jsonl"; echo $?)" = 1 ]
check "kernel symbols stay" grep -q 'refdma_work' "$dir/hidden.folded"
check "faults of the log stay, although the log's text doesn't" grep -q '"fault".*"source":"log"' "$dir/hidden.jsonl"

# --- where it goes

head_of() { "$iommutop" export -f "$1" "$dir/busy" 2>"$dir/err" | head -n 1 >"$dir/out"; echo "${PIPESTATUS[0]}"; }
for format in jsonl csv perfetto; do
	check "$format: head ends it in peace" [ "$(head_of $format)" = 0 ]
	check "$format: without a word" [ ! -s "$dir/err" ]
done
for format in jsonl csv folded perfetto; do
	check "$format: a full device is an error" [ "$(export_as $format /dev/full "$dir/busy"; echo $?)" = 1 ]
	check "$format: it says so" said 'cannot write /dev/full: No space left on device'
done
limited() { (ulimit -f 100; trap '' XFSZ; export_as jsonl "$dir/torn.jsonl" "$dir/busy"); }
check "a full disk is an error" [ "$(limited; echo $?)" = 1 ]
check "it names file and reason" said 'cannot write .*torn.jsonl: File too large'
check "nothing is left of it" no_part_of torn
echo old >"$dir/kept.jsonl"
kept() { (ulimit -f 100; trap '' XFSZ; export_as jsonl "$dir/kept.jsonl" "$dir/busy"); }
check "a file that was there before" [ "$(kept; echo $?)" = 1 ]
check "stays as it was" [ "$(cat "$dir/kept.jsonl")" = old ]
# so small that it is written at the very end only
late() { (ulimit -f 20; trap '' XFSZ; export_as csv "$dir/kept.jsonl" --table device "$dir/random"); }
check "a full disk at the end" [ "$(late; echo $?)" = 1 ]
check "leaves it alone too" [ "$(cat "$dir/kept.jsonl")" = old ]
check "and nothing beside it" [ ! -e "$dir/kept.jsonl.partial" ]
check "standard output is as good as a file" cmp -s "$dir/busy.jsonl" <("$iommutop" export -f jsonl "$dir/busy")
check "a new file is for its owner alone" [ "$(stat -c %a "$dir/busy.jsonl")" = 600 ]

# --- damage is said, and costs no more than what it hit

cp -r "$dir/busy" "$dir/damaged"
size=$(stat -c %s "$dir/damaged/ctf/events_0")
printf 'garbage' | dd of="$dir/damaged/ctf/events_0" bs=1 seek=$((size / 2)) conv=notrunc status=none
check "a damaged session is exported" export_as jsonl "$dir/damaged.jsonl" "$dir/damaged"
check "what is missing is an event of it" grep -q '"event":"loss".*"what":"[^"]*damage' "$dir/damaged.jsonl"
check "the kernel log alone" export_as jsonl "$dir/klog.jsonl" --klog "$top/tests/fixtures/klog/82599-vf.txt"
check "its faults are there" grep -q '"event":"fault".*"source":"log"' "$dir/klog.jsonl"

# --- mistakes

mistake() { check "'export ${*:2}' exits 2" [ "$(code=0; "$iommutop" export "${@:2}" >"$dir/out" 2>"$dir/err" || code=$?; echo "$code")" = 2 ]
	check "'export ${*:2}' says why" said "$1"; }
mistake 'needs the session' -f jsonl
mistake 'needs --format, one of' "$dir/busy"
mistake '--format is one of' -f xml "$dir/busy"
mistake "no table 'x'; there are events, fault" -f csv --table x "$dir/busy"
mistake 'jsonl has no tables' -f jsonl --table fault "$dir/busy"
mistake 'name a directory, or one table' -f parquet "$dir/busy"
mistake '--weight is for' -f jsonl --weight bytes "$dir/busy"
mistake '--row-group and' -f csv --row-group 5 "$dir/busy"
mistake '--keep-page-offset needs' -f csv --keep-page-offset "$dir/busy"
mistake '--redact is one of' -f csv --redact all "$dir/busy"
check "a directory is no file" [ "$(export_as jsonl "$dir" "$dir/busy"; echo $?)" = 1 ]
check "it says so" said 'Is a directory'
check "no session, no export" [ "$(export_as jsonl "$dir/none.jsonl" "$dir/nothing"; echo $?)" = 1 ]
check "nothing is left of that" no_part_of none
finish
