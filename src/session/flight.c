// SPDX-License-Identifier: GPL-2.0-only
#include "session/flight.h"

static struct packet *take_oldest(struct flight *f)
{
	struct packet *p = f->oldest;

	if (!p)
		return NULL;
	f->oldest = p->next;
	if (!f->oldest)
		f->newest = NULL;
	p->next = NULL;
	f->nr--;
	f->events -= p->head->events;
	return p;
}

struct packet *flight__forget(struct flight *f)
{
	struct packet *p = take_oldest(f);

	if (p)
		gap__add(&f->forgotten, &(struct gap){ p->head->timestamp_begin,
						       p->head->timestamp_end, p->head->events });
	return p;
}

struct packet *flight__add(struct flight *f, struct packet *p)
{
	p->next = NULL;
	if (f->newest)
		f->newest->next = p;
	else
		f->oldest = p;
	f->newest = p;
	f->nr++;
	f->events += p->head->events;
	return f->nr > f->max ? flight__forget(f) : NULL;
}

struct packet *flight__take_all(struct flight *f)
{
	struct packet *all = f->oldest;

	f->oldest = f->newest = NULL;
	f->nr = 0;
	f->events = 0;
	return all;
}
