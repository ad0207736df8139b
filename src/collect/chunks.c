// SPDX-License-Identifier: GPL-2.0-only
#include "collect/chunks.h"

#include <errno.h>
#include <stdlib.h>

int chunks__init(struct chunks *c, uint32_t nr_cpus, size_t bytes)
{
	size_t least = 2 * CHUNKS_RESERVED * (size_t)nr_cpus;

	*c = (struct chunks){ .nr_cpus = nr_cpus };
	pthread_mutex_init(&c->lock, NULL);
	c->max = bytes / sizeof(struct chunk) > least ? bytes / sizeof(struct chunk) : least;
	c->unmet = CHUNKS_RESERVED * (size_t)nr_cpus;
	c->used = calloc(nr_cpus + 1, sizeof(*c->used));
	return c->used ? 0 : -ENOMEM;
}

void chunks__free(struct chunks *c)
{
	struct chunk *next;

	for (; c->free; c->free = next) {
		next = c->free->next;
		free(c->free);
	}
	free(c->used);
	pthread_mutex_destroy(&c->lock);
}

struct chunk *chunks__take(struct chunks *c, uint32_t cpu)
{
	struct chunk *chunk = NULL;

	pthread_mutex_lock(&c->lock);
	if (c->used[cpu] >= CHUNKS_RESERVED && c->max - c->nr_used <= c->unmet)
		goto out;
	chunk = c->free;
	if (chunk) {
		c->free = chunk->next;
	} else {
		chunk = aligned_alloc(IOT_HOT_SIZE, sizeof(*chunk));
		if (!chunk)
			goto out;
		c->nr++;
	}
	c->nr_used++;
	if (c->used[cpu]++ < CHUNKS_RESERVED)
		c->unmet--;
	chunk->cpu = cpu;
	chunk->first = chunk->nr = 0;
	chunk->disorder = false;
out:
	pthread_mutex_unlock(&c->lock);
	return chunk;
}

void chunks__give(struct chunks *c, struct chunk *list)
{
	struct chunk *next;

	if (!list)
		return;
	pthread_mutex_lock(&c->lock);
	for (; list; list = next) {
		next = list->next;
		list->next = c->free;
		c->free = list;
		c->nr_used--;
		if (--c->used[list->cpu] < CHUNKS_RESERVED)
			c->unmet++;
	}
	pthread_mutex_unlock(&c->lock);
}

unsigned int chunks__fill(struct chunks *c)
{
	unsigned int fill;

	pthread_mutex_lock(&c->lock);
	fill = c->max ? (unsigned int)(c->nr_used * 100 / c->max) : 0;
	pthread_mutex_unlock(&c->lock);
	return fill;
}

void chunk_list__add(struct chunk_list *l, struct chunk *c)
{
	c->prev = l->last;
	c->next = NULL;
	if (l->last)
		l->last->next = c;
	else
		l->first = c;
	l->last = c;
}

void chunk_list__splice(struct chunk_list *to, struct chunk_list *from)
{
	if (!from->first)
		return;
	from->first->prev = to->last;
	if (to->last)
		to->last->next = from->first;
	else
		to->first = from->first;
	to->last = from->last;
	*from = (struct chunk_list){ 0 };
}
