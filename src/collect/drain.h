/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The side of rings.h that reads the kernel's rings: it copies what was published to chunks, which
 * wait for the side that merges. A thread of its own (drain__start()) does that, or drain__read().
 */
#ifndef IOMMUTOP_COLLECT_DRAIN_H
#define IOMMUTOP_COLLECT_DRAIN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "collect/chunks.h"
#include "shared.h"

/* What was read of a CPU. */
struct drain_cpu {
	struct chunk_list chunks; /* since drain__take() took them last */
	uint64_t last_ts;
};

struct drain {
	struct iot_cpu *cpus;
	char *hot;
	uint32_t nr_cpus, slots;
	struct chunks *memory;

	pthread_mutex_t reading; /* one at a time */
	unsigned int fill;       /* percent: the largest part of a ring found in use */
	pthread_t thread;
	bool running, stop;
	pthread_cond_t wake; /* with handover: stop was set */

	pthread_mutex_t handover; /* of what is below */
	struct drain_cpu *of_cpu; /* nr_cpus */
	uint64_t read_at;         /* ns, when all rings were read the last time */
	/* the last event before one that had to be left in a ring; UINT64_MAX: none was */
	uint64_t blocked_at;
};

/* cpus, hot and slots as of rings__new(); memory gives the chunks. They stay the caller's. 0 or
 * -ENOMEM; drain__free() is due in both cases. */
int drain__init(struct drain *d, struct iot_cpu *cpus, void *hot, uint32_t nr_cpus, uint32_t slots,
		struct chunks *memory);
void drain__free(struct drain *d); /* stops the thread, and gives back what nobody took */

int drain__start(struct drain *d); /* 0 or a negative errno */
void drain__stop(struct drain *d); /* waits for the thread's end; nothing if there is none */

/* Reads all rings once; now, ns, is taken for when. */
void drain__read(struct drain *d, uint64_t now);

/*
 * Moves what was read since the last time to the ends of lists, one a CPU. Returns when all rings
 * were read the last time, ns; *blocked_at as in struct drain.
 */
uint64_t drain__take(struct drain *d, struct chunk_list *lists, uint64_t *blocked_at);

/* These are described in rings.h. */
void drain__activate(struct drain *d, bool on);
bool drain__empty(const struct drain *d);
uint64_t drain__left(const struct drain *d, uint64_t *since);

#endif
