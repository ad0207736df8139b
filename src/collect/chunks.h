/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory for hot events between the thread that drains the rings and the one that sorts: pieces
 * that go from one to the other and back. All functions lock by themselves.
 */
#ifndef IOMMUTOP_COLLECT_CHUNKS_H
#define IOMMUTOP_COLLECT_CHUNKS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"

#define CHUNK_EVENTS 127 /* with the head 8 KiB */

struct chunk {
	struct chunk *prev, *next;
	uint32_t cpu;
	uint32_t first, nr; /* events [first, nr) are not delivered yet */
	bool disorder;      /* some event is older than one before it on its CPU */
	char pad[IOT_HOT_SIZE - 2 * sizeof(void *) - 3 * sizeof(uint32_t) - sizeof(bool)];
	char events[CHUNK_EVENTS][IOT_HOT_SIZE];
};
_Static_assert(sizeof(struct chunk) == 8192, "a chunk is two pages");

struct chunk_list {
	struct chunk *first, *last;
};

struct chunks {
	pthread_mutex_t lock;
	struct chunk *free; /* by next */
	size_t max, nr, nr_used;
	/*
	 * Each CPU may always have CHUNKS_RESERVED: the oldest event of all is then in memory, and
	 * delivering it frees some; without, all memory could wait for an event left in a ring.
	 */
	size_t unmet; /* reserved ones not in use */
	uint32_t *used;
	uint32_t nr_cpus;
};
#define CHUNKS_RESERVED 2

int chunks__init(struct chunks *c, uint32_t nr_cpus, size_t bytes); /* 0 or -ENOMEM */
void chunks__free(struct chunks *c);                                /* those that were given back */

struct chunk *chunks__take(struct chunks *c, uint32_t cpu); /* NULL: the limit, or no memory */
void chunks__give(struct chunks *c, struct chunk *list);    /* a list by next */
unsigned int chunks__fill(struct chunks *c);                /* percent in use */

/* A hot event in eight words, which the compiler turns into vector moves; for memcpy() of 64 bytes
 * it makes a call. */
static inline void chunk__copy_event(void *to, const void *from)
{
	struct words {
		uint64_t word[IOT_HOT_SIZE / 8];
	} __attribute__((may_alias));

	*(struct words *)to = *(const struct words *)from;
}

void chunk_list__add(struct chunk_list *l, struct chunk *c);
/* Moves all of from to the end of to. */
void chunk_list__splice(struct chunk_list *to, struct chunk_list *from);

#endif
