// SPDX-License-Identifier: GPL-2.0-only
#include "collect/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/facts.h"

struct live {
	struct iot_state *state;
	struct iot_dom *doms;
	struct iot_live *counters;
	const struct iot_live_submit *submits;
	uint32_t nr_cpus, nr_domains;
	struct live_row *gone;
	size_t nr_gone;
};

struct live *live__new(struct iot_state *state, struct iot_live *counters,
		       const struct iot_live_submit *submits, const struct iot_knobs *knobs)
{
	struct live *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->state = state;
	l->doms = state->doms;
	l->counters = counters;
	l->submits = submits;
	l->nr_cpus = knobs->nr_cpus;
	l->nr_domains = knobs->dom_mask + 1;
	return l;
}

void live__free(struct live *l)
{
	if (!l)
		return;
	free(l->gone);
	free(l);
}

static void add_cpu(struct live_row *row, const struct iot_live *c)
{
	row->maps += c->maps;
	row->map_bytes += c->map_bytes;
	row->unmaps_strict += c->unmaps_strict;
	row->unmaps_lazy += c->pend_head + c->pend_overflow;
	row->unmap_bytes += c->unmap_bytes;
	for (size_t i = 0; i < IOT_WHY_NR; i++)
		row->flushes[i] += c->flushes[i];
	row->flush_ns += c->flush_ns;
	row->unmeasured += c->pend_overflow + c->pend_dropped;
	row->pending += c->pend_head - c->pend_tail;
	for (size_t lazy = 0; lazy < 2; lazy++) {
		if (c->window_max[lazy] > row->window_max[lazy])
			row->window_max[lazy] = c->window_max[lazy];
		for (size_t i = 0; i < HIST_BUCKETS; i++)
			row->window[lazy][i] += c->window[lazy][i];
	}
}

static void read_row(const struct live *l, uint32_t place, struct live_row *row)
{
	const struct iot_dom *d = &l->doms[place];

	memset(row, 0, sizeof(*row));
	row->domain = d->id;
	row->nr_devs = d->nr_devs;
	row->dev = d->dev;
	row->group = d->group;
	row->type = d->type;
	for (uint32_t cpu = 0; l->counters && cpu < l->nr_cpus; cpu++)
		add_cpu(row, &l->counters[(size_t)cpu * l->nr_domains + place]);
}

int live__reap(struct live *l, int (*gone)(void *ctx, uint32_t place), void *ctx)
{
	struct live_row *more;
	int err;

	for (uint32_t place = 0; place < l->nr_domains; place++) {
		struct iot_dom *d = &l->doms[place];

		if (__atomic_load_n(&d->ptr, __ATOMIC_ACQUIRE) != IOT_DOM_DEAD)
			continue;
		if (l->counters) {
			more = realloc(l->gone, (l->nr_gone + 1) * sizeof(*more));
			if (!more)
				return -ENOMEM;
			l->gone = more;
			read_row(l, place, &more[l->nr_gone]);
			more[l->nr_gone++].gone = true;
			for (uint32_t cpu = 0; cpu < l->nr_cpus; cpu++)
				memset(&l->counters[(size_t)cpu * l->nr_domains + place], 0,
				       sizeof(*l->counters));
		}
		err = gone(ctx, place);
		if (err)
			return err;
		__atomic_store_n(&d->ptr, IOT_DOM_FREE, __ATOMIC_RELEASE);
	}
	return 0;
}

void live__attach_begin(struct live *l)
{
	__atomic_store_n(&l->state->flushes_since, UINT64_MAX, __ATOMIC_RELAXED);
}

void live__attach_end(struct live *l)
{
	__atomic_store_n(&l->state->flushes_since, facts__now(), __ATOMIC_RELAXED);
	for (size_t i = 0; l->counters && i < (size_t)l->nr_cpus * l->nr_domains; i++) {
		struct iot_live *c = &l->counters[i];
		__u64 tail = __atomic_load_n(&c->pend_tail, __ATOMIC_ACQUIRE);
		__u64 head = __atomic_load_n(&c->pend_head, __ATOMIC_ACQUIRE);

		/* a flush that takes some of them at this moment wins, and counts them */
		if (head != tail && __atomic_compare_exchange_n(&c->pend_tail, &tail, head, false,
								__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			__atomic_fetch_add(&c->pend_dropped, head - tail, __ATOMIC_RELAXED);
	}
}

static int compare_domain(const void *a, const void *b)
{
	const struct live_row *x = a, *y = b;

	return (x->domain > y->domain) - (x->domain < y->domain);
}

int live__each(struct live *l, int (*each)(void *ctx, const struct live_row *row), void *ctx)
{
	struct live_row *rows = malloc((l->nr_domains + l->nr_gone) * sizeof(*rows));
	size_t nr = 0;
	int err = 0;

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < l->nr_gone; i++)
		rows[nr++] = l->gone[i];
	for (uint32_t place = 0; place < l->nr_domains; place++)
		if (__atomic_load_n(&l->doms[place].ptr, __ATOMIC_ACQUIRE) > IOT_DOM_DEAD)
			read_row(l, place, &rows[nr++]);
	qsort(rows, nr, sizeof(*rows), compare_domain);
	for (size_t i = 0; !err && i < nr; i++)
		err = each(ctx, &rows[i]);
	free(rows);
	return err;
}

static void add_submits(struct live_submits *s, const struct iot_live_submit *c)
{
	struct hist *h = &s->time;

	s->commands += c->commands;
	s->failed += c->failed;
	h->sum += c->ns;
	if (c->longest > h->max)
		h->max = c->longest;
	if (c->shortest && (!h->min || ~c->shortest < h->min))
		h->min = ~c->shortest;
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		h->counts[i] += c->time[i];
		h->nr += c->time[i];
	}
}

int live__each_submits(const struct live *l, int (*each)(void *ctx, const struct live_submits *s),
		       void *ctx)
{
	struct live_submits s;
	int err = 0;

	for (uint32_t i = 0; !err && l->submits && i < IOT_BY_NR * IOT_SUBMIT_NR; i++) {
		memset(&s, 0, sizeof(s));
		s.by = i / IOT_SUBMIT_NR;
		s.kind = i % IOT_SUBMIT_NR;
		for (uint32_t cpu = 0; cpu < l->nr_cpus; cpu++)
			add_submits(&s, &l->submits[(size_t)cpu * IOT_BY_NR * IOT_SUBMIT_NR + i]);
		if (s.time.nr)
			err = each(ctx, &s);
	}
	return err;
}
