/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes the directory of a new session: metadata first and on disk, then the empty streams. */
#ifndef IOMMUTOP_SESSION_CREATE_H
#define IOMMUTOP_SESSION_CREATE_H

#include "session/packet.h"
#include "session/session.h"
#include "util/error.h"

extern const char *const session_stream_names[PACKET_CLASSES]; /* "events_0", "tables_0" */

struct session_files {
	uint8_t uuid[16];           /* of the trace, random */
	int ctf;                    /* the directory DIR/ctf */
	int stream[PACKET_CLASSES]; /* empty, for appending */
	int made_dir;               /* DIR was not there before */
};

/*
 * 0 and descriptors that belong to the caller; or a negative errno, and what was made is removed
 * again.
 */
int session_files__create(struct session_files *out, const char *dir, const struct session_env *env,
			  struct error *err);

/* Takes back what session_files__create() made, descriptors included. */
void session_files__remove(struct session_files *files, const char *dir);

#endif
