/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What strict or lazy costs a domain as it is, and an estimate of what the other would: the price
 * of strict is time in flushes, that of lazy is memory that a device can still reach after its
 * unmap.
 */
#ifndef IOMMUTOP_ANALYZE_WHATIF_H
#define IOMMUTOP_ANALYZE_WHATIF_H

#include <stdbool.h>

#include "analyze/analysis.h"

/* Of the kernel's flush queue: entries a CPU, and the timer (IOVA_FQ_SIZE, IOVA_FQ_TIMEOUT,
 * drivers/iommu/dma-iommu.c). */
#define WHATIF_QUEUE   256U
#define WHATIF_TIMEOUT 10000000ULL /* ns */

struct whatif {
	__u64 span; /* ns that were watched */
	struct {
		__u64 unmaps;
		__u64 flushes, ns;   /* syncs, and how long they took in all */
		__u64 lazy_flushes;  /* estimate: as many there would be with a flush queue */
		double lazy_exposed; /* estimate, at most: bytes times seconds */
	} strict;                    /* unmaps 0 = none were strict */
	struct {
		__u64 unmaps, covered;
		double exposed;      /* bytes times seconds, of those covered */
		double exposed_mean; /* bytes at any time, on average */
		__u64 window_max;    /* ns */
		__u64 waiting;       /* unmaps that no flush had covered at the end */
		__u64 strict_ns;     /* estimate: what as many flushes would take, 0 = not known */
		__u64 flush_mean;    /* … at so much each, ns */
		bool by_sync; /* … as syncs of this domain took; else as flushes of all did */
	} lazy;               /* unmaps 0 = none were lazy */
};

/* Of what was in scope; d->stats must be up to date (analysis__finish()). */
struct whatif whatif__domain(const struct analysis *a, const struct model_domain *d);

#endif
