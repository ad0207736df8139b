# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by test scripts that run on the host: TAP output, the binary, a directory that goes away.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
iommutop=${IOMMUTOP:-$top/build/iommutop}
tests=0
failed=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# Everything a run makes for itself goes below here, so that what it leaves behind can be seen.
mkdir "$dir/tmp"
export TMPDIR=$dir/tmp

[ -x "$iommutop" ] || { echo "Bail out! $iommutop is missing: run make"; exit 1; }

# check NAME COMMAND...: one test, passed if COMMAND succeeds; $dir/out and $dir/err are shown if it doesn't.
check()
{
	local name=$1
	shift
	tests=$((tests + 1))
	if "$@"; then
		echo "ok $tests - $name"
	else
		failed=$((failed + 1))
		echo "not ok $tests - $name"
		echo "# failed: $*; exit code ${code:-none}"
		[ ! -s "$dir/out" ] || tail -n 10 "$dir/out" | sed 's/^/# stdout: /'
		[ ! -s "$dir/err" ] || tail -n 80 "$dir/err" | sed 's/^/# stderr: /'
	fi
}

# skip NAME WHY
skip()
{
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

finish()
{
	echo "1..$tests"
	[ "$failed" = 0 ]
	exit
}
