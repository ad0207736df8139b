#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Makes vmlinux/ARCH/vmlinux.h: the kernel types that bpf/ really touches, member by member, out of a kernel's BTF.
# Needed again only when bpf/ reads a member that the header lacks. CO-RE moves offsets at load time, so one kernel's
# header serves all; members that exist on other kernels only are declared as flavours in bpf/kernel.h.
set -eu

if [ $# -ne 2 ]; then
	echo "usage: vmlinux/make.sh ARCH VMLINUX   (ARCH: x86; VMLINUX: an ELF kernel with .BTF, or /sys/kernel/btf/vmlinux)" >&2
	exit 2
fi
arch=$1 btf=$2
top=$(cd "$(dirname "$0")/.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# 1. compile bpf/ against everything the kernel has; 2. keep what the relocations name
bpftool btf dump file "$btf" format c >"$tmp/vmlinux.h"
for f in "$top"/bpf/*.bpf.c; do
	clang -g -O2 -target bpf -mcpu=v3 "-D__TARGET_ARCH_$arch" -I"$tmp" -I"$top/src" -I"$top/bpf" \
		-c "$f" -o "$tmp/$(basename "$f" .c).o"
done
bpftool gen min_core_btf "$btf" "$tmp/min.btf" "$tmp"/*.bpf.o
bpftool btf dump file "$tmp/min.btf" format c >"$tmp/min.h"

mkdir -p "$top/vmlinux/$arch"
{
	cat <<-'HEAD'
	/* SPDX-License-Identifier: GPL-2.0-only */
	/* Made by vmlinux/make.sh; don't edit. Offsets mean nothing here: every access is relocated at load time. */
	#ifndef __VMLINUX_H__
	#define __VMLINUX_H__

	typedef signed char __s8;
	typedef unsigned char __u8;
	typedef short __s16;
	typedef unsigned short __u16;
	typedef int __s32;
	typedef unsigned int __u32;
	typedef unsigned long long __u64;
	typedef __u64 u64;
	typedef __u8 u8;
	typedef __u32 u32;
	typedef __u16 __be16;
	typedef __u32 __be32;
	typedef __u32 __wsum;

	/* include/uapi/linux/bpf.h */
	enum bpf_map_type {
		BPF_MAP_TYPE_HASH = 1,
		BPF_MAP_TYPE_ARRAY = 2,
		BPF_MAP_TYPE_STACK_TRACE = 7,
		BPF_MAP_TYPE_LRU_HASH = 9,
		BPF_MAP_TYPE_RINGBUF = 27,
	};
	enum {
		BPF_ANY = 0,
		BPF_NOEXIST = 1,
		BPF_F_FAST_STACK_CMP = 512,
		BPF_F_MMAPABLE = 1024,
		BPF_RB_NO_WAKEUP = 1,
	};

	HEAD
	# the guard stands above; padding is noise, since offsets are relocated
	sed -e '/^#ifndef __VMLINUX_H__$/,/^#define __VMLINUX_H__$/d' -e '/^\t*\(long\|int\|short\|char\): [0-9]*;$/d' "$tmp/min.h" |
		cat -s
} >"$tmp/out.h"
mv "$tmp/out.h" "$top/vmlinux/$arch/vmlinux.h"
echo "vmlinux/$arch/vmlinux.h: $(wc -l <"$top/vmlinux/$arch/vmlinux.h") lines" >&2
