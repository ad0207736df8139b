#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# /init of a test guest: sets up, runs the command, hands over its output, files and exit code, reboots.
# What the guest shall do is in /etc/boot.conf (shell variables) and /etc/boot.command (shell script).
#
# Channels to the host: ttyS0 is the console; frames (RS @NONCE WORD ARGUMENT LF) go over ttyS1; the command's
# output and files go over virtio-serial ports, or between the frames over ttyS1 where there is no virtio-serial.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root TERM=linux

# Brings up the network interfaces that --device made: the last byte of the MAC address is the number of the network.
# Others (with a MAC given by hand, virtual functions) are left alone.
net_up()
{
	local nic mac tries ours=
	for nic in /sys/class/net/*; do
		read -r mac <"$nic/address"
		case $mac in
		52:54:00:69:6f:*) ;;
		*) continue ;;
		esac
		ours="$ours $nic"
		ip addr add "10.0.$((0x${mac##*:})).15/24" dev "${nic##*/}" 2>/dev/null
		ip link set "${nic##*/}" up || return 1
	done
	for nic in $ours; do
		tries=0
		until [ "$(cat "$nic/carrier" 2>/dev/null)" = 1 ]; do
			tries=$((tries + 1))
			[ $tries -lt 200 ] || { echo "${nic##*/} has no link after 10 s"; return 1; }
			usleep 50000
		done
	done
}

if [ "${0##*/}" = net-up ]; then
	net_up
	exit
fi

/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts 2>/dev/null
mount -t tmpfs tmpfs /dev/shm 2>/dev/null
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
mount -t bpf bpf /sys/fs/bpf 2>/dev/null
mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
ln -sf /proc/self/fd /dev/fd
ln -sf /proc/self/fd/0 /dev/stdin
ln -sf /proc/self/fd/1 /dev/stdout
ln -sf /proc/self/fd/2 /dev/stderr
ln -sf boot "/lib/modules/$(uname -r)"
ip link set lo up 2>/dev/null
hostname guest
. /etc/boot.conf

stty -F /dev/ttyS1 115200 raw -echo
exec 3>/dev/ttyS1
frame() { printf '\036@%s %s\n' "$NONCE" "$*" >&3; }
end()
{
	# A reset drops what the UART still holds; setting a terminal's mode waits until it was sent.
	stty -F /dev/ttyS1 raw -echo
	echo b >/proc/sysrq-trigger
	while :; do sleep 1; done
}
fail()
{
	frame "fail $*"
	end
}
frame start

# load MODULE...: an error of modprobe is the reason of the failure.
load()
{
	local module said
	for module in "$@"; do
		said=$(modprobe "$module" 2>&1) ||
			fail "modprobe $module: ${said:-failed} ($(dmesg | tail -n 1))"
	done
}

# port NAME: the device of a virtio-serial port, empty if there is none.
port()
{
	local entry
	for entry in /sys/class/virtio-ports/*; do
		[ "$(cat "$entry/name" 2>/dev/null)" != "$1" ] || echo "/dev/${entry##*/}"
	done
}

# An IOMMU's driver comes first: until it is there, the core puts off every device behind it.
load $IOMMU_MODULES
if [ -n "$VIRTIO_SERIAL" ]; then
	load $VIRTIO_SERIAL
	tries=0
	until [ -n "$(port files)" ] || [ $tries -ge 500 ]; do
		tries=$((tries + 1))
		usleep 20000
	done
fi
out=$(port out)
err=$(port err)
files=$(port files)
load $DRIVERS
if [ -n "$NET" ]; then
	said=$(net_up 2>&1) || fail "network: $said"
fi

# The command writes to pipes, not to the ports: a port can be opened only once, /dev/stderr as often as one likes.
mkfifo /run/out /run/err
{ cat /run/out >"${out:-/dev/ttyS1}"; : >/run/out.done; } &
{ cat /run/err >"${err:-/dev/ttyS1}"; : >/run/err.done; } &
cd /root || fail "no /root"
frame run
sh /etc/boot.command </dev/null >/run/out 2>/run/err 3>&-
code=$?

# drained TRIES: what the command wrote has been passed on. Never so while something it left running holds the pipes.
drained()
{
	local tries=0
	until [ -e /run/out.done ] && [ -e /run/err.done ]; do
		tries=$((tries + 1))
		[ $tries -lt "$1" ] || return 1
		usleep 20000
	done
}

if ! drained 25; then
	for proc in /proc/[0-9]*; do
		pid=${proc#/proc/}
		case $(tr '\0' ' ' <"$proc/cmdline" 2>/dev/null) in
		'' | 'cat /run/'* | *' /init '* | '/init '*) ;;
		*) [ "$pid" = 1 ] || kill -9 "$pid" 2>/dev/null ;;
		esac
	done
	drained 500 || frame "note output of processes left running was cut off"
fi

if [ -n "$(ls -A /output)" ]; then
	if [ -n "$files" ]; then
		tar -cf - -C /output . >"$files" || fail "packing the output folder failed"
		frame files
	else
		tar -cf /run/files.tar -C /output . || fail "packing the output folder failed (memory?)"
		frame "data $(stat -c %s /run/files.tar)"
		cat /run/files.tar >&3
	fi
fi
frame "exit $code"
end
