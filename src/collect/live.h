/* SPDX-License-Identifier: GPL-2.0-only */
/* Live counters: what the kernel counts per CPU and domain, read out and kept beyond the end of a
 * domain. */
#ifndef IOMMUTOP_COLLECT_LIVE_H
#define IOMMUTOP_COLLECT_LIVE_H

#include "collect/collect.h"
#include "shared.h"

struct live;

/* counters may be NULL (stream mode): then only places of freed domains are given back. submits may
 * be NULL: none are counted. NULL: no memory. */
struct live *live__new(struct iot_state *state, struct iot_live *counters,
		       const struct iot_live_submit *submits, const struct iot_knobs *knobs);
void live__free(struct live *l);

/*
 * Domains that were freed: keeps their last counters, clears them in the kernel's arrays, calls
 * gone() and gives their places in the domain table back. To be called after the rare ring was
 * read, so that nobody needs the place any more. 0, -ENOMEM, or what gone() returned.
 */
int live__reap(struct live *l, int (*gone)(void *ctx, uint32_t place), void *ctx);
/*
 * Around the attaching of flush functions: flushes before the end of it were not seen, and the next
 * one would give the lazy unmaps that wait a window that is too long. So from begin to end no
 * window is measured, and end forgets what waits. What is neither measured nor waits any more is
 * counted.
 */
void live__attach_begin(struct live *l);
void live__attach_end(struct live *l);
int live__each(struct live *l, int (*each)(void *ctx, const struct live_row *row), void *ctx);
int live__each_submits(const struct live *l, int (*each)(void *ctx, const struct live_submits *s),
		       void *ctx);

#endif
