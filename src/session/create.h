/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes the directory of a new session: metadata first and on disk, then the empty streams. */
#ifndef IOMMUTOP_SESSION_CREATE_H
#define IOMMUTOP_SESSION_CREATE_H

#include <stdbool.h>

#include "session/lane.h"
#include "session/session.h"
#include "util/error.h"

struct session_files {
	uint8_t uuid[16]; /* of the trace, random */
	bool compressed;
	int dir;           /* where the streams are: DIR/ctf, or DIR/zst if compressed */
	int stream[LANES]; /* the first file of each lane: empty, for appending */
	bool made_dir;     /* DIR was not there before; made_ctf: DIR/ctf is ours */
	bool made_ctf;
};

/*
 * 0 and descriptors that belong to the caller; or a negative errno, and what was made is removed
 * again. What is made is on disk (fsync), up to the directory that DIR is in.
 */
int session_files__create(struct session_files *out, const char *dir, const struct session_env *env,
			  bool compressed, struct error *err);

/* Takes back what session_files__create() made, descriptors included. */
void session_files__remove(struct session_files *files, const char *dir);

/* A stream file's name in its directory: "events_0", "events_0.zst". */
#define SESSION_NAME_MAX 32
void session_files__name(char name[SESSION_NAME_MAX], enum lane lane, unsigned int number,
			 bool compressed);
/* Makes the next file of a lane, its name on disk, empty. The descriptor or a negative errno. */
int session_files__next(const struct session_files *files, enum lane lane, unsigned int number);

/* "; and what to do about it" for an errno of a file system, "" if there is nothing to say. */
const char *session_files__advice(int code);

#endif
