// SPDX-License-Identifier: GPL-2.0-only
#include "session/untold.h"

#include <stdlib.h>

#define SPANS_MAX 65536u

static void add(struct untold_list *l, const struct untold_span *span)
{
	size_t room = l->room ? 2 * l->room : 16;
	struct untold_span *more, *last;

	if (l->nr == l->room && l->nr < SPANS_MAX) {
		more = realloc(l->items, room * sizeof(*more));
		if (more) {
			l->items = more;
			l->room = room;
		}
	}
	if (l->nr < l->room) {
		l->items[l->nr++] = *span;
		return;
	}
	if (!l->nr)
		return;
	last = &l->items[l->nr - 1];
	last->begin = span->begin < last->begin ? span->begin : last->begin;
	last->end = span->end > last->end ? span->end : last->end;
	last->count += span->count;
}

void untold__discarded(struct untold *u, __u64 begin, __u64 end, __u64 count)
{
	add(&u->discarded, &(struct untold_span){ begin, end, count });
}

void untold__told(struct untold *u, const struct iot_loss *loss)
{
	const __u64 end = loss->end ? loss->end : loss->h.ts;

	if (loss->cause == IOT_LOST_WRITER)
		add(&u->told, &(struct untold_span){ loss->begin, end, loss->count });
}

static int is_touched(const struct untold *u, const struct untold_span *span)
{
	size_t i;

	for (i = 0; i < u->told.nr; i++) {
		if (u->told.items[i].begin <= span->end && u->told.items[i].end >= span->begin)
			return 1;
	}
	return 0;
}

static void begin(struct untold *u)
{
	__u64 told = 0;
	size_t i;

	for (i = 0; i < u->told.nr; i++)
		told += u->told.items[i].count;
	for (i = 0; i < u->discarded.nr; i++)
		u->left += u->discarded.items[i].count;
	u->left = u->left > told ? u->left - told : 0;
	u->finishing = 1;
}

int untold__next(struct untold *u, struct untold_span *out)
{
	struct untold_span *s;

	if (!u->finishing)
		begin(u);
	while (u->left && u->at < u->discarded.nr) {
		s = &u->discarded.items[u->at++];
		if (is_touched(u, s))
			continue;
		*out = *s;
		out->count = s->count < u->left ? s->count : u->left;
		u->left -= out->count;
		return 1;
	}
	if (!u->left)
		return 0;
	*out = u->discarded.items[0];
	for (s = u->discarded.items; s < u->discarded.items + u->discarded.nr; s++) {
		out->begin = s->begin < out->begin ? s->begin : out->begin;
		out->end = s->end > out->end ? s->end : out->end;
	}
	out->count = u->left;
	u->left = 0;
	return 1;
}

void untold__free(struct untold *u)
{
	free(u->discarded.items);
	free(u->told.items);
}
