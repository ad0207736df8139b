/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The writer's own state, shared by its files: writer.c takes events, writer_thread.c is the thread
 * that puts packets on disk.
 */
#ifndef IOMMUTOP_SESSION_WRITER_STATE_H
#define IOMMUTOP_SESSION_WRITER_STATE_H

#include <pthread.h>

#include "session/disk.h"
#include "session/flight.h"
#include "session/pool.h"
#include "session/writer.h"

struct stream {
	struct packet *open;
	uint64_t last_ts;
	uint64_t discarded;
	uint64_t discarded_told; /* as of the last packet that was handed over */
	int failed; /* negative errno: nothing more is written, the other lanes go on */
};

/*
 * The producer and the thread share everything but the disk, which is the thread's, under one lock,
 * taken once a batch by the one and once a packet by the other, and never held during I/O.
 */
struct session_writer {
	struct stream streams[LANES];
	uint64_t newest_ts; /* of all events written */
	uint64_t max_age_ns;
	struct disk *disk;
	pthread_t thread;
	char *dir;

	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct packet *queue, **queue_tail;
	struct packet_pool pool;
	struct flight flight;
	unsigned int dumps; /* files of events begun by the flight recorder */
	struct gap lost;    /* since session_writer__take_lost() */
	/* not told yet: there was no room for the loss event */
	struct gap overwritten;
	unsigned int remove; /* files of events before this number, once that is told */
	int closing;
	int failed; /* negative errno of the first failure */
	struct error error;
	struct session_writer_stats stats;
};

/* All with the lock held. */

/* Closes the lane's open packet, if there is one: it is the thread's now, or the flight recorder's.
 * What the events in it need goes first. */
void writer__seal(struct session_writer *w, enum lane lane);
/*
 * Says what rotation or the flight recorder did not keep; later, if there is no room now. The
 * packet that says it is on its way to the disk before the files in question go.
 */
void writer__tell_overwritten(struct session_writer *w);
void writer__lose(struct session_writer *w, enum lane lane, const struct gap *gap);
/* 0, or -ENOBUFS and nothing is counted. */
int writer__append(struct session_writer *w, const struct iot_event *ev);
void writer__fail(struct session_writer *w, int code, const char *verb, enum lane lane);

/* CLOCK_MONOTONIC */
uint64_t writer__now_ns(void);

/* The thread, with every signal blocked; it ends when w->closing is set and all is written. 0 or a
 * negative errno. */
int writer__start_thread(struct session_writer *w);

#endif
