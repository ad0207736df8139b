// SPDX-License-Identifier: GPL-2.0-only
#include "session/swap.h"

#include <string.h>

#include "event.h"
#include "session/tsdl.h"

static void swap_integer(uint8_t *p, unsigned int width)
{
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	switch (width) {
	case 2:
		memcpy(&v16, p, 2);
		v16 = __builtin_bswap16(v16);
		memcpy(p, &v16, 2);
		break;
	case 4:
		memcpy(&v32, p, 4);
		v32 = __builtin_bswap32(v32);
		memcpy(p, &v32, 4);
		break;
	case 8:
		memcpy(&v64, p, 8);
		v64 = __builtin_bswap64(v64);
		memcpy(p, &v64, 8);
		break;
	}
}

void swap__head(struct packet_head *h)
{
	h->magic = __builtin_bswap32(h->magic);
	h->stream_id = __builtin_bswap32(h->stream_id);
	h->timestamp_begin = __builtin_bswap64(h->timestamp_begin);
	h->timestamp_end = __builtin_bswap64(h->timestamp_end);
	h->content_size = __builtin_bswap64(h->content_size);
	h->packet_size = __builtin_bswap64(h->packet_size);
	h->events_discarded = __builtin_bswap64(h->events_discarded);
	h->packet_seq_num = __builtin_bswap64(h->packet_seq_num);
	h->events = __builtin_bswap32(h->events);
	h->crc32c = __builtin_bswap32(h->crc32c);
}

/* The field f of an event of len bytes. A count stands before its sequence, so it is turned
 * already. */
static void swap_field(uint8_t *event, size_t len, const struct tsdl_field *f)
{
	uint32_t count = f->count ? f->count : 1;

	if (f->width == 1 || f->offset > len)
		return;
	if (f->count == TSDL_COUNT_IN_FIELD)
		memcpy(&count, event + f->count_offset, sizeof(count));
	if (count > (len - f->offset) / f->width)
		count = (uint32_t)((len - f->offset) / f->width);
	for (uint32_t i = 0; i < count; i++)
		swap_integer(event + f->offset + (size_t)i * f->width, f->width);
}

void swap__events(void *events, size_t bytes)
{
	const struct tsdl_field *header, *f;
	const struct tsdl_event *type;
	struct iot_event *ev;
	uint8_t *at = events;
	size_t nr, i, len;

	header = tsdl__header(&nr);
	for (; bytes >= sizeof(*ev); at += len, bytes -= len) {
		ev = (struct iot_event *)at;
		ev->ts = __builtin_bswap64(ev->ts);
		ev->id = __builtin_bswap16(ev->id);
		for (i = 0; i < nr; i++)
			swap_field(at, sizeof(*ev), &header[i]);
		len = ev->len;
		/* no event: whoever reads it refuses it, and what follows is at no known place */
		if (len < sizeof(*ev) || len > bytes || len % 8)
			return;
		type = tsdl__event(ev->id);
		if (!type)
			continue;
		for (f = type->fields; f < type->fields + type->nr_fields; f++)
			swap_field(at, len, f);
	}
}
