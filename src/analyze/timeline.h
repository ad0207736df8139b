/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happened when: the session cut into at most TIMELINE_BUCKETS equal intervals, with counters,
 * the memory that is mapped, and histograms of windows and flush lengths for each. Nobody knows
 * beforehand how long a session is, so intervals begin narrow; when time runs over the end of the
 * last one, neighbours are merged in pairs and each interval is twice as wide.
 *
 * Costs one comparison an event: counters aren't kept here, but are the growth of the model's
 * totals between the begin and the end of an interval. So the sum over all intervals is the total.
 */
#ifndef IOMMUTOP_ANALYZE_TIMELINE_H
#define IOMMUTOP_ANALYZE_TIMELINE_H

#include "event.h"
#include "model/model.h"

#define TIMELINE_BUCKETS 512U
#define TIMELINE_SHIFT   10U /* intervals are 2^10 ns wide at first */

enum timeline_series {
	TIMELINE_MAPS,
	TIMELINE_MAP_BYTES,
	TIMELINE_MAP_FAILED,
	TIMELINE_UNMAPS,
	TIMELINE_UNMAP_BYTES,
	TIMELINE_FAULTS,
	TIMELINE_HANGS,
	TIMELINE_RESETS,
	TIMELINE_FLUSHES, /* + IOT_WHY_* */
	TIMELINE_SERIES = TIMELINE_FLUSHES + MODEL_WHY_NR,
};

struct timeline_bucket {
	__u64 counts[TIMELINE_SERIES];
	__u64 live_bytes; /* mapped at its end, in all domains, by maps that were seen */
	struct model_heat heat;
};

/* Interval n is from origin + (n << shift) to origin + (n + 1 << shift), its end not included. */
struct timeline {
	struct timeline_bucket *buckets;
	__u64 origin; /* ns: first event that isn't a table or a snapshot */
	__u64 next;   /* ns: the interval in hand ends here; 0 = nothing has happened yet */
	__u32 shift;
	__u32 nr;                    /* intervals begun; the last is the one in hand */
	__u64 seen[TIMELINE_SERIES]; /* the totals, as far as they are in buckets */
};

int timeline__init(struct timeline *t); /* 0 or -ENOMEM */
void timeline__free(struct timeline *t);

/* The slow half of timeline__event(). */
void timeline__advance(struct timeline *t, struct model *m, const struct iot_event *ev);

/* Before the model takes the event. Events before the interval in hand count in it. */
static inline void timeline__event(struct timeline *t, struct model *m, const struct iot_event *ev)
{
	if (ev->ts >= t->next)
		timeline__advance(t, m, ev);
}

/* Brings the interval in hand up to date. More events may follow. */
void timeline__update(struct timeline *t, const struct model *m);

#endif
