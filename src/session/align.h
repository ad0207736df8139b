/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How far the clocks of two sessions are apart, estimated from what both of them saw: log lines of
 * the same words, faults at the same address, maps and unmaps of the same address and size (a
 * guest's and what its host did for them).
 */
#ifndef IOMMUTOP_SESSION_ALIGN_H
#define IOMMUTOP_SESSION_ALIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "event.h"

struct align_seen {
	struct align_item {
		__u64 key, ts;
	} * items;
	size_t nr, room;
};

struct align_result {
	__s64 shift;      /* ns to add to the times of b */
	__u64 spread;     /* ns: how far the pairs are from each other */
	size_t pairs;     /* that agree on it */
	size_t elsewhere; /* that agree on the best other one */
	size_t all;       /* that there are, whatever they say */
	size_t seen;      /* events that could have had a partner, of the one with fewer */
	bool sure;        /* at enough moments, and many more than elsewhere */
};

/* Takes an event if it is of use; bounded. 0 or -ENOMEM. */
int align__see(struct align_seen *s, const struct iot_event *ev);
/* Sorts both. 0 or -ENOMEM. */
int align__estimate(struct align_seen *a, struct align_seen *b, struct align_result *out);
void align__free(struct align_seen *s);

#endif
