// SPDX-License-Identifier: GPL-2.0-only
#include "collect/tally.h"

#include <stdbool.h>
#include <string.h>

static void raise(__u64 *max, __u64 value)
{
	if (value > *max)
		*max = value;
}

static void add_cpu(struct iot_tally *e, const struct iot_counts *c)
{
	raise(&e->begin, c->begin);
	e->maps += c->maps;
	e->map_bytes += c->map_bytes;
	e->map_errors += c->map_errors;
	e->unmaps += c->unmaps;
	e->unmap_bytes += c->unmap_bytes;
	e->short_unmaps += c->short_unmaps;
	e->faults += c->faults;
	e->hangs += c->hangs;
	e->tables_allocated += c->tables_allocated;
	e->tables_freed += c->tables_freed;
	raise(&e->teardown_longest, c->teardown_longest);
	e->flushes += c->flushes;
	raise(&e->flush_longest, c->flush_longest);
	for (size_t i = 0; i < IOT_TALLY_LOG2; i++)
		e->flush[i] += c->flush[i];
}

/*
 * A domain that was there before, or that a map was seen of before anything else, may have begun
 * with something mapped. One that didn't begin with its first table may have had tables before
 * they were counted, if its driver's are at all.
 */
static __u32 older(const struct iot_dom *d, const struct iot_tally *e, uint64_t begin)
{
	if (e->begin < begin || d->seen_by == IOT_SEEN_SNAPSHOT || d->seen_by == IOT_SEEN_EVENT)
		return IOT_TALLY_OLDER;
	return d->seen_by != IOT_SEEN_TABLE && (e->tables_allocated || e->tables_freed)
		       ? IOT_TALLY_TABLES_OLDER
		       : 0;
}

/*
 * A domain whose driver's free is hooked keeps its place until that has ended. Without, or if the
 * capture ends before, pages of tables go back that no domain is known for.
 */
static __u32 freed_unseen(const struct iot_dom *d)
{
	bool dead = d->ptr == IOT_DOM_DEAD, waited = d->life & IOT_DOM_GOING;

	return dead != waited ? IOT_TALLY_FREE_UNSEEN : 0;
}

/* place: nr_places = what has no domain. */
static int tell(struct tally *t, uint32_t place, facts_add add, void *ctx)
{
	const struct iot_dom *d = place < t->nr_places ? &t->doms[place] : NULL;
	struct iot_tally e;

	facts__header(&e.h, IOT_EV_TALLY, sizeof(e));
	for (uint32_t cpu = 0; cpu < t->nr_cpus; cpu++) {
		struct iot_counts *c = &t->counts[(size_t)cpu * (t->nr_places + 1) + place];

		add_cpu(&e, c);
		memset(c, 0, sizeof(*c));
	}
	e.last = 1;
	if (d) {
		e.h.domain = d->id;
		e.h.dev = d->dev;
		e.snapshot = older(d, &e, t->begin) | freed_unseen(d);
	}
	raise(&e.begin, t->begin);
	return add(ctx, &e.h);
}

int tally__gone(struct tally *t, uint32_t place, facts_add add, void *ctx)
{
	return t->counts ? tell(t, place, add, ctx) : 0;
}

int tally__end(struct tally *t, facts_add add, void *ctx)
{
	int err = 0;

	for (uint32_t i = 0; t->counts && !err && i < t->nr_places; i++)
		if (t->doms[i].ptr > IOT_DOM_BUSY)
			err = tell(t, i, add, ctx);
	return t->counts && !err ? tell(t, t->nr_places, add, ctx) : err;
}
