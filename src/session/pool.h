/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets in memory: made when they are needed, up to a limit, and used again. The caller locks. */
#ifndef IOMMUTOP_SESSION_POOL_H
#define IOMMUTOP_SESSION_POOL_H

#include "session/packet.h"

struct packet {
	struct packet *next;      /* for whoever holds it */
	uint64_t opened_ns;       /* CLOCK_MONOTONIC */
	unsigned int class;       /* PACKET_CLASS_* */
	uint32_t used;            /* bytes of data, head included */
	struct packet_head *head; /* = data; zero when taken */
	uint8_t *data;            /* packet_bytes */
};

struct packet_pool {
	size_t packet_bytes; /* a multiple of 64 */
	size_t max;          /* packets */
	size_t reserved;     /* the last ones, for side tables: little, and all depends on them */
	struct packet *free;
	size_t nr_free, nr;
};

/* NULL: the limit is reached, or there is no memory. */
struct packet *packet_pool__take(struct packet_pool *pool, unsigned int class, uint64_t now_ns);
void packet_pool__give(struct packet_pool *pool, struct packet *p);
void packet_pool__free(struct packet_pool *pool); /* every packet must have been given back */

#endif
