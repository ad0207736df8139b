/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes sessions from sessions (cat -o, merge, repair): plain, one packet after the other, waiting
 * for the disk. A recording can't wait and uses session/writer.h.
 */
#ifndef IOMMUTOP_SESSION_EMIT_H
#define IOMMUTOP_SESSION_EMIT_H

#include "event.h"
#include "session/crc32c.h"
#include "session/packet.h"
#include "session/tsdl_text.h"
#include "util/error.h"

/* The checksum of a packet whose head is *h and whose events are behind it, then in h->crc32c. */
void packet__sign(struct packet_head *h, const void *events, const struct crc32c *crc);

struct session_emitter;

/*
 * DIR must not exist or be empty. trace: all that its metadata says, but the uuid, which is new. 0,
 * or a negative errno and a sentence.
 */
int session_emitter__open(struct session_emitter **out, const char *dir,
			  const struct tsdl_trace *trace, struct error *err);
/* Events in the order of time; one that is not as its id demands is refused with -EINVAL. */
int session_emitter__event(struct session_emitter *e, const struct iot_event *ev);
/* Brings it to the disk and frees e in any case. The first error of all. */
int session_emitter__close(struct session_emitter *e, struct error *err);

#endif
