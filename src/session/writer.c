// SPDX-License-Identifier: GPL-2.0-only
#include "session/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "session/record.h"
#include "session/writer_state.h"

#define DEFAULT_MEMORY     (64u << 20)
#define DEFAULT_PACKET     (256u << 10)
#define DEFAULT_MAX_AGE_NS 1000000000u
#define MIN_PACKETS        16
#define RESERVED           8  /* one in so many for rare events, and one for side tables */
#define MIN_RING           4  /* packets */
#define MAX_LEVEL          19 /* zstd's higher ones take hundreds of MiB */

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
void writer__seal(struct session_writer *w, enum lane lane)
{
	const struct packet *events = w->streams[LANE_EVENTS].open;

	if (lane == LANE_RARE) {
		seal(w, LANE_TABLES);
		if (events && !flight__keeps(&w->flight, events->head->timestamp_begin))
			seal(w, LANE_EVENTS);
	}
	seal(w, lane);
}

void writer__lose(struct session_writer *w, enum lane lane, const struct gap *gap)
{
	w->streams[lane].discarded += gap->events;
	w->stats.lost += gap->events;
	gap__add(&w->lost, gap);
}

static struct packet *take_packet(struct session_writer *w, enum lane lane)
{
	struct packet *p = packet_pool__take(&w->pool, lane, writer__now_ns());

	if (p || lane != LANE_EVENTS)
		return p;
	p = flight__forget(&w->flight);
	if (!p)
		return NULL;
	w->stats.overwritten += p->head->events;
	packet_pool__give(&w->pool, p);
	return packet_pool__take(&w->pool, lane, writer__now_ns());
}

/* Room for an event of len bytes in an open packet of the lane, or NULL. */
static struct packet *make_room(struct session_writer *w, enum lane lane, size_t len, uint64_t ts)
{
	struct stream *s = &w->streams[lane];

	if (s->open && s->open->used + len > w->pool.packet_bytes)
		writer__seal(w, lane);
	if (!s->open && !s->failed) {
		s->open = take_packet(w, lane);
		if (s->open)
			s->open->head->timestamp_begin = ts > s->last_ts ? ts : s->last_ts;
	}
	return s->open;
}

int writer__append(struct session_writer *w, const struct iot_event *ev)
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
void writer__tell_overwritten(struct session_writer *w)
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
	if (writer__append(w, &loss.h))
		return;
	w->overwritten = (struct gap){ 0 };
	w->streams[LANE_RARE].open->remove = w->remove;
	if (w->remove)
		writer__seal(w, LANE_RARE);
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
			if (writer__append(w, ev))
				writer__lose(w, lane__of(ev->id),
					     &(struct gap){ ev->ts, ev->ts, 1 });
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
	writer__tell_overwritten(w);
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
	w->pool.reserved = w->pool.max / RESERVED;
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
	rc = writer__start_thread(w);
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

uint64_t session_writer__take_lost(struct session_writer *w, uint64_t *begin)
{
	struct gap lost;

	pthread_mutex_lock(&w->lock);
	lost = w->lost;
	w->lost = (struct gap){ 0 };
	pthread_mutex_unlock(&w->lock);
	*begin = lost.begin;
	return lost.events;
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
			writer__fail(w, rc, "bring to the disk", lane);
	}
	disk__close(w->disk);
}

int session_writer__close_with(struct session_writer *w, struct session_writer_stats *stats,
			       struct error *err)
{
	struct session_dump dump;
	int rc;

	*stats = (struct session_writer_stats){ 0 };
	if (!w)
		return 0;
	session_writer__dump(w, UINT64_MAX, &dump);
	pthread_mutex_lock(&w->lock);
	w->closing = 1;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);

	sync_streams(w);
	*stats = w->stats;
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

int session_writer__close(struct session_writer *w, struct error *err)
{
	struct session_writer_stats stats;

	return session_writer__close_with(w, &stats, err);
}
