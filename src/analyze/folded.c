// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/folded.h"

#include <errno.h>
#include <stdlib.h>

static void count(struct folded_entry *e, const struct iot_event *ev)
{
	const void *body = ev;

	e->nr++;
	if (ev->id == IOT_EV_MAP) {
		const struct iot_map *map = body;

		e->bytes += map->ret ? 0 : map->size;
	} else if (ev->id == IOT_EV_UNMAP) {
		e->bytes += ((const struct iot_unmap *)body)->unmapped;
	} else if (ev->id == IOT_EV_FLUSH) {
		const struct iot_flush *flush = body;

		if (flush->begin && flush->begin <= ev->ts)
			e->ns += ev->ts - flush->begin;
	}
}

int folded__event(struct folded *f, const struct iot_event *ev)
{
	struct idtab *t = ev->stack ? &f->by_stack : &f->by_tid;
	__u32 key = ev->stack ? ev->stack : ev->tid;
	struct folded_entry *e;

	if (ev->id != f->id)
		return 0;
	e = idtab__find(t, key);
	if (!e) {
		if (t->nr >= FOLDED_MAX) {
			f->dropped++;
			return 0;
		}
		e = calloc(1, sizeof(*e));
		if (!e || idtab__set(t, key, e)) {
			free(e);
			return -ENOMEM;
		}
		e->stack = ev->stack;
		e->tid = ev->tid;
	}
	count(e, ev);
	return 0;
}

void folded__free(struct folded *f)
{
	idtab__for_each (&f->by_stack, s)
		free(s->value);
	idtab__for_each (&f->by_tid, s)
		free(s->value);
	idtab__free(&f->by_stack);
	idtab__free(&f->by_tid);
}
