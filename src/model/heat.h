/* SPDX-License-Identifier: GPL-2.0-only */
/* Windows and flush lengths of a span of time, for heat maps: coarser than struct hist, two rows
 * for each power of two. */
#ifndef IOMMUTOP_MODEL_HEAT_H
#define IOMMUTOP_MODEL_HEAT_H

#include <linux/types.h>

/* 0..3 and 4..7 are rows 0 and 1; 2^42 ns (73 minutes) and above are in the last one. */
#define HEAT_ROWS 80U

struct heat {
	__u64 lazy[HEAT_ROWS], strict[HEAT_ROWS], flush[HEAT_ROWS];
};

static inline __u32 heat__row(__u64 ns)
{
	__u32 log, row;

	if (ns < 8)
		return (__u32)ns / 4;
	log = 63 - (__u32)__builtin_clzll(ns);
	row = 2 * (log - 2) + (__u32)(ns >> (log - 1) & 1);
	return row < HEAT_ROWS ? row : HEAT_ROWS - 1;
}

/* The lowest value of a row; heat__low(HEAT_ROWS) is the nominal end of the last one. */
static inline __u64 heat__low(__u32 row)
{
	return row < 2 ? 4 * row : (__u64)(2 + row % 2) << (row / 2 + 1);
}

#endif
