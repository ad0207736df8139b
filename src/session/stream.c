// SPDX-License-Identifier: GPL-2.0-only
#include "session/stream.h"

#include <stdio.h>
#include <string.h>

#include "session/record.h"

static void set_current(struct stream *s, const struct iot_event *ev)
{
	s->ev = ev;
	s->ts = ev->ts;
	s->rank = stream__rank(ev->id);
}

/* Loss is known from begin to end; h.ts is where it fits into the stream. */
static void make_loss(const struct stream *s, struct iot_loss *loss, const char *kind, __u64 begin,
		      __u64 end, __u64 count)
{
	*loss = (struct iot_loss){
		.h = { .ts = end, .id = IOT_EV_LOSS, .len = sizeof(*loss), .cpu = 0xffff },
		.begin = begin,
		.end = end,
		.count = count ? count : 1,
		.cause = IOT_LOST_DAMAGE,
	};
	/* the name as far as it fits: "rare_0: damaged" */
	if (snprintf(loss->what, sizeof(loss->what), "%.18s: %.18s", s->name, kind) < 0)
		loss->what[0] = 0;
}

static void give_loss(struct stream *s)
{
	s->info->told_losses++;
	set_current(s, &s->loss.h);
}

/* 1: a loss event comes first. */
static int open_packet(struct stream *s)
{
	const struct packet_head *h = &s->piece.head;
	const uint64_t begin = s->file.last_ts;
	uint64_t missing = h->packet_seq_num - s->next_seq;
	int damaged = s->damaged_before;

	s->content = s->record = s->piece.content;
	s->end = s->record + s->piece.content_bytes;
	s->info->packets++;
	s->info->bytes += s->piece.bytes;
	s->info->missing_packets += missing;
	s->next_seq = h->packet_seq_num + 1;
	s->damaged_before = 0;
	if (h->events_discarded > s->discarded) {
		s->info->discarded_events += h->events_discarded - s->discarded;
		untold__discarded(s->untold, begin, h->timestamp_end,
				  h->events_discarded - s->discarded);
		s->discarded = h->events_discarded;
	}
	s->file.last_ts = h->timestamp_begin;
	if (!damaged && !missing)
		return 0;
	make_loss(s, &s->loss, damaged ? "damaged" : "packets missing", begin, h->timestamp_begin,
		  missing);
	return 1;
}

static void open_tail(struct stream *s)
{
	const struct piece *p = &s->piece;

	s->info->torn_tail = 1;
	s->info->torn_bytes += p->bytes;
	if (p->salvaged) {
		s->content = s->record = p->content;
		s->end = s->record + p->content_bytes;
	}
	s->info->salvaged_events += p->salvaged;
	make_loss(s, &s->tail, "torn", 0, p->has_head ? p->head.timestamp_end : 0,
		  p->has_head ? p->head.events - p->salvaged : 0);
	s->has_tail = 1;
}

/*
 * The checksum was right and yet this is no event: whoever wrote it erred. What follows it can't be
 * trusted.
 */
static void give_up_packet(struct stream *s)
{
	s->info->damaged_packets++;
	s->info->damaged_bytes += (uint64_t)(s->end - s->record);
	s->info->bytes -= (uint64_t)(s->end - s->record);
	make_loss(s, &s->loss, "wrong event", s->file.last_ts, s->piece.head.timestamp_end, 0);
	s->loss.h.ts = s->file.last_ts;
	s->record = s->end;
}

/* 1: there is more of the file; s->ev is set if it begins with a loss. */
static int next_piece(struct stream *s)
{
	packet_file__next(&s->file, &s->piece);
	switch (s->piece.kind) {
	case PIECE_END:
		s->tail.begin = s->file.last_ts;
		return 0;
	case PIECE_PACKET:
		if (open_packet(s))
			give_loss(s);
		return 1;
	case PIECE_DAMAGE:
		s->info->damaged_packets++;
		s->info->damaged_bytes += s->piece.bytes;
		s->damaged_before = 1;
		return 1;
	case PIECE_TAIL:
		open_tail(s);
		return 1;
	}
	return 0;
}

void stream__advance(struct stream *s)
{
	const struct iot_event *ev;
	enum record_state state;

	s->ev = NULL;
	for (;;) {
		if (s->record == s->end) {
			if (!next_piece(s) || s->ev)
				return;
			continue;
		}
		ev = (const struct iot_event *)s->record;
		state = record__check(ev, (size_t)(s->end - s->record), 0);
		if (state == RECORD_UNKNOWN) {
			s->info->unknown_events++;
			s->record += ev->len;
			continue;
		}
		if (state != RECORD_OK || ev->ts < s->file.last_ts ||
		    (unsigned int)record__class(ev->id) != s->piece.head.stream_id) {
			give_up_packet(s);
			give_loss(s);
			return;
		}
		s->record += ev->len;
		s->file.last_ts = ev->ts;
		set_current(s, ev);
		return;
	}
}

void stream__begin(struct stream *s)
{
	packet_file__begin(&s->file);
	s->info->total_bytes += s->file.src.size;
	stream__advance(s);
	s->first_ts = s->ev ? s->ts : 0;
}

void stream__put_away(struct stream *s)
{
	if (!s->ev || s->away)
		return;
	packet_file__put_away(&s->file);
	s->away = 1;
}

void stream__lose_rest(struct stream *s, const char *why)
{
	s->info->torn_tail = 1;
	s->info->torn_bytes += s->file.src.size - s->file.at;
	s->file.at = s->file.src.size;
	s->record = s->end;
	s->ev = NULL;
	s->away = 0;
	make_loss(s, &s->tail, why, s->ts, 0, 0);
	s->has_tail = 1;
}

void stream__fetch(struct stream *s)
{
	const size_t record = (size_t)(s->record - s->content), end = (size_t)(s->end - s->content);
	const int is_loss = s->ev == &s->loss.h;
	const struct packet_head head = s->piece.head;
	struct packet_file *f = &s->file;
	const uint64_t at = f->at, last_ts = f->last_ts, next_seq = f->next_seq;
	const size_t event = is_loss ? 0 : (size_t)((const uint8_t *)s->ev - s->content);
	struct piece again;

	s->away = 0;
	f->at = s->piece.at;
	f->last_ts = head.timestamp_begin < last_ts ? head.timestamp_begin : last_ts;
	f->next_seq = head.packet_seq_num;
	packet_file__next(f, &again);
	f->last_ts = last_ts;
	if (again.kind != s->piece.kind || again.bytes != s->piece.bytes ||
	    memcmp(&again.head, &head, sizeof(head)) ||
	    again.content_bytes != s->piece.content_bytes) {
		f->at = at;
		stream__lose_rest(s, "changed while read");
		return;
	}
	f->at = at;
	f->next_seq = next_seq;
	s->piece = again;
	s->content = again.content;
	s->record = s->content + record;
	s->end = s->content + end;
	if (!is_loss)
		s->ev = (const struct iot_event *)(s->content + event);
}

void stream__close(struct stream *s)
{
	packet_file__close(&s->file);
	s->ev = NULL;
}
