// SPDX-License-Identifier: GPL-2.0-only
#include "session/packets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "session/record.h"
#include "session/swap.h"

#define SCAN        (64u << 10) /* bytes looked through at a time for the next packet */
#define SECTOR      512u        /* no disk leaves less than that unwritten */
#define FRAME_HEAD  18u         /* ZSTD_FRAMEHEADERSIZE_MAX: RFC 8878, section 3.1.1.1 */
#define FRAME_FIRST (96u << 10) /* a packet of the default size normally packs into this */
#define FRAME_MAX   (PACKET_MAX + PACKET_MAX / 256 + 1024) /* what doesn't pack at all */

void packet_file__begin(struct packet_file *f)
{
	f->budget = 16 * f->src.size + 16 * (uint64_t)PACKET_MAX;
}

void packet_file__put_away(struct packet_file *f)
{
	source__put_away(&f->src);
	ZSTD_freeDCtx(f->zstd);
	free(f->packet);
	f->zstd = NULL;
	f->packet = NULL;
}

void packet_file__close(struct packet_file *f)
{
	packet_file__put_away(f);
	source__close(&f->src);
}

static bool need_packet(struct packet_file *f)
{
	if (!f->packet)
		f->packet = aligned_alloc(64, PACKET_MAX);
	if (!f->packet)
		f->src.error = -ENOMEM;
	return f->packet;
}

/* A file made of heads alone must not cost the square of its size. */
static void charge(struct packet_file *f, uint64_t bytes)
{
	f->budget -= bytes < f->budget ? bytes : f->budget;
}

static bool head_is_sane(const struct packet_file *f, const struct packet_head *h)
{
	return h->magic == PACKET_MAGIC && !memcmp(h->uuid, f->uuid, 16) &&
	       h->stream_id < PACKET_CLASSES && h->content_size % 64 == 0 &&
	       h->packet_size % 64 == 0 && h->content_size >= sizeof(*h) * 8 &&
	       h->content_size <= h->packet_size && h->packet_size / 8 <= PACKET_MAX &&
	       h->timestamp_begin <= h->timestamp_end && h->timestamp_begin >= f->last_ts &&
	       h->packet_seq_num >= f->next_seq;
}

static bool load_head(const struct packet_file *f, const uint8_t *from, struct packet_head *h)
{
	memcpy(h, from, sizeof(*h));
	if (f->swapped)
		swap__head(h);
	return head_is_sane(f, h);
}

static bool crc_is_right(const struct packet_file *f, const uint8_t *data,
			 const struct packet_head *h)
{
	static const uint8_t zero[sizeof(h->crc32c)];
	const size_t at = offsetof(struct packet_head, crc32c), behind = at + sizeof(zero);
	uint32_t state;

	state = crc32c__update(f->crc, CRC32C_START, data, at);
	state = crc32c__update(f->crc, state, zero, sizeof(zero));
	state = crc32c__update(f->crc, state, data + behind, h->content_size / 8 - behind);
	return ~state == h->crc32c;
}

/* Events as the caller may have them: where they are, or turned in a copy. */
static const uint8_t *native(struct packet_file *f, const uint8_t *events, size_t bytes)
{
	if (!f->swapped)
		return events;
	if (!need_packet(f))
		return NULL;
	if (f->packet + sizeof(struct packet_head) != events)
		memcpy(f->packet + sizeof(struct packet_head), events, bytes);
	swap__events(f->packet + sizeof(struct packet_head), bytes);
	return f->packet + sizeof(struct packet_head);
}

static bool take(struct packet_file *f, struct piece *p, const uint8_t *data, uint64_t file_bytes)
{
	p->content_bytes = p->head.content_size / 8 - sizeof(p->head);
	p->content = native(f, data + sizeof(p->head), p->content_bytes);
	p->bytes = file_bytes;
	p->has_head = true;
	return p->content != NULL;
}

static bool plain_packet(struct packet_file *f, uint64_t at, struct piece *p)
{
	const uint8_t *data;
	size_t got, bytes;

	data = source__bytes(&f->src, at, sizeof(p->head), &got);
	if (got < sizeof(p->head) || !load_head(f, data, &p->head))
		return false;
	bytes = p->head.packet_size / 8;
	if (bytes > f->src.limit - at)
		return false;
	data = source__bytes(&f->src, at, bytes, &got);
	if (got < bytes)
		return false;
	if (!crc_is_right(f, data, &p->head)) {
		charge(f, bytes);
		return false;
	}
	return take(f, p, data, bytes);
}

/* The bytes of the frame at `at` (a magic number and a size that a packet can have), or 0. */
static size_t find_frame(struct packet_file *f, uint64_t at, const uint8_t **data)
{
	size_t want = FRAME_FIRST, got, bytes;
	unsigned long long content;

	*data = source__bytes(&f->src, at, FRAME_HEAD, &got);
	content = ZSTD_getFrameContentSize(*data, got);
	if (content < sizeof(struct packet_head) || content > PACKET_MAX || content % 8)
		return 0; /* unknown and "error" are beyond PACKET_MAX */
	for (;;) {
		*data = source__bytes(&f->src, at, want, &got);
		bytes = ZSTD_findFrameCompressedSize(*data, got);
		if (!ZSTD_isError(bytes))
			return bytes;
		if (got < want || want == FRAME_MAX)
			break;
		want = FRAME_MAX;
	}
	charge(f, got);
	return 0;
}

static bool need_zstd(struct packet_file *f)
{
	if (!f->zstd)
		f->zstd = ZSTD_createDCtx();
	if (!f->zstd)
		f->src.error = -ENOMEM;
	return f->zstd;
}

static bool packed_packet(struct packet_file *f, uint64_t at, struct piece *p)
{
	size_t bytes, content;
	const uint8_t *data;

	bytes = find_frame(f, at, &data);
	if (!bytes || !need_packet(f) || !need_zstd(f))
		return false;
	content = ZSTD_decompressDCtx(f->zstd, f->packet, PACKET_MAX, data, bytes);
	if (!ZSTD_isError(content) && content >= sizeof(p->head) &&
	    load_head(f, f->packet, &p->head) && p->head.packet_size / 8 == content &&
	    crc_is_right(f, f->packet, &p->head))
		return take(f, p, f->packet, bytes);
	charge(f, PACKET_MAX / 4);
	return false;
}

static bool packet_at(struct packet_file *f, uint64_t at, struct piece *p)
{
	return f->compressed ? packed_packet(f, at, p) : plain_packet(f, at, p);
}

/* The next place from `from` on where a packet may begin, or the end of the file. */
static uint64_t find_magic(struct packet_file *f, uint64_t from)
{
	const unsigned int step = f->compressed ? 1 : 8;
	uint32_t magic = f->compressed ? ZSTD_MAGICNUMBER : PACKET_MAGIC;
	const uint8_t *data, *hit;
	size_t got, at;

	if (f->compressed ? __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ : f->swapped)
		magic = __builtin_bswap32(magic);
	while (from + sizeof(magic) <= f->src.limit) {
		data = source__bytes(&f->src, from, SCAN, &got);
		if (got < sizeof(magic))
			break;
		for (at = 0; at + sizeof(magic) <= got; at++) {
			hit = memmem(data + at, got - at, &magic, sizeof(magic));
			if (!hit)
				break;
			at = (size_t)(hit - data);
			if ((from + at) % step == 0)
				return from + at;
		}
		from += got - sizeof(magic) + 1;
	}
	return f->src.size;
}

/* Where the zeros begin that reach to the end. */
static size_t zeros_from(const uint8_t *p, size_t from, size_t to)
{
	while (to > from && !p[to - 1])
		to--;
	return to;
}

/*
 * How many bytes at the beginning of a packet without end are events that can be believed although
 * no checksum covers them: the file was cut within the packet, or its pages from some place on were
 * never written and are zero. With all of the packet there, a wrong checksum may be about any event
 * of it, so none is believed.
 */
static size_t believable(struct piece *p, size_t avail)
{
	const size_t content = p->head.content_size / 8 - sizeof(p->head);
	uint64_t last = p->head.timestamp_begin;
	size_t at = 0, before = 0;
	const struct iot_event *ev;
	enum record_state state;
	uint32_t nr = 0;
	size_t zeros;

	while (at < avail && nr < p->head.events) {
		ev = (const struct iot_event *)(p->content + at);
		state = record__check(ev, avail - at, 1);
		if (state != RECORD_OK || ev->ts < last || ev->ts > p->head.timestamp_end ||
		    (unsigned int)record__class(ev->id) != p->head.stream_id)
			break;
		last = ev->ts;
		before = at;
		at += ev->len;
		nr++;
	}
	p->salvaged = nr;
	zeros = zeros_from(p->content, at, avail);
	if (zeros == at && avail - zeros >= (avail < content ? sizeof(ev->ts) : SECTOR)) {
		/* they may begin within the event before */
		p->salvaged -= nr ? 1 : 0;
		return before;
	}
	if (avail - zeros >= SECTOR && zeros - at < IOT_EVENT_MAX)
		return at;
	if (avail < content && avail - at < IOT_EVENT_MAX &&
	    (avail - at < sizeof(*ev) ||
	     ((const struct iot_event *)(p->content + at))->len > avail - at))
		return at;
	p->salvaged = 0;
	return 0;
}

/* What can be unpacked of a frame that is cut; its head is in f->packet then. */
static size_t unpack_part(struct packet_file *f, uint64_t at)
{
	ZSTD_outBuffer out = { .dst = f->packet, .size = PACKET_MAX };
	ZSTD_inBuffer in = { 0 };
	size_t before, rc;

	in.src = source__bytes(&f->src, at, FRAME_MAX, &in.size);
	ZSTD_DCtx_reset(f->zstd, ZSTD_reset_session_only);
	do {
		before = in.pos + out.pos;
		rc = ZSTD_decompressStream(f->zstd, &out, &in);
	} while (!ZSTD_isError(rc) && rc && in.pos + out.pos > before);
	return out.pos;
}

/* Is there the beginning of a packet at p->at, and what of it can be believed? */
static void look_at_tail(struct packet_file *f, struct piece *p)
{
	const uint8_t *data;
	size_t got;

	if (f->compressed) {
		if (!need_packet(f) || !need_zstd(f))
			return;
		got = unpack_part(f, p->at);
		data = f->packet;
	} else {
		data = source__bytes(&f->src, p->at, PACKET_MAX, &got);
	}
	if (got < sizeof(p->head) || !load_head(f, data, &p->head))
		return;
	p->has_head = true;
	if (got > p->head.content_size / 8)
		got = p->head.content_size / 8;
	got -= sizeof(p->head);
	p->content = native(f, data + sizeof(p->head), got);
	if (p->content)
		p->content_bytes = believable(p, got);
}

void packet_file__next(struct packet_file *f, struct piece *p)
{
	uint64_t at = f->at;

	*p = (struct piece){ .at = at };
	if (at >= f->src.size)
		return;
	while (at < f->src.limit && f->budget && !packet_at(f, at, p))
		at = find_magic(f, at + (f->compressed ? 1 : 8));
	if (at < f->src.limit && f->budget && at == f->at) {
		p->kind = PIECE_PACKET;
		f->at = at + p->bytes;
		f->next_seq = p->head.packet_seq_num + 1;
		return;
	}
	*p = (struct piece){ .at = f->at };
	if (at < f->src.limit && f->budget) {
		p->kind = PIECE_DAMAGE;
		p->bytes = at - f->at;
		f->at = at;
		return;
	}
	p->kind = PIECE_TAIL;
	p->bytes = f->src.size - f->at;
	look_at_tail(f, p);
	f->at = f->src.size;
}
