// SPDX-License-Identifier: GPL-2.0-only
#include "session/rotation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A damaged session may have one name twice: its streams then stay in their order. */
static int compare(const void *a, const void *b, void *ctx)
{
	const struct stream *x = *(const struct stream *const *)a;
	const struct stream *y = *(const struct stream *const *)b;
	struct rotation *r = ctx;
	int order = strcmp(x->name, y->name);

	r->compared++;
	return order ? order : (x > y) - (x < y);
}

int rotation__init(struct rotation *r, const struct stream *streams, size_t nr)
{
	*r = (struct rotation){ .nr = nr };
	r->by_name = malloc((nr + 1) * sizeof(const struct stream *));
	if (!r->by_name)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		r->by_name[i] = &streams[i];
	qsort_r(r->by_name, nr, sizeof(const struct stream *), compare, r);
	return 0;
}

void rotation__free(struct rotation *r)
{
	free(r->by_name);
	*r = (struct rotation){ 0 };
}

/* The first stream whose name is not before this one. */
static size_t lower_bound(struct rotation *r, const char *name)
{
	size_t from = 0, to = r->nr;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		r->compared++;
		if (strcmp(r->by_name[middle]->name, name) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

const struct stream *rotation__next(struct rotation *r, const struct stream *s)
{
	const char *mark = strrchr(s->name, '_');
	char name[sizeof(s->name) + 32];
	unsigned long number;
	char *end;

	if (!mark)
		return NULL;
	number = strtoul(mark + 1, &end, 10);
	if (end == mark + 1)
		return NULL;
	snprintf(name, sizeof(name), "%.*s_%lu%s", (int)(mark - s->name), s->name, number + 1, end);
	for (size_t i = lower_bound(r, name); i < r->nr; i++) {
		r->compared++;
		if (strcmp(r->by_name[i]->name, name))
			break;
		if (r->by_name[i]->first_ts)
			return r->by_name[i];
	}
	return NULL;
}
