// SPDX-License-Identifier: GPL-2.0-only
#include "export/perfetto.h"

#include "export/encode.h"
#include "export/proto.h"

/* trace_packet.proto and what it includes */
enum {
	TRACE_PACKET = 1,
	PACKET_CLOCK_SNAPSHOT = 6,
	PACKET_TIMESTAMP = 8,
	PACKET_SEQUENCE_ID = 10,
	PACKET_TRACK_EVENT = 11,
	PACKET_INTERNED_DATA = 12,
	PACKET_SEQUENCE_FLAGS = 13,
	PACKET_DEFAULTS = 59,
	PACKET_TRACK_DESCRIPTOR = 60,

	DEFAULTS_CLOCK_ID = 58,

	SNAPSHOT_CLOCKS = 1,
	SNAPSHOT_PRIMARY_CLOCK = 2,
	CLOCK_ID = 1,
	CLOCK_TIMESTAMP = 2,

	INTERNED_CATEGORIES = 1,
	INTERNED_EVENT_NAMES = 2,
	INTERNED_ARG_NAMES = 3,
	INTERNED_IID = 1,
	INTERNED_NAME = 2,

	DESCRIPTOR_UUID = 1,
	DESCRIPTOR_NAME = 2,
	DESCRIPTOR_PARENT = 5,
	DESCRIPTOR_COUNTER = 8,
	COUNTER_UNIT = 3,

	EVENT_CATEGORY_IID = 3,
	EVENT_ARG = 4,
	EVENT_TYPE = 9,
	EVENT_NAME_IID = 10,
	EVENT_TRACK = 11,
	EVENT_COUNTER_VALUE = 30,

	ARG_NAME_IID = 1,
	ARG_UINT = 3,
	ARG_INT = 4,
	ARG_STRING = 6,
	ARG_POINTER = 7,
};

enum { /* TrackEvent.Type */
       TYPE_SLICE_BEGIN = 1,
       TYPE_SLICE_END = 2,
       TYPE_INSTANT = 3,
       TYPE_COUNTER = 4,
};

enum { /* BuiltinClock */
       BUILTIN_REALTIME = 1,
       BUILTIN_MONOTONIC = 3,
       BUILTIN_BOOTTIME = 6,
};

enum { /* SequenceFlags */
       STATE_CLEARED = 1,
       NEEDS_STATE = 2,
};

#define SEQUENCE 1 /* one writer, one sequence; any number but 0 */
#define CATEGORY 1

static const char *const event_names[NAME_NR] = {
	[NAME_FLUSH_ALL] = "flush all",
	[NAME_FLUSH_SYNC] = "flush range",
	[NAME_FLUSH_SYNC_MAP] = "flush after map",
	[NAME_FLUSH] = "flush",
	[NAME_WINDOW] = "unmapped, not flushed",
	[NAME_FAULT] = "fault",
	[NAME_HANG] = "hang",
	[NAME_RESET] = "reset",
	[NAME_ERROR] = "error",
	[NAME_LOST] = "events missing",
	[NAME_CAPTURE] = "capture",
	[NAME_LOG] = "kernel log",
	[NAME_MODULE] = "module",
	[NAME_ATTACH] = "attach",
	[NAME_DETACH] = "detach",
	[NAME_ONLY] = "only",
};

static const char *const arg_names[ARG_NR] = {
	[ARG_IOVA] = "iova",     [ARG_SIZE] = "size",          [ARG_WHY] = "why",
	[ARG_CPU] = "cpu",       [ARG_LAZY] = "lazy_unmaps",   [ARG_STRICT] = "strict_unmaps",
	[ARG_DOMAIN] = "domain", [ARG_DEVICE] = "device",      [ARG_ACCESS] = "access",
	[ARG_SOURCE] = "source", [ARG_REASON] = "reason",      [ARG_WHAT] = "what",
	[ARG_COUNT] = "count",   [ARG_CAUSE] = "cause",        [ARG_TEXT] = "text",
	[ARG_RET] = "ret",       [ARG_STALLED] = "stalled_ns", [ARG_BEGIN] = "begin",
};

static void begin(struct perfetto_packet *p)
{
	p->b.nr = 0;
	p->packet = proto__begin(&p->b, TRACE_PACKET);
	proto__uint(&p->b, PACKET_SEQUENCE_ID, SEQUENCE);
}

static void end(struct perfetto_packet *p, struct out *out)
{
	proto__end(&p->b, p->packet);
	if (p->b.error) {
		if (!out->error)
			out->error = p->b.error;
		return;
	}
	out__write(out, p->b.data, p->b.nr);
}

static void intern(struct buf *b, unsigned int field, uint64_t iid, const char *name)
{
	size_t at = proto__begin(b, field);

	proto__uint(b, INTERNED_IID, iid);
	proto__text(b, INTERNED_NAME, name);
	proto__end(b, at);
}

/* All names there will ever be are known: they go into the first packet. */
void perfetto__header(struct perfetto_packet *p, struct out *out, uint64_t ts)
{
	size_t at;

	begin(p);
	proto__uint(&p->b, PACKET_TIMESTAMP, ts);
	proto__uint(&p->b, PACKET_SEQUENCE_FLAGS, STATE_CLEARED);
	at = proto__begin(&p->b, PACKET_DEFAULTS);
	proto__uint(&p->b, DEFAULTS_CLOCK_ID, BUILTIN_MONOTONIC);
	proto__end(&p->b, at);
	at = proto__begin(&p->b, PACKET_INTERNED_DATA);
	intern(&p->b, INTERNED_CATEGORIES, CATEGORY, "iommu");
	for (unsigned int i = 1; i < NAME_NR; i++)
		intern(&p->b, INTERNED_EVENT_NAMES, i, event_names[i]);
	for (unsigned int i = 1; i < ARG_NR; i++)
		intern(&p->b, INTERNED_ARG_NAMES, i, arg_names[i]);
	proto__end(&p->b, at);
	end(p, out);
}

static void clock_reading(struct buf *b, unsigned int clock, uint64_t ts)
{
	size_t at = proto__begin(b, SNAPSHOT_CLOCKS);

	proto__uint(b, CLOCK_ID, clock);
	proto__uint(b, CLOCK_TIMESTAMP, ts);
	proto__end(b, at);
}

void perfetto__clock(struct perfetto_packet *p, struct out *out, uint64_t ts, uint64_t boot,
		     uint64_t real)
{
	size_t at;

	begin(p);
	proto__uint(&p->b, PACKET_TIMESTAMP, ts);
	at = proto__begin(&p->b, PACKET_CLOCK_SNAPSHOT);
	clock_reading(&p->b, BUILTIN_MONOTONIC, ts);
	if (boot)
		clock_reading(&p->b, BUILTIN_BOOTTIME, boot);
	if (real)
		clock_reading(&p->b, BUILTIN_REALTIME, real);
	proto__uint(&p->b, SNAPSHOT_PRIMARY_CLOCK, BUILTIN_MONOTONIC);
	proto__end(&p->b, at);
	end(p, out);
}

void perfetto__track(struct perfetto_packet *p, struct out *out, const struct perfetto_track *t)
{
	size_t at, counter;

	begin(p);
	at = proto__begin(&p->b, PACKET_TRACK_DESCRIPTOR);
	proto__uint(&p->b, DESCRIPTOR_UUID, t->uuid);
	proto__text(&p->b, DESCRIPTOR_NAME, t->name);
	if (t->parent)
		proto__uint(&p->b, DESCRIPTOR_PARENT, t->parent);
	if (t->unit != PERFETTO_SLICES) {
		counter = proto__begin(&p->b, DESCRIPTOR_COUNTER);
		proto__uint(&p->b, COUNTER_UNIT, (uint64_t)t->unit);
		proto__end(&p->b, counter);
	}
	proto__end(&p->b, at);
	end(p, out);
}

static void begin_event(struct perfetto_packet *p, uint64_t ts, uint64_t track, int type)
{
	begin(p);
	proto__uint(&p->b, PACKET_TIMESTAMP, ts);
	proto__uint(&p->b, PACKET_SEQUENCE_FLAGS, NEEDS_STATE);
	p->event = proto__begin(&p->b, PACKET_TRACK_EVENT);
	proto__uint(&p->b, EVENT_TYPE, (uint64_t)type);
	proto__uint(&p->b, EVENT_TRACK, track);
}

void perfetto__write(struct perfetto_packet *p, struct out *out)
{
	proto__end(&p->b, p->event);
	end(p, out);
}

static void begin_named(struct perfetto_packet *p, uint64_t ts, uint64_t track, int type,
			enum perfetto_name name)
{
	begin_event(p, ts, track, type);
	proto__uint(&p->b, EVENT_CATEGORY_IID, CATEGORY);
	proto__uint(&p->b, EVENT_NAME_IID, name);
}

void perfetto__slice_begin(struct perfetto_packet *p, uint64_t ts, uint64_t track,
			   enum perfetto_name name)
{
	begin_named(p, ts, track, TYPE_SLICE_BEGIN, name);
}

void perfetto__instant(struct perfetto_packet *p, uint64_t ts, uint64_t track,
		       enum perfetto_name name)
{
	begin_named(p, ts, track, TYPE_INSTANT, name);
}

static void number_arg(struct perfetto_packet *p, enum perfetto_arg arg, unsigned int field,
		       uint64_t v)
{
	size_t at = proto__begin(&p->b, EVENT_ARG);

	proto__uint(&p->b, ARG_NAME_IID, arg);
	proto__uint(&p->b, field, v);
	proto__end(&p->b, at);
}

void perfetto__arg_uint(struct perfetto_packet *p, enum perfetto_arg arg, uint64_t v)
{
	number_arg(p, arg, ARG_UINT, v);
}

/* int64 in protobuf: two's complement, ten bytes if negative. */
void perfetto__arg_int(struct perfetto_packet *p, enum perfetto_arg arg, int64_t v)
{
	number_arg(p, arg, ARG_INT, (uint64_t)v);
}

void perfetto__arg_address(struct perfetto_packet *p, enum perfetto_arg arg, uint64_t v)
{
	number_arg(p, arg, ARG_POINTER, v);
}

void perfetto__arg_text(struct perfetto_packet *p, enum perfetto_arg arg, const char *text,
			size_t len)
{
	char clean[ENCODE_CSV * IOT_EVENT_MAX];
	size_t at;

	if (!text)
		return;
	len = (size_t)(encode__text(clean, text, len) - clean);
	at = proto__begin(&p->b, EVENT_ARG);
	proto__uint(&p->b, ARG_NAME_IID, arg);
	proto__bytes(&p->b, ARG_STRING, clean, len);
	proto__end(&p->b, at);
}

void perfetto__slice_end(struct perfetto_packet *p, struct out *out, uint64_t ts, uint64_t track)
{
	begin_event(p, ts, track, TYPE_SLICE_END);
	perfetto__write(p, out);
}

void perfetto__counter(struct perfetto_packet *p, struct out *out, uint64_t ts, uint64_t track,
		       int64_t value)
{
	begin_event(p, ts, track, TYPE_COUNTER);
	proto__uint(&p->b, EVENT_COUNTER_VALUE, (uint64_t)value);
	perfetto__write(p, out);
}
