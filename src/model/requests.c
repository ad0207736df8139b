// SPDX-License-Identifier: GPL-2.0-only
#include "model/requests.h"

#include <errno.h>
#include <stdlib.h>

struct group {
	__u64 since; /* ns: its last request */
};

/* PASIDs have 20 bits. */
static __u64 group_key(__u32 prgi, __u32 pasid, __u8 pasid_valid)
{
	return pasid_valid ? 1ULL << 63 | (__u64)pasid << 32 | prgi : prgi;
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

int requests__add(struct requests *r, const struct iot_page_request *ev, bool in_scope)
{
	__u64 key = group_key(ev->prgi, ev->pasid, ev->pasid_valid);
	struct requests_dev *d;
	struct group *g;

	if (!in_scope)
		return 0;
	d = dev_of(r, ev->h.dev);
	if (!d)
		return -ENOMEM;
	d->requests++;
	if (!ev->last)
		return 0;
	d->groups++;
	g = idtab__find(&d->open, key);
	if (!g && d->open.nr >= REQUESTS_OPEN_MAX) {
		d->untracked++;
		return 0;
	}
	if (!g) {
		g = calloc(1, sizeof(*g));
		if (!g || idtab__set(&d->open, key, g)) {
			free(g);
			return -ENOMEM;
		}
	}
	g->since = ev->h.ts;
	return 0;
}

int requests__answer(struct requests *r, const struct iot_page_response *ev, bool in_scope)
{
	struct requests_dev *d = in_scope ? dev_of(r, ev->h.dev) : idtab__find(&r->devs, ev->h.dev);

	if (d)
		free(idtab__remove(&d->open, group_key(ev->prgi, ev->pasid, ev->pasid_valid)));
	if (!in_scope)
		return 0;
	if (!d)
		return -ENOMEM;
	if (ev->code < IOT_PAGE_CODES)
		d->answers[ev->code]++;
	else
		d->other++;
	d->failed += ev->ret && ev->code != IOT_PAGE_REFUSED;
	if (ev->latency && ev->code != IOT_PAGE_REFUSED)
		hist__add(&d->latency, ev->latency);
	return 0;
}

__u64 requests__oldest(const struct requests_dev *d)
{
	__u64 oldest = 0;

	idtab__for_each (&d->open, s) {
		const struct group *g = s->value;

		if (!oldest || g->since < oldest)
			oldest = g->since;
	}
	return oldest;
}

void requests__free(struct requests *r)
{
	idtab__for_each (&r->devs, s) {
		struct requests_dev *d = s->value;

		idtab__for_each (&d->open, g)
			free(g->value);
		idtab__free(&d->open);
		free(d);
	}
	idtab__free(&r->devs);
}
