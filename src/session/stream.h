/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One stream file, mapped: steps from event to event, over damage, and counts both. Input may be
 * hostile.
 */
#ifndef IOMMUTOP_SESSION_STREAM_H
#define IOMMUTOP_SESSION_STREAM_H

#include "event.h"
#include "session/crc32c.h"
#include "session/session.h"

struct stream {
	const struct iot_event *ev; /* the current event, in the map; NULL at the end */
	unsigned int class;         /* of its packet */

	const uint8_t *map;
	size_t size;
	size_t at;                   /* where the next packet should begin */
	const uint8_t *record, *end; /* what is left of the current packet */
	uint64_t last_ts;
	uint64_t next_seq;
	uint64_t discarded;
	uint64_t crc_budget; /* bytes that may still be checked in vain */
	const uint8_t *uuid;
	const struct crc32c *crc;
	struct session_info *info; /* counters, shared by the streams of a session */
};

/*
 * Maps the file fd, which the caller may close, and goes to its first event. uuid, crc and info
 * must outlive the stream. 0 or a negative errno.
 */
int stream__open(struct stream *s, int fd, const uint8_t uuid[16], const struct crc32c *crc,
		 struct session_info *info);
void stream__close(struct stream *s);

void stream__advance(struct stream *s);

#endif
