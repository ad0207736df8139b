/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's rings, drained into one ordered stream. */
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
 * from the BPF maps and kept by the caller. slots is a power of two. NULL: no memory.
 */
struct rings *rings__new(struct iot_cpu *cpus, void *hot, uint32_t nr_cpus, uint32_t slots,
			 uint64_t hold_ns);
void rings__free(struct rings *r);

/* Adds one event that came another way (the rare ring, the collector's own). -ENOMEM, or 0. */
int rings__add(struct rings *r, const struct iot_event *ev);

/*
 * Reads all rings, then delivers in time order what can't be preceded any more: everything older
 * than now - hold_ns that is not behind a slot still being written. all: delivers everything.
 * Returns 0 or the sink's error.
 */
int rings__drain(struct rings *r, uint64_t now, bool all, rings_sink sink, void *ctx);

/* Switches the hot hooks of all CPUs on or off. */
void rings__activate(struct rings *r, bool on);

/* Largest part of a ring found in use by the last drain, in percent. */
unsigned int rings__fill(const struct rings *r);
uint64_t rings__delivered(const struct rings *r); /* events */
/* Events whose time was moved forward because a later one had been delivered already. */
uint64_t rings__late(const struct rings *r);

#endif
