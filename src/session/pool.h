/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets in memory: made when they are needed, up to a limit, and used again. The caller locks. */
#ifndef IOMMUTOP_SESSION_POOL_H
#define IOMMUTOP_SESSION_POOL_H

#include <stdbool.h>

#include "session/lane.h"
#include "session/packet.h"

struct packet {
	struct packet *next; /* for whoever holds it */
	uint64_t opened_ns;  /* CLOCK_MONOTONIC */
	enum lane lane;
	bool new_file;            /* its lane's next file begins with it */
	unsigned int remove;      /* once it is on disk, files of events before this number go */
	uint32_t used;            /* bytes of data, head included */
	struct packet_head *head; /* = data; zero when taken */
	uint8_t *data;            /* packet_bytes */
};

struct packet_pool {
	size_t packet_bytes; /* a multiple of 64 */
	size_t max;          /* packets */
	/*
	 * Packets that rare events and side tables may always have, each: they are few, and all
	 * else depends on them.
	 */
	size_t reserved;
	size_t used[LANES];
	struct packet *free;
	size_t nr_free, nr;
};

/* NULL: the limit is reached, or there is no memory. */
struct packet *packet_pool__take(struct packet_pool *pool, enum lane lane, uint64_t now_ns);
void packet_pool__give(struct packet_pool *pool, struct packet *p);
void packet_pool__free(struct packet_pool *pool); /* every packet must have been given back */

#endif
