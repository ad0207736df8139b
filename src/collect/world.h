/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The side tables of a capture, kept up to date: devices, reserved regions, names that the log
 * uses, clock samples. Drivers are bound and interfaces named after a device was attached, so what
 * is known of it is looked at again, and told again where it changed.
 */
#ifndef IOMMUTOP_COLLECT_WORLD_H
#define IOMMUTOP_COLLECT_WORLD_H

#include <stdint.h>

#include "collect/facts.h"
#include "event.h"

struct world;

/*
 * add: takes each event. sysfs: NULL = /sys. look: a loaded program that brings the map devs up to
 * date, -1 = there is none. NULL: no memory.
 */
struct world *world__new(facts_add add, void *ctx, const char *sysfs, int look_fd, int devs_fd);
void world__free(struct world *w);

/* Completes what the kernel told of a device and remembers it; tells the regions of its group. */
int world__device(struct world *w, struct iot_device *dev);
/* Number of the device with this name, the latest one if there were several; 0 = none. */
uint32_t world__find(const struct world *w, const char *name);
uint32_t world__find_rid(const struct world *w, uint32_t rid);

/* Something came, or a driver was bound: look again soon, and once more when names have settled. */
void world__changed(struct world *w);

/* At the begin and at the end of a capture: everything, and a sample of the clocks. */
int world__tell(struct world *w);
/* To be called now and then, at most every few seconds: does what is due. now: ns. */
int world__tick(struct world *w, uint64_t now);

#endif
