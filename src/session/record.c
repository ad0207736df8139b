// SPDX-License-Identifier: GPL-2.0-only
#include "session/record.h"

#include <string.h>

#include "session/tsdl.h"

/*
 * Bytes of the sequence f of ev, or -1: its count does not fit into ev or is not as event.h says.
 */
static long sequence_bytes(const struct iot_event *ev, const struct tsdl_event *type,
			   const struct tsdl_field *f)
{
	size_t room = ev->len - type->size;
	uint32_t count;

	memcpy(&count, (const char *)ev + f->count_offset, sizeof(count));
	if (count > room / f->width)
		return -1;
	if (f->show == TSDL_TEXT && (count < 8 || count % 8))
		return -1;
	if (type->id == IOT_EV_STACK && count > IOT_STACK_MAX)
		return -1;
	return (long)count * f->width;
}

enum record_state record__check_rare(const struct iot_event *ev, size_t avail, int exact)
{
	const struct tsdl_event *type;
	const struct tsdl_field *f;
	size_t need;
	long bytes;

	if (avail < sizeof(*ev) || ev->len < sizeof(*ev) || ev->len % 8 ||
	    ev->len > IOT_EVENT_MAX || ev->len > avail)
		return RECORD_NO_LENGTH;
	type = tsdl__event(ev->id);
	if (!type)
		return RECORD_UNKNOWN;
	need = type->size;
	if (ev->len < need)
		return RECORD_WRONG;
	for (f = type->fields; f < type->fields + type->nr_fields; f++) {
		if (!f->count)
			continue;
		bytes = f->count;
		if (f->count == TSDL_COUNT_IN_FIELD) {
			bytes = sequence_bytes(ev, type, f);
			if (bytes < 0)
				return RECORD_WRONG;
			need += (size_t)bytes;
		}
		if (f->show == TSDL_TEXT && !memchr((const char *)ev + f->offset, 0, (size_t)bytes))
			return RECORD_WRONG;
	}
	return exact && ev->len != need ? RECORD_WRONG : RECORD_OK;
}

uint16_t record__exact_len(const struct iot_event *ev)
{
	const struct tsdl_event *type = tsdl__event(ev->id);
	const struct tsdl_field *f;
	uint32_t count;

	if (!type)
		return ev->len;
	for (f = type->fields; f < type->fields + type->nr_fields; f++) {
		if (f->count != TSDL_COUNT_IN_FIELD)
			continue;
		memcpy(&count, (const char *)ev + f->count_offset, sizeof(count));
		return (uint16_t)(type->size + count * f->width);
	}
	return type->size;
}

static const char *fault(const struct packet_head *h, const struct iot_event *ev,
			 enum record_state state, uint64_t last)
{
	if (state == RECORD_NO_LENGTH)
		return "an event of a length that can't be";
	if (state == RECORD_WRONG)
		return "an event that is not what its id and length say";
	if (state == RECORD_UNKNOWN)
		return NULL;
	if (ev->ts < last)
		return "an event is older than what is before it";
	if ((unsigned int)record__class(ev->id) != h->stream_id)
		return "an event of the other stream class";
	return NULL;
}

void record__walk(struct record_walk *w, const struct packet_head *h, const void *content,
		  size_t bytes)
{
	const struct iot_event *ev;
	enum record_state state;

	*w = (struct record_walk){ .last = h->timestamp_begin };
	while (w->bytes < bytes) {
		ev = (const struct iot_event *)((const uint8_t *)content + w->bytes);
		state = record__check(ev, bytes - w->bytes, 0);
		w->why = fault(h, ev, state, w->last);
		if (w->why)
			return;
		if (state == RECORD_UNKNOWN) {
			w->unknown++;
		} else {
			w->first = w->known++ ? w->first : ev->ts;
			w->last = ev->ts;
		}
		w->events++;
		w->bytes += ev->len;
	}
}
