// SPDX-License-Identifier: GPL-2.0-only
#include "session/emit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/record.h"
#include "util/io.h"

#define PACKET_BYTES (256u << 10)
#define STREAMS      3

/* One stream file. */
struct packet_out {
	int fd;
	unsigned int class; /* PACKET_CLASS_* */
	const uint8_t *uuid;
	const struct crc32c *crc;
	uint64_t seq, last_ts, discarded; /* for the next head */
	uint8_t *packet;
	size_t used;
	uint32_t events;
};

void packet__sign(struct packet_head *h, const void *events, const struct crc32c *crc)
{
	uint32_t state;

	h->crc32c = 0;
	state = crc32c__update(crc, CRC32C_START, h, sizeof(*h));
	state = crc32c__update(crc, state, events, h->content_size / 8 - sizeof(*h));
	h->crc32c = ~state;
}

/* fd stays the caller's. 0 or -ENOMEM. */
static int init_stream(struct packet_out *p, int fd, unsigned int class, const uint8_t *uuid,
		       const struct crc32c *crc)
{
	*p = (struct packet_out){ .fd = fd, .class = class, .uuid = uuid, .crc = crc };
	p->packet = aligned_alloc(64, PACKET_BYTES);
	p->used = sizeof(struct packet_head);
	return p->packet ? 0 : -ENOMEM;
}

/* A packet of what there is, if there is any. */
static int flush_stream(struct packet_out *p)
{
	struct packet_head *h = (struct packet_head *)p->packet;
	int rc;

	if (!p->events)
		return 0;
	*h = (struct packet_head){
		.magic = PACKET_MAGIC,
		.stream_id = p->class,
		.timestamp_begin = ((const struct iot_event *)(h + 1))->ts,
		.timestamp_end = p->last_ts,
		.content_size = p->used * 8,
		.packet_size = p->used * 8,
		.events_discarded = p->discarded,
		.packet_seq_num = p->seq,
		.events = p->events,
	};
	memcpy(h->uuid, p->uuid, 16);
	packet__sign(h, h + 1, p->crc);
	rc = io__write(p->fd, p->packet, p->used);
	if (rc)
		return rc;
	p->seq++;
	p->used = sizeof(*h);
	p->events = 0;
	return 0;
}

/* Not older than the event before, and as its id demands. 0 or what the disk says. */
static int put_event(struct packet_out *p, const struct iot_event *ev)
{
	int rc;

	if (p->used + ev->len > PACKET_BYTES) {
		rc = flush_stream(p);
		if (rc)
			return rc;
	}
	memcpy(p->packet + p->used, ev, ev->len);
	p->used += ev->len;
	p->events++;
	p->last_ts = ev->ts;
	return 0;
}

static void free_stream(struct packet_out *p)
{
	free(p->packet);
	p->packet = NULL;
}

struct session_emitter {
	char *dir;
	int ctf;
	uint8_t uuid[16];
	struct crc32c crc;
	struct packet_out streams[STREAMS];
	int failed;
};

static const char *const names[STREAMS] = { "events_0", "rare_0", "tables_0" };

static int write_metadata(struct session_emitter *e, const struct tsdl_trace *trace)
{
	struct tsdl_trace own = *trace;
	char *text = NULL;
	size_t bytes = 0;
	FILE *f;
	int fd, rc;

	memcpy(own.uuid, e->uuid, 16);
	f = open_memstream(&text, &bytes);
	if (!f)
		return -ENOMEM;
	tsdl_text__print(f, &own);
	rc = ferror(f) ? -ENOMEM : 0;
	if (fclose(f) && !rc)
		rc = -ENOMEM;
	fd = rc ? -1 : openat(e->ctf, "metadata", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (!rc && fd < 0)
		rc = -errno;
	if (!rc)
		rc = io__write(fd, text, bytes);
	if (!rc && fsync(fd))
		rc = -errno;
	if (fd >= 0)
		close(fd);
	free(text);
	return rc;
}

static int make_streams(struct session_emitter *e)
{
	int fd, rc = 0;

	for (unsigned int i = 0; !rc && i < STREAMS; i++) {
		fd = openat(e->ctf, names[i], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
		rc = init_stream(&e->streams[i], fd,
				 i == 2 ? PACKET_CLASS_TABLES : PACKET_CLASS_EVENTS, e->uuid,
				 &e->crc);
	}
	return rc;
}

static int make_dir(struct session_emitter *e, const char *dir)
{
	int dirfd, rc = 0;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return -errno;
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return -errno;
	if (mkdirat(dirfd, "ctf", 0700))
		rc = -errno;
	if (!rc)
		e->ctf = openat(dirfd, "ctf", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!rc && e->ctf < 0)
		rc = -errno;
	close(dirfd);
	return rc;
}

static void free_emitter(struct session_emitter *e)
{
	for (unsigned int i = 0; i < STREAMS; i++) {
		if (e->streams[i].fd >= 0)
			close(e->streams[i].fd);
		free_stream(&e->streams[i]);
	}
	if (e->ctf >= 0)
		close(e->ctf);
	free(e->dir);
	free(e);
}

int session_emitter__open(struct session_emitter **out, const char *dir,
			  const struct tsdl_trace *trace, struct error *err)
{
	struct session_emitter *e = calloc(1, sizeof(*e));
	int rc = 0;

	*out = NULL;
	if (!e)
		return error__set(err, -ENOMEM, "cannot write session %s: out of memory", dir);
	e->ctf = -1;
	for (unsigned int i = 0; i < STREAMS; i++)
		e->streams[i].fd = -1;
	crc32c__init(&e->crc);
	e->dir = strdup(dir);
	if (!e->dir || getrandom(e->uuid, 16, 0) != 16)
		rc = -ENOMEM;
	e->uuid[6] = (uint8_t)((e->uuid[6] & 0x0f) | 0x40); /* RFC 4122: version 4, random */
	e->uuid[8] = (uint8_t)((e->uuid[8] & 0x3f) | 0x80);
	if (!rc)
		rc = make_dir(e, dir);
	if (!rc)
		rc = write_metadata(e, trace);
	if (!rc)
		rc = make_streams(e);
	if (rc) {
		error__set(err, rc, "cannot write session %s: %s%s", dir, strerror(-rc),
			   rc == -EEXIST ? "; name a new directory" : "");
		free_emitter(e);
		return rc;
	}
	*out = e;
	return 0;
}

int session_emitter__event(struct session_emitter *e, const struct iot_event *ev)
{
	unsigned int to = ev->id >= IOT_EV_DEVICE ? 2 : ev->id >= IOT_EV_FAULT ? 1 : 0;
	union {
		struct iot_event h;
		uint64_t words[IOT_EVENT_MAX / 8];
	} exact;
	int rc;

	if (e->failed)
		return e->failed;
	if (record__check(ev, ev->len, 0) != RECORD_OK || ev->ts < e->streams[to].last_ts)
		return -EINVAL;
	if (record__exact_len(ev) != ev->len) { /* fields that our metadata doesn't declare */
		memcpy(&exact, ev, record__exact_len(ev));
		exact.h.len = record__exact_len(ev);
		ev = &exact.h;
	}
	rc = put_event(&e->streams[to], ev);
	if (rc)
		e->failed = rc;
	return rc;
}

int session_emitter__close(struct session_emitter *e, struct error *err)
{
	int rc = e->failed;

	for (unsigned int i = 0; !rc && i < STREAMS; i++) {
		rc = flush_stream(&e->streams[i]);
		if (!rc && fsync(e->streams[i].fd))
			rc = -errno;
	}
	if (!rc && fsync(e->ctf) && errno != EINVAL)
		rc = -errno;
	if (rc)
		error__set(err, rc, "cannot write session %s: %s", e->dir, strerror(-rc));
	free_emitter(e);
	return rc;
}
