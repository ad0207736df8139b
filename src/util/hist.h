/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log-linear histogram: a plain array of HIST_BUCKETS counters, the same in BPF maps and in user
 * space.
 *
 * Each power of two is cut into 8 equal buckets, so a bucket is at most 1/8 of its lowest value
 * wide: a value given back as the middle of its bucket is off by 1/16 (6.25 %) at most. 0..15 have
 * a bucket each. Values of 2^42 and above (73 minutes in ns) fall into the last bucket.
 */
#ifndef IOMMUTOP_UTIL_HIST_H
#define IOMMUTOP_UTIL_HIST_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define HIST_SUB_BITS 3
#define HIST_BUCKETS  320

/* clang turns the ladder into selects, which BPF hasn't: twice the instructions. This keeps it a
 * ladder of branches. */
#define HIST_BRANCH(v) __asm__ volatile("" : "+r"(v))

/* One compare for each step that isn't taken, three instructions for one that is: BPF has no
 * count-leading-zeros. */
static inline __attribute__((always_inline)) __u32 hist__bucket(__u64 v)
{
	__u64 base = 0;

	if (v >= 1U << 19) {
		HIST_BRANCH(v);
		v >>= 16;
		base = 16 << HIST_SUB_BITS;
	}
	if (v >= 1U << 19) {
		HIST_BRANCH(v);
		v >>= 16;
		base += 16 << HIST_SUB_BITS;
	}
	if (v >= 1U << 11) {
		HIST_BRANCH(v);
		v >>= 8;
		base += 8 << HIST_SUB_BITS;
	}
	if (v >= 1U << 7) {
		HIST_BRANCH(v);
		v >>= 4;
		base += 4 << HIST_SUB_BITS;
	}
	if (v >= 1U << 5) {
		HIST_BRANCH(v);
		v >>= 2;
		base += 2 << HIST_SUB_BITS;
	}
	if (v >= 1U << 4) {
		HIST_BRANCH(v);
		v >>= 1;
		base += 1 << HIST_SUB_BITS;
	}
	base += v;
	return base < HIST_BUCKETS ? (__u32)base : HIST_BUCKETS - 1;
}

/* The lowest value of a bucket; hist__low(HIST_BUCKETS) is the end of the last one. */
static inline __attribute__((always_inline)) __u64 hist__low(__u32 bucket)
{
	__u32 shift = bucket >> HIST_SUB_BITS;

	if (shift < 2)
		return bucket;
	return (__u64)((1U << HIST_SUB_BITS) + (bucket & ((1U << HIST_SUB_BITS) - 1)))
	       << (shift - 1);
}

#ifndef __VMLINUX_H__
/* The rest is user space only (hist.c). counts has HIST_BUCKETS entries. */

__u64 hist__total(const __u64 *counts);

/*
 * The value below or at which q (0 to 1) of the samples lie: the middle of the bucket that holds
 * it, so within 6.25 %. 0 if there are no samples.
 */
__u64 hist__percentile(const __u64 *counts, double q);

/* A histogram with its exact extremes and mean. All zero = empty. */
struct hist {
	__u64 counts[HIST_BUCKETS];
	__u64 nr;
	__u64 sum;
	__u64 min;
	__u64 max;
};

void hist__add(struct hist *h, __u64 v);
void hist__merge(struct hist *into, const struct hist *from);
/* As hist__percentile(), but never outside the exact min and max; q >= 1 is the exact max. */
__u64 hist__value(const struct hist *h, double q);
#endif

#endif
