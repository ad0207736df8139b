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

/* One stream file. */
struct packet_out {
	int fd;
	unsigned int class; /* PACKET_CLASS_* */
	const uint8_t *uuid;
	const struct crc32c *crc;
	uint64_t seq, last_ts, discarded; /* for the next head */
	uint8_t *packet;
	size_t used;
	uint32_t events;
};

/* fd stays the caller's. 0 or -ENOMEM. */
int packet_out__init(struct packet_out *p, int fd, unsigned int class, const uint8_t *uuid,
		     const struct crc32c *crc);
/* Not older than the event before, and as its id demands. 0 or what the disk says. */
int packet_out__event(struct packet_out *p, const struct iot_event *ev);
int packet_out__flush(struct packet_out *p); /* a packet of what there is, if there is any */
void packet_out__free(struct packet_out *p);

/* The checksum of a packet whose head is *h and whose events are behind it, then in h->crc32c. */
void packet__sign(struct packet_head *h, const void *events, const struct crc32c *crc);

int emit__write(int fd, const void *data, size_t bytes); /* 0 or a negative errno */

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
