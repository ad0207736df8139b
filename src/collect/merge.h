/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The side of rings.h that merges: hot events of all CPUs, in chunks, and events that came another
 * way become one stream in the order of time. All from one thread.
 */
#ifndef IOMMUTOP_COLLECT_MERGE_H
#define IOMMUTOP_COLLECT_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "collect/chunks.h"
#include "event.h"

/* Takes a run of whole events in time order. */
typedef int (*merge_sink)(void *ctx, void *events, size_t bytes);

/*
 * One source a CPU, and one for everything else. A CPU's events lie in chunks; those of the other
 * source in one buffer, with its first at `at`.
 */
struct merge_source {
	char *at, *end;    /* events not delivered, of the first chunk or of all the buffer */
	uint64_t first_ts; /* UINT64_MAX: empty */
	uint64_t last_ts;  /* of the last event added; the other source only */
	struct chunk_list chunks;
};

struct merge {
	uint32_t nr_cpus;
	struct chunks *memory;
	uint64_t delivered_ts;        /* of the last event delivered */
	uint64_t delivered;           /* events */
	uint64_t late;                /* of them, those whose time had to be moved forward */
	struct merge_source *sources; /* nr_cpus + 1 */
	struct merge_source **heap;   /* those that aren't empty, the oldest at the top */
	uint32_t nr_heap;
	char *other; /* buffer of the other source */
	size_t other_size;
	struct chunk *done; /* delivered, to be given back */
	char *batch;        /* merged, for the sink */
	size_t batched;
};

/* memory is where delivered chunks go back to. 0 or -ENOMEM; merge__free() is due in both cases. */
int merge__init(struct merge *m, uint32_t nr_cpus, struct chunks *memory);
void merge__free(struct merge *m);

/* Adds one event that is in no chunk. 0 or -ENOMEM. */
int merge__add(struct merge *m, const struct iot_event *ev);

/* Takes all chunks of the list, which are a CPU's next ones. */
void merge__take(struct merge *m, uint32_t cpu, struct chunk_list *list);

/* Delivers in the order of time all that is not younger than limit, ns. 0 or the sink's error. */
int merge__deliver(struct merge *m, uint64_t limit, merge_sink sink, void *ctx);

#endif
