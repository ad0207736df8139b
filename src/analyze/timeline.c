// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/timeline.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int timeline__init(struct timeline *t)
{
	*t = (struct timeline){ .shift = TIMELINE_SHIFT };
	t->buckets = calloc(TIMELINE_BUCKETS, sizeof(*t->buckets));
	if (!t->buckets)
		return -ENOMEM;
	t->now = t->buckets[0].counts;
	return 0;
}

void timeline__free(struct timeline *t)
{
	free(t->buckets);
	t->buckets = NULL;
}

static __u64 live_bytes(const struct model *m)
{
	__u64 sum = 0;

	idtab__for_each (&m->domains, s)
		sum += ((const struct model_domain *)s->value)->live_bytes;
	return sum;
}

void timeline__update(struct timeline *t, const struct model *m)
{
	struct timeline_bucket *b;
	const __u64 now[TIMELINE_RARE] = {
		[TIMELINE_FAULTS - TIMELINE_FAULTS] = m->total.faults,
		[TIMELINE_HANGS - TIMELINE_FAULTS] = m->total.hangs,
		[TIMELINE_RESETS - TIMELINE_FAULTS] = m->total.resets,
		[TIMELINE_ERRORS - TIMELINE_FAULTS] = m->total.errors,
	};

	if (!t->nr)
		return;
	b = &t->buckets[t->nr - 1];
	for (__u32 i = 0; i < TIMELINE_RARE; i++) {
		b->counts[TIMELINE_FAULTS + i] += now[i] - t->seen[i];
		t->seen[i] = now[i];
	}
	b->live_bytes = live_bytes(m);
}

static void add_heat(struct heat *into, const struct heat *from)
{
	for (__u32 i = 0; i < HEAT_ROWS; i++) {
		into->lazy[i] += from->lazy[i];
		into->strict[i] += from->strict[i];
		into->flush[i] += from->flush[i];
	}
}

/* Two to one: half as many intervals, each twice as wide. */
static void merge_pairs(struct timeline *t)
{
	struct timeline_bucket *b = t->buckets;

	for (__u32 i = 0; i < t->nr; i++) {
		if (!(i & 1)) {
			if (i)
				b[i / 2] = b[i];
			continue;
		}
		for (__u32 n = 0; n < TIMELINE_SERIES; n++)
			b[i / 2].counts[n] += b[i].counts[n];
		b[i / 2].live_bytes = b[i].live_bytes;
		add_heat(&b[i / 2].heat, &b[i].heat);
	}
	t->nr = (t->nr + 1) / 2;
	memset(b + t->nr, 0, (TIMELINE_BUCKETS - t->nr) * sizeof(*b));
	t->shift++;
}

void timeline__advance(struct timeline *t, struct model *m, const struct iot_event *ev)
{
	__u64 at, last;

	if (ev->id >= IOT_EV_DEVICE || ev->flags & IOT_F_SNAPSHOT)
		return;
	if (!t->nr) {
		t->origin = ev->ts;
		t->nr = 1;
	}
	timeline__update(t, m);
	while ((ev->ts - t->origin) >> t->shift >= TIMELINE_BUCKETS)
		merge_pairs(t);
	at = (ev->ts - t->origin) >> t->shift;
	for (; t->nr <= at; t->nr++)
		t->buckets[t->nr].live_bytes = t->buckets[t->nr - 1].live_bytes;
	last = ((at + 1) << t->shift) - 1;
	t->next = last < UINT64_MAX - t->origin ? t->origin + last + 1 : UINT64_MAX;
	t->now = t->buckets[at].counts;
	m->heat = &t->buckets[at].heat;
}
