#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# --cost: time is counted instructions, so two runs agree in every byte, even side by side.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/boot_lib.sh"

for kernel in debian:6.1 source:7.2; do
	for n in 1 2; do
		"$iommutop" boot --cost --kernel "$kernel" --append ignore_loglevel --output "$dir/$n" -- \
			'cat /proc/uptime; dmesg; i=0; while [ $i -lt 500 ]; do i=$((i + 1)); done; dmesg | sha256sum
			nproc; cat /proc/uptime; cp /proc/uptime /output/' >"$dir/out.$n" 2>"$dir/err" &
	done
	wait
	check "$kernel: the guest printed its times" grep -qE '^\[ +[0-9]+\.[0-9]{6}\]' "$dir/out.1"
	check "$kernel: two runs print the same" same "$dir/out.1" "$dir/out.2"
	check "$kernel: two consoles are the same" same "$dir/1/console.log" "$dir/2/console.log"
	check "$kernel: one CPU" grep -qx 1 "$dir/out.1"
done
finish
