// SPDX-License-Identifier: GPL-2.0-only
#include "session/reader.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session/crc32c.h"
#include "session/files.h"
#include "session/forgotten.h"
#include "session/rotation.h"
#include "session/stream.h"

#define TRIES     100 /* to open files before they are removed */
#define KEPT_OPEN 16  /* streams; further ones are put away until their time has come */

struct session_reader {
	struct session_info info;
	struct session_dir dir;
	struct crc32c crc;
	struct untold untold;
	struct stream *streams;
	size_t nr_streams;

	struct stream **heap; /* those that have an event, the next one on top */
	size_t nr_heap;
	struct stream *current; /* whose event the caller has; it is still on top of the heap */
	uint64_t last_ts;
	size_t tails_told;
	struct rotation rotation; /* once it is needed */
	struct iot_loss loss;     /* told at the end */
	struct forgotten forgotten;
	int forgotten_told;
};

const struct session_env_entry *session_info__env(const struct session_info *info, const char *key)
{
	size_t i;

	for (i = 0; i < info->nr_env; i++) {
		if (!strcmp(info->env[i].key, key))
			return &info->env[i];
	}
	return NULL;
}

/* Streams lie in the order of their names, so events of one time always come in one order. */
static int is_before(const struct stream *a, const struct stream *b)
{
	if (a->ts != b->ts)
		return a->ts < b->ts;
	if (a->rank != b->rank)
		return a->rank < b->rank;
	return a < b;
}

static void sift_down(struct session_reader *r, size_t at)
{
	struct stream **heap = r->heap, *moving = heap[at];
	size_t child;

	while ((child = 2 * at + 1) < r->nr_heap) {
		if (child + 1 < r->nr_heap && is_before(heap[child + 1], heap[child]))
			child++;
		if (!is_before(heap[child], moving))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moving;
}

static void make_heap(struct session_reader *r)
{
	size_t i;

	for (i = 0; i < r->nr_streams; i++) {
		if (r->streams[i].ev)
			r->heap[r->nr_heap++] = &r->streams[i];
	}
	for (i = r->nr_heap / 2; i-- > 0;)
		sift_down(r, i);
}

static void set_stream(struct session_reader *r, struct stream *s, const char *name,
		       bool compressed)
{
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->file.uuid = r->dir.metadata.uuid;
	s->file.crc = &r->crc;
	s->file.swapped = r->dir.metadata.other_byte_order;
	s->file.compressed = compressed;
	s->info = &r->info;
	s->untold = &r->untold;
	r->info.compressed |= compressed;
}

static int open_source(const struct session_reader *r, const struct session_file *f,
		       struct source *src)
{
	int fd = session_dir__open_file(&r->dir, f), rc;

	rc = fd < 0 ? fd : source__open(src, fd);
	if (rc && fd >= 0)
		close(fd);
	return rc;
}

static bool is_rare(const struct session_file *f)
{
	return !strncmp(f->name, "rare_", 5);
}

/*
 * A recording goes on while its streams are opened, and a fault must not be read without what led
 * to it. That is on disk before the fault is: so the rare events are opened, and their size is
 * taken, before the others. What tells of a removed file is on disk before it goes. So if any file
 * came or went before all are opened, and a list made meanwhile may lack one that was there, all
 * begins anew (-EAGAIN).
 */
static int open_rare(struct session_reader *r, struct source *rare, const char *dir,
		     struct error *err)
{
	bool changed;
	int rc = 0;

	for (size_t i = 0; !rc && i < r->dir.nr_files; i++) {
		if (!is_rare(&r->dir.files[i]) || rare->fd >= 0)
			continue;
		rc = open_source(r, &r->dir.files[i], rare);
		if (rc == -ENOENT)
			return -EAGAIN;
	}
	if (rc && rc != -EINVAL)
		return error__set(err, rc, "cannot read session %s: its rare events: %s", dir,
				  strerror(-rc));
	rc = session_dir__list_again(&r->dir, dir, &changed, err);
	return rc ? rc : changed ? -EAGAIN : 0;
}

/* Takes over rare. */
static int open_streams(struct session_reader *r, struct source *rare, const char *dir,
			struct error *err)
{
	char path[300];
	size_t i;
	int rc;

	for (i = 0; i < r->dir.nr_files; i++) {
		const struct session_file *f = &r->dir.files[i];
		struct stream *s = &r->streams[r->nr_streams];

		if (is_rare(f) && rare->fd >= 0) {
			s->file.src = *rare;
			rare->fd = -1;
			rc = 0;
		} else {
			rc = open_source(r, f, &s->file.src);
		}
		if (rc == -EINVAL)
			continue; /* it was replaced since we looked, by what is no plain file */
		if (rc == -ENOENT)
			return -EAGAIN;
		if (rc)
			return error__set(err, rc, "cannot read session %s: %s: %s", dir,
					  session_file__path(f, path, sizeof(path)), strerror(-rc));
		set_stream(r, s, f->name, f->compressed);
		s->file_nr = i;
		stream__begin(s);
		r->nr_streams++;
		if (r->nr_streams > KEPT_OPEN)
			stream__put_away(s);
		else if (!s->ev)
			r->info.growing |= source__has_grown(&s->file.src);
		if (!s->ev)
			stream__close(s);
	}
	return 0;
}

static int make_streams(struct session_reader *r, size_t nr)
{
	r->streams = calloc(nr + 1, sizeof(*r->streams));
	r->heap = calloc(nr + 1, sizeof(struct stream *));
	return r->streams && r->heap ? 0 : -ENOMEM;
}

static void take_metadata(struct session_reader *r)
{
	const struct metadata *m = &r->dir.metadata;

	r->info.env = m->env;
	r->info.nr_env = m->nr_env;
	r->info.clock = m->clock;
	r->info.format_version = m->format_version;
	r->info.other_byte_order = m->other_byte_order;
	memcpy(r->info.uuid, m->uuid, 16);
}

static int new_reader(struct session_reader **out, const char *name, struct error *err)
{
	struct session_reader *r = calloc(1, sizeof(*r));

	*out = r;
	if (!r)
		return error__set(err, -ENOMEM, "cannot read session %s: out of memory", name);
	r->dir = (struct session_dir){ .ctf = -1, .zst = -1 };
	crc32c__init(&r->crc);
	return 0;
}

static int open_once(struct session_reader **out, const char *dir, struct error *err)
{
	struct source rare = { .fd = -1 };
	struct session_reader *r;
	int rc;

	*out = NULL;
	rc = new_reader(&r, dir, err);
	if (rc)
		return rc;
	rc = session_dir__open(&r->dir, dir, err);
	if (rc)
		goto out;
	take_metadata(r);
	rc = open_rare(r, &rare, dir, err);
	if (rc)
		goto out;
	rc = make_streams(r, r->dir.nr_files);
	if (rc) {
		error__set(err, rc, "cannot read session %s: out of memory", dir);
		goto out;
	}
	rc = open_streams(r, &rare, dir, err);
	r->info.nr_streams = (unsigned int)r->nr_streams;
	make_heap(r);
out:
	source__close(&rare);
	if (rc)
		session_reader__close(r);
	else
		*out = r;
	return rc;
}

int session_reader__open(struct session_reader **out, const char *dir, struct error *err)
{
	int rc = -EAGAIN;

	for (int i = 0; rc == -EAGAIN && i < TRIES; i++)
		rc = open_once(out, dir, err);
	if (rc == -EAGAIN)
		error__set(err, rc,
			   "cannot read session %s: its files come and go faster than they can be "
			   "opened; end the recording, or rotate less often (record --rotate)",
			   dir);
	return rc;
}

static int parse_buffer(struct session_reader *r, const struct session_buffer *b, struct error *err)
{
	char *text = strndup(b->data, b->bytes);
	int rc;

	if (!text)
		return error__set(err, -ENOMEM, "out of memory");
	rc = metadata__parse(&r->dir.metadata, text, strlen(text), err);
	free(text);
	return rc;
}

int session_reader__open_buffers(struct session_reader **out, const struct session_buffer *files,
				 size_t nr, struct error *err)
{
	struct session_reader *r;
	struct stream *s;
	size_t i, len;
	int rc;

	*out = NULL;
	rc = new_reader(&r, "in memory", err);
	if (rc)
		return rc;
	for (i = 0; !rc && i < nr; i++) {
		if (!strcmp(files[i].name, "metadata"))
			rc = parse_buffer(r, &files[i], err);
	}
	if (!rc)
		rc = make_streams(r, nr);
	if (rc)
		goto out;
	take_metadata(r);
	for (i = 0; i < nr; i++) {
		if (!strcmp(files[i].name, "metadata"))
			continue;
		s = &r->streams[r->nr_streams++];
		len = strlen(files[i].name);
		source__open_memory(&s->file.src, files[i].data, files[i].bytes);
		set_stream(r, s, files[i].name,
			   len > 4 && !strcmp(files[i].name + len - 4, ".zst"));
		stream__begin(s);
	}
	r->info.nr_streams = (unsigned int)r->nr_streams;
	make_heap(r);
out:
	if (rc)
		session_reader__close(r);
	else
		*out = r;
	return rc;
}

static int give(struct session_reader *r, const struct iot_event **ev)
{
	r->info.told_losses++;
	*ev = &r->loss.h;
	return 1;
}

/* What is missing at the ends of files: up to where the next one begins, which is whole from there,
 * or to the end of the session. */
static int tell_tail(struct session_reader *r, const struct iot_event **ev)
{
	const struct stream *s, *next;

	while (r->tails_told < r->nr_streams) {
		s = &r->streams[r->tails_told++];
		if (!s->has_tail)
			continue;
		if (!r->rotation.by_name && rotation__init(&r->rotation, r->streams, r->nr_streams))
			return -ENOMEM;
		r->loss = s->tail;
		next = rotation__next(&r->rotation, s);
		if (next)
			r->loss.end = next->first_ts;
		if (r->loss.end < r->loss.begin)
			r->loss.end = r->last_ts;
		if (r->loss.end > r->last_ts)
			r->last_ts = r->loss.end;
		r->loss.h.ts = r->last_ts;
		return give(r, ev);
	}
	return 0;
}

static int tell_untold(struct session_reader *r, const struct iot_event **ev)
{
	struct untold_span span;

	if (!untold__next(&r->untold, &span))
		return 0;
	r->loss = (struct iot_loss){
		.h = { .ts = r->last_ts, .id = IOT_EV_LOSS, .len = sizeof(r->loss), .cpu = 0xffff },
		.begin = span.begin,
		.end = span.end,
		.count = span.count,
		.cause = IOT_LOST_WRITER,
		.what = "session",
	};
	return give(r, ev);
}

static int tell_forgotten(struct session_reader *r, const struct iot_event **ev)
{
	if (r->forgotten_told || !forgotten__loss(&r->forgotten, &r->info, &r->loss))
		return 0;
	r->forgotten_told = 1;
	r->loss.h.ts = r->last_ts;
	return give(r, ev);
}

static int fetch(struct session_reader *r, struct stream *s)
{
	int fd = session_dir__open_file(&r->dir, &r->dir.files[s->file_nr]);

	/* a rotation removed it meanwhile, or somebody put something else there */
	if (fd == -ENOENT || fd == -EINVAL) {
		stream__lose_rest(s, "removed while read");
		return 0;
	}
	if (fd < 0)
		return fd;
	source__reopen(&s->file.src, fd);
	stream__fetch(s);
	return 0;
}

/* The stream on top of the heap has moved. */
static void settle(struct session_reader *r)
{
	struct stream *s = r->heap[0];

	if (!s->ev) {
		r->info.growing |= source__has_grown(&s->file.src);
		stream__close(s);
		r->heap[0] = r->heap[--r->nr_heap];
	}
	if (r->nr_heap > 1)
		sift_down(r, 0);
}

int session_reader__next(struct session_reader *r, const struct iot_event **ev)
{
	struct stream *s = r->current;
	int rc;

	if (s) {
		stream__advance(s);
		settle(r);
		r->current = NULL;
	}
	while (r->nr_heap && r->heap[0]->away) {
		rc = fetch(r, r->heap[0]);
		if (rc)
			return rc;
		settle(r);
	}
	if (!r->nr_heap) {
		rc = tell_tail(r, ev);
		return rc ? rc : tell_untold(r, ev) || tell_forgotten(r, ev);
	}
	s = r->heap[0];
	r->current = s;
	r->last_ts = s->ts;
	*ev = s->ev;
	if (s->ev == &s->loss.h)
		return 1;
	r->info.events++;
	forgotten__see(&r->forgotten, s->ev);
	if (s->ev->id == IOT_EV_LOSS)
		untold__told(&r->untold, (const struct iot_loss *)s->ev);
	return 1;
}

const char *session_reader__file(const struct session_reader *r)
{
	return r->current && r->current->ev != &r->current->loss.h ? r->current->name : "";
}

const struct session_info *session_reader__info(const struct session_reader *r)
{
	return &r->info;
}

void session_reader__close(struct session_reader *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; i < r->nr_streams; i++)
		stream__close(&r->streams[i]);
	untold__free(&r->untold);
	rotation__free(&r->rotation);
	session_dir__close(&r->dir);
	free(r->streams);
	free(r->heap);
	free(r);
}
