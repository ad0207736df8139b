// SPDX-License-Identifier: GPL-2.0-only
/* no-map-over-map, unmap-matches-map, detach-empty, no-leak. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "assert/internal.h"

/* What would make these findings nothing. */
#define CAUSES (LOSS_HOT | LOSS(LATE))

static double ms(__u64 ns)
{
	return (double)ns / 1e6;
}

/* Something of [first, last] that is mapped, or NULL. */
static const struct range *any_of(const struct ranges *live, __u64 first, __u64 last)
{
	const struct range *r = ranges__below(live, last);

	return r && r->last >= first ? r : NULL;
}

static void refused(struct checks *c, struct subject *s, const struct iot_map *ev)
{
	const struct model_domain *dom = s->w->dom;
	const struct range *r =
		dom ? any_of(&dom->live, ev->iova, range__last(ev->iova, ev->size)) : NULL;
	/* that it was refused is certain, whatever is missing */
	const struct violation v = { .id = INV_NO_MAP_OVER_MAP,
				     .where = subject__place(s),
				     .ts = ev->h.ts,
				     .stack = ev->h.stack };

	if (r)
		checks__violation(
			c, &v,
			"mapping 0x%llx (%llu bytes) was refused: 0x%llx (%llu bytes) has "
			"been mapped for %.3f ms, by task %u",
			ev->iova, ev->size, r->start, r->last - r->start + 1, ms(ev->h.ts - r->ts),
			r->tid);
	else
		checks__violation(
			c, &v,
			"mapping 0x%llx (%llu bytes) was refused as if it were mapped, which "
			"by our book it isn't: %s",
			ev->iova, ev->size,
			dom && dom->snapshot
				? "an unmap left an entry in the table, or it is older than "
				  "the capture"
				: "an unmap left an entry in the table");
}

void maps__map(struct checks *c, struct subject *s, const struct iot_map *ev, __u64 replaced)
{
	const struct model *m = &c->a->model;
	const struct model_domain *dom = s->w->dom;

	if (!subject__wants(s, INV_NO_MAP_OVER_MAP))
		return;
	/* drivers since 7.x (generic_pt) say EADDRINUSE */
	if (ev->ret == -EEXIST || ev->ret == -EADDRINUSE) {
		refused(c, s, ev);
		return;
	}
	if (ev->ret || !dom)
		return;
	if (dom->replaced != replaced && m->nr_pieces)
		checks__violation(
			c,
			&(struct violation){ .id = INV_NO_MAP_OVER_MAP,
					     .where = subject__place(s),
					     .ts = ev->h.ts,
					     .stack = ev->h.stack,
					     .from = m->pieces[0].ts,
					     .to = ev->h.ts,
					     .causes = CAUSES },
			"0x%llx (%llu bytes) was mapped onto 0x%llx (%llu bytes), mapped for "
			"%.3f ms by task %u",
			ev->iova, ev->size, m->pieces[0].start,
			m->pieces[0].last - m->pieces[0].start + 1, ms(ev->h.ts - m->pieces[0].ts),
			m->pieces[0].tid);
	if (dom->snapshot && !domain__is_dma(dom) && !s->w->doubted_old) {
		s->w->doubted_old = true;
		checks__doubt(c, INV_NO_MAP_OVER_MAP, subject__place(s),
			      "%s: its domain is older than the capture, and what was mapped in it "
			      "before isn't known",
			      place__name(c, subject__place(s)).s);
	}
}

/* The last unmap of an address, as far back as is remembered. */
static const struct dead *last_owner(const struct model *m, __u32 domain, __u64 addr)
{
	for (__u64 n = 1; n <= history__kept(&m->history); n++) {
		const struct dead *d = history__get(&m->history, m->history.next - n);

		if (d->domain == domain && d->start <= addr && addr <= d->last)
			return d;
	}
	return NULL;
}

static void too_little(struct checks *c, struct subject *s, const struct iot_unmap *ev,
		       const struct violation *v)
{
	__u64 hole = ev->iova + ev->unmapped;
	const struct dead *d = NULL;

	/* the search is long: not for a storm of them */
	if (c->violations < 1000)
		d = last_owner(&c->a->model, s->domain, hole);
	if (d)
		checks__violation(c, v,
				  "an unmap of 0x%llx (%llu bytes) removed %llu: 0x%llx had been "
				  "unmapped %.3f ms before, by task %u",
				  ev->iova, ev->size, ev->unmapped, hole, ms(v->ts - d->unmap_ts),
				  d->unmap_tid);
	else
		checks__violation(
			c, v,
			"an unmap of 0x%llx (%llu bytes) removed %llu: nothing was mapped "
			"at 0x%llx",
			ev->iova, ev->size, ev->unmapped, hole);
}

void maps__unmap(struct checks *c, struct subject *s, const struct iot_unmap *ev)
{
	const struct model_domain *dom = s->w->dom;
	struct violation v = { .id = INV_UNMAP_MATCHES_MAP,
			       .where = subject__place(s),
			       .ts = ev->h.ts,
			       .stack = ev->h.stack };
	const struct range *r;
	__u64 last;

	if (!subject__wants(s, INV_UNMAP_MATCHES_MAP) || !ev->size)
		return;
	/* what the kernel itself removed is certain */
	if (ev->unmapped < ev->size) {
		too_little(c, s, ev, &v);
		return;
	}
	if (!domain__is_dma(dom))
		return;
	if (ev->unmapped > ev->size) {
		checks__violation(
			c, &v,
			"an unmap of 0x%llx (%llu bytes) removed %llu: it took a part of a "
			"larger page and so lost all of it",
			ev->iova, ev->size, ev->unmapped);
		return;
	}
	last = range__last(ev->iova, ev->size);
	v.to = ev->h.ts;
	v.causes = CAUSES;
	r = ranges__find(&dom->live, ev->iova);
	if (r && r->start < ev->iova) {
		v.from = r->ts;
		checks__violation(
			c, &v,
			"an unmap of 0x%llx (%llu bytes) begins within what was mapped as "
			"0x%llx (%llu bytes)",
			ev->iova, ev->size, r->start, r->last - r->start + 1);
		return;
	}
	if (!r || r->last != last)
		r = ranges__find(&dom->live, last);
	if (r && r->last > last) {
		v.from = r->ts;
		checks__violation(c, &v,
				  "an unmap of 0x%llx (%llu bytes) ends within what was mapped as "
				  "0x%llx (%llu bytes)",
				  ev->iova, ev->size, r->start, r->last - r->start + 1);
	}
}

/* Mapped by the kernel for as long as the domain lives: one to one, or for interrupts. */
static bool is_kernels(const struct model *m, const struct model_domain *dom, const struct range *r)
{
	const struct model_region *g = model__region(m, dom->origin, dom->group, r->start);

	return g && g->kind != IOT_REGION_RESERVED;
}

static const struct range *first_of(const struct model_domain *dom)
{
	const struct range *r = ranges__find(&dom->live, 0);

	return r ? r : ranges__above(&dom->live, 0);
}

/* From when on a mapping counts for a rule, if the phase that ends in the segment is its last. */
static __u64 leaks_from(const struct checks *c, const struct rule_state *r, __u32 segment)
{
	__u64 from = c->began[segment];

	while (segment--) {
		if (segment && !c->began[segment])
			continue;
		if (!(r->rule->phases & checks__phase(c, segment)))
			return from;
		from = c->began[segment];
	}
	return 0;
}

struct leak {
	struct leak *next;
	__u64 key;
	__u32 dev, stack, tid, domain;
	__u64 nr, bytes, oldest;
	__u64 iova;
};

struct leaks {
	struct idtab by_who;
	struct leak *list;
};

static int add_leak(struct leaks *l, const struct model_domain *dom, const struct range *r)
{
	/* numbers of stacks and tasks overlap, and so do those of devices and domains */
	__u64 who = r->dev ? r->dev : dom->nr | 1ULL << 30;
	__u64 key = who << 33 | (r->stack ? r->stack | 1ULL << 32 : r->tid);
	struct leak *k = idtab__find(&l->by_who, key);

	if (!k) {
		k = calloc(1, sizeof(*k));
		if (!k || idtab__set(&l->by_who, key, k)) {
			free(k);
			return -ENOMEM;
		}
		*k = (struct leak){ .next = l->list,
				    .dev = r->dev,
				    .stack = r->stack,
				    .tid = r->tid,
				    .domain = dom->nr,
				    .oldest = r->ts,
				    .iova = r->start };
		l->list = k;
	}
	k->nr++;
	k->bytes += r->last - r->start + 1;
	if (r->ts < k->oldest) {
		k->oldest = r->ts;
		k->iova = r->start;
	}
	return 0;
}

static void gather(struct checks *c, struct leaks *l, const struct model_domain *dom, __u64 from)
{
	for (const struct range *r = first_of(dom); r; r = ranges__above(&dom->live, r->start))
		if (r->ts >= from && !is_kernels(&c->a->model, dom, r) && add_leak(l, dom, r))
			c->error = -ENOMEM;
}

static void tell_leaks(struct checks *c, struct rule_state *rule, struct leaks *l, __u64 ts)
{
	while (l->list) {
		struct leak *k = l->list;
		struct place where = { model__device(&c->a->model, k->dev),
				       model__domain(&c->a->model, k->domain) };

		checks__violation(
			c,
			&(struct violation){ .id = INV_NO_LEAK,
					     .where = where,
					     .only = rule,
					     .ts = ts,
					     .stack = k->stack,
					     .from = k->oldest,
					     .to = ts ? ts : c->now,
					     .causes = CAUSES },
			"task %u left %llu mapping%s (%llu bytes)%s; the oldest, at 0x%llx, "
			"for %.3f s",
			k->tid, k->nr, k->nr == 1 ? "" : "s", k->bytes,
			ts ? " until the domain was freed" : "", k->iova,
			ms((ts ? ts : c->now) - k->oldest) / 1e3);
		l->list = k->next;
		free(k);
	}
	idtab__free(&l->by_who);
}

void maps__freed(struct checks *c, struct watched *w, __u64 ts)
{
	struct place where = watched__place(c, w);
	struct model_domain *dom = w->dom;
	__u64 nr = 0, bytes = 0, oldest = ts;
	struct leaks l = { 0 };

	if (!dom)
		return;
	checks__looked(c, INV_DETACH_EMPTY, where, 1);
	for (const struct range *r = first_of(dom); r; r = ranges__above(&dom->live, r->start)) {
		if (is_kernels(&c->a->model, dom, r))
			continue;
		nr++;
		bytes += r->last - r->start + 1;
		oldest = r->ts < oldest ? r->ts : oldest;
	}
	if (!nr) {
		if (dom->snapshot)
			checks__doubt(c, INV_DETACH_EMPTY, where,
				      "%s: its domain %u is older than the capture, and what was "
				      "mapped in it before isn't known",
				      place__name(c, where).s, dom->nr);
		return;
	}
	checks__violation(c,
			  &(struct violation){ .id = INV_DETACH_EMPTY,
					       .where = where,
					       .ts = ts,
					       .from = oldest,
					       .to = ts,
					       .causes = CAUSES },
			  "domain %u was freed with %llu mapping%s in it (%llu bytes)", dom->nr, nr,
			  nr == 1 ? "" : "s", bytes);
	for (__u32 i = 0; i < c->nr_by_id[INV_NO_LEAK]; i++) {
		struct rule_state *rule = c->by_id[INV_NO_LEAK][i];

		if (rule->rule->params[0] || !rule__concerns(rule, c, where))
			continue;
		gather(c, &l, dom, leaks_from(c, rule, c->segment));
		tell_leaks(c, rule, &l, ts);
	}
}

static void growth(struct checks *c, struct rule_state *rule, __u32 since, __u64 limit)
{
	__s64 sum = 0;

	idtab__for_each (&c->domains, s) {
		struct watched *w = s->value;

		if (w->dom && rule__concerns(rule, c, watched__place(c, w)))
			sum += (__s64)(w->dom->live_bytes - (since ? w->bytes_at[since] : 0));
	}
	if (sum > 0 && (__u64)sum >= limit)
		checks__violation(
			c,
			&(struct violation){ .id = INV_NO_LEAK,
					     .only = rule,
					     .from = since ? c->began[since] : 0,
					     .to = c->now,
					     .causes = CAUSES },
			"%lld bytes more are mapped than when the phase began; below %llu was "
			"allowed",
			sum, limit);
}

void maps__leaks(struct checks *c, __u32 segment, bool last)
{
	__u32 phase = checks__phase(c, segment);

	for (__u32 i = 0; i < c->nr_by_id[INV_NO_LEAK]; i++) {
		struct rule_state *rule = c->by_id[INV_NO_LEAK][i];
		__u64 from = leaks_from(c, rule, segment);
		struct leaks l = { 0 };

		if (!(rule->rule->phases & phase) ||
		    (!last && rule->rule->phases & checks__phase(c, c->segment_next)))
			continue;
		if (rule->rule->params[0]) {
			growth(c, rule, from ? checks__segment_of(c, from) : 0,
			       rule->rule->params[0]);
			continue;
		}
		idtab__for_each (&c->domains, s) {
			struct watched *w = s->value;

			if (w->dom && rule__concerns(rule, c, watched__place(c, w)))
				gather(c, &l, w->dom, from);
		}
		tell_leaks(c, rule, &l, 0);
	}
}
