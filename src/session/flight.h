/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flight recorder's memory: the newest packets of events, and what it had to forget. The caller
 * locks.
 */
#ifndef IOMMUTOP_SESSION_FLIGHT_H
#define IOMMUTOP_SESSION_FLIGHT_H

#include "session/disk.h"
#include "session/pool.h"

struct flight {
	size_t max; /* packets; 0 = there is no flight recorder */
	size_t nr;
	uint64_t events; /* in these packets */
	struct packet *oldest, *newest;
	uint64_t until;       /* events up to this time go on to disk, behind the last dump */
	bool new_file;        /* the next packet for the disk begins a file */
	struct gap forgotten; /* since the last dump */
};

/* Whether a packet that begins at ts stays in memory. */
static inline bool flight__keeps(const struct flight *f, uint64_t ts)
{
	return f->max && ts > f->until;
}

/* Adds a packet. The oldest one, if there are too many now and it must go; else NULL. */
struct packet *flight__add(struct flight *f, struct packet *p);
/* Forgets the oldest packet: what is in it becomes a gap. NULL: there is none. */
struct packet *flight__forget(struct flight *f);
/* All packets as a list, the oldest first; the recorder is empty then. */
struct packet *flight__take_all(struct flight *f);

#endif
