/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files of a session that is being written: heads and checksums of packets, compression, the
 * next file of a lane, removal of old ones. It waits for the disk; the writer's thread alone calls
 * it, without a lock.
 */
#ifndef IOMMUTOP_SESSION_DISK_H
#define IOMMUTOP_SESSION_DISK_H

#include "session/pool.h"
#include "session/session.h"
#include "util/error.h"

struct disk;

struct disk_opts {
	size_t packet;         /* bytes of the largest packet */
	int level;             /* of zstd, 1 to 19; 0 = not compressed */
	uint64_t rotate_bytes; /* the events' next file begins before one grows beyond; 0 = never */
	uint64_t rotate_ns;    /* … or when its events span more; 0 = never */
	unsigned int keep;     /* files of events; 0 = all */
};

/* Events that are gone with a file, or with packets that were never written. */
struct gap {
	uint64_t begin, end; /* ns */
	uint64_t events;     /* 0 = there is no gap */
};

/* Both as one: from the first begin to the last end. */
void gap__add(struct gap *to, const struct gap *more);

int disk__open(struct disk **out, const char *dir, const struct session_env *env,
	       const struct disk_opts *opts, struct error *err);

/*
 * Writes a packet whose head has times, number of events, and in events_discarded those of the lane
 * since the session began; the rest of the head is filled in here. p->new_file, a size or a time
 * reached: the lane's next file begins with it. *written: bytes it took. 0, or a negative errno and
 * the file is cut back to its last whole packet, which leaves a trace that every reader accepts.
 */
int disk__write(struct disk *d, struct packet *p, size_t *written);

/*
 * Files of events beyond opts.keep stay until their loss is on disk. 0, or the number of the first
 * one to keep, and in *gone what those before it hold, unless an earlier call has told of it.
 */
unsigned int disk__old(struct disk *d, struct gap *gone);
void disk__remove_before(struct disk *d, unsigned int number);

/* Name of the lane's present file below the session, "ctf/events_0"; good until the next call. */
const char *disk__name(struct disk *d, enum lane lane);

/* fsync() of the lane's present file. 0 or a negative errno. */
int disk__sync(struct disk *d, enum lane lane);
void disk__close(struct disk *d); /* NULL is fine */
/* Removes what disk__open() made in dir, and closes. */
void disk__abandon(struct disk *d, const char *dir);

#endif
