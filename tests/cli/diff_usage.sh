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
echo PASS
