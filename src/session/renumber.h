/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events of several sessions put into one: numbers of domains, devices, stacks and flush functions
 * made anew so that none means two things, times moved, the origin noted.
 */
#ifndef IOMMUTOP_SESSION_RENUMBER_H
#define IOMMUTOP_SESSION_RENUMBER_H

#include <stddef.h>

#include "event.h"

/* Old numbers to new ones. */
struct renumber_map {
	struct renumber_pair {
		__u32 from, to;
	} * slots;
	size_t nr, size;
};

/* The next new number of each kind, shared by all sessions; 0 at first. */
struct renumber_next {
	__u32 domain, dev, stack, fn;
};

struct renumber {
	struct renumber_map domains, devs, stacks, fns;
	struct renumber_next *next;
	__u64 shift;         /* ns to add to each time */
	unsigned int origin; /* of what has origin 0 in its own session */
};

union any_event {
	struct iot_event h;
	struct iot_flush flush;
	struct iot_attr attr;
	__u64 words[IOT_EVENT_MAX / 8];
};

/* ev, checked, to what it is in the merged session. 0, -ENOMEM, or -E2BIG: too many numbers. */
int renumber__event(struct renumber *r, const struct iot_event *ev, union any_event *out);
void renumber__free(struct renumber *r);

/* An event "key=value"; cut if it doesn't fit. */
void renumber__attr(union any_event *out, __u64 ts, unsigned int origin, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
