// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hardware was told: the part of flush-covers-unmap, strict-means-strict and sync-map that
 * a driver's invalidations show.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert/internal.h"

bool told__seen(const struct watched *w, const struct iot_flush *ev)
{
	return hooked__sees(w, HOOK_INVALIDATE, ev->begin);
}

int told__of(const struct watched *w, struct telling t)
{
	__u64 nr = w->nr_told < TOLD_MAX ? w->nr_told : TOLD_MAX;

	/* newest first, then once more: pieces come off both ends */
	for (int pass = 0; pass < 2; pass++)
		for (__u64 n = 1; n <= nr; n++) {
			const struct told *i = &w->told[(w->nr_told - n) % TOLD_MAX];

			if (i->ts < (t.own_from < t.from ? t.own_from : t.from))
				break;
			if (i->ts > t.to ||
			    i->begin < (i->runner == t.runner ? t.own_from : t.from))
				continue;
			if (i->first <= t.first && i->last >= t.last)
				return 1;
			if (i->first <= t.first && i->last >= t.first)
				t.first = i->last + 1;
			else if (i->last >= t.last && i->first <= t.last)
				t.last = i->first - 1;
		}
	if (w->nr_told > TOLD_MAX && w->told[w->nr_told % TOLD_MAX].ts > t.from)
		return -1;
	return 0;
}

static void settle(struct checks *c, const struct watched *w, const struct untold *u)
{
	struct violation v = { .id = INV_FLUSH_COVERS_UNMAP,
			       .where = subject__place(u->subject),
			       .ts = u->flush_end,
			       .from = u->ts,
			       .to = u->late_ts ? u->late_ts : u->flush_end,
			       .causes = LOSS_FLUSH };
	const char *what = u->kind == IOT_FLUSH_ALL ? "flush_iotlb_all" : "iotlb_sync";
	char other[48] = "";

	if (u->left)
		return;
	/* the device's end would have come by now, and is all that could be missing */
	if (u->within && w->dom && w->dom->nr_devs && c->now <= u->flush_end + UNTOLD_PATIENCE) {
		checks__doubt(
			c, INV_FLUSH_COVERS_UNMAP, v.where,
			"%s: a flush told the hardware nothing while something else told it "
			"to forget everything; whether the last device was leaving isn't known",
			place__name(c, v.where).s);
		return;
	}
	if (u->within) {
		v.causes |= LOSS(RARE);
		v.to = c->now;
	}
	if (u->late_ts) {
		if (!u->lazy)
			v.id = INV_STRICT_MEANS_STRICT;
		checks__violation(c, &v,
				  "%s returned before the hardware had forgotten 0x%llx (%llu "
				  "bytes): that took %.3f ms more",
				  what, u->first, u->last - u->first + 1,
				  (double)(u->late_ts - u->flush_end) / 1e6);
		return;
	}
	if (u->other_domain)
		snprintf(other, sizeof(other), "; it told it about domain %u", u->other_domain);
	checks__violation(
		c, &v,
		"%s didn't tell the hardware to forget all of 0x%llx (%llu bytes), unmapped "
		"%.1f us before%s",
		what, u->first, u->last - u->first + 1, (double)(u->flush_begin - u->ts) / 1e3,
		other);
}

/* Decides those that can be, and the oldest ones if there is no room. */
static void settle_old(struct checks *c, struct watched *w, __u64 now)
{
	__u32 kept = 0, surplus = w->nr_untold == UNTOLD_MAX ? UNTOLD_MAX / 2 : 0;

	for (__u32 i = 0; i < w->nr_untold; i++) {
		const struct untold *u = &w->untold[i];

		if (i < surplus || u->flush_end + UNTOLD_PATIENCE < now)
			settle(c, w, u);
		else
			w->untold[kept++] = *u;
	}
	w->nr_untold = kept;
}

void told__end(struct checks *c, struct watched *w)
{
	for (__u32 i = 0; i < w->nr_untold; i++)
		settle(c, w, &w->untold[i]);
	w->nr_untold = 0;
	free(w->untold);
	free(w->told);
	w->untold = NULL;
	w->told = NULL;
	w->nr_told = 0;
}

static bool is_all(const struct iot_invalidate *ev)
{
	return !ev->iova && ev->last == ~0ULL;
}

void told__invalidate(struct checks *c, struct subject *s, struct runner *r,
		      const struct iot_invalidate *ev)
{
	struct watched *w = s->w;

	r->told_domain = s->domain;
	r->told_begin = ev->begin;
	if (is_all(ev)) {
		r->all_domain = s->domain;
		r->all_begin = ev->begin;
		r->all_end = ev->h.ts;
	}
	if (!w->told)
		w->told = calloc(TOLD_MAX, sizeof(*w->told));
	if (!w->told) {
		c->error = -ENOMEM;
		return;
	}
	w->told[w->nr_told++ % TOLD_MAX] = (struct told){ .begin = ev->begin,
							  .ts = ev->h.ts,
							  .first = ev->iova,
							  .last = ev->last,
							  .runner = r->key };
	for (__u32 i = 0; i < w->nr_untold; i++) {
		struct untold *u = &w->untold[i];

		/* Another flush's, or a device is leaving, which its runner's next event shows. */
		if (is_all(ev) && ev->begin < u->flush_begin) {
			u->within = true;
			continue;
		}
		if (u->late_ts || ev->iova > u->first || ev->last < u->last || ev->begin < u->ts)
			continue;
		/* when a device leaves, everything is told to go: nobody's late end */
		if (!u->lazy && is_all(ev))
			continue;
		u->late_ts = ev->h.ts;
		u->late_begin = ev->begin;
		u->late_runner = r->key;
	}
}

void told__flush(struct checks *c, struct watched *w, struct runner *r, const struct iot_flush *ev)
{
	if (r->all_begin >= ev->begin)
		r->all_domain = 0;
	if (!w->nr_untold)
		return;
	for (__u32 i = 0; i < w->nr_untold; i++) {
		struct untold *u = &w->untold[i];

		if (u->late_ts && u->late_runner == r->key && u->late_begin >= ev->begin)
			u->late_ts = 0;
	}
	settle_old(c, w, ev->h.ts);
}

/* While the last device leaves, the hardware is told to forget everything, and the driver has
 * nobody any more whom a flush would have to tell. */
void told__detached(struct watched *w, const struct runner *r)
{
	if (!w->dom || w->dom->nr_devs || r->all_domain != w->nr)
		return;
	for (__u32 i = 0; i < w->nr_untold; i++) {
		struct untold *u = &w->untold[i];

		u->left |= r->all_begin < u->flush_begin && r->all_end >= u->flush_end;
	}
}

void told__covered(struct checks *c, struct watched *w, struct runner *r,
		   const struct iot_flush *ev, const struct unflushed *u)
{
	int told;

	/* Drivers tell nobody about a domain that no device uses. */
	if (!told__seen(w, ev) || !w->dom || !w->dom->nr_devs)
		return;
	told = told__of(w, (struct telling){ .first = u->first,
					     .last = u->last,
					     .from = u->ts,
					     .to = ev->h.ts,
					     .runner = u->runner,
					     .own_from = u->lazy ? u->ts : u->since });
	if (told > 0)
		return;
	if (told < 0) {
		if (!w->doubted_told)
			checks__doubt(
				c, INV_FLUSH_COVERS_UNMAP, subject__place(u->subject),
				"%s: more than %u invalidations came while one flush was under "
				"way; what it told the hardware can't be said",
				place__name(c, subject__place(u->subject)).s, TOLD_MAX);
		w->doubted_told = true;
		return;
	}
	if (w->nr_untold == UNTOLD_MAX)
		settle_old(c, w, ev->h.ts);
	if (!w->untold)
		w->untold = calloc(UNTOLD_MAX, sizeof(*w->untold));
	if (!w->untold) {
		c->error = -ENOMEM;
		return;
	}
	w->untold[w->nr_untold++] = (struct untold){
		.first = u->first,
		.last = u->last,
		.ts = u->ts,
		.flush_begin = ev->begin,
		.flush_end = ev->h.ts,
		.subject = u->subject,
		.other_domain =
			r->told_begin >= ev->begin && r->told_domain != w->nr ? r->told_domain : 0,
		.kind = ev->kind,
		.lazy = u->lazy
	};
}

void told__sync_map(struct checks *c, struct subject *s, const struct iot_flush *ev)
{
	struct watched *w = s->w;
	bool seen = told__seen(w, ev);
	int told = -1;

	s->seen[SEEN_SYNC_MAPS]++;
	for (__u16 i = s->begin[INV_SYNC_MAP]; i < s->begin[INV_SYNC_MAP + 1]; i++) {
		struct rule_state *rule = s->rules[i];

		if (!rule->rule->params[0] || !ev->begin || !ev->size || !w->dom ||
		    !w->dom->nr_devs)
			continue;
		if (seen)
			told = told__of(w,
					(struct telling){ .first = ev->iova,
							  .last = range__last(ev->iova, ev->size),
							  .from = ev->begin,
							  .own_from = ev->begin,
							  .to = ev->h.ts });
		if (told < 0)
			segment__doubt(&rule->seg[c->segment],
				       seen ? "%s: too many invalidations came while one "
					      "iotlb_sync_map was under way; what it told the "
					      "hardware can't be said"
					    : "%s: what iotlb_sync_map tells the hardware isn't "
					      "seen: no function of its driver for that is hooked",
				       place__name(c, subject__place(s)).s);
		else if (!told)
			checks__violation(
				c,
				&(struct violation){ .id = INV_SYNC_MAP,
						     .where = subject__place(s),
						     .only = rule,
						     .ts = ev->h.ts,
						     .from = ev->begin,
						     .to = ev->h.ts,
						     .causes = LOSS_FLUSH },
				"iotlb_sync_map didn't tell the hardware about 0x%llx (%llu "
				"bytes)",
				ev->iova, ev->size);
	}
}
