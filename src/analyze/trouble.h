/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hangs, resets, errors and stalled flushes: which incident each belongs to, or whether it is one
 * of its own. Each function takes its event in time order, after the model has. 0 or -ENOMEM.
 */
#ifndef IOMMUTOP_ANALYZE_TROUBLE_H
#define IOMMUTOP_ANALYZE_TROUBLE_H

#include "analyze/incident.h"

int trouble__hang(struct incidents *in, struct model *m, const struct iot_trouble *ev);
int trouble__reset(struct incidents *in, struct model *m, const struct iot_trouble *ev);
int trouble__error(struct incidents *in, struct model *m, const struct iot_trouble *ev);

/*
 * A flush is stalled if it takes this long and TROUBLE_STALL_TIMES the domain's median. Flushes
 * take microseconds; drivers give up on the hardware after 1 s (Intel's queue doesn't give up), and
 * spin with interrupts off until then.
 */
#define TROUBLE_STALL       100000000ULL /* ns */
#define TROUBLE_STALL_TIMES 100

/* For flushes that trouble__wants(). */
int trouble__flush(struct incidents *in, struct model *m, const struct iot_flush *ev);

/* Whether a flush is worth a call: nearly none is. */
static inline bool trouble__wants(const struct incidents *in, const struct iot_flush *ev)
{
	return ev->begin && ev->begin < ev->h.ts &&
	       (ev->h.ts - ev->begin >= TROUBLE_STALL || ev->begin <= in->open_error);
}

#endif
