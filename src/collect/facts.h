/* SPDX-License-Identifier: GPL-2.0-only */
/* Side tables of a capture: what the numbers in events stand for. Each function hands finished
 * events to add(). */
#ifndef IOMMUTOP_COLLECT_FACTS_H
#define IOMMUTOP_COLLECT_FACTS_H

#include <stddef.h>
#include <stdint.h>

#include "collect/kallsyms.h"
#include "event.h"

typedef int (*facts_add)(void *ctx, const struct iot_event *ev);

/* Clears an event of len bytes and fills its header: now, on no CPU in particular. */
void facts__header(struct iot_event *e, uint16_t id, size_t len);

/* "key=value", cut to what fits. */
int facts__attr(facts_add add, void *ctx, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The stack of number id in the BPF map fd, with the symbols of its addresses. -ENOENT: the map has
 * none. */
int facts__stack(facts_add add, void *ctx, int map_fd, uint32_t id, struct kallsyms *syms);

/* The attribute task.<tid>=<name>; nothing if the task is gone. */
int facts__task(facts_add add, void *ctx, uint32_t tid);

/* One sample of all clocks. */
int facts__clock(facts_add add, void *ctx);

/* What is needed to read the session elsewhere: kernel, command line, options of the IOMMU. */
int facts__host(facts_add add, void *ctx);

uint64_t facts__now(void); /* CLOCK_MONOTONIC, ns */

#endif
