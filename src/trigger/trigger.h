/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a flight recorder dumps: looks at the events as they pass and says when something happened
 * that is worth keeping what came before. It costs a look at each event's id, and a look-up of the
 * domain per map, unmap and flush if windows or live bytes are asked for (docs/bench.md).
 */
#ifndef IOMMUTOP_TRIGGER_TRIGGER_H
#define IOMMUTOP_TRIGGER_TRIGGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct trigger_opts {
	bool fault, hang, reset, error; /* as an event, or as a line of the kernel log */
	/* thresholds; 0 = not asked for */
	uint64_t window_ns;  /* an unmap waits, or waited, longer for the flush that covers it */
	uint64_t flush_ns;   /* a flush took longer */
	uint64_t live_bytes; /* a domain: bytes mapped less bytes unmapped since the begin */
};

/*
 * Adds a list such as "fault,hang,window>20ms,flush>5ms,live>1G" to *o. 0; -EINVAL or -ERANGE and
 * err says what is wrong.
 */
int trigger__parse(struct trigger_opts *o, const char *list, struct error *err);

struct trigger_hit {
	uint64_t ts;   /* ns, of the event */
	char what[96]; /* "fault at iova 0x1000, domain 3" */
};

struct trigger;

int trigger__new(struct trigger **out, const struct trigger_opts *opts); /* 0 or -ENOMEM */
void trigger__free(struct trigger *t);                                   /* NULL is fine */

/*
 * Whole events in time order. 1 and the first hit among them; 0; -ENOMEM: thresholds are not
 * watched in a domain from now on.
 */
int trigger__feed(struct trigger *t, const void *events, size_t bytes, struct trigger_hit *hit);

#endif
