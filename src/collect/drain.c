// SPDX-License-Identifier: GPL-2.0-only
#include "collect/drain.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

int drain__init(struct drain *d, struct iot_cpu *cpus, void *hot, uint32_t nr_cpus, uint32_t slots,
		struct chunks *memory)
{
	pthread_condattr_t attr;

	*d = (struct drain){
		.cpus = cpus, .hot = hot, .nr_cpus = nr_cpus, .slots = slots, .memory = memory
	};
	pthread_mutex_init(&d->reading, NULL);
	pthread_mutex_init(&d->handover, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->wake, &attr);
	pthread_condattr_destroy(&attr);
	d->of_cpu = calloc(nr_cpus + 1, sizeof(*d->of_cpu));
	return d->of_cpu ? 0 : -ENOMEM;
}

void drain__free(struct drain *d)
{
	drain__stop(d);
	for (uint32_t i = 0; d->of_cpu && i < d->nr_cpus; i++)
		chunks__give(d->memory, d->of_cpu[i].chunks.first);
	free(d->of_cpu);
	pthread_cond_destroy(&d->wake);
	pthread_mutex_destroy(&d->handover);
	pthread_mutex_destroy(&d->reading);
}

/* Fills a chunk from the slots [tail, head). Returns the new tail; *open: it ends at a slot that is
 * reserved and not published. */
static uint64_t fill_chunk(const struct drain *d, struct chunk *chunk, uint64_t tail, uint64_t head,
			   uint64_t *last_ts, bool *open)
{
	char *ring = d->hot + (size_t)chunk->cpu * d->slots * IOT_HOT_SIZE;
	uint64_t mask = d->slots - 1, last = *last_ts;
	uint32_t nr = 0;

	for (; tail != head && nr < CHUNK_EVENTS; tail++) {
		struct iot_event *slot = (void *)(ring + (tail & mask) * IOT_HOT_SIZE);
		uint64_t ts = __atomic_load_n(&slot->ts, __ATOMIC_ACQUIRE);

		if (!ts) {
			*open = true;
			break;
		}
		chunk__copy_event(chunk->events[nr++], slot);
		__atomic_store_n(&slot->ts, 0, __ATOMIC_RELAXED);
		/* an interrupt's program took slot and time between another's slot and its
		 * time */
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
static bool read_cpu(struct drain *d, uint32_t cpu, struct chunk_list *list, uint64_t *last_ts)
{
	struct iot_cpu *c = &d->cpus[cpu];
	uint64_t head = __atomic_load_n(&c->head, __ATOMIC_ACQUIRE), tail = c->tail;
	unsigned int fill = (unsigned int)((head - tail) * 100 / d->slots);
	struct chunk *chunk;
	bool open = false;

	if (fill > d->fill)
		d->fill = fill;
	while (tail != head && !open) {
		chunk = chunks__take(d->memory, cpu);
		if (!chunk)
			break;
		tail = fill_chunk(d, chunk, tail, head, last_ts, &open);
		if (chunk->nr) {
			chunk_list__add(list, chunk);
		} else {
			chunk->next = NULL;
			chunks__give(d->memory, chunk);
		}
	}
	if (tail == c->tail)
		return tail == head;
	__atomic_store_n(&c->tail, tail, __ATOMIC_RELAXED);
	/* only now may a program write into the slots just read; 0 stays: the capture is off */
	if (__atomic_load_n(&c->limit, __ATOMIC_RELAXED))
		__atomic_store_n(&c->limit, tail + d->slots - IOT_RING_SLACK, __ATOMIC_RELEASE);
	return tail == head;
}

void drain__read(struct drain *d, uint64_t now)
{
	uint64_t blocked_at = UINT64_MAX;

	pthread_mutex_lock(&d->reading);
	d->fill = 0;
	for (uint32_t cpu = 0; cpu < d->nr_cpus; cpu++) {
		struct drain_cpu *of = &d->of_cpu[cpu];
		struct chunk_list list = { 0 };

		if (!read_cpu(d, cpu, &list, &of->last_ts) && of->last_ts < blocked_at)
			blocked_at = of->last_ts;
		if (!list.first)
			continue;
		pthread_mutex_lock(&d->handover);
		chunk_list__splice(&of->chunks, &list);
		pthread_mutex_unlock(&d->handover);
	}
	/* last, so that whoever sees it has all that it stands for */
	pthread_mutex_lock(&d->handover);
	d->read_at = now;
	d->blocked_at = blocked_at;
	pthread_mutex_unlock(&d->handover);
	pthread_mutex_unlock(&d->reading);
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
	struct drain *d = arg;
	struct timespec until;
	uint64_t next;

	pthread_mutex_lock(&d->handover);
	while (!d->stop) {
		pthread_mutex_unlock(&d->handover);
		next = now_ns();
		drain__read(d, next);
		next += pause_ns(d->fill);
		until = (struct timespec){ (time_t)(next / 1000000000), (long)(next % 1000000000) };
		pthread_mutex_lock(&d->handover);
		if (!d->stop)
			pthread_cond_timedwait(&d->wake, &d->handover, &until);
	}
	pthread_mutex_unlock(&d->handover);
	return NULL;
}

int drain__start(struct drain *d)
{
	sigset_t all, old;
	int rc;

	/* signals are the program's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = -pthread_create(&d->thread, NULL, drain_thread, d);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	d->running = !rc;
	return rc;
}

void drain__stop(struct drain *d)
{
	if (!d->running)
		return;
	pthread_mutex_lock(&d->handover);
	d->stop = true;
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->handover);
	pthread_join(d->thread, NULL);
	d->running = d->stop = false;
}

void drain__activate(struct drain *d, bool on)
{
	/* a reader that had seen the capture on would switch it on again */
	pthread_mutex_lock(&d->reading);
	for (uint32_t cpu = 0; cpu < d->nr_cpus; cpu++) {
		struct iot_cpu *c = &d->cpus[cpu];

		c->ring_first = cpu * d->slots;
		__atomic_store_n(&c->limit, on ? c->tail + d->slots - IOT_RING_SLACK : 0,
				 __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&d->reading);
}

bool drain__empty(const struct drain *d)
{
	for (uint32_t cpu = 0; cpu < d->nr_cpus; cpu++)
		if (__atomic_load_n(&d->cpus[cpu].head, __ATOMIC_ACQUIRE) !=
		    __atomic_load_n(&d->cpus[cpu].tail, __ATOMIC_RELAXED))
			return false;
	return true;
}

uint64_t drain__left(const struct drain *d, uint64_t *since)
{
	uint64_t left = 0;

	for (uint32_t cpu = 0; cpu < d->nr_cpus; cpu++)
		left += __atomic_load_n(&d->cpus[cpu].head, __ATOMIC_ACQUIRE) -
			__atomic_load_n(&d->cpus[cpu].tail, __ATOMIC_RELAXED);
	*since = d->blocked_at;
	return left;
}

uint64_t drain__take(struct drain *d, struct chunk_list *lists, uint64_t *blocked_at)
{
	uint64_t read_at;

	pthread_mutex_lock(&d->handover);
	read_at = d->read_at;
	*blocked_at = d->blocked_at;
	for (uint32_t cpu = 0; cpu < d->nr_cpus; cpu++)
		chunk_list__splice(&lists[cpu], &d->of_cpu[cpu].chunks);
	pthread_mutex_unlock(&d->handover);
	return read_at;
}
