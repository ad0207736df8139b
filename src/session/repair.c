// SPDX-License-Identifier: GPL-2.0-only
#include "session/repair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "session/check.h"
#include "session/emit.h"
#include "session/losses.h"
#include "session/reader.h"
#include "session/record.h"
#include "util/io.h"

struct repair {
	const char *dir;
	struct session_dir d;
	bool dry_run;
	repair_report report;
	void *ctx;
	struct crc32c crc;
	struct losses losses; /* to be told */
};

/* What is wrong with a file, as a whole. */
struct state {
	bool middle, tail;
};

static void tell(struct repair *r, enum repair_action action, const struct session_file *f,
		 uint64_t bytes, uint64_t events)
{
	char path[300];
	const struct repair_step step = {
		.action = action,
		.file = session_file__path(f, path, sizeof(path)),
		.bytes = bytes,
		.events = events,
	};

	r->report(r->ctx, &step);
}

/* The reader knows best what is missing from when to when. */
static int collect_losses(struct repair *r, struct error *err)
{
	const struct iot_event *ev;
	struct session_reader *reader;
	struct losses told = { 0 }; /* by a repair that was interrupted */
	int rc;

	rc = session_reader__open(&reader, r->dir, err);
	if (rc)
		return rc;
	while ((rc = session_reader__next(reader, &ev)) > 0) {
		const struct iot_loss *loss = (const struct iot_loss *)ev;

		/* what the packets' heads say of discarded events stays there */
		if (ev->id != IOT_EV_LOSS || loss->cause != IOT_LOST_DAMAGE)
			continue;
		if (session_reader__file(reader)[0])
			rc = losses__add(&told, loss);
		else
			rc = losses__add(&r->losses, loss);
		if (rc < 0)
			break;
	}
	if (!rc && session_reader__info(reader)->growing)
		rc = error__set(err, -EBUSY,
				"cannot repair %s: it is still being written; end the recording "
				"first, or use --output",
				r->dir);
	session_reader__close(reader);
	if (rc)
		error__set(err, rc, "cannot read %s to its end: %s", r->dir, strerror(-rc));
	losses__drop(&r->losses, &told);
	losses__free(&told);
	return rc;
}

/* Whoever records holds a lock on the directory of the streams, and so does whoever repairs. */
static int lock(const struct repair *r, struct error *err)
{
	const int dirs[] = { r->d.ctf, r->d.zst };

	for (size_t i = 0; i < 2; i++) {
		/* a file system without locks: what grows while it is read is noticed at least */
		if (dirs[i] < 0 || !flock(dirs[i], LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
			continue;
		return error__set(err, -EBUSY,
				  "cannot repair %s: it is being written or repaired; wait until "
				  "that is over, or use --output",
				  r->dir);
	}
	return 0;
}

static void note(void *ctx, const struct check_finding *f)
{
	struct state *s = ctx;

	if (f->kind == CHECK_TORN)
		s->tail = true;
	else if (check__is_damage(f))
		s->middle = true;
}

static int open_source(struct repair *r, const struct session_file *f, struct packet_file *file)
{
	int fd = session_dir__open_file(&r->d, f), rc;

	*file = (struct packet_file){ 0 };
	if (fd < 0)
		return fd;
	rc = source__open(&file->src, fd);
	if (rc) {
		close(fd);
		return rc;
	}
	file->uuid = r->d.metadata.uuid;
	file->crc = &r->crc;
	file->compressed = f->compressed;
	packet_file__begin(file);
	return 0;
}

/* A file that is being made from what is whole in another. */
struct copy {
	struct repair *repair;
	int fd;
	bool compressed;
	struct packet_head last; /* of the last packet written; seq counts all */
	uint64_t packets;
};

static int write_packed(struct copy *c, const struct packet_head *h, const void *content)
{
	const size_t bytes = h->content_size / 8, room = ZSTD_compressBound(bytes);
	uint8_t *plain = malloc(bytes), *packed = malloc(room);
	size_t n;
	int rc = -ENOMEM;

	if (plain && packed) {
		memcpy(plain, h, sizeof(*h));
		memcpy(plain + sizeof(*h), content, bytes - sizeof(*h));
		n = ZSTD_compress(packed, room, plain, bytes, 1);
		rc = ZSTD_isError(n) ? -ENOMEM : io__write(c->fd, packed, n);
	}
	free(plain);
	free(packed);
	return rc;
}

static void close_head(struct packet_head *h, const struct record_walk *w)
{
	h->content_size = h->packet_size = (sizeof(*h) + w->bytes) * 8;
	h->events = w->events;
	h->timestamp_begin = w->known ? w->first : h->timestamp_begin;
	h->timestamp_end = w->events && w->why ? w->last : h->timestamp_end;
	h->timestamp_end = w->last > h->timestamp_end ? w->last : h->timestamp_end;
}

/* The events of a packet that are right, under a head that says so. */
static int put_packet(struct copy *c, const struct piece *p, uint64_t *last_ts)
{
	struct packet_head h = p->head;
	struct record_walk w;
	int rc;

	record__walk(&w, &h, p->content, p->content_bytes);
	*last_ts = w.last;
	if (!w.events && h.events_discarded == c->last.events_discarded && c->packets)
		return 0;
	if (p->kind == PIECE_TAIL)
		w.why = "torn";
	close_head(&h, &w);
	h.packet_seq_num = c->packets++;
	packet__sign(&h, p->content, &c->repair->crc);
	c->last = h;
	if (c->compressed)
		return write_packed(c, &h, p->content);
	rc = io__write(c->fd, &h, sizeof(h));
	return rc ?: io__write(c->fd, p->content, w.bytes);
}

/* As events of the time where they fit at the end of rare_0: begin and end say when it was. */
static int put_losses(struct copy *c)
{
	struct iot_loss *batch = malloc(1024 * sizeof(*batch));
	struct piece p = { .kind = PIECE_PACKET, .content = (const uint8_t *)batch };
	uint64_t ts = c->last.timestamp_end;
	struct repair *r = c->repair;
	size_t at = 0, nr, i;
	int rc = batch ? 0 : -ENOMEM;

	while (!rc && at < r->losses.nr) {
		nr = r->losses.nr - at < 1024 ? r->losses.nr - at : 1024;
		for (i = 0; i < nr; i++) {
			batch[i] = r->losses.items[at + i];
			ts = batch[i].h.ts > ts ? batch[i].h.ts : ts;
			batch[i].h.ts = ts;
		}
		p.content_bytes = nr * sizeof(*batch);
		p.head = (struct packet_head){ .magic = PACKET_MAGIC,
					       .stream_id = PACKET_CLASS_EVENTS,
					       .timestamp_begin = batch[0].h.ts,
					       .timestamp_end = ts,
					       .events_discarded = c->last.events_discarded };
		memcpy(p.head.uuid, r->d.metadata.uuid, 16);
		rc = put_packet(c, &p, &ts);
		at += nr;
	}
	free(batch);
	return rc;
}

static int copy_whole(struct copy *c, struct packet_file *file)
{
	struct piece p;
	int rc = 0;

	do {
		packet_file__next(file, &p);
		if (p.kind == PIECE_PACKET || (p.kind == PIECE_TAIL && p.salvaged))
			rc = put_packet(c, &p, &file->last_ts);
	} while (!rc && p.kind != PIECE_END);
	return rc;
}

/*
 * A new file beside the old one, hidden from every reader, takes its place when it is on disk.
 * exists is false for a rare_0 that isn't there yet.
 */
static int rewrite(struct repair *r, const struct session_file *f, bool exists, bool with_losses)
{
	struct copy c = { .repair = r, .compressed = f->compressed };
	const int dirfd = f->compressed ? r->d.zst : r->d.ctf;
	struct packet_file file = { .src = { .fd = -1 } };
	char temp[300];
	int rc = 0;

	snprintf(temp, sizeof(temp), ".%.250s.repair", f->name);
	if (exists)
		rc = open_source(r, f, &file);
	if (rc)
		return rc;
	unlinkat(dirfd, temp, 0); /* of a repair that was interrupted */
	c.fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (c.fd < 0)
		rc = -errno;
	if (!rc)
		rc = copy_whole(&c, &file);
	if (!rc && with_losses)
		rc = put_losses(&c);
	if (!rc && fsync(c.fd))
		rc = -errno;
	if (!rc && renameat(dirfd, temp, dirfd, f->name))
		rc = -errno;
	if (!rc && fsync(dirfd) && errno != EINVAL)
		rc = -errno;
	if (c.fd >= 0)
		close(c.fd);
	if (rc && c.fd >= 0)
		unlinkat(dirfd, temp, 0);
	packet_file__close(&file);
	return rc;
}

/* Goes to the torn tail of a file in which nothing else is wrong. */
static int find_tail(struct repair *r, const struct session_file *f, struct packet_file *file,
		     struct piece *p)
{
	struct record_walk w;
	int rc = open_source(r, f, file);

	if (rc)
		return rc;
	for (;;) {
		packet_file__next(file, p);
		if (p->kind != PIECE_PACKET)
			break;
		record__walk(&w, &p->head, p->content, p->content_bytes);
		file->last_ts = w.last;
	}
	return p->kind == PIECE_TAIL ? 0 : -EAGAIN; /* it isn't what it was a moment ago */
}

/*
 * Cut first: as long as the head isn't changed, the packet is torn as before, with the same events
 * in it.
 */
static int cut_tail(struct repair *r, const struct session_file *f)
{
	struct packet_file file;
	struct packet_head h;
	struct record_walk w;
	struct piece p;
	uint64_t end, seq;
	int rc, fd = -1;

	rc = find_tail(r, f, &file, &p);
	if (rc)
		goto out;
	seq = file.next_seq;
	end = p.at + (p.salvaged ? sizeof(h) + p.content_bytes : 0);
	tell(r, p.salvaged ? REPAIR_CLOSE : REPAIR_CUT, f, file.src.size - end, p.salvaged);
	if (r->dry_run)
		goto out;
	fd = openat(r->d.ctf, f->name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)end)) {
		rc = -errno;
		goto out;
	}
	if (p.salvaged) {
		h = p.head;
		record__walk(&w, &h, p.content, p.content_bytes);
		w.why = "torn";
		close_head(&h, &w);
		h.packet_seq_num = seq;
		packet__sign(&h, p.content, &r->crc);
		rc = lseek(fd, (off_t)p.at, SEEK_SET) < 0 ? -errno : io__write(fd, &h, sizeof(h));
	}
	if (!rc && fsync(fd))
		rc = -errno;
out:
	if (fd >= 0)
		close(fd);
	packet_file__close(&file);
	return rc;
}

static int repair_file(struct repair *r, const struct session_file *f, bool is_rare)
{
	struct check_total total = { 0 };
	struct state s = { 0 };
	struct stat st;
	int rc, fd;

	fd = session_dir__open_file(&r->d, f);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st)) {
		rc = -errno;
		close(fd);
		return rc;
	}
	rc = check__file(&r->d, f, fd, &r->crc, note, &s, &total);
	if (rc)
		return rc;
	if (is_rare && r->losses.nr) {
		if (s.middle || s.tail)
			tell(r, REPAIR_REWRITE, f, (uint64_t)st.st_size - total.bytes, 0);
		tell(r, REPAIR_LOSSES, f, 0, r->losses.nr);
		return r->dry_run ? 0 : rewrite(r, f, true, true);
	}
	if (s.middle || (s.tail && f->compressed)) {
		tell(r, REPAIR_REWRITE, f, (uint64_t)st.st_size - total.bytes, 0);
		return r->dry_run ? 0 : rewrite(r, f, true, false);
	}
	return s.tail ? cut_tail(r, f) : 0;
}

static bool is_rare(const struct session_file *f)
{
	return !strcmp(f->name, f->compressed ? "rare_0.zst" : "rare_0");
}

/* What is missing is told before what can't be read goes away. */
static int repair_all(struct repair *r, struct error *err)
{
	const struct session_file *f = NULL, *rare = NULL;
	struct session_file new_rare = { .compressed = r->d.nr_files && r->d.files[0].compressed };
	char path[300];
	int rc = 0;

	for (size_t i = 0; i < r->d.nr_files; i++)
		rare = is_rare(&r->d.files[i]) ? &r->d.files[i] : rare;
	if (rare) {
		f = rare;
		rc = repair_file(r, f, true);
	} else if (r->losses.nr) {
		new_rare.name = new_rare.compressed ? "rare_0.zst" : "rare_0";
		f = &new_rare;
		tell(r, REPAIR_LOSSES, f, 0, r->losses.nr);
		rc = r->dry_run ? 0 : rewrite(r, f, false, true);
	}
	for (size_t i = 0; !rc && i < r->d.nr_files; i++) {
		f = &r->d.files[i];
		if (f != rare)
			rc = repair_file(r, f, false);
	}
	if (rc)
		error__set(err, rc,
			   "cannot repair %s: %s: %s; what was readable still is, run it again "
			   "when that is settled",
			   r->dir, session_file__path(f, path, sizeof(path)), strerror(-rc));
	return rc;
}

int session__repair(const char *dir, bool dry_run, repair_report report, void *ctx,
		    struct error *err)
{
	struct repair r = { .dir = dir, .dry_run = dry_run, .report = report, .ctx = ctx };
	int rc;

	crc32c__init(&r.crc);
	rc = session_dir__open(&r.d, dir, err);
	if (!rc && r.d.metadata.other_byte_order)
		rc = error__set(
			err, -ENOTSUP,
			"cannot repair %s: it is of the other byte order; `iommutop session "
			"cat -o NEW %s` makes a whole one of it",
			dir, dir);
	if (!rc && !dry_run)
		rc = lock(&r, err);
	if (!rc)
		rc = collect_losses(&r, err);
	if (!rc)
		rc = repair_all(&r, err);
	session_dir__close(&r.d);
	losses__free(&r.losses);
	return rc;
}

static int copy_file(int from_dir, int to_dir, const char *name)
{
	char *buf = malloc(1 << 20);
	ssize_t n = -1;
	int in, out, rc = 0;

	in = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	out = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (!buf || in < 0 || out < 0)
		rc = buf ? -errno : -ENOMEM;
	while (!rc && (n = read(in, buf, 1 << 20)) > 0)
		rc = io__write(out, buf, (size_t)n);
	if (!rc && (n < 0 || fsync(out)))
		rc = -errno;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	free(buf);
	return rc;
}

static int make_subdir(int dirfd, const char *name)
{
	int fd;

	if (mkdirat(dirfd, name, 0700))
		return -errno;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int session__copy(const char *dir, const char *to, struct error *err)
{
	int dirfd = -1, ctf = -1, zst = -1, rc;
	const char *name = "metadata";
	struct session_dir d;

	rc = session_dir__open(&d, dir, err);
	if (rc)
		goto out;
	if (mkdir(to, 0700) && errno != EEXIST)
		rc = -errno;
	if (!rc)
		dirfd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!rc && dirfd < 0)
		rc = -errno;
	if (!rc)
		ctf = rc = make_subdir(dirfd, "ctf");
	if (rc >= 0 && d.zst >= 0)
		zst = rc = make_subdir(dirfd, "zst");
	if (rc >= 0)
		rc = copy_file(d.ctf, ctf, name);
	for (size_t i = 0; !rc && i < d.nr_files; i++) {
		name = d.files[i].name;
		rc = copy_file(d.files[i].compressed ? d.zst : d.ctf,
			       d.files[i].compressed ? zst : ctf, name);
	}
	if (rc)
		error__set(err, rc, "cannot copy %s to %s: %s: %s%s", dir, to, name, strerror(-rc),
			   rc == -EEXIST ? "; name a new directory" : "");
out:
	if (ctf >= 0)
		close(ctf);
	if (zst >= 0)
		close(zst);
	if (dirfd >= 0)
		close(dirfd);
	session_dir__close(&d);
	return rc;
}
