/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel side counts by domain (struct iot_counts), told as IOT_EV_TALLY. */
#ifndef IOMMUTOP_COLLECT_TALLY_H
#define IOMMUTOP_COLLECT_TALLY_H

#include "collect/facts.h"
#include "shared.h"

struct tally {
	struct iot_counts *counts; /* of all CPUs; NULL: nothing is counted */
	const struct iot_dom *doms;
	uint32_t nr_cpus, nr_places;
	uint64_t begin; /* ns: when counting began */
};

/* The domain at place is gone: tells its counts and clears them for the next one there. 0, or the
 * error of add(). */
int tally__gone(struct tally *t, uint32_t place, facts_add add, void *ctx);
/* The capture ends: the same for all that are left, and for what had no domain. */
int tally__end(struct tally *t, facts_add add, void *ctx);

#endif
