// SPDX-License-Identifier: GPL-2.0-only
#include "model/requests.h"

#include <errno.h>
#include <stdlib.h>

__u64 requests__key(__u32 prgi, __u32 pasid, __u8 pasid_valid)
{
	return pasid_valid ? 1ULL << 63 | (__u64)(pasid & 0xfffff) << 32 | prgi : prgi;
}

static struct requests_dev *dev_of(struct requests *r, __u32 nr)
{
	/* number 0, not known, is a device like others here; the table's keys may be anything */
	struct requests_dev *d = idtab__find(&r->devs, nr);

	if (d)
		return d;
	d = calloc(1, sizeof(*d));
	if (d && idtab__set(&r->devs, nr, d)) {
		free(d);
		return NULL;
	}
	return d;
}

static void add_page(struct requests_group *g, const struct iot_page_request *ev)
{
	if (!g->nr)
		g->first = ev->h.ts;
	if (g->nr < REQUESTS_PAGES)
		g->iovas[g->nr] = ev->iova;
	g->nr++;
	g->since = ev->h.ts;
	g->perm |= ev->perm;
}

/* What waits in open under this key gives way: its answer wasn't seen. 0 or -ENOMEM; g is taken. */
static int complete(struct requests_dev *d, __u64 key, struct requests_group *g)
{
	struct requests_group *old = idtab__remove(&d->open, key);

	if (old && old->in_scope)
		d->waiting--;
	free(old);
	if (d->open.nr >= REQUESTS_OPEN_MAX) {
		d->untracked += g->in_scope;
		free(g);
		return 0;
	}
	if (idtab__set(&d->open, key, g)) {
		free(g);
		return -ENOMEM;
	}
	d->waiting += g->in_scope;
	return 0;
}

int requests__add(struct requests *r, const struct iot_page_request *ev, bool in_scope)
{
	__u64 key = requests__key(ev->prgi, ev->pasid, ev->pasid_valid);
	struct requests_dev *d = dev_of(r, ev->h.dev);
	struct requests_group *g;

	if (!d)
		return -ENOMEM;
	d->requests += in_scope;
	g = idtab__find(&d->begun, key);
	if (!g) {
		if (!ev->last && d->begun.nr >= REQUESTS_OPEN_MAX)
			return 0;
		g = calloc(1, sizeof(*g));
		if (!g)
			return -ENOMEM;
		if (!ev->last && idtab__set(&d->begun, key, g)) {
			free(g);
			return -ENOMEM;
		}
	} else if (ev->last) {
		idtab__remove(&d->begun, key);
	}
	add_page(g, ev);
	if (!ev->last)
		return 0;
	d->groups += in_scope;
	g->in_scope = in_scope;
	return complete(d, key, g);
}

int requests__answer(struct requests *r, const struct iot_page_response *ev, bool in_scope)
{
	__u64 key = requests__key(ev->prgi, ev->pasid, ev->pasid_valid);
	struct requests_dev *d = dev_of(r, ev->h.dev);
	struct requests_group *g;

	r->has_answered = false;
	if (!d)
		return -ENOMEM;
	g = idtab__remove(&d->open, key);
	if (g && g->in_scope)
		d->waiting--;
	/* requests that nobody handles are refused one by one */
	if (!g)
		g = idtab__remove(&d->begun, key);
	if (g) {
		r->answered = *g;
		r->has_answered = true;
		free(g);
	}
	if (!in_scope)
		return 0;
	if (ev->code < IOT_PAGE_CODES)
		d->answers[ev->code]++;
	else
		d->other++;
	d->failed += ev->ret && ev->code != IOT_PAGE_REFUSED;
	if (ev->latency && ev->code != IOT_PAGE_REFUSED)
		hist__add(&d->latency, ev->latency);
	return 0;
}

bool requests__any(const struct requests_dev *d)
{
	__u64 nr = d->requests + d->other;

	for (int i = 0; i < IOT_PAGE_CODES; i++)
		nr += d->answers[i];
	return nr != 0;
}

__u64 requests__oldest(const struct requests_dev *d)
{
	__u64 oldest = 0;

	if (!d->waiting)
		return 0;
	idtab__for_each (&d->open, s) {
		const struct requests_group *g = s->value;

		if (g->in_scope && (!oldest || g->since < oldest))
			oldest = g->since;
	}
	return oldest;
}

static void free_groups(struct idtab *t)
{
	idtab__for_each (t, g)
		free(g->value);
	idtab__free(t);
}

void requests__free(struct requests *r)
{
	idtab__for_each (&r->devs, s) {
		struct requests_dev *d = s->value;

		free_groups(&d->open);
		free_groups(&d->begun);
		free(d);
	}
	idtab__free(&r->devs);
}
