// SPDX-License-Identifier: GPL-2.0-only
/*
 * flush-before-reuse, strict-means-strict, window, flush-latency, and the part of
 * flush-covers-unmap that the flush functions show; what the hardware was told is in check_told.c.
 * All before the model takes the event.
 */
#include <errno.h>
#include <stdlib.h>

#include "assert/internal.h"

/* An unmap that waits for its flush this long before the end of the stream isn't waiting for the
 * queue's timer (10 ms) any more. */
#define PATIENCE 1000000000ULL
/* Unflushed unmaps at the end that are told one by one. */
#define ONE_BY_ONE 64U

static double us(__u64 ns)
{
	return (double)ns / 1e3;
}

static void strict_violation(struct checks *c, const struct unflushed *u, __u64 ts,
			     const char *what)
{
	checks__violation(c,
			  &(struct violation){ .id = INV_STRICT_MEANS_STRICT,
					       .where = subject__place(u->subject),
					       .ts = ts,
					       .from = u->since,
					       .to = ts,
					       .causes = LOSS_FLUSH },
			  "%s %.1f us after a strict unmap of 0x%llx (%llu bytes), whose sync had "
			  "not ended",
			  what, us(ts - u->ts), u->first, u->last - u->first + 1);
}

/* The runner does something else in the domain: whatever it unmapped there must be flushed. */
static void went_on(struct checks *c, struct subject *s, struct runner *r,
		    const struct iot_event *ev, __u32 gather)
{
	struct unflushed *u;

	/* an interrupt on top of another looks like one that goes on */
	if (!r->waits_seq || r->waits_domain != s->domain || r->irq ||
	    (gather && gather == r->waits_gather))
		return;
	if (book__waits(&c->book, r->waits_place, r->waits_seq)) {
		u = book__at(&c->book, r->waits_place);
		if (!u->went_on) {
			u->went_on = true;
			strict_violation(c, u, ev->ts,
					 ev->id == IOT_EV_MAP ? "the task mapped"
							      : "the task unmapped elsewhere");
		}
	}
	r->waits_seq = 0;
}

static void reuse(struct checks *c, struct subject *s, const struct iot_event *ev, __u64 first,
		  __u64 last, const char *what)
{
	__u32 place = book__overlap(&c->book, &s->w->unmaps, first, last);
	struct unflushed *u;

	if (place == BOOK_NONE)
		return;
	u = book__at(&c->book, place);
	u->reused = true;
	/* who gathers many unmaps for one sync made one mistake, not many */
	if (!u->lazy && !domain__is_dma(s->w->dom)) {
		if (s->w->told_reuse == u->gather)
			return;
		s->w->told_reuse = u->gather;
	}
	checks__violation(
		c,
		&(struct violation){ .id = INV_FLUSH_BEFORE_REUSE,
				     .where = subject__place(s),
				     .ts = ev->ts,
				     .stack = ev->stack,
				     .from = u->since,
				     .to = ev->ts,
				     .causes = LOSS_FLUSH },
		"0x%llx was %s %.1f us after its unmap, and no flush that covers that had "
		"ended",
		u->first > first ? u->first : first, what, us(ev->ts - u->ts));
}

void flush__map(struct checks *c, struct subject *s, struct runner *r, const struct iot_map *ev)
{
	went_on(c, s, r, &ev->h, 0);
	if (ev->ret || !ev->size)
		return;
	if (s->w->unmaps.lazy.nr || s->w->unmaps.strict.nr)
		reuse(c, s, &ev->h, ev->iova, range__last(ev->iova, ev->size), "mapped");
}

void flush__iova(struct checks *c, struct subject *s, const struct iot_iova *ev)
{
	struct book_domain *d = &s->w->unmaps;
	__u64 last = range__last(ev->iova, ev->size);

	if (!ev->size)
		return;
	if (ev->h.id == IOT_EV_IOVA_ALLOC) {
		if (!ev->iova)
			return;
		s->seen[SEEN_ALLOCS]++;
		if (d->lazy.nr || d->strict.nr)
			reuse(c, s, &ev->h, ev->iova, last, "handed out");
		return;
	}
	for (__u32 i = d->strict.tail; i != BOOK_NONE; i = book__at(&c->book, i)->prev) {
		struct unflushed *u = book__at(&c->book, i);

		if (u->went_on || u->first > last || ev->iova > u->last)
			continue;
		u->went_on = true;
		strict_violation(c, u, ev->h.ts, "the IOVA was freed");
	}
}

static void no_sync(struct checks *c, struct subject *s)
{
	static const enum invariant_id ids[] = { INV_STRICT_MEANS_STRICT, INV_FLUSH_COVERS_UNMAP,
						 INV_FLUSH_BEFORE_REUSE, INV_WINDOW,
						 INV_PT_FREED_AFTER_FLUSH };

	if (s->w->doubted_sync)
		return;
	s->w->doubted_sync = true;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		checks__doubt(c, ids[i], subject__place(s),
			      "%s: its driver has no iotlb_sync; what a strict unmap flushes there "
			      "isn't seen",
			      place__name(c, subject__place(s)).s);
}

/* Takes what a sync covered off the end of u that it reaches. False: nothing is left. */
static bool cut(struct unflushed *u, __u64 first, __u64 last)
{
	if (first <= u->left_first && last >= u->left_last)
		return false;
	if (first <= u->left_first && last >= u->left_first)
		u->left_first = last + 1;
	else if (last >= u->left_last && first <= u->left_last)
		u->left_last = first - 1;
	return true;
}

void flush__unmap(struct checks *c, struct subject *s, struct runner *r, const struct iot_unmap *ev)
{
	const struct model_domain *dom = s->w->dom;
	struct unflushed u = { .ts = ev->h.ts,
			       .since = r->op_ts,
			       .first = ev->iova,
			       .runner = r->key,
			       .subject = s,
			       .gather = ev->gather,
			       .lazy = ev->mode == IOT_UNMAP_LAZY };
	__u32 place;

	went_on(c, s, r, &ev->h, ev->gather);
	if (!ev->unmapped || (ev->mode != IOT_UNMAP_LAZY && ev->mode != IOT_UNMAP_STRICT))
		return;
	if (!s->w->first_unmap)
		s->w->first_unmap = ev->h.ts;
	/* which the rule is about only if the type stays so: it is counted at the end */
	if (u.lazy && dom && dom->type_known && dom->type == IOT_TYPE_DMA && !s->w->queued++)
		s->w->queued_ts = ev->h.ts;
	if (!u.lazy && dom && dom->no_sync) {
		no_sync(c, s);
		tables__unmapped(c, s->w, BOOK_NONE, ev);
		return;
	}
	u.last = range__last(ev->iova, ev->unmapped);
	if (!u.lazy && domain__is_dma(dom))
		s->seen[SEEN_STRICT]++;
	place = book__add(&c->book, &s->w->unmaps, &u);
	if (place == BOOK_NONE) {
		c->error = -ENOMEM;
		return;
	}
	tables__unmapped(c, s->w, place, ev);
	if (u.lazy)
		return;
	/* Drivers sync in the middle of an unmap when what they have gathered doesn't go together
	 * with what comes (iommu_iotlb_gather_add_page()). */
	if (r->sync_gather == ev->gather && r->sync_domain == s->domain && ev->gather &&
	    !cut(book__at(&c->book, place), r->sync_first, r->sync_last)) {
		s->seen[SEEN_FLUSHED]++;
		book__remove(&c->book, &s->w->unmaps, place);
		return;
	}
	if (domain__is_dma(dom)) {
		r->waits_domain = s->domain;
		r->waits_gather = ev->gather;
		r->waits_place = place;
		r->waits_seq = book__at(&c->book, place)->seq;
	}
}

static void count_time(struct checks *c, struct rule_state *rule, __u64 ns)
{
	struct segment *seg = &rule->seg[c->segment];

	if (!seg->times)
		seg->times = calloc(1, sizeof(*seg->times));
	if (!seg->times) {
		c->error = -ENOMEM;
		return;
	}
	hist__add(seg->times, ns);
	seg->over += ns >= rule->rule->params[0];
}

static void covered(struct checks *c, struct watched *w, struct runner *r,
		    const struct iot_flush *ev, __u32 place)
{
	struct unflushed *u = book__at(&c->book, place);
	struct subject *s = u->subject;
	__u64 ns = ev->h.ts > u->ts ? ev->h.ts - u->ts : 0;

	s->seen[SEEN_FLUSHED]++;
	for (__u16 i = s->begin[INV_WINDOW]; i < s->begin[INV_WINDOW + 1]; i++) {
		struct rule_state *rule = s->rules[i];

		count_time(c, rule, ns);
		/* of a percentile, one window is no violation */
		if (ns >= rule->rule->params[0] && rule->rule->params[1] >= 100000)
			checks__violation(
				c,
				&(struct violation){ .id = INV_WINDOW,
						     .where = subject__place(s),
						     .only = rule,
						     .ts = ev->h.ts,
						     .from = u->since,
						     .to = ev->h.ts,
						     .causes = LOSS_FLUSH },
				"0x%llx (%llu bytes) could be reached for %.3f ms after its "
				"unmap",
				u->first, u->last - u->first + 1, us(ns) / 1e3);
	}
	told__covered(c, w, r, ev, u);
	book__remove(&c->book, &w->unmaps, place);
}

/* A sync that left out a part of what its gather had: nobody comes back to that. */
static void left_out(struct checks *c, struct watched *w, const struct iot_flush *ev, __u32 place)
{
	struct unflushed *u = book__at(&c->book, place);

	u->subject->seen[SEEN_FLUSHED]++;
	checks__violation(c,
			  &(struct violation){ .id = INV_FLUSH_COVERS_UNMAP,
					       .where = subject__place(u->subject),
					       .ts = ev->h.ts,
					       .from = u->since,
					       .to = ev->h.ts,
					       .causes = LOSS_FLUSH },
			  "the sync of an unmap of 0x%llx (%llu bytes) covers 0x%llx (%llu bytes) "
			  "only",
			  u->first, u->last - u->first + 1, ev->iova, ev->size);
	book__remove(&c->book, &w->unmaps, place);
}

static void flush_all(struct checks *c, struct watched *w, struct runner *r,
		      const struct iot_flush *ev)
{
	struct book_domain *d = &w->unmaps;
	__u32 next;

	while (d->lazy.nr && book__at(&c->book, d->lazy.head)->ts <= ev->begin)
		covered(c, w, r, ev, d->lazy.head);
	for (__u32 i = d->strict.head; i != BOOK_NONE; i = next) {
		next = book__at(&c->book, i)->next;
		if (book__at(&c->book, i)->ts <= ev->begin)
			covered(c, w, r, ev, i);
	}
}

static void sync_gather(struct checks *c, struct watched *w, struct runner *r,
			const struct iot_flush *ev)
{
	__u64 last = ev->size ? range__last(ev->iova, ev->size) : 0;
	__u32 next;

	for (__u32 i = w->unmaps.strict.head; i != BOOK_NONE; i = next) {
		struct unflushed *u = book__at(&c->book, i);

		next = u->next;
		if (u->gather != ev->gather || u->ts > ev->begin)
			continue;
		/* Without a range, the driver's own book says what was gathered; and a driver may
		 * keep one although there is a range (virtio-iommu's requests under VFIO): unless
		 * it is seen what the hardware is told, its word is taken. */
		if (!ev->size || !told__seen(w, ev) || !cut(u, ev->iova, last))
			covered(c, w, r, ev, i);
		else
			left_out(c, w, ev, i);
	}
	if (w->told_reuse == ev->gather)
		w->told_reuse = 0;
	if (r->waits_gather == ev->gather)
		r->waits_seq = 0;
	if (r->sync_gather == ev->gather && r->sync_domain == w->nr && ev->size &&
	    r->sync_last + 1 >= ev->iova && last + 1 >= r->sync_first) {
		r->sync_first = ev->iova < r->sync_first ? ev->iova : r->sync_first;
		r->sync_last = last > r->sync_last ? last : r->sync_last;
		return;
	}
	r->sync_gather = ev->size ? ev->gather : 0;
	r->sync_domain = w->nr;
	r->sync_first = ev->iova;
	r->sync_last = last;
}

/* Its begin is not known: what it covers can't be told, and the loss of the begin is. */
static void forget(struct checks *c, struct watched *w, const struct iot_flush *ev)
{
	struct book_domain *d = &w->unmaps;
	__u32 next;

	while (ev->kind == IOT_FLUSH_ALL && d->lazy.nr)
		book__remove(&c->book, d, d->lazy.head);
	for (__u32 i = d->strict.head; i != BOOK_NONE; i = next) {
		next = book__at(&c->book, i)->next;
		if (ev->kind == IOT_FLUSH_ALL || book__at(&c->book, i)->gather == ev->gather)
			book__remove(&c->book, d, i);
	}
}

void flush__flush(struct checks *c, struct subject *s, struct runner *r, const struct iot_flush *ev)
{
	struct watched *w = s->w;

	hooked__flush(c, w, ev->fn);
	told__flush(c, w, r, ev);
	if (ev->kind == IOT_FLUSH_SYNC_MAP) {
		told__sync_map(c, s, ev);
		return;
	}
	if (!ev->begin || ev->begin > ev->h.ts) {
		forget(c, w, ev);
		return;
	}
	for (__u16 i = s->begin[INV_FLUSH_LATENCY]; i < s->begin[INV_FLUSH_LATENCY + 1]; i++)
		count_time(c, s->rules[i], ev->h.ts - ev->begin);
	if (ev->kind == IOT_FLUSH_ALL)
		flush_all(c, w, r, ev);
	else
		sync_gather(c, w, r, ev);
}

static void queued_in_strict(struct checks *c, struct watched *w, bool stream_ends)
{
	struct place where = watched__place(c, w);

	if (!w->queued || !w->dom || w->dom->type != IOT_TYPE_DMA)
		return;
	/* While sysfs switches the queue on, it is active before the type says so. */
	if (w->dom->fq_active && !stream_ends) {
		checks__doubt(c, INV_STRICT_MEANS_STRICT, where,
			      "%s: its domain queued unmaps, and was gone before its type was read "
			      "again",
			      place__name(c, where).s);
	} else {
		checks__looked(c, INV_STRICT_MEANS_STRICT, where, w->queued);
		checks__violation(
			c,
			&(struct violation){ .id = INV_STRICT_MEANS_STRICT,
					     .where = where,
					     .ts = w->queued_ts,
					     .times = w->queued },
			"the domain is of type DMA, and %llu unmaps in it were queued rather "
			"than flushed",
			w->queued);
	}
	w->queued = 0;
}

static void unflushed(struct checks *c, const struct unflushed *u, __u64 times)
{
	checks__violation(
		c,
		&(struct violation){ .id = INV_FLUSH_COVERS_UNMAP,
				     .where = subject__place(u->subject),
				     .ts = u->ts,
				     .times = times,
				     .from = u->since,
				     .to = c->now,
				     .causes = LOSS_FLUSH },
		"no flush covered an unmap of 0x%llx (%llu bytes) for %.3f s, until the end "
		"of the capture",
		u->first, u->last - u->first + 1, us(c->now - u->ts) / 1e6);
}

void flush__end(struct checks *c, struct watched *w, bool stream_ends)
{
	static const enum invariant_id ids[] = { INV_FLUSH_BEFORE_REUSE, INV_STRICT_MEANS_STRICT,
						 INV_WINDOW, INV_FLUSH_COVERS_UNMAP,
						 INV_PT_FREED_AFTER_FLUSH };
	const struct book_list *lists[] = { &w->unmaps.lazy, &w->unmaps.strict };
	__u64 told = 0, more = 0;
	__u32 place = BOOK_NONE;

	queued_in_strict(c, w, stream_ends);
	if (w->unmaps.forgotten)
		for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
			checks__doubt(c, ids[i], watched__place(c, w),
				      "%s: too many unmaps waited for a flush; %llu were forgotten",
				      place__name(c, watched__place(c, w)).s, w->unmaps.forgotten);
	w->unmaps.forgotten = 0;
	for (size_t l = 0; stream_ends && l < 2; l++)
		for (__u32 i = lists[l]->head; i != BOOK_NONE; i = book__at(&c->book, i)->next) {
			const struct unflushed *u = book__at(&c->book, i);

			if (u->ts + PATIENCE > c->now)
				break;
			u->subject->seen[SEEN_FLUSHED]++;
			if (told++ < ONE_BY_ONE) {
				unflushed(c, u, 1);
			} else {
				place = i;
				more++;
			}
		}
	if (more)
		unflushed(c, book__at(&c->book, place), more);
	book__clear(&c->book, &w->unmaps);
}
