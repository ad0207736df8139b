// SPDX-License-Identifier: GPL-2.0-only
#include "session/check.h"

#include <string.h>
#include <unistd.h>

#include "session/record.h"

struct checker {
	struct packet_file file;
	struct check_finding finding; /* file is set */
	check_report report;
	void *ctx;
	struct check_total *total;
	uint64_t seq, discarded;
};

int check__is_damage(const struct check_finding *f)
{
	return f->kind != CHECK_UNKNOWN && f->kind != CHECK_DISCARD;
}

static void tell(struct checker *c, enum check_kind kind, uint64_t at, uint64_t bytes,
		 uint64_t value, const char *why)
{
	c->finding.kind = kind;
	c->finding.at = at;
	c->finding.bytes = bytes;
	c->finding.value = value;
	c->finding.why = why;
	c->report(c->ctx, &c->finding);
}

static void check_events(struct checker *c, const struct piece *p)
{
	const struct packet_head *h = &p->head;
	struct record_walk w;

	record__walk(&w, h, p->content, p->content_bytes);
	c->file.last_ts = w.last;
	c->total->events += w.events;
	if (w.unknown)
		tell(c, CHECK_UNKNOWN, p->at, p->bytes, w.unknown,
		     "events that only a newer iommutop knows");
	if (w.why) /* in a packed file, places within a packet have no meaning */
		tell(c, CHECK_EVENT, p->at + (c->file.compressed ? 0 : sizeof(*h) + w.bytes),
		     p->content_bytes - w.bytes, 0, w.why);
	else if (w.events != h->events)
		tell(c, CHECK_COUNT, p->at, p->bytes, h->events,
		     "the packet's head says another number of events");
	else if (w.known && (w.first != h->timestamp_begin || w.last > h->timestamp_end))
		tell(c, CHECK_TIMES, p->at, p->bytes, 0,
		     "the times of the packet's head aren't those of its events");
}

static void check_packet(struct checker *c, const struct piece *p)
{
	const struct packet_head *h = &p->head;

	if (h->packet_seq_num != c->seq)
		tell(c, CHECK_GAP, p->at, 0, h->packet_seq_num - c->seq,
		     "packets are missing before it");
	if (h->events_discarded > c->discarded)
		tell(c, CHECK_DISCARD, p->at, 0, h->events_discarded - c->discarded,
		     "events that the writer dropped");
	c->seq = h->packet_seq_num + 1;
	c->discarded = h->events_discarded;
	c->total->packets++;
	c->total->bytes += p->bytes;
	check_events(c, p);
}

int check__file(const struct session_dir *d, const struct session_file *file, int fd,
		const struct crc32c *crc, check_report report, void *ctx, struct check_total *total)
{
	struct checker c = {
		.finding = { .file = file }, .report = report, .ctx = ctx, .total = total
	};
	struct packet_file *f = &c.file;
	struct piece p;
	int rc;

	rc = source__open(&f->src, fd);
	if (rc) {
		close(fd);
		return rc;
	}
	f->uuid = d->metadata.uuid;
	f->crc = crc;
	f->swapped = d->metadata.other_byte_order;
	f->compressed = file->compressed;
	packet_file__begin(f);
	do {
		packet_file__next(f, &p);
		switch (p.kind) {
		case PIECE_PACKET:
			check_packet(&c, &p);
			break;
		case PIECE_DAMAGE:
			tell(&c, CHECK_DAMAGE, p.at, p.bytes, 0, "no whole packet");
			break;
		case PIECE_TAIL:
			c.finding.salvaged = p.salvaged;
			tell(&c, CHECK_TORN, p.at, p.bytes, 0,
			     p.has_head ? "a packet without its end" : "no packet");
			break;
		case PIECE_END:
			break;
		}
	} while (p.kind != PIECE_END);
	if (f->src.error)
		tell(&c, CHECK_UNREADABLE, f->src.limit, f->src.size - f->src.limit,
		     (uint64_t)-f->src.error, strerror(-f->src.error));
	packet_file__close(f);
	return 0;
}

int check__session(const struct session_dir *d, check_report report, void *ctx,
		   struct check_total *total, struct error *err)
{
	struct crc32c crc;
	char path[300];
	size_t i;
	int fd, rc;

	crc32c__init(&crc);
	*total = (struct check_total){ 0 };
	for (i = 0; i < d->nr_files; i++) {
		fd = session_dir__open_file(d, &d->files[i]);
		rc = fd < 0 ? fd : check__file(d, &d->files[i], fd, &crc, report, ctx, total);
		if (rc)
			return error__set(err, rc, "cannot check %s: %s",
					  session_file__path(&d->files[i], path, sizeof(path)),
					  strerror(-rc));
	}
	return 0;
}
