// SPDX-License-Identifier: GPL-2.0-only
#include "collect/rings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH                                                                                  \
	(64 << 10) /* bytes that one call of the sink gets at most: merged events of all CPUs, \
		      still in the cache */

/*
 * One source a CPU, and one for everything else. A source's events lie in one buffer, in time
 * order, from `first` to `end`; delivering moves first, reading appends at end.
 */
struct source {
	char *buf;
	size_t first, end, size;
	uint64_t first_ts; /* UINT64_MAX: empty */
	uint64_t last_ts;  /* of the last event appended */
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
	struct source *sources; /* nr_cpus + 1 */
	struct source **heap;   /* those that aren't empty, the oldest at the top */
	uint32_t nr_heap;
	char *batch; /* merged, for the sink */
	size_t batched;
};

struct rings *rings__new(struct iot_cpu *cpus, void *hot, uint32_t nr_cpus, uint32_t slots,
			 uint64_t hold_ns)
{
	struct rings *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->nr_cpus = nr_cpus;
	r->sources = calloc(nr_cpus + 1, sizeof(*r->sources));
	r->heap = calloc(nr_cpus + 1, sizeof(struct source *));
	r->batch = malloc(BATCH);
	if (!r->sources || !r->heap || !r->batch) {
		rings__free(r);
		return NULL;
	}
	for (uint32_t i = 0; i <= nr_cpus; i++)
		r->sources[i].first_ts = UINT64_MAX;
	r->cpus = cpus;
	r->hot = hot;
	r->slots = slots;
	r->hold_ns = hold_ns;
	return r;
}

void rings__free(struct rings *r)
{
	if (!r)
		return;
	for (uint32_t i = 0; r->sources && i <= r->nr_cpus; i++)
		free(r->sources[i].buf);
	free(r->sources);
	free(r->heap);
	free(r->batch);
	free(r);
}

static struct iot_event *event_at(const struct source *s, size_t off)
{
	return (struct iot_event *)(s->buf + off);
}

/* A hot event in eight words, which the compiler turns into vector moves; for memcpy() of 64 bytes
 * it makes a call. */
static inline void copy_hot(void *to, const void *from)
{
	struct words {
		uint64_t word[IOT_HOT_SIZE / 8];
	} __attribute__((may_alias));

	*(struct words *)to = *(const struct words *)from;
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
		if (used)
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
 * The event at off, the last one, is older than the one before it: an interrupt's program reserved
 * its slot between another's time stamp and its slot. Moves it back to its place; the distance is a
 * few events.
 */
static void sort_last(struct source *s, size_t off, size_t len)
{
	uint64_t copy[IOT_EVENT_MAX / 8], ts = event_at(s, off)->ts;
	size_t to = s->first;

	while (to < off && event_at(s, to)->ts <= ts)
		to += event_at(s, to)->len;
	memcpy(copy, s->buf + off, len);
	memmove(s->buf + to + len, s->buf + to, off - to);
	memcpy(s->buf + to, copy, len);
}

int rings__add(struct rings *r, const struct iot_event *ev)
{
	struct source *s = &r->sources[r->nr_cpus];
	size_t off;

	if (source_reserve(s, ev->len))
		return -ENOMEM;
	off = s->end;
	memcpy(s->buf + off, ev, ev->len);
	s->end = off + ev->len;
	if (ev->ts < s->last_ts)
		sort_last(s, off, ev->len);
	else
		s->last_ts = ev->ts;
	s->first_ts = event_at(s, s->first)->ts;
	return 0;
}

/* Empties a CPU's ring. *safe: the time up to which nothing older can come: now, or the last event
 * before an open slot. */
static int read_cpu(struct rings *r, uint32_t cpu, uint64_t now, uint64_t *safe)
{
	struct iot_cpu *c = &r->cpus[cpu];
	struct source *s = &r->sources[cpu];
	uint64_t head = __atomic_load_n(&c->head, __ATOMIC_ACQUIRE), tail = c->tail,
		 mask = r->slots - 1, last;
	char *ring = r->hot + (size_t)cpu * r->slots * IOT_HOT_SIZE;
	unsigned int fill = (unsigned int)((head - tail) * 100 / r->slots);
	char *to;

	*safe = now;
	if (head == tail)
		return 0;
	if (fill > r->fill)
		r->fill = fill;
	if (source_reserve(s, (head - tail) * IOT_HOT_SIZE))
		return -ENOMEM;
	to = s->buf + s->end;
	last = s->last_ts;
	for (; tail != head; tail++) {
		struct iot_event *slot = (void *)(ring + (tail & mask) * IOT_HOT_SIZE);
		uint64_t ts = __atomic_load_n(&slot->ts, __ATOMIC_ACQUIRE);

		if (!ts)
			break;
		copy_hot(to, slot);
		__atomic_store_n(&slot->ts, 0, __ATOMIC_RELAXED);
		if (ts < last)
			sort_last(s, (size_t)(to - s->buf), IOT_HOT_SIZE);
		else
			last = ts;
		to += IOT_HOT_SIZE;
	}
	s->end = (size_t)(to - s->buf);
	s->last_ts = last;
	if (s->end > s->first)
		s->first_ts = event_at(s, s->first)->ts;
	if (tail != head)
		*safe = last;
	c->tail = tail;
	/* only now may a program write into the slots just read; 0 stays: the capture is off */
	if (__atomic_load_n(&c->limit, __ATOMIC_RELAXED))
		__atomic_store_n(&c->limit, tail + r->slots - IOT_RING_SLACK, __ATOMIC_RELEASE);
	return 0;
}

/* Moves the source at i down to where no source below it is older. */
static void heap_sink(struct rings *r, uint32_t i)
{
	struct source **heap = r->heap, *s = heap[i];
	uint32_t child;

	while ((child = 2 * i + 1) < r->nr_heap) {
		if (child + 1 < r->nr_heap && heap[child + 1]->first_ts < heap[child]->first_ts)
			child++;
		if (s->first_ts <= heap[child]->first_ts)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = s;
}

static void heap_fill(struct rings *r)
{
	r->nr_heap = 0;
	for (uint32_t i = 0; i <= r->nr_cpus; i++)
		if (r->sources[i].first_ts != UINT64_MAX)
			r->heap[r->nr_heap++] = &r->sources[i];
	for (uint32_t i = r->nr_heap / 2; i-- > 0;)
		heap_sink(r, i);
}

static int flush(struct rings *r, rings_sink sink, void *ctx)
{
	size_t bytes = r->batched;

	r->batched = 0;
	return bytes ? sink(ctx, r->batch, bytes) : 0;
}

/* Moves events of one source to the batch as long as they are not younger than limit and the batch
 * has room. */
static void take_run(struct rings *r, struct source *s, uint64_t limit)
{
	char *from = s->buf + s->first, *end = s->buf + s->end;
	char *to = r->batch + r->batched, *full = r->batch + BATCH - IOT_EVENT_MAX;
	uint64_t ts = s->first_ts, last = r->delivered_ts, nr = 0;

	do {
		size_t len = ((struct iot_event *)from)->len;

		if (len == IOT_HOT_SIZE)
			copy_hot(to, from);
		else
			memcpy(to, from, len);
		if (ts < last) {
			r->late++;
			((struct iot_event *)to)->ts = last;
		} else {
			last = ts;
		}
		nr++;
		from += len;
		to += len;
		if (from == end) {
			ts = UINT64_MAX;
			break;
		}
		ts = ((struct iot_event *)from)->ts;
	} while (ts <= limit && to <= full);
	s->first = (size_t)(from - s->buf);
	s->first_ts = ts;
	r->delivered_ts = last;
	r->delivered += nr;
	r->batched = (size_t)(to - r->batch);
}

/* Merges the sources up to limit. */
static int deliver(struct rings *r, uint64_t limit, rings_sink sink, void *ctx)
{
	int err;

	heap_fill(r);
	while (r->nr_heap && r->heap[0]->first_ts <= limit) {
		uint64_t next = limit;

		for (uint32_t i = 1; i < r->nr_heap && i <= 2; i++)
			if (r->heap[i]->first_ts < next)
				next = r->heap[i]->first_ts;
		take_run(r, r->heap[0], next);
		if (r->heap[0]->first_ts == UINT64_MAX)
			r->heap[0] = r->heap[--r->nr_heap];
		heap_sink(r, 0);
		if (r->batched > BATCH - IOT_EVENT_MAX) {
			err = flush(r, sink, ctx);
			if (err)
				return err;
		}
	}
	return flush(r, sink, ctx);
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
	return deliver(r, limit, sink, ctx);
}

void rings__activate(struct rings *r, bool on)
{
	for (uint32_t cpu = 0; cpu < r->nr_cpus; cpu++) {
		struct iot_cpu *c = &r->cpus[cpu];

		c->ring_first = cpu * r->slots;
		__atomic_store_n(&c->limit, on ? c->tail + r->slots - IOT_RING_SLACK : 0,
				 __ATOMIC_RELEASE);
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
