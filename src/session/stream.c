// SPDX-License-Identifier: GPL-2.0-only
#include "session/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "session/packet.h"
#include "session/record.h"

static int head_is_sane(const struct stream *s, size_t at)
{
	const struct packet_head *h = (const struct packet_head *)(s->map + at);
	size_t left = s->size - at;

	return left >= sizeof(*h) && h->magic == PACKET_MAGIC && !memcmp(h->uuid, s->uuid, 16) &&
	       h->stream_id < PACKET_CLASSES && h->content_size % 64 == 0 &&
	       h->packet_size % 64 == 0 && h->content_size >= sizeof(*h) * 8 &&
	       h->content_size <= h->packet_size && h->packet_size / 8 <= PACKET_MAX &&
	       h->packet_size / 8 <= left && h->timestamp_begin <= h->timestamp_end &&
	       h->timestamp_begin >= s->last_ts && h->packet_seq_num >= s->next_seq;
}

static int crc_is_right(const struct stream *s, size_t at)
{
	static const uint8_t zero[sizeof(uint32_t)];
	const struct packet_head *h = (const struct packet_head *)(s->map + at);
	const uint8_t *data = s->map + at, *crc = (const uint8_t *)&h->crc32c;
	uint32_t state;

	state = crc32c__update(s->crc, CRC32C_START, data, (size_t)(crc - data));
	state = crc32c__update(s->crc, state, zero, sizeof(zero));
	crc += sizeof(zero);
	state = crc32c__update(s->crc, state, crc, h->content_size / 8 - (size_t)(crc - data));
	return ~state == h->crc32c;
}

/*
 * The next place from `from` on where a packet may begin, or the end of the file. Packets are
 * 8-aligned in it.
 */
static size_t find_magic(const struct stream *s, size_t from)
{
	const uint32_t magic = PACKET_MAGIC;
	const uint8_t *hit;

	while (from + sizeof(struct packet_head) <= s->size) {
		hit = memmem(s->map + from, s->size - from, &magic, sizeof(magic));
		if (!hit)
			break;
		from = (size_t)(hit - s->map);
		if (from % 8 == 0)
			return from;
		from++;
	}
	return s->size;
}

/* Looks from s->at on for a whole packet. 1: it begins at s->at; 0: there is none any more. */
static int find_packet(struct stream *s)
{
	size_t from = s->at, at = s->at, cost;

	while (at < s->size) {
		if (head_is_sane(s, at)) {
			if (crc_is_right(s, at))
				break;
			/* A file made of heads alone must not cost the square of its size. */
			cost = ((const struct packet_head *)(s->map + at))->content_size / 8;
			if (cost > s->crc_budget) {
				at = s->size;
				break;
			}
			s->crc_budget -= cost;
		}
		at = find_magic(s, at + 8);
	}
	s->at = at;
	if (at >= s->size) {
		if (from < s->size) {
			s->info->torn_tail = 1;
			s->info->torn_bytes += s->size - from;
		}
		return 0;
	}
	if (at > from) {
		s->info->damaged_packets++;
		s->info->damaged_bytes += at - from;
	}
	return 1;
}

static int open_packet(struct stream *s)
{
	const struct packet_head *h;

	if (!find_packet(s))
		return 0;
	h = (const struct packet_head *)(s->map + s->at);
	s->class = h->stream_id;
	s->record = (const uint8_t *)(h + 1);
	s->end = (const uint8_t *)h + h->content_size / 8;
	s->at += h->packet_size / 8;
	s->info->packets++;
	s->info->bytes += h->packet_size / 8;
	s->info->missing_packets += h->packet_seq_num - s->next_seq;
	s->next_seq = h->packet_seq_num + 1;
	if (h->events_discarded > s->discarded) {
		s->info->discarded_events += h->events_discarded - s->discarded;
		s->discarded = h->events_discarded;
	}
	return 1;
}

/*
 * The checksum was right and yet this is no event: whoever wrote it erred. What follows it can't be
 * trusted.
 */
static void give_up_packet(struct stream *s)
{
	s->info->damaged_packets++;
	s->info->damaged_bytes += (uint64_t)(s->end - s->record);
	s->record = s->end;
}

void stream__advance(struct stream *s)
{
	const struct iot_event *ev;
	enum record_state state;

	for (;;) {
		if (s->record == s->end) {
			if (!open_packet(s))
				break;
			continue;
		}
		ev = (const struct iot_event *)s->record;
		state = record__check(ev, (size_t)(s->end - s->record), 0);
		if (state == RECORD_UNKNOWN) {
			s->info->unknown_events++;
			s->record += ev->len;
			continue;
		}
		if (state != RECORD_OK || ev->ts < s->last_ts ||
		    (unsigned int)record__class(ev->id) != s->class) {
			give_up_packet(s);
			continue;
		}
		s->record += ev->len;
		s->last_ts = ev->ts;
		s->ev = ev;
		return;
	}
	s->ev = NULL;
}

int stream__open(struct stream *s, int fd, const uint8_t uuid[16], const struct crc32c *crc,
		 struct session_info *info)
{
	struct stat st;
	void *map;

	*s = (struct stream){ .uuid = uuid, .crc = crc, .info = info };
	if (fstat(fd, &st))
		return -errno;
	if (st.st_size > 0) {
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map == MAP_FAILED)
			return -errno;
		s->map = map;
		s->size = (size_t)st.st_size;
		info->total_bytes += s->size;
		madvise(map, s->size, MADV_SEQUENTIAL);
	}
	s->crc_budget = 16 * (uint64_t)s->size + 16 * PACKET_MAX;
	stream__advance(s);
	return 0;
}

void stream__close(struct stream *s)
{
	if (s->map)
		munmap((void *)(uintptr_t)s->map, s->size);
	s->map = NULL;
}
