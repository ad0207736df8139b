/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a session back as one stream of events in time order. Damage in the streams is stepped over
 * and counted, never an error. Hostile input is safe; only a file that is cut while it is mapped is
 * not (SIGBUS), as with any mmap reader.
 */
#ifndef IOMMUTOP_SESSION_READER_H
#define IOMMUTOP_SESSION_READER_H

#include "event.h"
#include "session/session.h"
#include "util/error.h"

struct session_reader;

/*
 * DIR is the session (what `record -o` was given). 0 and a reader to close, or: -ENOENT no session
 * there, -EBADMSG its metadata can't be read, -ENOTSUP other byte order or newer format, -E2BIG too
 * many streams, or what the system said.
 */
int session_reader__open(struct session_reader **out, const char *dir, struct error *err);

/*
 * 1 and the next event, or 0 at the end. *ev is 8-aligned and valid until the reader is closed.
 * Checked: len is a multiple of 8 and lies in its packet, at least what the id demands; texts are
 * ended by NUL; counts lie inside len. At equal times, side tables (ids from 64 on) come before the
 * events. Below 0 is kept for later formats; none today.
 */
int session_reader__next(struct session_reader *r, const struct iot_event **ev);

const struct session_info *session_reader__info(const struct session_reader *r);

void session_reader__close(struct session_reader *r); /* NULL is fine */

#endif
