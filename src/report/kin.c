// SPDX-License-Identifier: GPL-2.0-only
#include "report/kin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED 3 /* so many are told by name, if there are more */

bool kin__is_vf_of(const struct model_device *b, const struct model_device *a)
{
	return b != a && b->origin == a->origin && b->physfn[0] && a->name[0] &&
	       !strncmp(b->physfn, a->name, sizeof(b->physfn));
}

bool kin__share_group(const struct model_device *b, const struct model_device *a)
{
	return b != a && b->origin == a->origin && a->group >= 0 && b->group == a->group &&
	       strcmp(b->name, a->name) != 0; /* the same device, removed and found again */
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct model_device *const *)a)->name,
		      (*(const struct model_device *const *)b)->name);
}

void kin__each(const struct model *m, const struct model_device *d,
	       bool (*is_kin)(const struct model_device *b, const struct model_device *d),
	       void (*each)(void *ctx, const struct model_device *b), void *ctx)
{
	const struct model_device **found = NULL;
	size_t nr = 0, size = 0;

	idtab__for_each (&m->devices, s) {
		const struct model_device *b = s->value, **more;

		if (!is_kin(b, d))
			continue;
		if (nr == size) {
			size = size ? 2 * size : 8;
			more = realloc(found, size * sizeof(*more));
			if (!more)
				break; /* fewer are told of: nothing depends on it */
			found = more;
		}
		found[nr++] = b;
	}
	if (nr)
		qsort(found, nr, sizeof(*found), by_name);
	for (size_t i = 0; i < nr; i++)
		if (!i || strcmp(found[i]->name, found[i - 1]->name) != 0)
			each(ctx, found[i]);
	free(found);
}

struct sentence {
	char *out;
	size_t len, size, nr;
	size_t total;
};

static void add(struct sentence *s, const char *text)
{
	int n;

	if (s->len >= s->size)
		return;
	n = snprintf(s->out + s->len, s->size - s->len, "%s", text);
	s->len += n > 0 ? (size_t)n : 0;
}

static void count(void *ctx, const struct model_device *b)
{
	struct sentence *s = ctx;

	(void)b;
	s->total++;
}

static void name(void *ctx, const struct model_device *b)
{
	struct sentence *s = ctx;

	if (s->nr >= NAMED && s->total > NAMED + 1)
		return;
	add(s, s->nr++ ? ", " : "");
	add(s, b->name);
}

static void clause(struct sentence *s, const struct model *m, const struct model_device *d,
		   bool (*is_kin)(const struct model_device *b, const struct model_device *d),
		   const char *begin)
{
	char more[32];

	s->nr = s->total = 0;
	kin__each(m, d, is_kin, count, s);
	if (!s->total)
		return;
	add(s, s->len ? "; " : "");
	add(s, begin);
	kin__each(m, d, is_kin, name, s);
	if (s->nr == s->total)
		return;
	snprintf(more, sizeof(more), " and %zu more", s->total - s->nr);
	add(s, more);
}

static void add_name(void *list, const struct model_device *d)
{
	json_object_array_add(list, json_object_new_string(d->name));
}

json *kin__json(const struct model *m, const struct model_device *d,
		bool (*is_kin)(const struct model_device *b, const struct model_device *d))
{
	json *list = json_object_new_array();

	kin__each(m, d, is_kin, add_name, list);
	return list;
}

const char *kin__text(const struct model *m, const struct model_device *d, char *out, size_t size)
{
	struct sentence s = { .out = out, .size = size };
	char group[48];

	out[0] = 0;
	if (d->physfn[0]) {
		add(&s, "VF of ");
		add(&s, d->physfn);
	}
	clause(&s, m, d, kin__is_vf_of, "PF of ");
	snprintf(group, sizeof(group), "shares group %d with ", d->group);
	clause(&s, m, d, kin__share_group, group);
	return out;
}
