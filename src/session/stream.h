/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One stream file: steps from event to event, over damage, which it counts and makes loss events
 * of. Input may be hostile.
 */
#ifndef IOMMUTOP_SESSION_STREAM_H
#define IOMMUTOP_SESSION_STREAM_H

#include "event.h"
#include "session/packets.h"
#include "session/session.h"
#include "session/untold.h"

/* At equal times, side tables come before rare events, and these before the rest. */
static inline unsigned int stream__rank(unsigned int id)
{
	return id >= IOT_EV_DEVICE ? 0 : id >= IOT_EV_FAULT ? 1 : 2;
}

struct stream {
	const struct iot_event *ev; /* the current event, valid until the stream moves; NULL: end */
	uint64_t ts;                /* of ev */
	unsigned int rank;          /* of ev */

	struct packet_file file;
	char name[256];
	size_t file_nr;            /* for whoever opened it */
	struct session_info *info; /* counters, shared by the streams of a session */
	struct untold *untold;     /* the same */

	const uint8_t *content;      /* of the current packet */
	const uint8_t *record, *end; /* what is left of it */
	struct piece piece;          /* the current packet */
	uint64_t next_seq;
	uint64_t discarded;
	struct iot_loss loss; /* made by the reader; ev points here while it is the current one */
	uint64_t first_ts;    /* of its first event */
	int has_tail;         /* tail is to be told when everything has been read */
	struct iot_loss tail;
	int damaged_before; /* a stretch of damage, or a tail, was just stepped over */
	int away;           /* put away: ev is to be fetched again */
};

/*
 * Goes to the first event. name, file.src, file.uuid, file.crc, file.swapped, file.compressed, info
 * and untold must be set, all else 0.
 */
void stream__begin(struct stream *s);
void stream__advance(struct stream *s);

/*
 * Frees memory and descriptor but keeps its place: ev is not NULL, but can't be looked at.
 * stream__fetch() undoes it, after source__reopen(&s->file.src, fd); if the file isn't what it was,
 * its rest is lost.
 */
void stream__put_away(struct stream *s);
void stream__fetch(struct stream *s);
/* From ev on nothing can be read any more: ev is NULL, and tail says why. */
void stream__lose_rest(struct stream *s, const char *why);
void stream__close(struct stream *s);

#endif
