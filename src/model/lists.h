/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which maps belong together. One call that maps a scatter list writes one MAP event for each
 * physically contiguous run, one behind the other; no event says which call it was. Maps are taken
 * for one list if they
 *  - follow each other on one CPU, in the same task and outside or inside of interrupts alike,
 *  - begin where the one before ended, in the same domain,
 *  - come at most LISTS_GAP_NS apart, and
 *  - have no unmap, no flush but those after map, no IOVA allocation or free and no failed map
 *    between them.
 * So two calls whose addresses happen to touch count as one unless IOVA events are recorded, and
 * one list that was interrupted for long or moved to another CPU as two.
 */
#ifndef IOMMUTOP_MODEL_LISTS_H
#define IOMMUTOP_MODEL_LISTS_H

#include <stdbool.h>

#include "event.h"

#define LISTS_CPUS   1024U
#define LISTS_GAP_NS 1000000ULL

struct list_open {
	__u64 next; /* first byte behind the last map */
	__u64 ts;
	__u64 nr; /* maps; 0 = no list is open */
	__u32 tid, domain;
};

struct lists {
	struct list_open open[LISTS_CPUS * 2]; /* by CPU and whether in an interrupt */
};

static inline struct list_open *lists__place(struct lists *l, const struct iot_event *ev)
{
	return &l->open[ev->cpu % LISTS_CPUS * 2 + (ev->flags & IOT_F_IRQ)];
}

/* A map that succeeded: how many maps its list has with it; 1 = it begins one. */
static inline __u64 lists__map(struct lists *l, const struct iot_map *ev)
{
	struct list_open *o = lists__place(l, &ev->h);

	if (!o->nr || o->next != ev->iova || o->tid != ev->h.tid || o->domain != ev->h.domain ||
	    ev->h.ts - o->ts > LISTS_GAP_NS)
		o->nr = 0;
	o->next = ev->iova + ev->size;
	o->ts = ev->h.ts;
	o->tid = ev->h.tid;
	o->domain = ev->h.domain;
	return ++o->nr;
}

/* Any other event that ends a list. */
static inline void lists__end(struct lists *l, const struct iot_event *ev)
{
	lists__place(l, ev)->nr = 0;
}
_Static_assert(IOT_F_IRQ == 1, "lists__place() adds it");

#endif
