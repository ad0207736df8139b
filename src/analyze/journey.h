/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that touched one address over time, in every domain: allocated, mapped, unmapped,
 * covered by a flush, freed, mapped again, faulted. The newest JOURNEY_STEPS are kept.
 */
#ifndef IOMMUTOP_ANALYZE_JOURNEY_H
#define IOMMUTOP_ANALYZE_JOURNEY_H

#include <stdbool.h>

#include "event.h"
#include "model/model.h"

#define JOURNEY_STEPS   4096U
#define JOURNEY_DOMAINS 256U

struct journey_step {
	union {
		struct iot_event h;
		struct iot_map map;
		struct iot_unmap unmap;
		struct iot_flush flush;
		struct iot_iova iova;
		struct iot_fault fault;
	};
	__u32 domain; /* of the address: a fault may not say it itself */
	/* ns: map: since the unmap before; unmap: since the map; flush: since the unmap that it
	 * covers; fault: since the map or, when it is not mapped, the unmap. 0 = not known. */
	__u64 since;
	bool unflushed; /* map, free, fault: the unmap before is covered by no flush yet */
	bool mapped;    /* fault: the address is mapped; map: it was already */
	bool has_below, has_above;
	struct range below, above; /* fault, not mapped: live neighbours */
};

struct journey_domain {
	__u32 nr; /* 0 = not known */
	bool mapped, waiting;
	__u64 map_ts, unmap_ts; /* 0 = not seen */
	__u64 maps;
	__u32 gather, mode; /* of the unmap that waits */
};

struct journey {
	__u64 iova;
	struct journey_step *steps; /* ring */
	__u64 nr;                   /* of all, kept or not */
	struct journey_domain domains[JOURNEY_DOMAINS];
	__u32 nr_domains;
	__u64 domains_dropped; /* events of further domains */
};

int journey__new(struct journey **out, __u64 iova); /* 0 or -ENOMEM */
void journey__free(struct journey *j);              /* NULL is fine */

/* Each event in scope, after the model has taken it. */
void journey__event(struct journey *j, struct model *m, const struct iot_event *ev);

/* Steps from the first one that is kept: i below journey__kept(). */
__u64 journey__kept(const struct journey *j);
const struct journey_step *journey__step(const struct journey *j, __u64 i);

#endif
