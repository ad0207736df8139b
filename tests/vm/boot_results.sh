#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# What a command in a guest prints, leaves and returns comes back unchanged.
# usage: boot_results.sh [KERNEL...]
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/boot_lib.sh"

mkdir "$dir/folder"
echo inner >"$dir/folder/inner"
printf '#!/bin/sh\necho "script $1"\n' >"$dir/script"
chmod 755 "$dir/script"
head -c 4194304 /dev/urandom >"$dir/big"
seq 1 20000 >"$dir/lines"
seq 1 3000 | sed 's/^/err /' >"$dir/lines.err"

# In the guest: both streams at once, a large file with odd names and modes beside it, something left running.
cat >"$dir/command" <<'END'
./script argument
ls -l /bin/iommutop >/dev/null && iommutop version | head -n 1
cat /folder/inner
seq 1 20000
seq 1 3000 | sed 's/^/err /' >&2
echo also >/dev/stderr
cp big "/output/a big one"
mkdir -p /output/deep/er
echo deep >/output/deep/er/file
chmod 741 /output/deep/er/file
ln -s er /output/deep/link
printf 'no newline at the end'
sleep 1000 &
exit 42
END

results()
{
	local kernel=$1

	rm -rf "$dir/files"
	boot "${@:2}" --file "$dir/script" --file "$dir/folder:/folder" --file "$dir/big" \
		--output "$dir/files/new" --timeout 5m -- "$(cat "$dir/command")"
	check "$kernel: exit code" [ "$code" = 42 ]
	{
		echo "script argument"
		"$iommutop" version | head -n 1
		echo inner
		cat "$dir/lines"
		printf 'no newline at the end'
	} >"$dir/wanted"
	check "$kernel: standard output is intact" same "$dir/wanted" "$dir/out"
	# The first run on a kernel may tell that it builds the reference driver.
	grep -vE '^(modules|kernel)\.sh: ' "$dir/err" >"$dir/err.guest"
	check "$kernel: standard error is intact and apart" same <(cat "$dir/lines.err"; echo also) "$dir/err.guest"
	check "$kernel: 4 MiB come back" same "$dir/big" "$dir/files/new/a big one"
	check "$kernel: directories, modes and links come back" [ \
		"$(stat -c %a "$dir/files/new/deep/er/file") $(cat "$dir/files/new/deep/link/file")" = "741 deep" ]
	check "$kernel: the console is kept" [ -f "$dir/files/new/console.log" ]
	check "$kernel: nothing is left of the run" nothing_left
}

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 source:7.2)
for kernel in "${kernels[@]}"; do
	results "$kernel" --kernel "$kernel"
done

# A kernel without modules beside it: on 6.1 that leaves no virtio-serial, and all comes over one serial port.
if dir61=$("$top/tools/boot/kernel.sh" get debian:6.1 2>"$dir/err"); then
	ln -s "$dir61/vmlinux" "$dir/alone"
	cp --dereference "$dir/alone" "$dir/vmlinux"
	boot --kernel "$dir/vmlinux" --file "$dir/big" --output "$dir/serial" -- 'seq 1 2000; cp big /output; exit 7'
	check "serial port only: exit code" [ "$code" = 7 ]
	check "serial port only: output is intact" same <(seq 1 2000) "$dir/out"
	check "serial port only: 4 MiB come back" same "$dir/big" "$dir/serial/big"
fi

for n in 1 2 3; do
	"$iommutop" boot --kernel "${kernels[0]}" -- "echo guest $n; exit $n" >"$dir/out.$n" 2>"$dir/err.$n" &
	pids[n]=$!
done
ok=0
for n in 1 2 3; do
	wait "${pids[n]}"
	[ $? = "$n" ] && [ "$(cat "$dir/out.$n")" = "guest $n" ] && ok=$((ok + 1))
done
check "three guests side by side" [ $ok = 3 ]
finish
