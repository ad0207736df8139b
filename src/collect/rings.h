/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's rings, drained into one ordered stream. Draining is a thread of its own
 * (rings__start()), which does nothing but copy, so that whatever the caller is busy with costs
 * memory and not events; sorting is the caller's (rings__drain()).
 */
#ifndef IOMMUTOP_COLLECT_RINGS_H
#define IOMMUTOP_COLLECT_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "shared.h"

struct rings;

/* Takes a run of whole events in time order. */
typedef int (*rings_sink)(void *ctx, void *events, size_t bytes);

/*
 * cpus: nr_cpus of struct iot_cpu; hot: nr_cpus * slots slots of IOT_HOT_SIZE bytes; both mapped
 * from the BPF maps and kept by the caller. slots is a power of two. memory: bytes for hot events
 * that were read and not delivered; at least 32 KiB a CPU are used. When it is full, events stay in
 * their ring, and when that is full the kernel counts what it drops. NULL: no memory.
 */
struct rings *rings__new(struct iot_cpu *cpus, void *hot, uint32_t nr_cpus, uint32_t slots,
			 uint64_t hold_ns, size_t memory);
void rings__free(struct rings *r); /* NULL is fine */

/* The thread that drains; without it rings__drain() does. 0 or a negative errno. */
int rings__start(struct rings *r);
void rings__stop(struct rings *r); /* waits for its end; nothing if there is none */

/* Adds one event that came another way (the rare ring, the collector's own). -ENOMEM, or 0. */
int rings__add(struct rings *r, const struct iot_event *ev);

/*
 * Delivers in time order what can't be preceded any more: everything older than now - hold_ns that
 * is not behind a slot still being written, as of the last time that all rings were read. all:
 * reads and delivers everything; not while the thread runs. Returns 0 or the sink's error.
 */
int rings__drain(struct rings *r, uint64_t now, bool all, rings_sink sink, void *ctx);

/* Switches the hot hooks of all CPUs on or off. */
void rings__activate(struct rings *r, bool on);
/* Every slot that was reserved has been read. */
bool rings__empty(const struct rings *r);

/* Slots, from one on that was reserved and not published, as of the last time that all rings were
 * read; *since, ns: the last event before them. */
uint64_t rings__left(const struct rings *r, uint64_t *since);

/*
 * How near the next loss is, in percent: the largest part of a ring found in use the last time, or
 * with the thread, the part of the memory that is in use.
 */
unsigned int rings__fill(struct rings *r);
uint64_t rings__delivered(const struct rings *r); /* events */
/* Events whose time was moved forward because a later one had been delivered already. */
uint64_t rings__late(const struct rings *r);

#endif
