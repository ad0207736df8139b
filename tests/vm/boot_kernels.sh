#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# kernel.sh and modules.sh: one line of answer, complete directories, no network once cached, runs side by side.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/boot_lib.sh"
kernel=$top/tools/boot/kernel.sh
modules=$top/tools/boot/modules.sh

has_btf() { readelf -SW "$1" | grep ' \.BTF ' >/dev/null; } # all of it is read: no SIGPIPE
elf_for_pvh() { readelf -nW "$1" 2>/dev/null | grep '0x00000012\|Xen' >/dev/null; }

# A namespace without network, where one may be made; otherwise as it is.
offline=()
unshare -rn true 2>/dev/null && offline=(unshare -rn)

for spec in debian:6.1 debian:6.12 source:7.2; do
	"$kernel" get "$spec" >"$dir/first" 2>"$dir/err" # whatever it takes the first time
	"${offline[@]}" "$kernel" get "$spec" >"$dir/out" 2>"$dir/err"
	check "$spec: cached, it is there without network" same "$dir/first" "$dir/out"
	check "$spec: and without a word" [ ! -s "$dir/err" ]
	check "$spec: the answer is one line" [ "$(wc -l <"$dir/out")" = 1 ]
	got=$(cat "$dir/out")
	rel=$(cat "$got/release")
	check "$spec: the kernel has BTF" has_btf "$got/vmlinux"
	check "$spec: the kernel can be booted by PVH" elf_for_pvh "$got/vmlinux"
	check "$spec: modules are indexed" [ -s "$got/lib/modules/$rel/modules.builtin" -a -e "$got/lib/modules/$rel/modules.dep" ]
	check "$spec: modules are not compressed" [ -z "$(find "$got/lib" -name '*.ko.*' -print -quit)" ]
	check "$spec: the configuration is there" grep -q '^CONFIG_IOMMU_SUPPORT=y' "$got/config"
	kos=$("$modules" "$got" 2>"$dir/err")
	for ko in refiommu refdma; do
		check "$spec: $ko.ko is built for it" [ "$(modinfo -F vermagic "$kos/$ko.ko" | cut -d' ' -f1)" = "$rel" ]
		check "$spec: $ko.ko has BTF" has_btf "$kos/$ko.ko"
	done
done

for n in 1 2 3; do
	"$kernel" get debian:6.1 >"$dir/out.$n" 2>"$dir/err" &
done
wait
check "three at a time get the same" [ "$(cat "$dir"/out.? | sort -u | wc -l)" = 1 ]
"$kernel" get debian:nonsense >"$dir/out" 2>"$dir/err"
check "an unknown kernel fails" [ $? != 0 ]
check "what there is, is named" said 'debian:6.12.*source:7.2'
check "nothing is on standard output" [ ! -s "$dir/out" ]
"$kernel" get source:9.9 >"$dir/out" 2>"$dir/err"
check "a source without configuration fails" [ $? != 0 ]
"$kernel" list >"$dir/out"
check "the list has what is cached" [ "$(grep -cE '^(debian:6.1|debian:6.12|source:7.2) ' "$dir/out")" = 3 ]
echo broken >"$dir/bzimage"
"$kernel" extract "$dir/bzimage" "$dir/elf" 2>"$dir/err"
check "what is no bzImage is not extracted" [ $? != 0 -a ! -e "$dir/elf" ]
finish
