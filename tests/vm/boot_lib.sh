# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # code is for the test
#
# Sourced by the boot_*.sh tests: TAP output, the binary, a directory that goes away.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
iommutop=${IOMMUTOP:-$top/build/iommutop}
tests=0
failed=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# Everything a run makes for itself goes below here, so that what it leaves behind can be seen.
mkdir "$dir/tmp"
export TMPDIR=$dir/tmp

[ -x "$iommutop" ] || { echo "Bail out! $iommutop is missing: run make"; exit 1; }

# check NAME COMMAND...
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
		echo "# failed: $*"
		[ ! -s "$dir/err" ] || tail -n 25 "$dir/err" | sed 's/^/# stderr: /'
	fi
}

# boot ARGUMENTS...: standard output to $dir/out, standard error to $dir/err, exit code to $code.
boot()
{
	code=0
	"$iommutop" boot "$@" >"$dir/out" 2>"$dir/err" </dev/null || code=$?
}

said() { grep -qE -- "$1" "$dir/err"; }
printed() { grep -qE -- "$1" "$dir/out"; }
same() { cmp -s "$1" "$2"; }
nothing_left() { [ -z "$(ls -A "$dir/tmp")" ]; }

finish()
{
	echo "1..$tests"
	[ "$failed" = 0 ]
	exit
}
