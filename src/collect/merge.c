// SPDX-License-Identifier: GPL-2.0-only
#include "collect/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that one call of the sink gets at most: merged events of all CPUs, still in the cache. */
#define BATCH (64 << 10)

static struct merge_source *other(struct merge *m)
{
	return &m->sources[m->nr_cpus];
}

int merge__init(struct merge *m, uint32_t nr_cpus, struct chunks *memory)
{
	*m = (struct merge){ .nr_cpus = nr_cpus, .memory = memory };
	m->sources = calloc(nr_cpus + 1, sizeof(*m->sources));
	m->heap = calloc(nr_cpus + 1, sizeof(struct merge_source *));
	m->batch = malloc(BATCH);
	if (!m->sources || !m->heap || !m->batch)
		return -ENOMEM;
	for (uint32_t i = 0; i <= nr_cpus; i++)
		m->sources[i].first_ts = UINT64_MAX;
	return 0;
}

void merge__free(struct merge *m)
{
	for (uint32_t i = 0; m->sources && i < m->nr_cpus; i++)
		chunks__give(m->memory, m->sources[i].chunks.first);
	chunks__give(m->memory, m->done);
	free(m->sources);
	free(m->heap);
	free(m->other);
	free(m->batch);
}

static uint64_t ts_at(const char *at)
{
	return ((const struct iot_event *)at)->ts;
}

/* Room for bytes more behind the other source's events. */
static int reserve_other(struct merge *m, size_t bytes)
{
	struct merge_source *s = other(m);
	size_t used = (size_t)(s->end - s->at), size = m->other_size ? m->other_size : 1 << 16;
	char *buf;

	if (m->other && s->end + bytes <= m->other + m->other_size)
		return 0;
	while (size < 2 * (used + bytes))
		size *= 2;
	if (size == m->other_size) {
		memmove(m->other, s->at, used);
	} else {
		buf = malloc(size);
		if (!buf)
			return -ENOMEM;
		if (used)
			memcpy(buf, s->at, used);
		free(m->other);
		m->other = buf;
		m->other_size = size;
	}
	s->at = m->other;
	s->end = s->at + used;
	return 0;
}

/* The last event, at `from`, is older than the one before it: moves it back to its place, which is
 * near. */
static void sort_other(struct merge_source *s, char *from, size_t len)
{
	uint64_t copy[IOT_EVENT_MAX / 8], ts = ts_at(from);
	char *to = s->at;

	while (to < from && ts_at(to) <= ts)
		to += ((struct iot_event *)to)->len;
	memcpy(copy, from, len);
	memmove(to + len, to, (size_t)(from - to));
	memcpy(to, copy, len);
}

int merge__add(struct merge *m, const struct iot_event *ev)
{
	struct merge_source *s = other(m);
	char *to;

	if (reserve_other(m, ev->len))
		return -ENOMEM;
	to = s->end;
	memcpy(to, ev, ev->len);
	s->end += ev->len;
	if (ev->ts < s->last_ts)
		sort_other(s, to, ev->len);
	else
		s->last_ts = ev->ts;
	s->first_ts = ts_at(s->at);
	return 0;
}

/* Steps to the event before; false: there is none. */
static bool step_back(struct chunk **chunk, uint32_t *i)
{
	if (*i > (*chunk)->first) {
		--*i;
		return true;
	}
	if (!(*chunk)->prev)
		return false;
	*chunk = (*chunk)->prev;
	*i = (*chunk)->nr - 1;
	return true;
}

/* Moves each event of a chunk that is older than those before it back to its place, which is near,
 * but may be in another chunk. */
static void sort_chunk(struct chunk *chunk)
{
	char copy[IOT_HOT_SIZE] __attribute__((aligned(8)));

	for (uint32_t n = chunk->first; n < chunk->nr; n++) {
		struct chunk *to = chunk, *before = chunk;
		uint32_t i = n, at = n;

		chunk__copy_event(copy, chunk->events[n]);
		while (step_back(&before, &i) && ts_at(before->events[i]) > ts_at(copy)) {
			chunk__copy_event(to->events[at], before->events[i]);
			to = before;
			at = i;
		}
		chunk__copy_event(to->events[at], copy);
	}
}

/* The first chunk's events are those at hand. */
static void use_chunk(struct merge_source *s)
{
	struct chunk *c = s->chunks.first;

	s->at = c->events[c->first];
	s->end = c->events[c->nr];
	s->first_ts = ts_at(s->at);
}

void merge__take(struct merge *m, uint32_t cpu, struct chunk_list *list)
{
	struct merge_source *s = &m->sources[cpu];
	struct chunk *c = list->first;

	if (!c)
		return;
	/* the events of the first chunk before `at` are delivered */
	if (s->chunks.first)
		s->chunks.first->first =
			(uint32_t)((size_t)(s->at - s->chunks.first->events[0]) / IOT_HOT_SIZE);
	chunk_list__splice(&s->chunks, list);
	for (; c; c = c->next)
		if (c->disorder)
			sort_chunk(c);
	use_chunk(s);
}

/* Moves the source at i down to where no source below it is older. */
static void heap_sink(struct merge *m, uint32_t i)
{
	struct merge_source **heap = m->heap, *s = heap[i];
	uint32_t child;

	while ((child = 2 * i + 1) < m->nr_heap) {
		if (child + 1 < m->nr_heap && heap[child + 1]->first_ts < heap[child]->first_ts)
			child++;
		if (s->first_ts <= heap[child]->first_ts)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = s;
}

static void heap_fill(struct merge *m)
{
	m->nr_heap = 0;
	for (uint32_t i = 0; i <= m->nr_cpus; i++)
		if (m->sources[i].first_ts != UINT64_MAX)
			m->heap[m->nr_heap++] = &m->sources[i];
	for (uint32_t i = m->nr_heap / 2; i-- > 0;)
		heap_sink(m, i);
}

static int flush(struct merge *m, merge_sink sink, void *ctx)
{
	size_t bytes = m->batched;

	m->batched = 0;
	return bytes ? sink(ctx, m->batch, bytes) : 0;
}

/* The events at hand are delivered: goes on to the next chunk, if there is one. */
static void next_chunk(struct merge *m, struct merge_source *s)
{
	struct chunk *c = s->chunks.first;

	s->first_ts = UINT64_MAX;
	if (!c)
		return;
	s->chunks.first = c->next;
	if (c->next)
		c->next->prev = NULL;
	else
		s->chunks.last = NULL;
	c->next = m->done;
	m->done = c;
	if (s->chunks.first)
		use_chunk(s);
}

/* Moves events of one source to the batch as long as they are not younger than limit and the batch
 * has room. */
static void take_run(struct merge *m, struct merge_source *s, uint64_t limit)
{
	char *from = s->at, *end = s->end;
	char *to = m->batch + m->batched, *full = m->batch + BATCH - IOT_EVENT_MAX;
	uint64_t ts = s->first_ts, last = m->delivered_ts, nr = 0;

	do {
		size_t len = ((struct iot_event *)from)->len;

		if (len == IOT_HOT_SIZE)
			chunk__copy_event(to, from);
		else
			memcpy(to, from, len);
		if (ts < last) {
			m->late++;
			((struct iot_event *)to)->ts = last;
		} else {
			last = ts;
		}
		nr++;
		from += len;
		to += len;
		if (from == end)
			break;
		ts = ts_at(from);
	} while (ts <= limit && to <= full);
	s->at = from;
	s->first_ts = ts;
	if (from == end)
		next_chunk(m, s);
	m->delivered_ts = last;
	m->delivered += nr;
	m->batched = (size_t)(to - m->batch);
}

int merge__deliver(struct merge *m, uint64_t limit, merge_sink sink, void *ctx)
{
	int err = 0;

	heap_fill(m);
	while (!err && m->nr_heap && m->heap[0]->first_ts <= limit) {
		uint64_t next = limit;

		for (uint32_t i = 1; i < m->nr_heap && i <= 2; i++)
			if (m->heap[i]->first_ts < next)
				next = m->heap[i]->first_ts;
		take_run(m, m->heap[0], next);
		if (m->heap[0]->first_ts == UINT64_MAX)
			m->heap[0] = m->heap[--m->nr_heap];
		heap_sink(m, 0);
		if (m->batched > BATCH - IOT_EVENT_MAX) {
			err = flush(m, sink, ctx);
			chunks__give(m->memory, m->done);
			m->done = NULL;
		}
	}
	if (!err)
		err = flush(m, sink, ctx);
	chunks__give(m->memory, m->done);
	m->done = NULL;
	return err;
}
