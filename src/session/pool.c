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

/* Packets that must be left over for the other lanes' share. */
static size_t kept_back(const struct packet_pool *pool, enum lane lane)
{
	size_t nr = 0;

	for (enum lane l = LANE_RARE; l < LANES; l++)
		if (l != lane && pool->used[l] < pool->reserved)
			nr += pool->reserved - pool->used[l];
	return nr;
}

struct packet *packet_pool__take(struct packet_pool *pool, enum lane lane, uint64_t now_ns)
{
	size_t left = pool->nr_free + pool->max - pool->nr;
	struct packet *p = pool->free;

	if (left <= kept_back(pool, lane))
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
	p->lane = lane;
	pool->used[lane]++;
	p->new_file = false;
	p->remove = 0;
	p->used = sizeof(struct packet_head);
	p->head = (struct packet_head *)p->data;
	memset(p->head, 0, sizeof(*p->head));
	p->opened_ns = now_ns;
	return p;
}

void packet_pool__give(struct packet_pool *pool, struct packet *p)
{
	pool->used[p->lane]--;
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
