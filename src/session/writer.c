// SPDX-License-Identifier: GPL-2.0-only
#include "session/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "event.h"
#include "session/create.h"
#include "session/disk.h"
#include "session/flight.h"
#include "session/pool.h"
#include "session/record.h"

#define DEFAULT_MEMORY     (64u << 20)
#define DEFAULT_PACKET     (256u << 10)
#define DEFAULT_MAX_AGE_NS 1000000000u
#define MIN_PACKETS        8
#define MIN_RING           4  /* packets */
#define MAX_LEVEL          19 /* zstd's higher ones take hundreds of MiB */

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
	/* not told yet: there was no room for the loss event */
	struct gap overwritten;
	unsigned int remove; /* files of events before this number, once that is told */
	int closing;
	int failed; /* negative errno of the first failure */
	struct error error;
	struct session_writer_stats stats;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Hands a packet to the thread. Called with the lock held. */
static void enqueue(struct session_writer *w, struct packet *p)
{
	if (p->lane == LANE_EVENTS && w->flight.new_file) {
		p->new_file = true;
		w->flight.new_file = false;
		w->dumps++;
	}
	w->streams[p->lane].discarded_told = p->head->events_discarded;
	p->next = NULL;
	*w->queue_tail = p;
	w->queue_tail = &p->next;
	pthread_cond_signal(&w->wake);
}

/* Closes the lane's open packet: it is the thread's now, or the flight recorder's. */
static void seal(struct session_writer *w, enum lane lane)
{
	struct stream *s = &w->streams[lane];
	struct packet *p = s->open;

	if (!p)
		return;
	p->head->timestamp_end = s->last_ts;
	p->head->events_discarded = s->discarded;
	s->open = NULL;
	if (lane != LANE_EVENTS || !flight__keeps(&w->flight, p->head->timestamp_begin)) {
		enqueue(w, p);
		return;
	}
	p = flight__add(&w->flight, p);
	if (p) {
		w->stats.overwritten += p->head->events;
		packet_pool__give(&w->pool, p);
	}
}

/*
 * A rare event on disk would be explained wrongly if the events before it were still in memory when
 * we are killed, so these go first.
 */
static void seal_in_order(struct session_writer *w, enum lane lane)
{
	const struct packet *events = w->streams[LANE_EVENTS].open;

	if (lane == LANE_RARE) {
		seal(w, LANE_TABLES);
		if (events && !flight__keeps(&w->flight, events->head->timestamp_begin))
			seal(w, LANE_EVENTS);
	}
	seal(w, lane);
}

static void lose(struct session_writer *w, struct stream *s, uint64_t events)
{
	s->discarded += events;
	w->stats.lost += events;
}

static struct packet *take_packet(struct session_writer *w, enum lane lane)
{
	struct packet *p = packet_pool__take(&w->pool, lane, now_ns());

	if (p || lane != LANE_EVENTS)
		return p;
	p = flight__forget(&w->flight);
	if (!p)
		return NULL;
	w->stats.overwritten += p->head->events;
	packet_pool__give(&w->pool, p);
	return packet_pool__take(&w->pool, lane, now_ns());
}

/* Room for an event of len bytes in an open packet of the lane, or NULL. */
static struct packet *make_room(struct session_writer *w, enum lane lane, size_t len, uint64_t ts)
{
	struct stream *s = &w->streams[lane];

	if (s->open && s->open->used + len > w->pool.packet_bytes)
		seal_in_order(w, lane);
	if (!s->open && !s->failed) {
		s->open = take_packet(w, lane);
		if (s->open)
			s->open->head->timestamp_begin = ts > s->last_ts ? ts : s->last_ts;
	}
	return s->open;
}

/* 0, or -ENOBUFS and nothing is counted. */
static int append(struct session_writer *w, const struct iot_event *ev)
{
	enum lane lane = lane__of(ev->id);
	struct stream *s = &w->streams[lane];
	struct packet *p = make_room(w, lane, ev->len, ev->ts);
	struct iot_event *copy;

	if (!p)
		return -ENOBUFS;
	copy = (struct iot_event *)(p->data + p->used);
	memcpy(copy, ev, ev->len);
	if (copy->ts < s->last_ts) {
		copy->ts = s->last_ts;
		w->stats.clamped++;
	}
	s->last_ts = copy->ts;
	if (copy->ts > w->newest_ts)
		w->newest_ts = copy->ts;
	p->used += ev->len;
	p->head->events++;
	return 0;
}

/*
 * Says what rotation or the flight recorder did not keep; later, if there is no room now. The
 * packet that says it is on its way to the disk before the files in question go.
 */
static void tell_overwritten(struct session_writer *w)
{
	struct iot_loss loss = {
		.h = { .ts = w->newest_ts, .id = IOT_EV_LOSS, .len = sizeof(loss), .cpu = 0xffff },
		.begin = w->overwritten.begin,
		.end = w->overwritten.end,
		.count = w->overwritten.events,
		.cause = IOT_LOST_OVERWRITTEN,
	};

	if (!w->overwritten.events)
		return;
	strcpy(loss.what, w->flight.max ? "flight recorder" : "rotation");
	if (append(w, &loss.h))
		return;
	w->overwritten = (struct gap){ 0 };
	w->streams[LANE_RARE].open->remove = w->remove;
	if (w->remove)
		seal_in_order(w, LANE_RARE);
	w->remove = 0;
}

/*
 * The run of hot events at `at`, as far as the open packet goes: where nearly all of the time is
 * spent.
 */
static const uint8_t *append_hot(struct session_writer *w, const uint8_t *at, const uint8_t *end)
{
	struct stream *s = &w->streams[LANE_EVENTS];
	struct packet *p = s->open;
	uint64_t last = s->last_ts;
	struct iot_event *copy;
	size_t nr, i;

	if (!p)
		return at;
	nr = (size_t)(end - at) < w->pool.packet_bytes - p->used ? (size_t)(end - at)
								 : w->pool.packet_bytes - p->used;
	nr /= IOT_HOT_SIZE;
	copy = (struct iot_event *)(p->data + p->used);
	for (i = 0; i < nr && record__is_hot((const struct iot_event *)at); i++) {
		memcpy(copy, at, IOT_HOT_SIZE);
		if (copy->ts < last) {
			copy->ts = last;
			w->stats.clamped++;
		}
		last = copy->ts;
		at += IOT_HOT_SIZE;
		copy = (struct iot_event *)((uint8_t *)copy + IOT_HOT_SIZE);
	}
	s->last_ts = last;
	if (last > w->newest_ts)
		w->newest_ts = last;
	p->used += (uint32_t)(i * IOT_HOT_SIZE);
	p->head->events += (uint32_t)i;
	return at;
}

int session_writer__write(struct session_writer *w, const void *events, size_t bytes)
{
	const uint8_t *at = events, *end = at + bytes;
	const struct iot_event *ev;
	enum record_state state;
	int rc = 0;

	pthread_mutex_lock(&w->lock);
	while ((at = append_hot(w, at, end)) < end) {
		ev = (const struct iot_event *)at;
		state = record__check(ev, (size_t)(end - at), 1);
		if (state == RECORD_OK) {
			if (append(w, ev))
				lose(w, &w->streams[lane__of(ev->id)], 1);
		} else {
			rc = -EINVAL;
			w->stats.rejected++;
			if (state == RECORD_NO_LENGTH)
				break;
		}
		at += ev->len;
	}
	if (w->failed)
		rc = w->failed;
	pthread_mutex_unlock(&w->lock);
	return rc;
}

static void start_dump(struct session_writer *w, struct session_dump *out)
{
	const struct packet *open = w->streams[LANE_EVENTS].open;
	struct flight *f = &w->flight;
	struct packet *p, *next;

	out->forgotten = f->forgotten.events;
	gap__add(&w->overwritten, &f->forgotten);
	f->forgotten = (struct gap){ 0 };
	out->file = w->dumps;
	out->events = f->events + (open ? open->head->events : 0);
	if (out->events) {
		out->begin = (f->oldest ?: open)->head->timestamp_begin;
		out->end = w->streams[LANE_EVENTS].last_ts;
	}
	f->new_file = true;
	for (p = flight__take_all(f); p; p = next) {
		next = p->next;
		enqueue(w, p);
	}
	/* what is open is not younger than this, so it follows them */
	f->until = w->newest_ts;
	seal(w, LANE_EVENTS);
	tell_overwritten(w);
}

int session_writer__dump(struct session_writer *w, uint64_t until, struct session_dump *out)
{
	struct flight *f = &w->flight;
	int rc = 0;

	*out = (struct session_dump){ 0 };
	if (!f->max)
		return -EINVAL;
	pthread_mutex_lock(&w->lock);
	if (f->until && w->newest_ts <= f->until)
		rc = 1;
	else
		start_dump(w, out);
	if (until > f->until)
		f->until = until;
	pthread_mutex_unlock(&w->lock);
	return rc;
}

/* Called with the lock held. */
static void fail(struct session_writer *w, int code, const char *verb, enum lane lane)
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
	uint64_t now = now_ns(), next = now + w->max_age_ns, due;
	const struct packet *p;
	unsigned int i;

	for (i = 0; i < LANES; i++) {
		p = w->streams[order[i]].open;
		if (!p)
			continue;
		/* nothing is gained by small packets in memory */
		if (order[i] == LANE_EVENTS && flight__keeps(&w->flight, p->head->timestamp_begin))
			continue;
		due = w->closing ? now : p->opened_ns + w->max_age_ns;
		if (due <= now)
			seal_in_order(w, order[i]);
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
		fail(w, rc, "write", p->lane);
		return rc;
	}
	w->stats.packets++;
	w->stats.events += p->head->events;
	w->stats.bytes += bytes;
	if (remove) {
		w->stats.overwritten += gone.events;
		gap__add(&w->overwritten, &gone);
		w->remove = remove;
	}
	tell_overwritten(w);
	return 0;
}

static void dispose(struct session_writer *w, struct packet *p)
{
	struct stream *s = &w->streams[p->lane];

	if (s->failed || put_on_disk(w, p))
		lose(w, s, p->head->events);
	packet_pool__give(&w->pool, p);
}

/*
 * Events lost after the last packet of a stream would be told by none: a packet without events says
 * it. After a full disk too, where it fits into what the cut-off packet left.
 */
static void write_last_loss(struct session_writer *w, enum lane lane)
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

	if (s->discarded != s->discarded_told)
		put_on_disk(w, &p);
}

static void *writer_thread(void *arg)
{
	struct session_writer *w = arg;
	struct timespec until;
	struct packet *p;
	enum lane lane;
	uint64_t next;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		if (w->closing)
			tell_overwritten(w);
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
	for (lane = 0; lane < LANES; lane++)
		write_last_loss(w, lane);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static int start_thread(struct session_writer *w)
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

static int check_options(const struct session_writer_opts *o, struct error *err)
{
	if (o->packet < 4096 || o->packet > PACKET_MAX || o->packet % 64)
		return error__set(
			err, -EINVAL,
			"cannot write packets of %zu bytes: from 4096 to %u, a multiple of 64",
			o->packet, PACKET_MAX);
	if (o->compress < 0 || o->compress > MAX_LEVEL)
		return error__set(err, -EINVAL, "cannot compress at level %d: from 1 to %d",
				  o->compress, MAX_LEVEL);
	if (o->ring && (o->rotate_bytes || o->rotate_ns))
		return error__set(err, -EINVAL,
				  "a flight recorder can't rotate: each dump is a file anyway");
	return 0;
}

static size_t packets(size_t bytes, size_t packet, size_t least)
{
	return bytes / packet > least ? bytes / packet : least;
}

static void use_options(struct session_writer *w, const struct session_writer_opts *o)
{
	w->queue_tail = &w->queue;
	w->max_age_ns = o->max_age_ns;
	w->pool.packet_bytes = o->packet;
	w->pool.max = packets(o->memory, o->packet, MIN_PACKETS);
	w->pool.reserved = w->pool.max / MIN_PACKETS;
	if (o->ring)
		w->flight.max = packets(o->ring, o->packet, MIN_RING);
	w->pool.max += w->flight.max;
}

int session_writer__open_with(struct session_writer **out, const char *dir,
			      const struct session_env *env, const struct session_writer_opts *opts,
			      struct error *err)
{
	struct session_writer_opts o = opts ? *opts : (struct session_writer_opts){ 0 };
	struct session_writer *w;
	int rc;

	*out = NULL;
	o.memory = o.memory ?: DEFAULT_MEMORY;
	o.packet = o.packet ?: DEFAULT_PACKET;
	o.max_age_ns = o.max_age_ns ?: DEFAULT_MAX_AGE_NS;
	rc = check_options(&o, err);
	if (rc)
		return rc;
	w = calloc(1, sizeof(*w));
	if (!w)
		return error__set(err, -ENOMEM, "cannot record to %s: out of memory", dir);
	use_options(w, &o);
	w->dir = strdup(dir);
	rc = w->dir ? disk__open(&w->disk, dir, env,
				 &(struct disk_opts){ .packet = o.packet,
						      .level = o.compress,
						      .rotate_bytes = o.rotate_bytes,
						      .rotate_ns = o.rotate_ns,
						      .keep = o.keep },
				 err)
		    : error__set(err, -ENOMEM, "cannot record to %s: out of memory", dir);
	if (rc)
		goto fail;
	rc = start_thread(w);
	if (rc) {
		error__set(err, rc, "cannot record to %s: cannot start the thread that writes: %s",
			   dir, strerror(-rc));
		disk__abandon(w->disk, dir);
		goto fail;
	}
	*out = w;
	return 0;
fail:
	free(w->dir);
	free(w);
	return rc;
}

int session_writer__open(struct session_writer **out, const char *dir,
			 const struct session_env *env, struct error *err)
{
	return session_writer__open_with(out, dir, env, NULL, err);
}

uint64_t session_writer__lost(struct session_writer *w)
{
	uint64_t lost;

	pthread_mutex_lock(&w->lock);
	lost = w->stats.lost;
	pthread_mutex_unlock(&w->lock);
	return lost;
}

int session_writer__error(struct session_writer *w)
{
	int rc;

	pthread_mutex_lock(&w->lock);
	rc = w->failed;
	pthread_mutex_unlock(&w->lock);
	return rc;
}

void session_writer__stats(struct session_writer *w, struct session_writer_stats *out)
{
	pthread_mutex_lock(&w->lock);
	*out = w->stats;
	out->memory = w->pool.nr * w->pool.packet_bytes;
	pthread_mutex_unlock(&w->lock);
}

static void sync_streams(struct session_writer *w)
{
	enum lane lane;
	int rc;

	for (lane = 0; lane < LANES; lane++) {
		rc = disk__sync(w->disk, lane);
		if (rc)
			fail(w, rc, "bring to the disk", lane);
	}
	disk__close(w->disk);
}

int session_writer__close(struct session_writer *w, struct error *err)
{
	struct session_dump dump;
	int rc;

	if (!w)
		return 0;
	session_writer__dump(w, UINT64_MAX, &dump);
	pthread_mutex_lock(&w->lock);
	w->closing = 1;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);

	sync_streams(w);
	rc = w->failed;
	if (rc)
		error__set(err, rc, "%s", w->error.text);
	packet_pool__free(&w->pool);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w->dir);
	free(w);
	return rc;
}
