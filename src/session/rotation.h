/* SPDX-License-Identifier: GPL-2.0-only */
/* Which file of a rotation follows which: "events_7" is followed by "events_8". */
#ifndef IOMMUTOP_SESSION_ROTATION_H
#define IOMMUTOP_SESSION_ROTATION_H

#include <stddef.h>
#include <stdint.h>

#include "session/stream.h"

struct rotation {
	const struct stream **by_name; /* sorted; NULL: not initialized */
	size_t nr;
	uint64_t compared; /* names so far: a session may have 65,536 torn files */
};

/* streams are the caller's, and must stay where they are. 0 or -ENOMEM. */
int rotation__init(struct rotation *r, const struct stream *streams, size_t nr);
void rotation__free(struct rotation *r); /* zeroed is fine */

/* The file after s if it has an event; NULL: there is none, or s is not one of several. */
const struct stream *rotation__next(struct rotation *r, const struct stream *s);

#endif
