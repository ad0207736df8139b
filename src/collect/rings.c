// SPDX-License-Identifier: GPL-2.0-only
#include "collect/rings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * One source a CPU, and one for everything else. A source's events lie in one buffer, in time order, from `first` to
 * `end`; delivering moves first, reading appends at end.
 */
struct source {
	char *buf;
	size_t first, end, size;
	uint64_t first_ts;	/* UINT64_MAX: empty */
	uint64_t last_ts;	/* of the last event appended */
};

struct rings {
	struct iot_cpu *cpus;
	char *hot;
	uint32_t nr_cpus, slots;
	uint64_t hold_ns;
	uint64_t delivered_ts;
	uint64_t delivered;
	uint64_t late;
	unsigned int fill;
	struct source *sources;	/* nr_cpus + 1 */
};

struct rings *rings__new(struct iot_cpu *cpus, void *hot, uint32_t nr_cpus, uint32_t slots, uint64_t hold_ns)
{
	struct rings *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->sources = calloc(nr_cpus + 1, sizeof(*r->sources));
	if (!r->sources) {
		free(r);
		return NULL;
	}
	for (uint32_t i = 0; i <= nr_cpus; i++)
		r->sources[i].first_ts = UINT64_MAX;
	r->cpus = cpus;
	r->hot = hot;
	r->nr_cpus = nr_cpus;
	r->slots = slots;
	r->hold_ns = hold_ns;
	return r;
}

void rings__free(struct rings *r)
{
	if (!r)
		return;
	for (uint32_t i = 0; i <= r->nr_cpus; i++)
		free(r->sources[i].buf);
	free(r->sources);
	free(r);
}

static struct iot_event *event_at(const struct source *s, size_t off)
{
	return (struct iot_event *)(s->buf + off);
}

static int source_reserve(struct source *s, size_t bytes)
{
	size_t used = s->end - s->first, size = s->size ? s->size : 1 << 16;
	char *buf;

	if (s->end + bytes <= s->size)
		return 0;
	while (size < 2 * (used + bytes))
		size *= 2;
	if (size == s->size) {
		memmove(s->buf, s->buf + s->first, used);
	} else {
		buf = malloc(size);
		if (!buf)
			return -ENOMEM;
		memcpy(buf, s->buf + s->first, used);
		free(s->buf);
		s->buf = buf;
		s->size = size;
	}
	s->first = 0;
	s->end = used;
	return 0;
}

/*
 * The last event appended is older than the one before it: an interrupt's program reserved its slot between another's
 * time stamp and its slot. Moves it back to its place; the distance is a few events.
 */
static void source_sort_last(struct source *s, size_t off)
{
	uint64_t copy[IOT_EVENT_MAX / 8];
	size_t len = event_at(s, off)->len, at = s->first, to = off;
	uint64_t ts = event_at(s, off)->ts;

	while (at < off && event_at(s, at)->ts <= ts)
		at += event_at(s, at)->len;
	to = at;
	memcpy(copy, s->buf + off, len);
	memmove(s->buf + to + len, s->buf + to, off - to);
	memcpy(s->buf + to, copy, len);
}

static void source_appended(struct source *s, size_t off)
{
	uint64_t ts = event_at(s, off)->ts;

	s->end = off + event_at(s, off)->len;
	if (ts < s->last_ts && off > s->first)
		source_sort_last(s, off);
	else
		s->last_ts = ts;
	s->first_ts = event_at(s, s->first)->ts;
}

int rings__add(struct rings *r, const struct iot_event *ev)
{
	struct source *s = &r->sources[r->nr_cpus];
	size_t off;

	if (source_reserve(s, ev->len))
		return -ENOMEM;
	off = s->end;
	memcpy(s->buf + off, ev, ev->len);
	source_appended(s, off);
	return 0;
}

/* Returns the time up to which this CPU can't come with anything older: now, or the last event before an open slot. */
static int read_cpu(struct rings *r, uint32_t cpu, uint64_t now, uint64_t *safe)
{
	struct iot_cpu *c = &r->cpus[cpu];
	struct source *s = &r->sources[cpu];
	uint64_t head = __atomic_load_n(&c->head, __ATOMIC_ACQUIRE), tail = c->tail, ts;
	char *ring = r->hot + (size_t)cpu * r->slots * IOT_HOT_SIZE;
	unsigned int fill = (unsigned int)((head - tail) * 100 / r->slots);

	*safe = now;
	if (fill > r->fill)
		r->fill = fill;
	if (source_reserve(s, (head - tail) * IOT_HOT_SIZE))
		return -ENOMEM;
	for (; tail != head; tail++) {
		struct iot_event *slot = (void *)(ring + (tail & (r->slots - 1)) * IOT_HOT_SIZE);
		size_t off = s->end;

		ts = __atomic_load_n(&slot->ts, __ATOMIC_ACQUIRE);
		if (!ts) {
			*safe = s->last_ts;
			break;
		}
		memcpy(s->buf + off, slot, IOT_HOT_SIZE);
		__atomic_store_n(&slot->ts, 0, __ATOMIC_RELAXED);
		source_appended(s, off);
	}
	c->tail = tail;
	/* only now may a program write into the slots just read; 0 stays: the capture is off */
	if (__atomic_load_n(&c->limit, __ATOMIC_RELAXED))
		__atomic_store_n(&c->limit, tail + r->slots - IOT_RING_SLACK, __ATOMIC_RELEASE);
	return 0;
}

/* Delivers from one source as long as it is the oldest and below limit: one call of the sink for the whole run. */
static int deliver_run(struct rings *r, struct source *s, uint64_t limit, rings_sink sink, void *ctx)
{
	size_t from = s->first, to = from;
	uint64_t ts = s->first_ts;

	do {
		struct iot_event *ev = event_at(s, to);

		if (ts < r->delivered_ts) {
			r->late++;
			ev->ts = r->delivered_ts;
		} else {
			r->delivered_ts = ts;
		}
		r->delivered++;
		to += ev->len;
		ts = to < s->end ? event_at(s, to)->ts : UINT64_MAX;
	} while (ts <= limit && ts != UINT64_MAX);
	s->first = to;
	s->first_ts = ts;
	return sink(ctx, s->buf + from, to - from);
}

int rings__drain(struct rings *r, uint64_t now, bool all, rings_sink sink, void *ctx)
{
	uint64_t limit = all ? UINT64_MAX : now - r->hold_ns, safe;
	int err;

	r->fill = 0;
	for (uint32_t cpu = 0; cpu < r->nr_cpus; cpu++) {
		err = read_cpu(r, cpu, now, &safe);
		if (err)
			return err;
		if (!all && safe < limit)
			limit = safe;
	}
	for (;;) {
		struct source *oldest = NULL;
		uint64_t next = limit;

		for (uint32_t i = 0; i <= r->nr_cpus; i++) {
			struct source *s = &r->sources[i];

			if (s->first_ts == UINT64_MAX)
				continue;
			if (!oldest || s->first_ts < oldest->first_ts) {
				if (oldest && oldest->first_ts < next)
					next = oldest->first_ts;
				oldest = s;
			} else if (s->first_ts < next) {
				next = s->first_ts;
			}
		}
		if (!oldest || (oldest->first_ts > limit))
			return 0;
		err = deliver_run(r, oldest, next, sink, ctx);
		if (err)
			return err;
	}
}

void rings__activate(struct rings *r, bool on)
{
	for (uint32_t cpu = 0; cpu < r->nr_cpus; cpu++) {
		struct iot_cpu *c = &r->cpus[cpu];

		c->ring_first = cpu * r->slots;
		__atomic_store_n(&c->limit, on ? c->tail + r->slots - IOT_RING_SLACK : 0, __ATOMIC_RELEASE);
	}
}

unsigned int rings__fill(const struct rings *r)
{
	return r->fill;
}

uint64_t rings__delivered(const struct rings *r)
{
	return r->delivered;
}

uint64_t rings__late(const struct rings *r)
{
	return r->late;
}
