// SPDX-License-Identifier: GPL-2.0-only
#include "collect/rings.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collect/chunks.h"

#define BATCH                                                                                  \
	(64 << 10) /* bytes that one call of the sink gets at most: merged events of all CPUs, \
		      still in the cache */
#define DEFAULT_MEMORY (16 << 20)

/*
 * One source a CPU, and one for everything else. A CPU's events lie in chunks; those of the other
 * source in one buffer, with its first at `at`.
 */
struct source {
	char *at, *end;    /* events not delivered, of the first chunk or of all the buffer */
	uint64_t first_ts; /* UINT64_MAX: empty */
	uint64_t last_ts;  /* of the last event added; the other source only */
	struct chunk_list chunks;
};

/* What the draining side knows of a CPU. */
struct intake {
	struct chunk_list chunks; /* read since the sorting side took them last */
	uint64_t last_ts;
};

struct rings {
	struct iot_cpu *cpus;
	char *hot;
	uint32_t nr_cpus, slots;
	uint64_t hold_ns;
	struct chunks memory;

	/* draining: one at a time, the thread or rings__drain() */
	pthread_mutex_t draining;
	unsigned int fill;
	pthread_t thread;
	bool running, stop;
	pthread_cond_t wake; /* with handover: stop was set */

	/* between the two */
	pthread_mutex_t handover;
	struct intake *intakes; /* nr_cpus */
	uint64_t read_at;       /* ns, when all rings were read the last time */
	/* the last event before one that had to be left in a ring; UINT64_MAX: none was */
	uint64_t blocked_at;

	/* sorting: the caller's */
	uint64_t delivered_ts;
	uint64_t delivered;
	uint64_t late;
	struct source *sources; /* nr_cpus + 1 */
	struct source **heap;   /* those that aren't empty, the oldest at the top */
	uint32_t nr_heap;
	char *other; /* buffer of the other source */
	size_t other_size;
	struct chunk *done; /* delivered, to be given back */
	char *batch;        /* merged, for the sink */
	size_t batched;
};

static struct source *other(struct rings *r)
{
	return &r->sources[r->nr_cpus];
}

static void init_locks(struct rings *r)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&r->draining, NULL);
	pthread_mutex_init(&r->handover, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->wake, &attr);
	pthread_condattr_destroy(&attr);
}

struct rings *rings__new(struct iot_cpu *cpus, void *hot, uint32_t nr_cpus, uint32_t slots,
			 uint64_t hold_ns, size_t memory)
{
	struct rings *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	init_locks(r);
	r->nr_cpus = nr_cpus;
	r->sources = calloc(nr_cpus + 1, sizeof(*r->sources));
	r->intakes = calloc(nr_cpus + 1, sizeof(*r->intakes));
	r->heap = calloc(nr_cpus + 1, sizeof(struct source *));
	r->batch = malloc(BATCH);
	if (chunks__init(&r->memory, nr_cpus, memory ? memory : DEFAULT_MEMORY) || !r->sources ||
	    !r->intakes || !r->heap || !r->batch) {
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
	rings__stop(r);
	for (uint32_t i = 0; r->sources && r->intakes && i < r->nr_cpus; i++) {
		chunks__give(&r->memory, r->sources[i].chunks.first);
		chunks__give(&r->memory, r->intakes[i].chunks.first);
	}
	chunks__give(&r->memory, r->done);
	chunks__free(&r->memory);
	free(r->sources);
	free(r->intakes);
	free(r->heap);
	free(r->other);
	free(r->batch);
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->handover);
	pthread_mutex_destroy(&r->draining);
	free(r);
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

/* --- draining
 * --------------------------------------------------------------------------------------------------
 */

/* Fills a chunk from the slots [tail, head). Returns the new tail; *open: it ends at a slot that is
 * reserved and not published. */
static uint64_t fill_chunk(const struct rings *r, struct chunk *chunk, uint64_t tail, uint64_t head,
			   uint64_t *last_ts, bool *open)
{
	char *ring = r->hot + (size_t)chunk->cpu * r->slots * IOT_HOT_SIZE;
	uint64_t mask = r->slots - 1, last = *last_ts;
	uint32_t nr = 0;

	for (; tail != head && nr < CHUNK_EVENTS; tail++) {
		struct iot_event *slot = (void *)(ring + (tail & mask) * IOT_HOT_SIZE);
		uint64_t ts = __atomic_load_n(&slot->ts, __ATOMIC_ACQUIRE);

		if (!ts) {
			*open = true;
			break;
		}
		copy_hot(chunk->events[nr++], slot);
		__atomic_store_n(&slot->ts, 0, __ATOMIC_RELAXED);
		/* an interrupt's program reserved its slot between another's time stamp and its
		 * slot */
		if (ts < last)
			chunk->disorder = true;
		else
			last = ts;
	}
	chunk->nr = nr;
	*last_ts = last;
	return tail;
}

/* Reads a CPU's ring. False: not to its end, for a slot is open or memory has no room. */
static bool read_cpu(struct rings *r, uint32_t cpu, struct chunk_list *list, uint64_t *last_ts)
{
	struct iot_cpu *c = &r->cpus[cpu];
	uint64_t head = __atomic_load_n(&c->head, __ATOMIC_ACQUIRE), tail = c->tail;
	unsigned int fill = (unsigned int)((head - tail) * 100 / r->slots);
	struct chunk *chunk;
	bool open = false;

	if (fill > r->fill)
		r->fill = fill;
	while (tail != head && !open) {
		chunk = chunks__take(&r->memory, cpu);
		if (!chunk)
			break;
		tail = fill_chunk(r, chunk, tail, head, last_ts, &open);
		if (chunk->nr) {
			chunk_list__add(list, chunk);
		} else {
			chunk->next = NULL;
			chunks__give(&r->memory, chunk);
		}
	}
	if (tail == c->tail)
		return tail == head;
	__atomic_store_n(&c->tail, tail, __ATOMIC_RELAXED);
	/* only now may a program write into the slots just read; 0 stays: the capture is off */
	if (__atomic_load_n(&c->limit, __ATOMIC_RELAXED))
		__atomic_store_n(&c->limit, tail + r->slots - IOT_RING_SLACK, __ATOMIC_RELEASE);
	return tail == head;
}

/* Reads all rings once. Sorting goes on meanwhile with what it has. */
static void read_rings(struct rings *r, uint64_t now)
{
	uint64_t blocked_at = UINT64_MAX;

	pthread_mutex_lock(&r->draining);
	r->fill = 0;
	for (uint32_t cpu = 0; cpu < r->nr_cpus; cpu++) {
		struct intake *in = &r->intakes[cpu];
		struct chunk_list list = { 0 };

		if (!read_cpu(r, cpu, &list, &in->last_ts) && in->last_ts < blocked_at)
			blocked_at = in->last_ts;
		if (!list.first)
			continue;
		pthread_mutex_lock(&r->handover);
		chunk_list__splice(&in->chunks, &list);
		pthread_mutex_unlock(&r->handover);
	}
	/* last, so that whoever sees it has all that it stands for */
	pthread_mutex_lock(&r->handover);
	r->read_at = now;
	r->blocked_at = blocked_at;
	pthread_mutex_unlock(&r->handover);
	pthread_mutex_unlock(&r->draining);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/*
 * Nobody wakes the reader, so it comes back before the fullest ring can fill up at the rate it saw.
 */
static uint64_t pause_ns(unsigned int fill)
{
	return fill > 50 ? 0 : fill > 25 ? 1000000 : fill > 10 ? 5000000 : 20000000;
}

static void *drain_thread(void *arg)
{
	struct rings *r = arg;
	struct timespec until;
	uint64_t next;

	pthread_mutex_lock(&r->handover);
	while (!r->stop) {
		pthread_mutex_unlock(&r->handover);
		next = now_ns();
		read_rings(r, next);
		next += pause_ns(r->fill);
		until = (struct timespec){ (time_t)(next / 1000000000), (long)(next % 1000000000) };
		pthread_mutex_lock(&r->handover);
		if (!r->stop)
			pthread_cond_timedwait(&r->wake, &r->handover, &until);
	}
	pthread_mutex_unlock(&r->handover);
	return NULL;
}

int rings__start(struct rings *r)
{
	sigset_t all, old;
	int rc;

	/* signals are the program's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = -pthread_create(&r->thread, NULL, drain_thread, r);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	r->running = !rc;
	return rc;
}

void rings__stop(struct rings *r)
{
	if (!r->running)
		return;
	pthread_mutex_lock(&r->handover);
	r->stop = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->handover);
	pthread_join(r->thread, NULL);
	r->running = r->stop = false;
}

void rings__activate(struct rings *r, bool on)
{
	/* a reader that had seen the capture on would switch it on again */
	pthread_mutex_lock(&r->draining);
	for (uint32_t cpu = 0; cpu < r->nr_cpus; cpu++) {
		struct iot_cpu *c = &r->cpus[cpu];

		c->ring_first = cpu * r->slots;
		__atomic_store_n(&c->limit, on ? c->tail + r->slots - IOT_RING_SLACK : 0,
				 __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&r->draining);
}

bool rings__empty(const struct rings *r)
{
	for (uint32_t cpu = 0; cpu < r->nr_cpus; cpu++)
		if (__atomic_load_n(&r->cpus[cpu].head, __ATOMIC_ACQUIRE) !=
		    __atomic_load_n(&r->cpus[cpu].tail, __ATOMIC_RELAXED))
			return false;
	return true;
}

uint64_t rings__left(const struct rings *r, uint64_t *since)
{
	uint64_t left = 0;

	for (uint32_t cpu = 0; cpu < r->nr_cpus; cpu++)
		left += __atomic_load_n(&r->cpus[cpu].head, __ATOMIC_ACQUIRE) -
			__atomic_load_n(&r->cpus[cpu].tail, __ATOMIC_RELAXED);
	*since = r->blocked_at;
	return left;
}

/* --- sorting
 * ---------------------------------------------------------------------------------------------------
 */

static uint64_t ts_at(const char *at)
{
	return ((const struct iot_event *)at)->ts;
}

/* Room for bytes more behind the other source's events. */
static int reserve_other(struct rings *r, size_t bytes)
{
	struct source *s = other(r);
	size_t used = (size_t)(s->end - s->at), size = r->other_size ? r->other_size : 1 << 16;
	char *buf;

	if (r->other && s->end + bytes <= r->other + r->other_size)
		return 0;
	while (size < 2 * (used + bytes))
		size *= 2;
	if (size == r->other_size) {
		memmove(r->other, s->at, used);
	} else {
		buf = malloc(size);
		if (!buf)
			return -ENOMEM;
		if (used)
			memcpy(buf, s->at, used);
		free(r->other);
		r->other = buf;
		r->other_size = size;
	}
	s->at = r->other;
	s->end = s->at + used;
	return 0;
}

/* The last event, at `from`, is older than the one before it: moves it back to its place, which is
 * near. */
static void sort_other(struct source *s, char *from, size_t len)
{
	uint64_t copy[IOT_EVENT_MAX / 8], ts = ts_at(from);
	char *to = s->at;

	while (to < from && ts_at(to) <= ts)
		to += ((struct iot_event *)to)->len;
	memcpy(copy, from, len);
	memmove(to + len, to, (size_t)(from - to));
	memcpy(to, copy, len);
}

int rings__add(struct rings *r, const struct iot_event *ev)
{
	struct source *s = other(r);
	char *to;

	if (reserve_other(r, ev->len))
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

		copy_hot(copy, chunk->events[n]);
		while (step_back(&before, &i) && ts_at(before->events[i]) > ts_at(copy)) {
			copy_hot(to->events[at], before->events[i]);
			to = before;
			at = i;
		}
		copy_hot(to->events[at], copy);
	}
}

/* The first chunk's events are those at hand. */
static void use_chunk(struct source *s)
{
	struct chunk *c = s->chunks.first;

	s->at = c->events[c->first];
	s->end = c->events[c->nr];
	s->first_ts = ts_at(s->at);
}

/* Takes what was read since the last time. *blocked_at as in struct rings. Returns when that was.
 */
static uint64_t take_in(struct rings *r, uint64_t *blocked_at)
{
	uint64_t read_at;

	pthread_mutex_lock(&r->handover);
	read_at = r->read_at;
	*blocked_at = r->blocked_at;
	for (uint32_t cpu = 0; cpu < r->nr_cpus; cpu++) {
		struct source *s = &r->sources[cpu];
		struct chunk *c = r->intakes[cpu].chunks.first;

		if (!c)
			continue;
		/* the events of the first chunk before `at` are delivered */
		if (s->chunks.first)
			s->chunks.first->first =
				(uint32_t)((size_t)(s->at - s->chunks.first->events[0]) /
					   IOT_HOT_SIZE);
		chunk_list__splice(&s->chunks, &r->intakes[cpu].chunks);
		for (; c; c = c->next)
			if (c->disorder)
				sort_chunk(c);
		use_chunk(s);
	}
	pthread_mutex_unlock(&r->handover);
	return read_at;
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

/* The events at hand are delivered: goes on to the next chunk, if there is one. */
static void next_chunk(struct rings *r, struct source *s)
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
	c->next = r->done;
	r->done = c;
	if (s->chunks.first)
		use_chunk(s);
}

/* Moves events of one source to the batch as long as they are not younger than limit and the batch
 * has room. */
static void take_run(struct rings *r, struct source *s, uint64_t limit)
{
	char *from = s->at, *end = s->end;
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
		if (from == end)
			break;
		ts = ts_at(from);
	} while (ts <= limit && to <= full);
	s->at = from;
	s->first_ts = ts;
	if (from == end)
		next_chunk(r, s);
	r->delivered_ts = last;
	r->delivered += nr;
	r->batched = (size_t)(to - r->batch);
}

/* Merges the sources up to limit. */
static int deliver(struct rings *r, uint64_t limit, rings_sink sink, void *ctx)
{
	int err = 0;

	heap_fill(r);
	while (!err && r->nr_heap && r->heap[0]->first_ts <= limit) {
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
			chunks__give(&r->memory, r->done);
			r->done = NULL;
		}
	}
	if (!err)
		err = flush(r, sink, ctx);
	chunks__give(&r->memory, r->done);
	r->done = NULL;
	return err;
}

/* What is left when nothing comes any more. Memory may be too small to read it all at once. */
static int drain_all(struct rings *r, uint64_t now, rings_sink sink, void *ctx)
{
	uint64_t before, blocked_at;
	int err;

	do {
		before = r->delivered;
		read_rings(r, now);
		take_in(r, &blocked_at);
		err = deliver(r, blocked_at, sink, ctx);
	} while (!err && r->delivered != before);
	return err ? err : deliver(r, UINT64_MAX, sink, ctx);
}

int rings__drain(struct rings *r, uint64_t now, bool all, rings_sink sink, void *ctx)
{
	uint64_t limit, blocked_at;

	if (all)
		return drain_all(r, now, sink, ctx);
	if (!r->running)
		read_rings(r, now);
	limit = take_in(r, &blocked_at);
	/* what came another way was read at now, the rings perhaps since */
	if (limit > now)
		limit = now;
	limit = limit > r->hold_ns ? limit - r->hold_ns : 0;
	return deliver(r, limit < blocked_at ? limit : blocked_at, sink, ctx);
}

unsigned int rings__fill(struct rings *r)
{
	return r->running ? chunks__fill(&r->memory) : r->fill;
}

uint64_t rings__delivered(const struct rings *r)
{
	return r->delivered;
}

uint64_t rings__late(const struct rings *r)
{
	return r->late;
}
