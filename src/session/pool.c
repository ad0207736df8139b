// SPDX-License-Identifier: GPL-2.0-only
#include "session/pool.h"

#include <stdlib.h>
#include <string.h>

static struct packet *make_packet(struct packet_pool *pool)
{
	struct packet *p = malloc(sizeof(*p));

	if (!p)
		return NULL;
	p->data = aligned_alloc(64, pool->packet_bytes);
	if (!p->data) {
		free(p);
		return NULL;
	}
	pool->nr++;
	return p;
}

struct packet *packet_pool__take(struct packet_pool *pool, unsigned int class, uint64_t now_ns)
{
	size_t left = pool->nr_free + pool->max - pool->nr;
	struct packet *p = pool->free;

	if (left <= (class == PACKET_CLASS_TABLES ? 0 : pool->reserved))
		return NULL;
	if (p) {
		pool->free = p->next;
		pool->nr_free--;
	} else {
		p = make_packet(pool);
		if (!p)
			return NULL;
	}
	p->next = NULL;
	p->class = class;
	p->used = sizeof(struct packet_head);
	p->head = (struct packet_head *)p->data;
	memset(p->head, 0, sizeof(*p->head));
	p->opened_ns = now_ns;
	return p;
}

void packet_pool__give(struct packet_pool *pool, struct packet *p)
{
	p->next = pool->free;
	pool->free = p;
	pool->nr_free++;
}

void packet_pool__free(struct packet_pool *pool)
{
	struct packet *p, *next;

	for (p = pool->free; p; p = next) {
		next = p->next;
		free(p->data);
		free(p);
	}
	*pool = (struct packet_pool){ 0 };
}
