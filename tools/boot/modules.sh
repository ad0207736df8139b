#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the reference IOMMU modules against a kernel directory of kernel.sh; cached by what goes in.
# stdout carries only the directory with the .ko files.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sources=$(cd "${REFIOMMU_DIR:-$here/../refiommu}" 2>/dev/null && pwd) || sources=
cache=${XDG_CACHE_HOME:-$HOME/.cache}/iommutop/modules

say() { printf 'modules.sh: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

[ $# = 1 ] || die "usage: modules.sh KERNEL-DIRECTORY (what 'kernel.sh get SPEC' prints)"
dir=$(readlink -e "$1") || die "there is no kernel directory $1"
[ -f "$sources/Kbuild" ] || die "the sources of the reference driver (refiommu/Kbuild) are not beside $here"
[ -e "$dir/kbuild/Makefile" ] || die "$dir has no kbuild directory, so no module can be built for it" \
	"(Debian's 7.2 headers need a newer compiler; use source:7.2)"
for tool in make:make gcc-12:gcc-12 pahole:dwarves readelf:binutils flock:util-linux; do
	command -v ${tool%:*} >/dev/null || die "${tool%:*} is missing on this machine: apt-get install ${tool#*:}"
done

files() { find "$sources" -maxdepth 1 -type f \( -name '*.c' -o -name '*.h' -o -name Kbuild \) ! -name '*.mod.c' | sort; }
# The directory of a cached kernel names its content; the recipe is part of the key as well.
key=$({ echo "$dir"; files | while read -r f; do echo "${f##*/}"; cat "$f"; done; cat "$0"; } | sha256sum | cut -c1-16)
final=$cache/$(cat "$dir/release")-$key
if [ ! -d "$final" ]; then
	mkdir -p "$cache"
	exec 9>"$cache/.lock"
	flock -n 9 || { say "another build is under way, waiting for it"; flock 9; }
fi
if [ ! -d "$final" ]; then
	work=$(mktemp -d "$cache/.work.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir "$work/src" "$work/out"
	files | xargs -d '\n' cp -t "$work/src"
	say "building the reference driver for $(cat "$dir/release")"
	make -C "$dir/kbuild" M="$work/src" CC=gcc-12 -j2 modules >"$work/log" 2>&1 || {
		grep -v '^make' "$work/log" | tail -n 40 >&2
		die "building $sources against $dir/kbuild failed, see above"
	}
	grep -E 'warning:' "$work/log" >&2 || true
	for ko in "$work"/src/*.ko; do
		# Headers without a BTF vmlinux (6.1) leave the modules without BTF; tracing programs need it.
		if ! readelf -SW "$ko" | grep -q ' \.BTF '; then
			pahole -J --btf_base "$dir/vmlinux" "$ko" || die "pahole could not add BTF to ${ko##*/}"
		fi
		strip --strip-debug "$ko" -o "$work/out/${ko##*/}"
	done
	mv -T "$work/out" "$final"
fi
echo "$final"
