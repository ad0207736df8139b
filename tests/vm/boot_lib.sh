# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # code is for the tests
#
# Sourced by tests that boot: iommutop boot, and what it said.

. "$(dirname "${BASH_SOURCE[0]}")/../tap_lib.sh"

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
