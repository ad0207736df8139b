#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# diff on the command line: a session against itself has no difference, in every format; mistakes are explained.
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
iommutop=$build/iommutop
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT INT TERM
fail() { echo "FAIL: $*"; exit 1; }

"$build/tests/gen_session" "$dir/one" 20000 1 >/dev/null
"$build/tests/gen_session" "$dir/two" 20000 2 >/dev/null

"$iommutop" diff "$dir/one" "$dir/one" >"$dir/out"
grep -q '^No difference was found' "$dir/out" || fail "a session differs from itself"
grep -qE '^.{101}' "$dir/out" && fail "a line of more than 100 columns"
"$iommutop" diff --json "$dir/one" "$dir/one" >"$dir/out"
[ "$(jq .schema "$dir/out")" = 1 ] || fail "no schema in JSON"
[ "$(jq .different "$dir/out")" = 0 ] || fail "JSON: a session differs from itself"
[ "$(jq '[.figures[] | select(.answer == "likely" or .answer == "sure")] | length' "$dir/out")" = 0 ] ||
	fail "JSON: a figure of a session differs from itself"
"$iommutop" diff --json -a "$dir/one" -a "$dir/two" -b "$dir/two" >"$dir/out"
[ "$(jq '"\(.runs_a) \(.runs_b)"' "$dir/out")" = '"2 1"' ] || fail "-a twice, -b once: wrong numbers of runs"
"$iommutop" diff --markdown "$dir/one" "$dir/two" >"$dir/out"
grep -q '^| Figure | A | B |' "$dir/out" || fail "no Markdown table"

# Filters: only what is in scope counts, on both sides, as analyze counts it; what was asked for is said.
"$build/tests/gen_scene" "$dir/scene"
"$build/tests/gen_scene" "$dir/troubled" troubled
"$iommutop" diff --json --dev 0000:03:00.0 "$dir/scene" "$dir/troubled" >"$dir/out"
[ "$(jq -r .only "$dir/out")" = '--dev 0000:03:00.0' ] || fail "JSON doesn't say what was asked for"
for side in scene troubled; do
	[ $side = scene ] && key=a || key=b
	got=$(jq '[.counts[] | select(.id == "faults")][0].'$key' // 0' "$dir/out")
	want=$("$iommutop" analyze --json --dev 0000:03:00.0 "$dir/$side" | jq .totals.faults)
	[ "$got" = "$want" ] || fail "diff --dev counts $got faults of $side, analyze $want"
done
"$iommutop" diff --json --time ,100ms "$dir/scene" "$dir/troubled" >"$dir/out"
[ "$(jq '[.counts[] | select(.a_seconds > 0.1001 or .b_seconds > 0.1001)] | length' "$dir/out")" = 0 ] ||
	fail "counts within 100 ms are divided by more"
[ "$("$iommutop" diff --json "$dir/scene" "$dir/troubled" | jq '.only, (.counts | length > 0)' | xargs)" = "null true" ] ||
	fail "without a filter: JSON names one, or there are no counts"
"$iommutop" diff --filter 'id==map' "$dir/one" "$dir/two" >"$dir/out"
grep -q '^Only: --filter id==map$' "$dir/out" || fail "the text doesn't say what was asked for"
"$iommutop" diff --markdown --filter 'id==map||id==unmap' "$dir/one" "$dir/two" >"$dir/out"
grep -qF "**Only:** --filter 'id==map\\|\\|id==unmap'" "$dir/out" || fail "Markdown doesn't say what was asked for"
"$iommutop" diff --filter help | grep -q 'unmap: iova size' || fail "--filter help doesn't list fields"
"$iommutop" diff --dev nosuch "$dir/one" "$dir/two" 2>&1 >/dev/null | grep -q "device nosuch is not in $dir/two" ||
	fail "a device that isn't there isn't told"

says() { # CODE TEXT ARGUMENTS
	code=$1
	text=$2
	shift 2
	"$iommutop" diff "$@" >"$dir/out" 2>&1 && rc=0 || rc=$?
	[ "$rc" = "$code" ] || fail "diff $*: exit $rc instead of $code"
	grep -q "$text" "$dir/out" || fail "diff $*: doesn't say '$text'"
}
says 2 'takes two sessions' "$dir/one"
says 2 'takes two sessions' "$dir/one" "$dir/two" "$dir/two"
says 2 'takes two sessions' -a "$dir/one"
says 2 'takes one of' --json --markdown "$dir/one" "$dir/two"
says 1 'cannot read session' "$dir/one" "$dir/none"
says 2 'no event has a field' --filter nosuch "$dir/one" "$dir/two"
says 2 'time takes FROM,TO' --time 5 "$dir/one" "$dir/two"
echo PASS
