# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # code is for the tests
#
# Sourced by tests that boot: iommutop boot, and what it said.

. "$(dirname "${BASH_SOURCE[0]}")/../tap_lib.sh"

# CPUs that QEMU 7.2 emulates panic (int3) when one patches code that the other runs, which is what attaching does under load
# (docs/limitations.md). The reference driver needs no model of an IOMMU, so its guests run on a QEMU without that, and so do tests for
# which it makes no other difference.
sound_qemu=debian:10

# boot ARGUMENTS...: standard output to $dir/out, standard error to $dir/err, exit code to $code.
boot()
{
	local qemu=()
	case " $* " in
	*" --qemu "* | *" --cost "*) ;;
	*" --iommu ref "*) qemu=(--qemu "$sound_qemu") ;;
	esac
	code=0
	"$iommutop" boot "${qemu[@]}" "$@" >"$dir/out" 2>"$dir/err" </dev/null || code=$?
}

said() { grep -qE -- "$1" "$dir/err"; }
printed() { grep -qE -- "$1" "$dir/out"; }
same() { cmp -s "$1" "$2"; }
nothing_left() { [ -z "$(ls -A "$dir/tmp")" ]; }
