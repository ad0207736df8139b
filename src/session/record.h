/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is this event what its id and len say? Asked of every record before it is written and after it is
 * read.
 */
#ifndef IOMMUTOP_SESSION_RECORD_H
#define IOMMUTOP_SESSION_RECORD_H

#include <stddef.h>

#include "event.h"
#include "session/packet.h"

enum record_state {
	RECORD_OK,
	RECORD_UNKNOWN,   /* no such id, but len can be trusted as far as it goes */
	RECORD_WRONG,     /* too short for its id, a text without end, a count that does not fit */
	RECORD_NO_LENGTH, /* len is impossible: what follows can't be found */
};

static inline int record__class(unsigned int id)
{
	return id >= IOT_EV_DEVICE ? PACKET_CLASS_TABLES : PACKET_CLASS_EVENTS;
}

/*
 * One of those that have 64 bytes: nothing in them can be wrong but id and len. ev must have 12
 * bytes.
 */
static inline int record__is_hot(const struct iot_event *ev)
{
	return ev->len == IOT_HOT_SIZE && (unsigned int)ev->id - 1 < IOT_EV_HOT_LAST;
}

enum record_state record__check_rare(const struct iot_event *ev, size_t avail, int exact);

/*
 * avail: bytes from ev on (any number, at ev aligned to 8). exact: len must be what the id demands,
 * not more; the metadata we write leaves no room for more, while a newer iommutop may have put
 * fields at the end of an event.
 */
static inline enum record_state record__check(const struct iot_event *ev, size_t avail, int exact)
{
	if (avail >= IOT_HOT_SIZE && record__is_hot(ev))
		return RECORD_OK;
	return record__check_rare(ev, avail, exact);
}

/* The length that the id of an event, checked before, demands: what a newer iommutop may have put
 * behind it is not counted. */
uint16_t record__exact_len(const struct iot_event *ev);

/* How far the events of a packet are right, one behind the other. */
struct record_walk {
	size_t bytes;         /* of these events */
	uint32_t events;      /* those of unknown ids included */
	uint32_t unknown;     /* ids that only a newer iommutop knows */
	uint32_t known;       /* the others */
	uint64_t first, last; /* times of the known ones, if there is any: ns, 0 is a time too */
	const char *why;      /* the clause that says what is wrong behind them; NULL: nothing */
};

void record__walk(struct record_walk *w, const struct packet_head *h, const void *content,
		  size_t bytes);

#endif
