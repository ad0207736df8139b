/* SPDX-License-Identifier: GPL-2.0-only */
/* Perfetto's TrackEvents, as far as an export takes them: packets, tracks, interned names. For
 * perfetto.c. Field numbers: protos/perfetto/trace of the Perfetto project. */
#ifndef IOMMUTOP_EXPORT_PERFETTO_H
#define IOMMUTOP_EXPORT_PERFETTO_H

#include "event.h"
#include "export/buf.h"
#include "export/out.h"

/* Names of events; the order is that of perfetto_names[] in perfetto_packet.c. */
enum perfetto_name {
	NAME_FLUSH_ALL = 1,
	NAME_FLUSH_SYNC,
	NAME_FLUSH_SYNC_MAP,
	NAME_FLUSH,
	NAME_WINDOW,
	NAME_FAULT,
	NAME_HANG,
	NAME_RESET,
	NAME_ERROR,
	NAME_LOST,
	NAME_CAPTURE,
	NAME_LOG,
	NAME_MODULE,
	NAME_ATTACH,
	NAME_DETACH,
	NAME_ONLY,
	NAME_NR,
};

/* Names of arguments ("debug annotations"). */
enum perfetto_arg {
	ARG_IOVA = 1,
	ARG_SIZE,
	ARG_WHY,
	ARG_CPU,
	ARG_LAZY,
	ARG_STRICT,
	ARG_DOMAIN,
	ARG_DEVICE,
	ARG_ACCESS,
	ARG_SOURCE,
	ARG_REASON,
	ARG_WHAT,
	ARG_COUNT,
	ARG_CAUSE,
	ARG_TEXT,
	ARG_RET,
	ARG_STALLED,
	ARG_BEGIN,
	ARG_NR,
};

struct perfetto_track {
	uint64_t uuid, parent; /* parent 0: at the top */
	const char *name;
	int unit; /* PERFETTO_… of a counter; PERFETTO_SLICES: no counter */
};

/* CounterDescriptor.Unit */
#define PERFETTO_SLICES (-1)
#define PERFETTO_COUNT  2
#define PERFETTO_BYTES  3

/* One packet is built in b, then written: perfetto__begin…, arguments, perfetto__write(). */
struct perfetto_packet {
	struct buf b;
	size_t packet, event; /* where they begin */
};

void perfetto__header(struct perfetto_packet *p, struct out *out, uint64_t ts);
/* boot, real: 0 = not known. */
void perfetto__clock(struct perfetto_packet *p, struct out *out, uint64_t ts, uint64_t boot,
		     uint64_t real);
void perfetto__track(struct perfetto_packet *p, struct out *out, const struct perfetto_track *t);

void perfetto__slice_begin(struct perfetto_packet *p, uint64_t ts, uint64_t track,
			   enum perfetto_name name);
void perfetto__instant(struct perfetto_packet *p, uint64_t ts, uint64_t track,
		       enum perfetto_name name);
void perfetto__arg_uint(struct perfetto_packet *p, enum perfetto_arg arg, uint64_t v);
void perfetto__arg_int(struct perfetto_packet *p, enum perfetto_arg arg, int64_t v);
void perfetto__arg_address(struct perfetto_packet *p, enum perfetto_arg arg, uint64_t v);
/* Any bytes; what is no UTF-8 is replaced. NULL: no argument. len at most IOT_EVENT_MAX. */
void perfetto__arg_text(struct perfetto_packet *p, enum perfetto_arg arg, const char *text,
			size_t len);
void perfetto__write(struct perfetto_packet *p, struct out *out);

void perfetto__slice_end(struct perfetto_packet *p, struct out *out, uint64_t ts, uint64_t track);
void perfetto__counter(struct perfetto_packet *p, struct out *out, uint64_t ts, uint64_t track,
		       int64_t value);

#endif
