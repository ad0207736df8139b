/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a session: DIR/ctf is a CTF 1.8 trace (docs/session-format.md). Events are copied into
 * packets in memory; a thread of the writer's own compresses them and puts them on disk, so
 * session_writer__write() never waits for it. A disk that is too slow costs memory up to a limit,
 * then events, which are counted; rare events and side tables have memory of their own.
 */
#ifndef IOMMUTOP_SESSION_WRITER_H
#define IOMMUTOP_SESSION_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "session/session.h"
#include "util/error.h"

struct session_writer;

struct session_writer_opts { /* 0 = the default */
	size_t memory; /* bytes for packets not yet on disk, 64 MiB; at least 16 packets are used */
	size_t packet; /* bytes of a full packet, 256 KiB; 4 KiB to 1 MiB, a multiple of 64 */
	uint64_t max_age_ns; /* a packet is closed this long after its first event, 1 s */
	int compress;        /* level of zstd, 1 to 19; 0 = plain */
	/*
	 * Rotation: the events' next file begins before a file would grow beyond rotate_bytes on
	 * disk (one packet is always taken), or span more than rotate_ns of the events' time.
	 */
	uint64_t rotate_bytes, rotate_ns;
	/*
	 * Files of events to keep, 0 = all. An older one is removed once a loss event of cause
	 * OVERWRITTEN, which says what it held, is on disk.
	 */
	unsigned int keep;
	/*
	 * Flight recorder: so many bytes of the newest events stay in memory, beside `memory`, and
	 * reach the disk by session_writer__dump() or __close() only. Rare events and side tables
	 * are written as always. 0 = off; at least 4 packets are used. Not together with rotation.
	 */
	size_t ring;
};

struct session_writer_stats {
	uint64_t events;      /* on disk (in the page cache until close) */
	uint64_t bytes;       /* the same, with packet headers, compressed if it is */
	uint64_t packets;     /* the same */
	uint64_t lost;        /* events: no memory left, or the disk failed */
	uint64_t overwritten; /* events that rotation or the flight recorder did not keep, */
	uint64_t removed;     /* and those of them that were on disk: their file was removed */
	uint64_t clamped;     /* older than the one before in their stream: ts was moved forward */
	uint64_t rejected;    /* events that are not as event.h says: not written */
	size_t memory;        /* bytes allocated for packets now */
};

struct session_dump {
	unsigned int file;   /* number N of events_N */
	uint64_t events;     /* that were in memory */
	uint64_t begin, end; /* ns: from the first of them to the last; 0 if there were none */
	uint64_t forgotten;  /* events since the dump before that memory did not hold */
};

/*
 * DIR must not exist or be empty. The metadata is on disk (fsync) when this returns 0; on failure
 * what was made is removed again. The thread has every signal blocked.
 */
int session_writer__open(struct session_writer **out, const char *dir,
			 const struct session_env *env, struct error *err);
int session_writer__open_with(struct session_writer **out, const char *dir,
			      const struct session_env *env, const struct session_writer_opts *opts,
			      struct error *err);

/*
 * Whole events one behind the other, 8-aligned, in time order; ids from 64 on go to the side
 * tables. From one thread at a time. 0; -EINVAL: some were not as event.h says and were left out
 * (stats.rejected); or the first error of the disk thread, after which the events of that stream
 * (perhaps not the other) count as lost.
 */
int session_writer__write(struct session_writer *w, const void *events, size_t bytes);

/*
 * Flight recorder: what memory holds goes to the next events_N, and so do the events after it up to
 * time until (ns, as in the events). From the thread that writes. 0 and *out; 1: the dump before is
 * not over yet and now goes on up to until; -EINVAL: opts.ring is 0.
 */
int session_writer__dump(struct session_writer *w, uint64_t until, struct session_dump *out);

/*
 * Events lost since it was asked the last time; *begin, ns: the first of them, if there are any.
 * Whoever asks tells of them, as a loss event of cause WRITER. What is left when the session is
 * closed is said by the packets of the streams, or if that fails, by the writer in rare_0. Cheap.
 */
uint64_t session_writer__take_lost(struct session_writer *w, uint64_t *begin);
int session_writer__error(struct session_writer *w); /* 0, or why the disk thread stopped; cheap */
void session_writer__stats(struct session_writer *w, struct session_writer_stats *out);

/*
 * Writes what is left, waits for the disk, frees w in any case (NULL is fine). The first error of
 * all, 0 if none; what reached the disk before it stays a valid session. stats: as it is in the
 * end.
 */
int session_writer__close(struct session_writer *w, struct error *err);
int session_writer__close_with(struct session_writer *w, struct session_writer_stats *stats,
			       struct error *err);

#endif
