/* SPDX-License-Identifier: GPL-2.0-only */
/* Several sessions, of hosts and their guests, on one time line. */
#ifndef IOMMUTOP_SESSION_MERGE_H
#define IOMMUTOP_SESSION_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "util/error.h"

enum merge_how {
	MERGE_FIRST,     /* the others are put next to it */
	MERGE_GIVEN,     /* the caller said so */
	MERGE_SAME_BOOT, /* one clock: nothing to be found out */
	MERGE_CLOCKS,    /* CLOCK_REALTIME of both, sampled while they were recorded */
	MERGE_ESTIMATED, /* from events that both of them saw */
};

struct merge_input {
	const char *dir;
	bool given; /* shift is to be taken as it is */
	/* ns to add to its times; on return as it was done, against the first session's */
	int64_t shift;
	/* On return */
	enum merge_how how;
	uint64_t unsure; /* ns: how exact that is as far as can be told */
	size_t pairs,
		elsewhere; /* ESTIMATED: events that agree on it, and on the best other shift */
	bool apart;        /* its events and those of the first don't overlap in time */
	unsigned int origin, nr_origins;
	uint64_t events;
	char label[160]; /* host, kernel, command */
};

/*
 * Writes the events of all sessions to a new one, out. Each is given an origin (bits 12–15 of
 * flags) in the order of in; its times are moved, its numbers of domains, devices, stacks and flush
 * functions made anew. Attributes "origin.N" say what N is and how its time was found. 0, or a
 * negative errno and err; -EDOM: nothing says how the clocks of two belong together.
 */
int session__merge(const char *out, struct merge_input *in, size_t nr, struct error *err);

#endif
