/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happened when: the session cut into at most TIMELINE_BUCKETS equal intervals, with counters,
 * the memory that is mapped, and histograms of windows and flush lengths for each. Nobody knows
 * beforehand how long a session is, so intervals begin narrow; when time runs over the end of the
 * last one, neighbours are merged in pairs and each interval is twice as wide.
 *
 * The sum over all intervals is the model's total: a map, an unmap or a flush counts in the
 * interval of its own time; faults, hangs, resets and errors in the one in which the model's total
 * grew, because src/analyze knows which are one seen twice; a window in the one in which it ended.
 * Only what is in scope counts, but time and mapped memory follow every event.
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
	TIMELINE_FLUSHES, /* + IOT_WHY_* */
	TIMELINE_FAULTS = TIMELINE_FLUSHES + STATS_WHY_NR,
	TIMELINE_HANGS,
	TIMELINE_RESETS,
	TIMELINE_ERRORS,
	TIMELINE_SERIES,
};
#define TIMELINE_RARE (TIMELINE_SERIES - TIMELINE_FAULTS)

struct timeline_bucket {
	__u64 counts[TIMELINE_SERIES];
	__u64 live_bytes; /* mapped at its end, in all domains, by maps that were seen */
	struct heat heat;
};

/* Interval n is from origin + (n << shift) to origin + (n + 1 << shift), its end not included. */
struct timeline {
	struct timeline_bucket *buckets;
	__u64 *now;   /* counts of the interval in hand */
	__u64 origin; /* ns: first event that isn't a table or a snapshot */
	__u64 next;   /* ns: the interval in hand ends here; 0 = nothing has happened yet */
	__u32 shift;
	__u32 nr;                  /* intervals begun; the last is the one in hand */
	__u64 seen[TIMELINE_RARE]; /* totals of faults and so on, as far as they are in buckets */
};

int timeline__init(struct timeline *t); /* 0 or -ENOMEM */
void timeline__free(struct timeline *t);

/* The slow half of timeline__event(). */
void timeline__advance(struct timeline *t, struct model *m, const struct iot_event *ev);

/* Before the model takes the event, whose length has been checked. Events before the interval in
 * hand count in it. */
static inline void timeline__event(struct timeline *t, struct model *m, const struct iot_event *ev)
{
	const void *body = ev;

	if (ev->ts >= t->next)
		timeline__advance(t, m, ev);
	if (!m->in_scope)
		return;
	if (ev->id == IOT_EV_MAP) {
		const struct iot_map *map = body;

		t->now[map->ret ? TIMELINE_MAP_FAILED : TIMELINE_MAPS]++;
		t->now[TIMELINE_MAP_BYTES] += map->ret ? 0 : map->size;
	} else if (ev->id == IOT_EV_UNMAP) {
		t->now[TIMELINE_UNMAPS]++;
		t->now[TIMELINE_UNMAP_BYTES] += ((const struct iot_unmap *)body)->unmapped;
	} else if (ev->id == IOT_EV_FLUSH) {
		__u8 why = ((const struct iot_flush *)body)->why;

		t->now[TIMELINE_FLUSHES + (why < STATS_WHY_NR ? why : IOT_WHY_UNKNOWN)]++;
	}
}

/* Brings the interval in hand up to date. More events may follow. */
void timeline__update(struct timeline *t, const struct model *m);

#endif
