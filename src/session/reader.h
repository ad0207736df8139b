/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a session back as one stream of events in time order: plain or compressed, in one file a
 * stream or thousands, of either byte order, whole or damaged, finished or still being written.
 * Damage in the streams is stepped over, counted, and told by loss events, never an error. Hostile
 * input is safe, also if it changes while it is read.
 */
#ifndef IOMMUTOP_SESSION_READER_H
#define IOMMUTOP_SESSION_READER_H

#include "event.h"
#include "session/session.h"
#include "util/error.h"

struct session_reader;

/*
 * DIR is the session (what `record -o` was given). 0 and a reader to close, or: -ENOENT no session
 * there, -EBADMSG its metadata can't be read, -ENOTSUP newer format, -E2BIG too many streams, or
 * what the system said.
 *
 * A session that is still being written is read up to where it was when this returned.
 */
int session_reader__open(struct session_reader **out, const char *dir, struct error *err);

/* A session in memory, which must outlive the reader: name "metadata", or of a stream; compressed
 * if it ends in ".zst". Data is aligned to 8. */
struct session_buffer {
	const char *name;
	const void *data;
	size_t bytes;
};
int session_reader__open_buffers(struct session_reader **out, const struct session_buffer *files,
				 size_t nr, struct error *err);

/*
 * 1 and the next event, or 0 at the end. *ev is 8-aligned and valid until the next call. Checked:
 * len is a multiple of 8, at least what the id demands; texts are ended by NUL; counts lie inside
 * len. At equal times, side tables (ids from 64 on) come before rare events and these before maps,
 * unmaps, flushes and IOVAs.
 *
 * Among them are loss events that the reader makes (info.told_losses): of cause DAMAGE for what
 * can't be read, at the place in time where it is missing, with its file and kind in what and a
 * lower limit in count; of cause WRITER, at the end, for events that the recorder dropped and no
 * loss event of the session tells of; of cause OVERWRITTEN, at the end, for what a flight recorder
 * that was killed had in memory.
 *
 * A file that is removed while the session is read (by its rotation) is a loss as well. Below 0:
 * one can't be opened again (-EMFILE, -EACCES …); the rest can't be read then.
 */
int session_reader__next(struct session_reader *r, const struct iot_event **ev);

/* Which file the event that session_reader__next() gave last is from; "" if the reader made it. */
const char *session_reader__file(const struct session_reader *r);

const struct session_info *session_reader__info(const struct session_reader *r);

void session_reader__close(struct session_reader *r); /* NULL is fine */

#endif
