// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/journey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int journey__new(struct journey **out, __u64 iova)
{
	struct journey *j = calloc(1, sizeof(*j));

	if (!j)
		return -ENOMEM;
	j->iova = iova;
	j->steps = calloc(JOURNEY_STEPS, sizeof(*j->steps));
	if (!j->steps) {
		free(j);
		return -ENOMEM;
	}
	*out = j;
	return 0;
}

void journey__free(struct journey *j)
{
	if (!j)
		return;
	free(j->steps);
	free(j);
}

__u64 journey__kept(const struct journey *j)
{
	return j->nr < JOURNEY_STEPS ? j->nr : JOURNEY_STEPS;
}

const struct journey_step *journey__step(const struct journey *j, __u64 i)
{
	return &j->steps[(j->nr - journey__kept(j) + i) % JOURNEY_STEPS];
}

static struct journey_domain *domain_of(struct journey *j, __u32 nr)
{
	for (__u32 i = 0; i < j->nr_domains; i++)
		if (j->domains[i].nr == nr)
			return &j->domains[i];
	if (j->nr_domains == JOURNEY_DOMAINS) {
		j->domains_dropped++;
		return NULL;
	}
	j->domains[j->nr_domains] = (struct journey_domain){ .nr = nr };
	return &j->domains[j->nr_domains++];
}

static struct journey_step *add(struct journey *j, const struct iot_event *ev, __u32 domain)
{
	struct journey_step *s = &j->steps[j->nr++ % JOURNEY_STEPS];

	*s = (struct journey_step){ .domain = domain };
	memcpy(&s->h, ev, IOT_HOT_SIZE); /* a fault is as long */
	return s;
}
_Static_assert(sizeof(struct iot_fault) == IOT_HOT_SIZE, "add() copies so much");

static bool inside(const struct journey *j, __u64 start, __u64 size)
{
	return j->iova >= start && j->iova - start < size;
}

static __u64 since(__u64 then, __u64 now)
{
	return then && now > then ? now - then : 0;
}

static void on_map(struct journey *j, const struct iot_map *ev)
{
	struct journey_domain *d;
	struct journey_step *s;

	if (!inside(j, ev->iova, ev->size))
		return;
	d = domain_of(j, ev->h.domain);
	if (!d)
		return;
	s = add(j, &ev->h, d->nr);
	if (ev->ret)
		return;
	s->since = since(d->unmap_ts, ev->h.ts);
	s->unflushed = d->waiting;
	s->mapped = d->mapped;
	d->mapped = true;
	d->map_ts = ev->h.ts;
	d->maps++;
}

static void on_unmap(struct journey *j, const struct iot_unmap *ev)
{
	struct journey_domain *d;
	struct journey_step *s;

	if (!inside(j, ev->iova, ev->size > ev->unmapped ? ev->size : ev->unmapped))
		return;
	d = domain_of(j, ev->h.domain);
	if (!d)
		return;
	s = add(j, &ev->h, d->nr);
	if (!inside(j, ev->iova, ev->unmapped))
		return; /* asked for, but the kernel stopped before it */
	s->since = since(d->mapped ? d->map_ts : 0, ev->h.ts);
	d->mapped = false;
	d->unmap_ts = ev->h.ts;
	d->waiting = true;
	d->gather = ev->gather;
	d->mode = ev->mode;
}

/* Which flush covers which unmap: docs/events.md. */
static void on_flush(struct journey *j, const struct iot_flush *ev)
{
	for (__u32 i = 0; i < j->nr_domains; i++) {
		struct journey_domain *d = &j->domains[i];
		bool covers = ev->kind == IOT_FLUSH_ALL ? d->unmap_ts < ev->begin
			      : ev->kind == IOT_FLUSH_SYNC
				      ? d->mode == IOT_UNMAP_STRICT && d->gather == ev->gather &&
						d->unmap_ts <= ev->begin
				      : false;

		if (d->nr != ev->h.domain || !d->waiting || !ev->begin || !covers)
			continue;
		add(j, &ev->h, d->nr)->since = since(d->unmap_ts, ev->h.ts);
		d->waiting = false;
	}
}

static void on_fault(struct journey *j, struct model *m, const struct iot_fault *ev)
{
	const struct model_device *dev = model__device(m, ev->h.dev);
	__u32 nr = ev->h.domain ? ev->h.domain : dev ? dev->domain : 0;
	const struct model_domain *dom = model__domain(m, nr);
	const struct range *r;
	struct journey_domain *d;
	struct journey_step *s;

	if (!ev->iova_known || ev->iova >> 12 != j->iova >> 12)
		return;
	d = domain_of(j, nr);
	if (!d)
		return;
	s = add(j, &ev->h, nr);
	r = dom ? ranges__find(&dom->live, ev->iova) : NULL;
	s->mapped = r != NULL;
	s->unflushed = !r && d->waiting;
	s->since = since(r ? r->ts : d->unmap_ts, ev->h.ts);
	if (!dom || r)
		return;
	r = ranges__below(&dom->live, ev->iova);
	s->has_below = r != NULL;
	if (r)
		s->below = *r;
	r = ranges__above(&dom->live, ev->iova);
	s->has_above = r != NULL;
	if (r)
		s->above = *r;
}

static void on_iova(struct journey *j, const struct iot_iova *ev)
{
	const struct journey_domain *d;

	if (!ev->iova || !inside(j, ev->iova, ev->size))
		return;
	d = domain_of(j, ev->h.domain);
	if (d)
		add(j, &ev->h, d->nr)->unflushed = ev->h.id == IOT_EV_IOVA_FREE && d->waiting;
}

void journey__event(struct journey *j, struct model *m, const struct iot_event *ev)
{
	const void *body = ev;

	switch (ev->id) {
	case IOT_EV_MAP:
		on_map(j, body);
		break;
	case IOT_EV_UNMAP:
		on_unmap(j, body);
		break;
	case IOT_EV_FLUSH:
		on_flush(j, body);
		break;
	case IOT_EV_IOVA_ALLOC:
	case IOT_EV_IOVA_FREE:
		on_iova(j, body);
		break;
	case IOT_EV_FAULT:
		on_fault(j, m, body);
		break;
	}
}
