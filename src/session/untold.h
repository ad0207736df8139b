/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events that a stream's counter says were discarded, against the loss events that tell of them.
 * Normally the recorder tells of each; what it could not tell any more (it was killed, or the
 * disk was full) is told by the reader.
 */
#ifndef IOMMUTOP_SESSION_UNTOLD_H
#define IOMMUTOP_SESSION_UNTOLD_H

#include <stddef.h>

#include "event.h"

struct untold_span {
	__u64 begin, end, count;
};

struct untold_list {
	struct untold_span *items;
	size_t nr, room;
};

struct untold {
	struct untold_list discarded, told; /* each is bounded: the last span takes what comes */
	size_t at;                          /* untold__next() */
	__u64 left;
	int finishing;
};

/* The counter of a stream grew by count between begin and end, ns. */
void untold__discarded(struct untold *u, __u64 begin, __u64 end, __u64 count);
/* A loss event of the session, of whatever cause. */
void untold__told(struct untold *u, const struct iot_loss *loss);

/*
 * When all has been read: 1 and the next span that no loss event tells of, 0 if there is none any
 * more. Spans that no loss event touches come first; what the sums still differ by is one span over
 * all the others.
 */
int untold__next(struct untold *u, struct untold_span *out);

void untold__free(struct untold *u);

#endif
