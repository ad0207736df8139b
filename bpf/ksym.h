/* SPDX-License-Identifier: GPL-2.0-only */
/* What bpf/symbols.bpf.c and src/collect/symbols.c share. */
#ifndef IOMMUTOP_BPF_KSYM_H
#define IOMMUTOP_BPF_KSYM_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define IOT_SYMBOL_NAME    64 /* with the zero at its end; longer names aren't asked for */
#define IOT_SYMBOLS_MAX    1024
#define IOT_SYMBOLS_FILTER 64 /* words of 64 bits, a power of two */

struct iot_symbols_ask {
	__u64 filter[IOT_SYMBOLS_FILTER]; /* a bit for the begin of each name: symbols__bit() */
	__u64 addr;
	char text[256];
};

struct iot_symbol_found {
	__u64 addr;
	char name[IOT_SYMBOL_NAME];
	char module[56];
	char type; /* as in /proc/kallsyms */
	char pad[7];
};

/* head: the first 8 bytes of a name as this machine reads a number, zeros behind its end. */
static inline __attribute__((always_inline)) __u32 symbols__bit(__u64 head)
{
	return (__u32)(head * 0x9e3779b97f4a7c15ULL >> 32) & (IOT_SYMBOLS_FILTER * 64 - 1);
}

#endif
