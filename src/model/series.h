/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOVA allocations over time, in a fixed number of bins: when time runs past the last one, two
 * neighbours become one. So the length of a capture needs not be known, and at its end at least
 * half of the bins are in use.
 */
#ifndef IOMMUTOP_MODEL_SERIES_H
#define IOMMUTOP_MODEL_SERIES_H

#include "event.h"

#define SERIES_BINS 64U

struct series_bin {
	__u64 allocs, slow, failed, frees;
	__u64 timed, ns; /* allocations whose length is known, and their sum */
};

struct series {
	__u64 begin, last; /* ns, of the first and the last event; begin 0 = none */
	__u64 width;       /* of a bin, ns */
	struct series_bin bins[SERIES_BINS];
};

void series__add(struct series *s, const struct iot_iova *ev);

/* How many bins are in use. */
__u32 series__used(const struct series *s);
/* The sum of bins [from, to), and in *ns how long they are. */
struct series_bin series__sum(const struct series *s, __u32 from, __u32 to, __u64 *ns);

#endif
