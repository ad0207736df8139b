// SPDX-License-Identifier: GPL-2.0-only
/*
 * pt-freed-after-flush, pt-balance, teardown-stall.
 *
 * Nobody tells which table a page is. A page that is allocated while a runner maps belongs to that
 * map, whose event comes after it; from then on until another table is allocated for the same 2 MiB
 * (an epoch), the last unmap there is one that the page must outlive until its flush. A page that
 * is freed is judged at its runner's next event, which tells what it was in the middle of.
 */
#include <errno.h>
#include <stdlib.h>

#include "assert/internal.h"

#define REGION_SHIFT 21
/* Unmaps of more are not looked at region by region: what is known of them gets older, no more. */
#define REGIONS_MAX 4096U
#define FRESH_MAX   4096U
/* A flush that had not ended this long after it freed a page never will. */
#define PATIENCE 1000000000ULL

static __u64 region_first(__u64 region)
{
	return region << REGION_SHIFT;
}

static __u64 region_last(__u64 region)
{
	return (region << REGION_SHIFT) + ((1ULL << REGION_SHIFT) - 1);
}

static void put_epoch(struct epoch *e, __u32 refs)
{
	e->refs -= refs;
	if (!e->refs)
		free(e);
}

static void drop_epochs(struct checks *c, struct page *p)
{
	struct watched *w = p->domain ? idtab__find(&c->domains, p->domain) : NULL;

	for (__u32 i = 0; i < p->nr; i++) {
		struct epoch *e = p->epochs[i];
		/* nobody but the index has it then */
		bool last = w && e->refs == 2 && idtab__find(&w->epochs, e->region) == e;

		if (last)
			idtab__remove(&w->epochs, e->region);
		put_epoch(e, last ? 2 : 1);
	}
	p->nr = 0;
}

void page__free(struct checks *c, struct page *p)
{
	drop_epochs(c, p);
	free(p);
}

void tables__release(struct checks *c, struct watched *w)
{
	(void)c;
	idtab__for_each (&w->epochs, s)
		put_epoch(s->value, 1);
	idtab__free(&w->epochs);
}

static void count_page(struct checks *c, struct page *p, __u32 domain)
{
	struct watched *w = domain ? checks__domain(c, domain) : NULL;

	p->domain = domain;
	if (!w)
		return;
	w->has_tables = true;
	w->tables++;
}

void tables__allocated(struct checks *c, struct subject *s, struct runner *r,
		       const struct iot_table *ev)
{
	struct page *p = idtab__find(&c->pages, ev->page), **bigger;

	/* its free wasn't seen: the page has another life now */
	if (p) {
		struct watched *w = p->domain ? checks__domain(c, p->domain) : NULL;

		if (w && w->tables)
			w->tables--;
		drop_epochs(c, p);
		count_page(c, p, s->domain);
		return;
	}
	p = calloc(1, sizeof(*p));
	if (!p || !ev->page || idtab__set(&c->pages, ev->page, p)) {
		free(p);
		c->error = ev->page ? -ENOMEM : c->error;
		return;
	}
	p->page = ev->page;
	count_page(c, p, s->domain);
	if (r->nr_fresh == r->size_fresh && r->size_fresh < FRESH_MAX) {
		__u32 size = r->size_fresh ? r->size_fresh * 2 : 8;

		bigger = realloc(r->fresh, size * sizeof(struct page *));
		if (!bigger) {
			c->error = -ENOMEM;
			return;
		}
		r->fresh = bigger;
		r->size_fresh = size;
	}
	if (r->nr_fresh == r->size_fresh)
		return;
	p->fresh = true;
	r->fresh[r->nr_fresh++] = p;
}

/* Was the last unmap of the epoch flushed by ts? */
static bool waits(struct checks *c, const struct watched *w, const struct epoch *e, __u64 ts)
{
	const struct unflushed *u;
	__u64 first, last;

	if (!book__waits(&c->book, e->last_place, e->last_seq))
		return false;
	u = book__at(&c->book, e->last_place);
	if (!hooked__sees(w, HOOK_INVALIDATE, u->ts))
		return true;
	/* the driver may have told the hardware outside of any flush function */
	first = u->first > region_first(e->region) ? u->first : region_first(e->region);
	last = u->last < region_last(e->region) ? u->last : region_last(e->region);
	return !told__of(w, (struct telling){ .first = first,
					      .last = last,
					      .from = u->ts,
					      .to = ts,
					      .runner = u->runner,
					      .own_from = u->since });
}

static void too_early(struct checks *c, const struct going *g, const char *what)
{
	const struct epoch *e = g->page->epochs[0];
	struct watched *w = checks__domain(c, g->page->domain);

	checks__violation(c,
			  &(struct violation){ .id = INV_PT_FREED_AFTER_FLUSH,
					       .where = watched__place(c, w),
					       .ts = g->ts,
					       .from = g->unmap ? g->unmap : g->ts,
					       .to = g->ts,
					       .causes = LOSS_FLUSH },
			  "a table that was allocated for 0x%llx–0x%llx was freed %s",
			  region_first(e->region),
			  region_last(g->page->epochs[g->page->nr - 1]->region), what);
}

static bool is_in(const struct epoch *e, __u64 first, __u64 last)
{
	return region_first(e->region) <= last && region_last(e->region) >= first;
}

static bool overlaps(const struct page *p, __u64 first, __u64 last)
{
	for (__u32 i = 0; i < p->nr; i++)
		if (is_in(p->epochs[i], first, last))
			return true;
	return false;
}

static void not_seen(struct checks *c, const struct going *g, const char *what)
{
	struct place where = watched__place(c, checks__domain(c, g->page->domain));

	checks__doubt(c, INV_PT_FREED_AFTER_FLUSH, where, "%s: a table was freed %s",
		      place__name(c, where).s, what);
}

/* Whether the driver itself flushed what the unmap took of the epoch. 1, 0; -1: it isn't seen. */
static int flushed_within(const struct watched *w, const struct runner *r, const struct going *g,
			  const struct epoch *e, const struct iot_unmap *ev)
{
	__u64 first = ev->iova, last = range__last(first, ev->unmapped);
	int told;

	first = first > region_first(e->region) ? first : region_first(e->region);
	last = last < region_last(e->region) ? last : region_last(e->region);
	if (r->sync_gather == ev->gather && r->sync_domain == w->nr && ev->gather &&
	    r->sync_first <= first && r->sync_last >= last)
		return 1;
	/* nobody else's: the driver itself could not know of that */
	told = told__of(w, (struct telling){ .first = first,
					     .last = last,
					     .from = g->ts,
					     .own_from = r->op_ts,
					     .runner = r->key,
					     .to = g->ts });
	if (told)
		return told;
	/* it began after the runner's last one, and after its address was mapped */
	return hooked__sees(w, HOOK_INVALIDATE, r->op_ts > e->mapped_ts ? r->op_ts : e->mapped_ts)
		       ? 0
		       : -1;
}

/* Freed inside of an unmap, which nothing can have flushed yet but the driver itself. */
static void settle_unmap(struct checks *c, struct runner *r, struct going *g,
			 const struct iot_unmap *ev)
{
	__u64 last = range__last(ev->iova, ev->unmapped);
	struct watched *w = checks__domain(c, g->page->domain);
	bool unseen = false;

	/* of which of its epochs the page is isn't known: all of them must be wrong */
	for (__u32 i = 0; i < g->page->nr; i++) {
		const struct epoch *e = g->page->epochs[i];
		int flushed;

		if (!is_in(e, ev->iova, last))
			continue;
		flushed = flushed_within(w, r, g, e, ev);
		if (flushed > 0)
			return;
		unseen |= flushed < 0;
	}
	if (unseen)
		not_seen(c, g,
			 "in the middle of the unmap that emptied it; what its driver flushes "
			 "there isn't seen");
	else
		too_early(c, g, "in the middle of the unmap that emptied it, before any flush");
}

/* Freed inside of a flush: after it told the hardware, one hopes. NULL: all is well. */
static const char *wrong_in_flush(struct checks *c, const struct watched *w, const struct epoch *e,
				  const struct iot_flush *ev)
{
	const struct unflushed *u;

	if (!book__waits(&c->book, e->last_place, e->last_seq))
		return NULL;
	u = book__at(&c->book, e->last_place);
	if (u->ts > ev->begin || (ev->kind == IOT_FLUSH_SYNC && u->gather != ev->gather))
		return "by a flush that doesn't cover the unmap that emptied it";
	/* What the flush left out is flush-covers-unmap's: only the order counts here. */
	if (hooked__sees(w, HOOK_INVALIDATE, ev->begin) &&
	    told__of(w, (struct telling){ .first = u->first,
					  .last = u->last,
					  .from = u->ts,
					  .to = ev->h.ts,
					  .runner = u->runner,
					  .own_from = u->since }) > 0)
		return "by its flush before that had told the hardware";
	return NULL;
}

static void settle_flush(struct checks *c, struct going *g, const struct iot_flush *ev)
{
	const struct watched *w = checks__domain(c, g->page->domain);
	const char *wrong = NULL;

	if (!g->early)
		return;
	for (__u32 i = 0; i < g->page->nr; i++) {
		wrong = wrong_in_flush(c, w, g->page->epochs[i], ev);
		if (!wrong)
			return;
	}
	if (wrong)
		too_early(c, g, wrong);
}

/* ev: what the runner was in the middle of; NULL = its end was not seen. */
static void settle(struct checks *c, struct runner *r, struct going *g, const struct iot_event *ev)
{
	const void *body = ev;
	const struct iot_unmap *unmap = body;
	const struct iot_flush *flush = body;
	struct watched *w = checks__domain(c, g->page->domain);

	checks__looked(c, INV_PT_FREED_AFTER_FLUSH, watched__place(c, w), 1);
	if (ev && ev->domain == g->page->domain && ev->id == IOT_EV_UNMAP && unmap->unmapped &&
	    overlaps(g->page, unmap->iova, range__last(unmap->iova, unmap->unmapped)))
		settle_unmap(c, r, g, unmap);
	else if (ev && ev->domain == g->page->domain && ev->id == IOT_EV_FLUSH &&
		 flush->kind != IOT_FLUSH_SYNC_MAP && flush->begin && flush->begin <= g->ts)
		settle_flush(c, g, flush);
	else if (g->early && !ev && c->now < g->ts + PATIENCE)
		not_seen(c, g,
			 "before a flush that covers its unmap had ended; whether it was "
			 "within that flush isn't known");
	else if (g->early)
		too_early(c, g, "before a flush covered the unmap that emptied it");
	page__free(c, g->page);
}

void tables__freed(struct checks *c, struct subject *s, struct runner *r,
		   const struct iot_table *ev)
{
	struct page *p = idtab__remove(&c->pages, ev->page);
	struct watched *w;
	struct going *g;

	(void)s;
	if (!p)
		return; /* older than the capture */
	w = p->domain ? checks__domain(c, p->domain) : NULL;
	if (w && w->tables)
		w->tables--;
	/* the runner that allocated it still has it in hand */
	if (p->fresh) {
		p->gone = true;
		return;
	}
	/* With its domain, after all devices have left, nobody walks it. */
	if (!w || !p->nr || w->freed) {
		page__free(c, p);
		return;
	}
	if (!r->going)
		r->going = calloc(GOING_MAX, sizeof(*r->going));
	if (!r->going) {
		c->error = -ENOMEM;
		page__free(c, p);
		return;
	}
	if (r->nr_going == GOING_MAX) {
		settle(c, r, &r->going[0], NULL);
		r->going[0] = r->going[--r->nr_going];
	}
	g = &r->going[r->nr_going++];
	*g = (struct going){ .page = p, .ts = ev->h.ts, .early = true };
	for (__u32 i = 0; i < p->nr && g->early; i++)
		g->early = waits(c, w, p->epochs[i], ev->h.ts);
	if (g->early)
		g->unmap = p->epochs[0]->unmap_ts;
}

/* The tables that a map needed: each 2 MiB that it touches begins a new epoch. */
static void settle_map(struct checks *c, struct runner *r, const struct iot_map *ev)
{
	__u64 first = ev->iova >> REGION_SHIFT,
	      last = range__last(ev->iova, ev->size ? ev->size : 1) >> REGION_SHIFT;
	struct watched *w = checks__domain(c, ev->h.domain);
	struct epoch *epochs[PAGE_EPOCHS];
	__u32 nr = 0;

	if (!w)
		return;
	for (__u64 region = first; last - first < PAGE_EPOCHS && region <= last; region++) {
		struct epoch *e = calloc(1, sizeof(*e)), *old;

		old = e ? idtab__remove(&w->epochs, region) : NULL;
		if (old)
			put_epoch(old, 1);
		if (!e || idtab__set(&w->epochs, region, e)) {
			free(e);
			c->error = -ENOMEM;
			break;
		}
		e->refs = 1;
		e->region = region;
		e->mapped_ts = ev->h.ts;
		epochs[nr++] = e;
	}
	for (__u32 i = 0; i < r->nr_fresh; i++) {
		struct page *p = r->fresh[i];

		if (p->gone || (p->domain && p->domain != ev->h.domain))
			continue;
		if (!p->domain)
			count_page(c, p, ev->h.domain);
		if (p->nr)
			continue;
		p->nr = nr;
		for (__u32 k = 0; k < nr; k++) {
			p->epochs[k] = epochs[k];
			epochs[k]->refs++;
		}
	}
}

void tables__next(struct checks *c, struct subject *s, struct runner *r, const struct iot_event *ev)
{
	const void *body = ev;

	(void)s;
	for (__u32 i = 0; i < r->nr_going; i++)
		settle(c, r, &r->going[i], ev);
	r->nr_going = 0;
	if (r->nr_fresh && ev && ev->id == IOT_EV_MAP && ev->domain)
		settle_map(c, r, body);
	for (__u32 i = 0; i < r->nr_fresh; i++) {
		r->fresh[i]->fresh = false;
		if (r->fresh[i]->gone)
			page__free(c, r->fresh[i]);
	}
	r->nr_fresh = 0;
}

void tables__unmapped(struct checks *c, struct watched *w, __u32 place, const struct iot_unmap *ev)
{
	__u64 first = ev->iova >> REGION_SHIFT,
	      last = range__last(ev->iova, ev->unmapped) >> REGION_SHIFT;

	if (!w->epochs.nr || last - first >= REGIONS_MAX)
		return;
	for (__u64 region = first; region <= last; region++) {
		struct epoch *e = idtab__find(&w->epochs, region);

		if (!e)
			continue;
		e->last_place = place;
		e->last_seq = place == BOOK_NONE ? 0 : book__at(&c->book, place)->seq;
		e->unmap_ts = ev->h.ts;
	}
}

void tables__teardown(struct checks *c, const struct iot_teardown *ev)
{
	struct watched *w = ev->h.domain ? checks__domain(c, ev->h.domain) : NULL;
	struct place where = { NULL, NULL };

	if (w) {
		w->torn_down = true;
		where = watched__place(c, w);
	}
	for (__u32 i = 0; i < c->nr_by_id[INV_TEARDOWN_STALL]; i++) {
		struct rule_state *rule = c->by_id[INV_TEARDOWN_STALL][i];

		if (!rule__concerns(rule, c, where))
			continue;
		rule->seg[c->segment].looked++;
		if (!ev->longest && ev->h.ts - ev->begin >= rule->rule->params[0])
			segment__doubt(
				&rule->seg[c->segment],
				"freeing domain %u took %.3f ms, and whether the task offered to "
				"reschedule in between can't be seen on this kernel",
				ev->h.domain, (double)(ev->h.ts - ev->begin) / 1e6);
		if (ev->longest < rule->rule->params[0])
			continue;
		checks__violation(
			c,
			&(struct violation){ .id = INV_TEARDOWN_STALL,
					     .where = where,
					     .only = rule,
					     .ts = ev->h.ts,
					     .stack = ev->h.stack },
			"freeing domain %u took %.3f ms, %.3f ms of them without a break; %llu "
			"tables, %llu breaks",
			ev->h.domain, (double)(ev->h.ts - ev->begin) / 1e6,
			(double)ev->longest / 1e6, ev->tables, ev->offers);
	}
}

static void balance(struct checks *c, struct watched *w)
{
	struct place where = watched__place(c, w);
	struct violation v = { .id = INV_PT_BALANCE,
			       .where = where,
			       .ts = w->freed,
			       .from = w->dom->seen,
			       .to = c->now,
			       .causes = LOSS_HOT };

	if (w->dom->snapshot) {
		checks__doubt(c, INV_PT_BALANCE, where,
			      "%s: its domain %u is older than the capture, and the tables it had "
			      "were not counted",
			      place__name(c, where).s, w->nr);
		return;
	}
	if (!w->torn_down && hooked__sees(w, HOOK_TEARDOWN, w->freed)) {
		checks__doubt(c, INV_PT_BALANCE, where,
			      "%s: freeing its domain %u had not ended when the capture did",
			      place__name(c, where).s, w->nr);
		return;
	}
	checks__looked(c, INV_PT_BALANCE, where, 1);
	if (w->tables)
		checks__violation(
			c, &v, "domain %u is gone, and %llu page%s of its page table %s not freed",
			w->nr, w->tables, w->tables == 1 ? "" : "s",
			w->tables == 1 ? "was" : "were");
}

void tables__end(struct checks *c)
{
	__u32 last = c->segment;

	idtab__for_each (&c->runners, s)
		tables__next(c, NULL, s->value, NULL);
	idtab__for_each (&c->domains, s) {
		struct watched *w = s->value;

		if (!w->dom || !w->freed || !w->has_tables)
			continue;
		/* it counts for the phase in which the domain went */
		c->segment = checks__segment_of(c, w->freed);
		balance(c, w);
		c->segment = last;
	}
	idtab__for_each (&c->pages, s)
		c->tables_unowned += !((struct page *)s->value)->domain;
}
