#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # functions are called through check
#
# Filters of export: what jq and awk find in an unfiltered export is in the filtered one, line by line, and nothing else;
# the other formats have as much of it; windows and mapped bytes are those of the whole session.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tap_lib.sh"
gens=${BUILD:-$top/build}/tests
here=$top/tests/cli

command -v jq >/dev/null || { echo "1..0 # SKIP jq is not installed"; exit 77; }
"$gens/gen_export" "$dir/busy" 8000 22 || { echo "Bail out! no session"; exit 1; }

# try ARGUMENT...: exports, exit code to $code
try()
{
	code=0
	"$iommutop" export "$@" >"$dir/out" 2>"$dir/err" </dev/null || code=$?
}
ended() { [ "$code" = "$1" ]; }
said() { grep -qE -- "$1" "$dir/err"; }
body() { sed '1d;$d' "$1"; }
views() { python3 "$here/export_views.py" "$@" >"$dir/out" 2>"$dir/err"; }

try -f jsonl "$dir/busy"
cp "$dir/out" "$dir/all.jsonl"
check "the unfiltered export is whole" ended 0
check "it doesn't say that it is a part" [ "$(tail -n 1 "$dir/all.jsonl" | jq '.source.only')" = null ]

# Side tables and losses are in every export.
always='.event | IN("device", "stack", "symbol", "attr", "clock_sample", "region", "loss")'

# same NAME CONDITION OPTION...: CONDITION is jq's, on one event; $begin is the time of the capture's begin
begin=$(jq -s 'map(select(.event == "capture"))[0].ts' "$dir/all.jsonl")
same()
{
	local name=$1 condition=$2
	shift 2
	body "$dir/all.jsonl" | jq -c --argjson begin "$begin" "select(($always) or ($condition))" >"$dir/want"
	try -f jsonl "$@" "$dir/busy"
	body "$dir/out" | jq -c . >"$dir/got"
	check "$name: jq finds the same" cmp "$dir/want" "$dir/got"
	check "$name: neither all nor nothing" [ "$(jq -c "select($always | not)" "$dir/got" | wc -l)" -gt 0 -a \
		"$(wc -l <"$dir/got")" -lt "$(body "$dir/all.jsonl" | wc -l)" ]
	check "$name: the last line counts them" [ "$(tail -n 1 "$dir/out" | jq .events)" = "$(wc -l <"$dir/got")" ]
}
same "--filter id" '.event == "unmap"' --filter 'id==unmap'
same "--filter with units" '.event == "unmap" and .size >= 65536 or .ret == -12' --filter 'id==unmap && size>=64K || ret==-ENOMEM'
same "--filter by name" '.device == "0000:3b:00.0"' --filter 'dev=="0000:3b:00.0"'
# those from the log too
same "--filter of faults" '.event == "fault"' --filter 'id==fault'
same "--time since the begin" '.ts >= $begin + 1000000 and .ts <= $begin + 2500000' --time 1ms,2500us
same "--time of the kernel" '.ts <= 5002000000' --time ,@5.002
same "--domain" '.domain == 2 or .domain == 0 and .dev == 2' --domain 2
same "--domain twice" '(.domain | IN(1, 3)) or .domain == 0 and (.dev | IN(1, 3, 4))' --domain 1 --domain 3
same "--group" '(.dev | IN(3, 4)) or .domain == 3' --group 7
same "all together" '.dev == 2 and .domain == 2 and .event == "map" and .ts >= 5002000000' \
	--dev 3b:00.0 --time @5.002, --filter id==map --domain 2 --group 6

# Whose device is attached to their domain belongs to it, from then on: awk follows the attachments.
body "$dir/all.jsonl" | jq -r '[.event, .dev, .domain] | @tsv' | awk -v wanted=3 -v OFS='\t' '
	$1 ~ /^(device|stack|symbol|attr|clock_sample|region|loss)$/ { print NR; next }
	$1 == "attach" { at[$2] = $3 }
	$2 == wanted || ($2 == 0 && $3 && at[wanted] == $3) { print NR }' >"$dir/lines"
body "$dir/all.jsonl" | awk 'NR == FNR { keep[$1]; next } FNR in keep' "$dir/lines" - >"$dir/want"
try -f jsonl --dev "=cmd*" "$dir/busy"
check "--dev: awk finds the same" cmp "$dir/want" <(body "$dir/out")
check "--dev: what names its domain only is among it" \
	[ "$(grep -c '"event":"map".*"dev":0' "$dir/out")" = "$(grep -c '"event":"map".*"domain":3' "$dir/all.jsonl")" ]
check "the last line says what was asked for" [ "$(tail -n 1 "$dir/out" | jq -r '.source.only')" = "--dev '=cmd*'" ]

# --- other formats have as much

maps=$(grep -c '"event":"map".*"domain":2' "$dir/all.jsonl")
try -f csv --table events --domain 2 --filter id==map "$dir/busy"
check "csv: a line for each" [ "$(wc -l <"$dir/out")" = $((maps + 1)) ]
check "csv: it can't say that it is a part, so that is said" said 'csv has no place .*: --domain 2 --filter id==map$'
try -f folded --domain 2 --filter id==map "$dir/busy"
check "folded: they are all that is counted" [ "$(awk '{ n += $NF } !/^map;/ { n = -1e9 } END { print n }' "$dir/out")" = "$maps" ]
check "folded: neither can that" said 'folded has no place .*: --domain 2 --filter id==map$'
try -f csv "$dir/busy"
check "a whole one has nothing to say" [ ! -s "$dir/err" ]
try -f parquet -o "$dir/pq" --domain 2 --filter id==map "$dir/busy"
check "parquet: written" ended 0
check "parquet: and needs not say it" [ ! -s "$dir/err" ]
check "parquet: its footer says what was asked for" grep -qa -- '--domain 2 --filter id==map' "$dir/pq/events.parquet"

if command -v protoc >/dev/null; then
	decode() { protoc --decode=Trace -I "$top/tests/fixtures/perfetto" trace.proto <"$dir/out" >"$1"; }
	try -f perfetto "$dir/busy"
	decode "$dir/all.pft"
	try -f perfetto --filter 'id==flush && cpu==1 || id==map && cpu==2' "$dir/busy"
	decode "$dir/some.pft"
	check "perfetto: flushes and windows are those of the whole, mapped bytes too" views \
		part "$dir/all.pft" "$dir/some.pft"
else
	skip "perfetto: flushes and windows are those of the whole, mapped bytes too" "protoc (protobuf-compiler) is not installed"
fi

# --- a kernel log, redaction, mistakes

log=$top/tests/fixtures/klog/82599-vf.txt
try -f jsonl --klog "$log" --dev '0000:04:*'
check "a log: faults of the device that only the log names" grep -q '"event":"fault"' "$dir/out"
check "a log: its lines are of no device" [ "$(grep -c '"event":"log"' "$dir/out")" = 0 ]
try -f jsonl --klog "$log" --dev '0000:05:*'
check "a log: nothing of another device" [ "$(grep -c '"event":"fault"' "$dir/out")" = 0 ]
check "a log: that it isn't in it is said" said "device 0000:05:\* is not in .*82599-vf.txt"
try -f jsonl --redact addresses,names --dev 0000:3b:00.0 "$dir/busy"
check "redacted: chosen by the name that is hidden" [ "$(grep -c '"event":"map"' "$dir/out")" = "$maps" ]
check "redacted: which isn't told by the choice" [ "$(grep -c '3b:00' "$dir/out")" = 0 ]
try -f jsonl --filter help
check "--filter help lists fields" grep -q 'unmap: iova size unmapped gather mode' "$dir/out"
for wrong in '--filter size==' '--time 5' '--domain x' '--group -1'; do
	# shellcheck disable=SC2086
	try -f jsonl -o "$dir/none" $wrong "$dir/busy"
	check "'$wrong' is refused" ended 2
	check "'$wrong': nothing is written" [ ! -e "$dir/none" ]
done
finish
