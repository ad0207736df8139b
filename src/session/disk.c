// SPDX-License-Identifier: GPL-2.0-only
#include "session/disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <zstd.h>

#include "session/crc32c.h"
#include "session/create.h"
#include "util/io.h"

struct file {
	int fd;
	unsigned int number; /* of events_N */
	uint64_t seq;        /* of its next packet */
	uint64_t before;     /* discarded events that earlier files of the lane have told of */
	uint64_t told;       /* … and this one too */
	off_t size;          /* whole packets */
	struct gap holds;
};

struct disk {
	struct session_files files;
	struct disk_opts opts;
	struct file lanes[LANES];
	struct gap *kept;   /* what files of events hold, by number % (opts.keep + 1) */
	unsigned int first; /* the oldest file of events that is still there */
	unsigned int told;  /* the oldest that disk__old() has not told of */
	struct crc32c crc;
	ZSTD_CCtx *zstd;
	uint8_t *frame;
	size_t frame_max;
	char name[SESSION_NAME_MAX + 4];
};

void gap__add(struct gap *to, const struct gap *more)
{
	if (!more->events)
		return;
	if (!to->events || more->begin < to->begin)
		to->begin = more->begin;
	if (more->end > to->end)
		to->end = more->end;
	to->events += more->events;
}

static int make_zstd(struct disk *d, struct error *err)
{
	if (!d->opts.level)
		return 0;
	d->frame_max = ZSTD_compressBound(d->opts.packet);
	d->frame = malloc(d->frame_max);
	d->zstd = ZSTD_createCCtx();
	return d->frame && d->zstd
		       ? 0
		       : error__set(err, -ENOMEM, "cannot record compressed: out of memory");
}

int disk__open(struct disk **out, const char *dir, const struct session_env *env,
	       const struct disk_opts *opts, struct error *err)
{
	struct disk *d = calloc(1, sizeof(*d));
	enum lane lane;
	int rc;

	*out = NULL;
	if (!d)
		return error__set(err, -ENOMEM, "cannot record to %s: out of memory", dir);
	d->opts = *opts;
	d->files.dir = -1;
	for (lane = 0; lane < LANES; lane++)
		d->lanes[lane].fd = -1;
	crc32c__init(&d->crc);
	d->kept = calloc(opts->keep + 1, sizeof(*d->kept));
	rc = d->kept ? make_zstd(d, err)
		     : error__set(err, -ENOMEM, "cannot record to %s: out of memory", dir);
	if (!rc)
		rc = session_files__create(&d->files, dir, env, opts->level != 0, err);
	if (rc) {
		d->files.dir = -1;
		disk__close(d);
		return rc;
	}
	for (lane = 0; lane < LANES; lane++)
		d->lanes[lane].fd = d->files.stream[lane];
	/* keeps a repair away; a file system that has no locks must do without */
	flock(d->files.dir, LOCK_EX | LOCK_NB);
	*out = d;
	return 0;
}

void disk__close(struct disk *d)
{
	enum lane lane;

	if (!d)
		return;
	for (lane = 0; lane < LANES; lane++)
		if (d->lanes[lane].fd >= 0)
			close(d->lanes[lane].fd);
	if (d->files.dir >= 0)
		close(d->files.dir);
	ZSTD_freeCCtx(d->zstd);
	free(d->frame);
	free(d->kept);
	free(d);
}

void disk__abandon(struct disk *d, const char *dir)
{
	enum lane lane;

	session_files__remove(&d->files, dir);
	for (lane = 0; lane < LANES; lane++)
		d->lanes[lane].fd = -1;
	d->files.dir = -1;
	disk__close(d);
}

static bool file_is_full(const struct disk *d, const struct file *f, const struct packet *p)
{
	if (p->lane != LANE_EVENTS || !f->size || !p->head->events)
		return false;
	return p->new_file ||
	       (d->opts.rotate_bytes && (uint64_t)f->size + p->used > d->opts.rotate_bytes) ||
	       (d->opts.rotate_ns && f->holds.events &&
		p->head->timestamp_end - f->holds.begin > d->opts.rotate_ns);
}

/* A file that is complete is brought to the disk, so that only the newest can suffer if power
 * fails. */
static int next_file(struct disk *d, struct file *f)
{
	int fd, rc;

	if (fsync(f->fd))
		return -errno;
	fd = session_files__next(&d->files, LANE_EVENTS, f->number + 1);
	if (fd < 0)
		return fd;
	rc = close(f->fd) ? -errno : 0;
	if (d->opts.keep)
		d->kept[f->number % (d->opts.keep + 1)] = f->holds;
	*f = (struct file){ .fd = fd, .number = f->number + 1, .before = f->told, .told = f->told };
	return rc;
}

static void fill_head(struct disk *d, const struct file *f, struct packet *p)
{
	struct packet_head *h = p->head;

	h->magic = PACKET_MAGIC;
	memcpy(h->uuid, d->files.uuid, 16);
	h->stream_id = lane__class(p->lane);
	h->content_size = (uint64_t)p->used * 8;
	h->packet_size = h->content_size;
	h->events_discarded -= f->before;
	h->packet_seq_num = f->seq;
	h->crc32c = ~crc32c__update(&d->crc, CRC32C_START, p->data, p->used);
}

/* A frame of its own for each packet, with the size of its content. */
static int compress(struct disk *d, const struct packet *p, const uint8_t **data, size_t *bytes)
{
	size_t n;

	*data = p->data;
	*bytes = p->used;
	if (!d->opts.level)
		return 0;
	n = ZSTD_compressCCtx(d->zstd, d->frame, d->frame_max, p->data, p->used, d->opts.level);
	if (ZSTD_isError(n))
		return -ENOMEM; /* all else was made sure of: the buffer is large enough */
	*data = d->frame;
	*bytes = n;
	return 0;
}

int disk__write(struct disk *d, struct packet *p, size_t *written)
{
	struct file *f = &d->lanes[p->lane];
	uint64_t discarded = p->head->events_discarded;
	const uint8_t *data;
	size_t bytes;
	int rc = 0;

	if (file_is_full(d, f, p))
		rc = next_file(d, f);
	if (rc)
		return rc;
	fill_head(d, f, p);
	rc = compress(d, p, &data, &bytes);
	if (rc)
		return rc;
	rc = io__write(f->fd, data, bytes);
	if (rc && ftruncate(f->fd, f->size))
		return rc; /* a torn tail then: our reader steps over it */
	if (rc)
		return rc;
	f->size += (off_t)bytes;
	f->seq++;
	f->told = discarded;
	gap__add(&f->holds, &(struct gap){ p->head->timestamp_begin, p->head->timestamp_end,
					   p->head->events });
	*written = bytes;
	return 0;
}

unsigned int disk__old(struct disk *d, struct gap *gone)
{
	unsigned int files = d->lanes[LANE_EVENTS].number + 1;

	*gone = (struct gap){ 0 };
	if (!d->opts.keep || files - d->told <= d->opts.keep)
		return 0;
	for (; files - d->told > d->opts.keep; d->told++)
		gap__add(gone, &d->kept[d->told % (d->opts.keep + 1)]);
	return d->told;
}

void disk__remove_before(struct disk *d, unsigned int number)
{
	char name[SESSION_NAME_MAX];

	for (; d->first < number; d->first++) {
		session_files__name(name, LANE_EVENTS, d->first, d->files.compressed);
		/* one that can't be removed only takes room: its loss has been told */
		unlinkat(d->files.dir, name, 0);
	}
}

const char *disk__name(struct disk *d, enum lane lane)
{
	char name[SESSION_NAME_MAX];

	session_files__name(name, lane, d->lanes[lane].number, d->files.compressed);
	snprintf(d->name, sizeof(d->name), "%s/%s", d->files.compressed ? "zst" : "ctf", name);
	return d->name;
}

int disk__sync(struct disk *d, enum lane lane)
{
	return fsync(d->lanes[lane].fd) ? -errno : 0;
}
