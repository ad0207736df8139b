#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# boot --qemu debian:N: from the cache without network, igb only where QEMU has it, and clear errors where there is neither.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../vm/boot_lib.sh"
qemu=$top/tools/boot/qemu.sh

# A cache with a QEMU in it that can tell its version, and writes down that it was called.
export XDG_CACHE_HOME=$dir/cache
specs=$XDG_CACHE_HOME/iommutop/qemu/specs
mkdir -p "$specs" "$dir/made"
cat >"$dir/made/qemu-system-x86_64" <<END
#!/bin/sh
echo "\$*" >>"$dir/calls"
echo "QEMU emulator version 10.9.9"
END
chmod +x "$dir/made/qemu-system-x86_64"
echo 10.9.9 >"$dir/made/release"
ln -s "$dir/made" "$specs/debian:10"

# A namespace without network, where one may be made.
offline=()
unshare -rn true 2>/dev/null && offline=(unshare -rn)

"${offline[@]}" "$qemu" get debian:10 >"$dir/out" 2>"$dir/err"
check "what is cached is there without network" same "$dir/out" <(echo "$dir/made")
check "and without a word" [ ! -s "$dir/err" ]
"$qemu" list >"$dir/out"
check "the list has it" printed "^debian:10 +10\.9\.9 .*$dir/made$"
boot --kernel /nonexistent/vmlinux --qemu debian:10 --device igb -- true
check "boot takes it from there" grep -qx -- --version "$dir/calls"
check "and goes on with its version: igb is there, a kernel isn't" said 'boot: no kernel /nonexistent/vmlinux'
sed -i 's/10\.9\.9/7.2.9/' "$dir/made/qemu-system-x86_64"
boot --kernel /nonexistent/vmlinux --qemu "$dir/made/qemu-system-x86_64" --device igb -- true
check "igb with an old QEMU is 125" [ "$code" = 125 ]
check "and it is said which QEMU to take" said 'igb needs QEMU 8 or later, this is QEMU 7 \(give --qemu debian:10'

printf 'kernel: [/nonexistent/a]\nqemu: [debian:10, /nonexistent/qemu]\ncommand: "true"\n' >"$dir/matrix.yaml"
boot --matrix "$dir/matrix.yaml"
check "a matrix may name QEMUs" said '^=== 2 of 2: /nonexistent/a, qemu /nonexistent/qemu$'
check "each boot has its own" [ "$(grep -cE 'QEMU is missing: cannot run /nonexistent/qemu|no kernel /nonexistent/a' "$dir/err")" = 2 ]
rm "$dir/calls"
boot --matrix "$dir/matrix.yaml" --qemu /nonexistent/other
check "the command line takes their place" [ "$code" = 125 -a ! -e "$dir/calls" ]

boot --kernel /nonexistent/vmlinux --qemu debian:9 -- true
check "a QEMU that nobody knows is 125" [ "$code" = 125 ]
check "those that there are, are named" said "unknown QEMU 'debian:9' \(debian:10, debian:11\)"
"$qemu" get 11 >"$dir/out" 2>"$dir/err"
check "a number alone is none" [ $? != 0 -a ! -s "$dir/out" ]

# A machine whose apt knows no Debian archive.
mkdir "$dir/bin"
printf '#!/bin/sh\nexit 0\n' >"$dir/bin/apt-get"
chmod +x "$dir/bin/apt-get"
PATH=$dir/bin:$PATH boot --kernel /nonexistent/vmlinux --qemu debian:11 -- true
check "no archive is 125" [ "$code" = 125 ]
check "what is missing and what to do is said" said "no Debian archive among this machine's apt sources.*give --qemu the path of a QEMU"
# One that can't be reached.
cat >"$dir/bin/apt-get" <<'END'
#!/bin/sh
case "$*" in
indextargets*) echo "http://nowhere.invalid/debian $(. /etc/os-release; echo "$VERSION_CODENAME") main" ;;
*) echo "E: Could not resolve" >&2; exit 100 ;;
esac
END
PATH=$dir/bin:$PATH boot --kernel /nonexistent/vmlinux --qemu debian:11 -- true
check "no network is 125" [ "$code" = 125 ]
check "what apt said, and what to do" said 'apt could not read the package lists of sid .*check the network .*give --qemu the path'
check "nothing is left of the work" [ -z "$(find "$XDG_CACHE_HOME/iommutop/qemu" -name '.work*')" ]
check "nothing was made" [ ! -e "$specs/debian:11" ]
finish
