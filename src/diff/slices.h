/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One session, cut into slices of equally many events. How many events there are isn't known
 * beforehand: when all slices are full, neighbours are merged and each takes twice as many.
 */
#ifndef IOMMUTOP_DIFF_SLICES_H
#define IOMMUTOP_DIFF_SLICES_H

#include "event.h"
#include "model/model.h"

#define SLICES_MAX   128U
#define SLICES_FIRST 256U /* events of the first slices */

struct slice_hist {
	__u64 nr, sum;
	__u64 buckets[HIST_BUCKETS];
};

/* Counters that only grow, and nothing else: slices are added and subtracted word by word. */
struct slice {
	__u64 ns; /* how long it is */
	__u64 maps, map_bytes, map_failed;
	__u64 unmaps, unmaps_lazy, unmap_bytes;
	__u64 flushes[STATS_WHY_NR];
	struct slice_hist lazy, strict, flush; /* windows and lengths of flushes, ns */
};

struct slices {
	struct slice *list; /* SLICES_MAX */
	size_t nr;          /* finished */
	__u64 per_slice;    /* events */
	__u64 events;       /* of the slice in hand */
	__u64 began;        /* ns: the first one began; 0 = not yet */
	struct slice seen;  /* the totals at the begin of the slice in hand; ns: that moment */
};

int slices__init(struct slices *s); /* 0 or -ENOMEM */
void slices__free(struct slices *s);

void slices__cut(struct slices *s, const struct model *m, __u64 ts);

/* After the model has taken the event. What isn't in scope is in no slice, but its time is. */
static inline void slices__event(struct slices *s, const struct model *m,
				 const struct iot_event *ev)
{
	if (ev->id > IOT_EV_IOVA_FREE || !m->in_scope)
		return;
	if (!s->began)
		s->began = ev->ts;
	if (++s->events >= s->per_slice)
		slices__cut(s, m, ev->ts);
}

/* The last slice, if it is at least half full; it ends at ts. */
void slices__end(struct slices *s, const struct model *m, __u64 ts);

#endif
