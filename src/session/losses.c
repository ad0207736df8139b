// SPDX-License-Identifier: GPL-2.0-only
#include "session/losses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int losses__add(struct losses *l, const struct iot_loss *loss)
{
	struct iot_loss *more, *last;

	if (l->nr == LOSSES_MAX) {
		last = &l->items[l->nr - 1];
		last->end = loss->end > last->end ? loss->end : last->end;
		last->count += loss->count;
		return 0;
	}
	if (!(l->nr & (l->nr - 1))) {
		more = realloc(l->items, (l->nr ? 2 * l->nr : 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		l->items = more;
	}
	l->items[l->nr++] = *loss;
	return 0;
}

static int by_content(const void *x, const void *y)
{
	const struct iot_loss *a = x, *b = y;

	if (a->begin != b->begin)
		return a->begin < b->begin ? -1 : 1;
	if (a->count != b->count)
		return a->count < b->count ? -1 : 1;
	return strncmp(a->what, b->what, sizeof(a->what));
}

static int by_time(const void *x, const void *y)
{
	const struct iot_loss *a = x, *b = y;

	return a->h.ts < b->h.ts ? -1 : a->h.ts > b->h.ts;
}

void losses__drop(struct losses *l, struct losses *told)
{
	size_t nr = 0, at = 0;

	if (!l->nr || !told->nr)
		return;
	qsort(l->items, l->nr, sizeof(*l->items), by_content);
	qsort(told->items, told->nr, sizeof(*told->items), by_content);
	for (size_t i = 0; i < l->nr; i++) {
		while (at < told->nr && by_content(&told->items[at], &l->items[i]) < 0)
			at++;
		if (at < told->nr && !by_content(&told->items[at], &l->items[i]))
			at++;
		else
			l->items[nr++] = l->items[i];
	}
	l->nr = nr;
	qsort(l->items, nr, sizeof(*l->items), by_time);
}

void losses__free(struct losses *l)
{
	free(l->items);
	*l = (struct losses){ 0 };
}
