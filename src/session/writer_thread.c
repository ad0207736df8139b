// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "session/create.h"
#include "session/writer_state.h"

uint64_t writer__now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Called with the lock held. */
void writer__fail(struct session_writer *w, int code, const char *verb, enum lane lane)
{
	w->streams[lane].failed = code;
	if (w->failed)
		return;
	w->failed = code;
	error__set(&w->error, code,
		   "cannot %s %s/%s: %s; the %llu events (%llu bytes) written before are kept and "
		   "readable%s",
		   verb, w->dir, disk__name(w->disk, lane), strerror(-code),
		   (unsigned long long)w->stats.events, (unsigned long long)w->stats.bytes,
		   session_files__advice(code));
}

/*
 * Hands over what has been open for too long, or everything when closing; returns when to look
 * again. Called with the lock held.
 */
static uint64_t seal_old(struct session_writer *w)
{
	/* what the others need comes first */
	static const enum lane order[LANES] = { LANE_TABLES, LANE_EVENTS, LANE_RARE };
	uint64_t now = writer__now_ns(), next = now + w->max_age_ns, due;
	const struct packet *p;
	unsigned int i;

	for (i = 0; i < LANES; i++) {
		p = w->streams[order[i]].open;
		if (!p)
			continue;
		/* while the disk is behind, one more small packet would only take what is reserved
		 */
		if (order[i] != LANE_EVENTS && !w->closing && w->pool.used[order[i]] > 1)
			continue;
		/* nothing is gained by small packets in memory */
		if (order[i] == LANE_EVENTS && flight__keeps(&w->flight, p->head->timestamp_begin))
			continue;
		due = w->closing ? now : p->opened_ns + w->max_age_ns;
		if (due <= now)
			writer__seal(w, order[i]);
		else if (due < next)
			next = due;
	}
	return next;
}

/* The oldest packet handed over, or NULL. Called with the lock held. */
static struct packet *next_packet(struct session_writer *w)
{
	struct packet *p = w->queue;

	if (p) {
		w->queue = p->next;
		if (!w->queue)
			w->queue_tail = &w->queue;
	}
	return p;
}

/* Called with the lock held, which is let go while the disk works. */
static int put_on_disk(struct session_writer *w, struct packet *p)
{
	unsigned int remove;
	struct gap gone;
	size_t bytes = 0;
	int rc;

	pthread_mutex_unlock(&w->lock);
	rc = disk__write(w->disk, p, &bytes);
	if (!rc && p->remove)
		disk__remove_before(w->disk, p->remove);
	remove = disk__old(w->disk, &gone);
	pthread_mutex_lock(&w->lock);
	if (rc) {
		writer__fail(w, rc, "write", p->lane);
		return rc;
	}
	w->stats.packets++;
	w->stats.events += p->head->events;
	w->stats.bytes += bytes;
	if (remove) {
		w->stats.overwritten += gone.events;
		w->stats.removed += gone.events;
		gap__add(&w->overwritten, &gone);
		w->remove = remove;
	}
	writer__tell_overwritten(w);
	return 0;
}

static void dispose(struct session_writer *w, struct packet *p)
{
	struct stream *s = &w->streams[p->lane];

	if (s->failed || put_on_disk(w, p))
		writer__lose(w, p->lane,
			     &(struct gap){ p->head->timestamp_begin, p->head->timestamp_end,
					    p->head->events });
	packet_pool__give(&w->pool, p);
}

/*
 * Events lost after the last packet of a stream would be told by none: a packet without events says
 * it. After a full disk too, where it fits into what the cut-off packet left.
 */
static int write_last_loss(struct session_writer *w, enum lane lane)
{
	struct stream *s = &w->streams[lane];
	struct packet_head head = {
		.timestamp_begin = s->last_ts,
		.timestamp_end = s->last_ts,
		.events_discarded = s->discarded,
	};
	struct packet p = {
		.lane = lane, .used = sizeof(head), .head = &head, .data = (uint8_t *)&head
	};

	return s->discarded != s->discarded_told ? put_on_disk(w, &p) : 0;
}

/* Where a stream can't say it, as at a limit on the size of files, the rare events do. */
static void tell_lost(struct session_writer *w)
{
	const struct iot_loss loss = {
		.h = { .ts = w->newest_ts, .id = IOT_EV_LOSS, .len = sizeof(loss), .cpu = 0xffff },
		.begin = w->lost.begin,
		.end = w->lost.end,
		.count = w->lost.events,
		.cause = IOT_LOST_WRITER,
		.what = "disk",
	};
	struct packet *p;

	if (!w->lost.events || writer__append(w, &loss.h))
		return;
	writer__seal(w, LANE_RARE);
	while ((p = next_packet(w)))
		dispose(w, p);
}

static void write_last_losses(struct session_writer *w)
{
	int rc;

	rc = write_last_loss(w, LANE_EVENTS);
	rc = write_last_loss(w, LANE_TABLES) ?: rc;
	if (rc)
		tell_lost(w);
	write_last_loss(w, LANE_RARE);
}

static void *writer_thread(void *arg)
{
	struct session_writer *w = arg;
	struct timespec until;
	struct packet *p;
	uint64_t next;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		if (w->closing)
			writer__tell_overwritten(w);
		next = seal_old(w);
		p = next_packet(w);
		if (p) {
			dispose(w, p);
			continue;
		}
		if (w->closing)
			break;
		until.tv_sec = (time_t)(next / 1000000000);
		until.tv_nsec = (long)(next % 1000000000);
		pthread_cond_timedwait(&w->wake, &w->lock, &until);
	}
	write_last_losses(w);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int writer__start_thread(struct session_writer *w)
{
	pthread_condattr_t attr;
	sigset_t all, old;
	int rc;

	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	/* Signals are the program's; SIGXFSZ, blocked, becomes EFBIG. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = -pthread_create(&w->thread, NULL, writer_thread, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc) {
		pthread_cond_destroy(&w->wake);
		pthread_mutex_destroy(&w->lock);
	}
	return rc;
}
