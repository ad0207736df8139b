#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Installs the Debian packages that building, the demo and the tests need, if it may; else prints the list and stops.
set -eu

build="gcc gcc-12 make binutils clang bpftool libbpf-dev libelf-dev zlib1g-dev libzstd-dev libjson-c-dev libyaml-dev libc6-dev"
# tools/boot: booting, unpacking kernels, building linux-source and the reference driver's modules
boot="qemu-system-x86 seabios busybox-static xz-utils zstd kmod dwarves bc flex bison libssl-dev perl python3 rsync cpio"
tests="libcmocka-dev babeltrace2 mandoc clang-format shellcheck trace-cmd bpftrace gdb jq protobuf-compiler libclang-rt-14-dev \
	libxml2-utils python3-yaml"
# the HTML report in a real browser; node drives it
browser="chromium nodejs"
# readers of Parquet come from npm; a newer Node.js than Debian's brings its own and won't have Debian's beside it
npm=
command -v npm >/dev/null || npm=npm

# the architecture's own name for QEMU comes with qemu-system-x86; everything above is in Debian 12's main
all="$build $boot $tests $browser $npm"
missing=
for p in $all; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

say_and_stop() {
	printf '%s\nInstall these packages (names of Debian 12) and try again:\n  %s\n' "$1" "${missing# }" >&2
	exit 1
}
command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
	say_and_stop "iommutop's tests need packages, and this is no Debian."
[ "$(id -u)" = 0 ] || say_and_stop "Packages are missing, and only root may install them: sudo apt-get install …"

echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null
