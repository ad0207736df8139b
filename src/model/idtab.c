// SPDX-License-Identifier: GPL-2.0-only
#include "model/idtab.h"

#include <errno.h>
#include <stdlib.h>

/* Keys may come from a hostile file; a chosen pile of collisions only makes it slow, the caller
 * bounds the number. */
static size_t place(const struct idtab *t, __u64 key)
{
	return (size_t)((key * 0x9e3779b97f4a7c15ULL) >> 32) & (t->size - 1);
}

static struct idtab_slot *slot_of(const struct idtab *t, __u64 key)
{
	size_t i = place(t, key);

	while (t->slots[i].value && t->slots[i].key != key)
		i = (i + 1) & (t->size - 1);
	return &t->slots[i];
}

void *idtab__find(const struct idtab *t, __u64 key)
{
	return t->size ? slot_of(t, key)->value : NULL;
}

static int grow(struct idtab *t)
{
	struct idtab bigger = { .size = t->size ? t->size * 2 : 64, .nr = t->nr };

	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	idtab__for_each (t, s)
		*slot_of(&bigger, s->key) = *s;
	free(t->slots);
	*t = bigger;
	return 0;
}

int idtab__set(struct idtab *t, __u64 key, void *value)
{
	struct idtab_slot *s;
	int err;

	if (t->nr * 2 >= t->size) {
		err = grow(t);
		if (err)
			return err;
	}
	s = slot_of(t, key);
	t->nr += !s->value;
	*s = (struct idtab_slot){ key, value };
	return 0;
}

void *idtab__remove(struct idtab *t, __u64 key)
{
	struct idtab_slot *s;
	size_t hole, i;
	void *value;

	if (!t->size)
		return NULL;
	s = slot_of(t, key);
	value = s->value;
	if (!value)
		return NULL;
	t->nr--;
	/* Whoever is behind it, and would have been in its place or before, moves up. */
	hole = i = (size_t)(s - t->slots);
	for (;;) {
		size_t home;

		i = (i + 1) & (t->size - 1);
		if (!t->slots[i].value)
			break;
		home = place(t, t->slots[i].key);
		if (((i - home) & (t->size - 1)) < ((i - hole) & (t->size - 1)))
			continue;
		t->slots[hole] = t->slots[i];
		hole = i;
	}
	t->slots[hole].value = NULL;
	return value;
}

void idtab__free(struct idtab *t)
{
	free(t->slots);
	*t = (struct idtab){ 0 };
}
