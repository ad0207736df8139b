// SPDX-License-Identifier: GPL-2.0-only
#include "session/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "event.h"
#include "session/crc32c.h"
#include "session/create.h"
#include "session/pool.h"
#include "session/record.h"

#define DEFAULT_MEMORY     (64u << 20)
#define DEFAULT_PACKET     (256u << 10)
#define DEFAULT_MAX_AGE_NS 1000000000u
#define MIN_PACKETS        8

struct stream {
	int fd;
	struct packet *open;
	uint64_t last_ts;
	uint64_t discarded;
	uint64_t discarded_told; /* as of the last packet that was handed over */
	uint64_t seq;
	int failed; /* negative errno: nothing more is written, the other stream goes on */
	off_t size; /* whole packets on disk; the thread's own */
};

/*
 * The producer and the thread share everything under one lock, taken once a batch by the one and
 * once a packet by the other, and never held during I/O.
 */
struct session_writer {
	struct stream streams[PACKET_CLASSES];
	uint8_t uuid[16];
	int ctf;
	uint64_t max_age_ns;
	struct crc32c crc;
	pthread_t thread;
	char *dir;

	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct packet *queue, **queue_tail;
	struct packet_pool pool;
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

static void fill_head(struct session_writer *w, struct stream *s, struct packet *p)
{
	struct packet_head *h = p->head;

	h->magic = PACKET_MAGIC;
	memcpy(h->uuid, w->uuid, 16);
	h->stream_id = p->class;
	h->timestamp_end = s->last_ts;
	h->content_size = (uint64_t)p->used * 8;
	h->packet_size = h->content_size;
	h->events_discarded = s->discarded;
	h->packet_seq_num = s->seq++;
	s->discarded_told = s->discarded;
}

/* Hands the stream's open packet to the thread. Called with the lock held. */
static void seal(struct session_writer *w, struct stream *s)
{
	struct packet *p = s->open;

	fill_head(w, s, p);
	s->open = NULL;
	*w->queue_tail = p;
	w->queue_tail = &p->next;
	pthread_cond_signal(&w->wake);
}

static void lose(struct session_writer *w, struct stream *s, uint64_t events)
{
	s->discarded += events;
	w->stats.lost += events;
}

/* Room for an event of len bytes in an open packet of the stream, or NULL. */
static struct packet *make_room(struct session_writer *w, unsigned int class, size_t len,
				uint64_t ts)
{
	struct stream *s = &w->streams[class];

	if (s->open && s->open->used + len > w->pool.packet_bytes)
		seal(w, s);
	if (!s->open && !s->failed) {
		s->open = packet_pool__take(&w->pool, class, now_ns());
		if (s->open)
			s->open->head->timestamp_begin = ts > s->last_ts ? ts : s->last_ts;
	}
	return s->open;
}

static void append(struct session_writer *w, const struct iot_event *ev)
{
	unsigned int class = (unsigned int)record__class(ev->id);
	struct stream *s = &w->streams[class];
	struct packet *p = s->open;
	struct iot_event *copy;

	if (!p || p->used + ev->len > w->pool.packet_bytes) {
		p = make_room(w, class, ev->len, ev->ts);
		if (!p) {
			lose(w, s, 1);
			return;
		}
	}
	copy = (struct iot_event *)(p->data + p->used);
	memcpy(copy, ev, ev->len);
	if (copy->ts < s->last_ts) {
		copy->ts = s->last_ts;
		w->stats.clamped++;
	}
	s->last_ts = copy->ts;
	p->used += ev->len;
	p->head->events++;
}

/*
 * The run of hot events at `at`, as far as the open packet goes: where nearly all of the time is
 * spent.
 */
static const uint8_t *append_hot(struct session_writer *w, const uint8_t *at, const uint8_t *end)
{
	struct stream *s = &w->streams[PACKET_CLASS_EVENTS];
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
			append(w, ev);
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

static int write_all(int fd, const uint8_t *data, size_t bytes)
{
	ssize_t n;

	while (bytes) {
		n = write(fd, data, bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		bytes -= (size_t)n;
	}
	return 0;
}

/*
 * On failure the file is cut back to its last whole packet, which leaves a trace that every reader
 * accepts.
 */
static int write_packet(struct session_writer *w, struct packet *p)
{
	struct stream *s = &w->streams[p->class];
	int rc;

	p->head->crc32c = ~crc32c__update(&w->crc, CRC32C_START, p->data, p->used);
	rc = write_all(s->fd, p->data, p->used);
	if (!rc)
		s->size += p->used;
	else if (ftruncate(s->fd, s->size))
		return rc; /* a torn tail then: our reader steps over it */
	return rc;
}

static const char *advice(int code)
{
	switch (code) {
	case -ENOSPC:
	case -EDQUOT:
		return "; free some space or record to another file system";
	case -EFBIG:
		return "; raise the limit on file sizes (ulimit -f)";
	default:
		return "";
	}
}

/* Called with the lock held. */
static void fail(struct session_writer *w, int code, const char *verb, unsigned int class)
{
	w->streams[class].failed = code;
	if (w->failed)
		return;
	w->failed = code;
	error__set(
		&w->error, code,
		"cannot %s %s/ctf/%s: %s; the %llu events (%llu bytes) written before are kept and "
		"readable%s",
		verb, w->dir, session_stream_names[class], strerror(-code),
		(unsigned long long)w->stats.events, (unsigned long long)w->stats.bytes,
		advice(code));
}

/*
 * Hands over what has been open for too long, or everything when closing; returns when to look
 * again. Called with the lock held.
 */
static uint64_t seal_old(struct session_writer *w)
{
	uint64_t now = now_ns(), next = now + w->max_age_ns, due;
	struct stream *s;

	for (s = w->streams; s < w->streams + PACKET_CLASSES; s++) {
		if (!s->open)
			continue;
		due = w->closing ? now : s->open->opened_ns + w->max_age_ns;
		if (due <= now)
			seal(w, s);
		else if (due < next)
			next = due;
	}
	return next;
}

static void count_written(struct session_writer *w, const struct packet *p)
{
	w->stats.packets++;
	w->stats.events += p->head->events;
	w->stats.bytes += p->used;
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
static void dispose(struct session_writer *w, struct packet *p)
{
	struct stream *s = &w->streams[p->class];
	int rc = s->failed;

	if (!rc) {
		pthread_mutex_unlock(&w->lock);
		rc = write_packet(w, p);
		pthread_mutex_lock(&w->lock);
		if (rc)
			fail(w, rc, "write", p->class);
	}
	if (rc)
		lose(w, s, p->head->events);
	else
		count_written(w, p);
	packet_pool__give(&w->pool, p);
}

/*
 * Events lost after the last packet of a stream would be told by none: a packet without events says
 * it. After a full disk too, where it fits into what the cut-off packet left.
 */
static void write_last_loss(struct session_writer *w, unsigned int class)
{
	struct stream *s = &w->streams[class];
	struct packet_head head;
	struct packet p = {
		.class = class, .used = sizeof(head), .head = &head, .data = (uint8_t *)&head
	};
	int rc;

	if (s->discarded == s->discarded_told)
		return;
	memset(&head, 0, sizeof(head));
	head.timestamp_begin = s->last_ts;
	fill_head(w, s, &p);
	rc = write_packet(w, &p);
	if (!rc)
		count_written(w, &p);
	else if (!s->failed)
		fail(w, rc, "write", class);
}

static void *writer_thread(void *arg)
{
	struct session_writer *w = arg;
	struct timespec until;
	struct packet *p;
	unsigned int i;
	uint64_t next;

	pthread_mutex_lock(&w->lock);
	for (;;) {
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
	for (i = 0; i < PACKET_CLASSES; i++)
		write_last_loss(w, i);
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

static int set_options(struct session_writer *w, const struct session_writer_opts *opts,
		       struct error *err)
{
	size_t memory = opts && opts->memory ? opts->memory : DEFAULT_MEMORY;
	size_t packet = opts && opts->packet ? opts->packet : DEFAULT_PACKET;

	w->max_age_ns = opts && opts->max_age_ns ? opts->max_age_ns : DEFAULT_MAX_AGE_NS;
	if (packet < 4096 || packet > PACKET_MAX || packet % 64)
		return error__set(
			err, -EINVAL,
			"cannot write packets of %zu bytes: from 4096 to %u, a multiple of 64",
			packet, PACKET_MAX);
	w->pool.packet_bytes = packet;
	w->pool.max = memory / packet > MIN_PACKETS ? memory / packet : MIN_PACKETS;
	w->pool.reserved = w->pool.max / MIN_PACKETS;
	return 0;
}

int session_writer__open_with(struct session_writer **out, const char *dir,
			      const struct session_env *env, const struct session_writer_opts *opts,
			      struct error *err)
{
	struct session_files files;
	struct session_writer *w;
	int rc, i;

	*out = NULL;
	w = calloc(1, sizeof(*w));
	if (!w)
		return error__set(err, -ENOMEM, "cannot record to %s: out of memory", dir);
	w->queue_tail = &w->queue;
	crc32c__init(&w->crc);
	rc = set_options(w, opts, err);
	if (rc)
		goto fail;
	w->dir = strdup(dir);
	if (!w->dir) {
		rc = error__set(err, -ENOMEM, "cannot record to %s: out of memory", dir);
		goto fail;
	}
	rc = session_files__create(&files, dir, env, err);
	if (rc)
		goto fail;
	memcpy(w->uuid, files.uuid, 16);
	w->ctf = files.ctf;
	for (i = 0; i < PACKET_CLASSES; i++)
		w->streams[i].fd = files.stream[i];
	rc = start_thread(w);
	if (rc) {
		error__set(err, rc, "cannot record to %s: cannot start the thread that writes: %s",
			   dir, strerror(-rc));
		session_files__remove(&files, dir);
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
	unsigned int i;

	for (i = 0; i < PACKET_CLASSES; i++) {
		if (fsync(w->streams[i].fd))
			fail(w, -errno, "bring to the disk", i);
		close(w->streams[i].fd);
	}
	close(w->ctf);
}

int session_writer__close(struct session_writer *w, struct error *err)
{
	int rc;

	if (!w)
		return 0;
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
