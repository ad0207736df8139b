// SPDX-License-Identifier: GPL-2.0-only
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "collect/rings.h"

#define CPUS     3
#define SLOTS    64
#define HOLD     100
#define SEEN_MAX 8192

/* The kernel's side, as bpf/state.h has it, and what arrived at the sink. */
struct bed {
	struct iot_cpu cpus[CPUS];
	struct iot_map hot[CPUS][SLOTS];
	struct rings *rings;
	uint64_t ts[SEEN_MAX], iova[SEEN_MAX];
	uint16_t id[SEEN_MAX];
	size_t seen;
	int sink_result;
};

static int see(void *ctx, void *events, size_t bytes)
{
	struct bed *b = ctx;
	char *at = events, *end = at + bytes;

	assert_true(bytes > 0);
	for (struct iot_event *e; at < end; at += e->len) {
		e = (void *)at;
		assert_true(b->seen < SEEN_MAX);
		b->ts[b->seen] = e->ts;
		b->id[b->seen] = e->id;
		b->iova[b->seen++] = e->len == IOT_HOT_SIZE ? ((struct iot_map *)at)->iova : 0;
	}
	assert_ptr_equal(at, end);
	return b->sink_result;
}

static int bed_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	b->rings = rings__new(b->cpus, b->hot, CPUS, SLOTS, HOLD, 0);
	rings__activate(b->rings, true);
	*state = b;
	return !b->rings;
}

static int bed_down(void **state)
{
	struct bed *b = *state;

	rings__free(b->rings);
	free(b);
	return 0;
}

/* As hot__reserve(): NULL and counted if the ring is full. */
static struct iot_map *reserve(struct bed *b, int cpu)
{
	struct iot_cpu *c = &b->cpus[cpu];

	if (c->head >= c->limit) {
		c->lost += c->limit != 0;
		return NULL;
	}
	return &b->hot[cpu][c->head++ & (SLOTS - 1)];
}

static void publish(struct iot_map *slot, uint64_t ts, uint64_t iova)
{
	slot->h.id = IOT_EV_MAP;
	slot->h.len = IOT_HOT_SIZE;
	slot->iova = iova;
	slot->h.ts = ts;
}

static int put(struct bed *b, int cpu, uint64_t ts, uint64_t iova)
{
	struct iot_map *slot = reserve(b, cpu);

	if (slot)
		publish(slot, ts, iova);
	return slot != NULL;
}

static void add_rare(struct bed *b, uint64_t ts)
{
	struct iot_loss e = { .h = { .ts = ts, .id = IOT_EV_LOSS, .len = sizeof(e) } };

	assert_int_equal(rings__add(b->rings, &e.h), 0);
}

static void drain(struct bed *b, uint64_t now, bool all)
{
	assert_int_equal(rings__drain(b->rings, now, all, see, b), 0);
}

static void assert_seen(struct bed *b, const uint64_t *ts, size_t nr)
{
	assert_int_equal(b->seen, nr);
	for (size_t i = 0; i < nr; i++)
		assert_int_equal(b->ts[i], ts[i]);
}
#define ASSERT_SEEN(b, ...)                         \
	assert_seen(b, (uint64_t[]){ __VA_ARGS__ }, \
		    sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

static void events_of_all_cpus_and_rare_ones_come_in_time_order(void **state)
{
	struct bed *b = *state;

	put(b, 0, 10, 1);
	put(b, 0, 40, 2);
	put(b, 1, 20, 3);
	put(b, 1, 50, 4);
	put(b, 2, 5, 5);
	put(b, 2, 45, 6);
	add_rare(b, 30);
	drain(b, 1000, false);
	ASSERT_SEEN(b, 5, 10, 20, 30, 40, 45, 50);
	assert_int_equal(b->id[3], IOT_EV_LOSS);
	assert_int_equal(b->iova[6], 4);
	assert_int_equal(rings__delivered(b->rings), 7);
	assert_int_equal(rings__late(b->rings), 0);
}

static void what_is_younger_than_the_hold_time_waits(void **state)
{
	struct bed *b = *state;

	put(b, 0, 1000, 1);
	put(b, 1, 1050, 2);
	drain(b, 1100, false);
	ASSERT_SEEN(b, 1000);
	/* still in time: its program was between time stamp and slot while the rings were read */
	put(b, 2, 1020, 3);
	drain(b, 1300, false);
	ASSERT_SEEN(b, 1000, 1020, 1050);
	assert_int_equal(rings__late(b->rings), 0);
}

static void everything_comes_when_all_is_asked_for(void **state)
{
	struct bed *b = *state;

	put(b, 0, 1000, 1);
	add_rare(b, 2000);
	drain(b, 1000, true);
	ASSERT_SEEN(b, 1000, 2000);
}

static void a_nested_interrupt_that_got_its_slot_first_is_put_in_order(void **state)
{
	struct bed *b = *state;

	put(b, 0, 10, 1);
	put(b, 0, 30, 3); /* interrupts of a program that has its time stamp, 20, but no slot yet */
	put(b, 0, 31, 4);
	put(b, 0, 20, 2);
	put(b, 0, 40, 5);
	put(b, 1, 25, 9);
	drain(b, 1000, false);
	ASSERT_SEEN(b, 10, 20, 25, 30, 31, 40);
	assert_int_equal(b->iova[1], 2);
	assert_int_equal(rings__late(b->rings), 0);
}

static void a_slot_being_written_holds_back_what_is_behind_it_on_every_cpu(void **state)
{
	struct bed *b = *state;
	struct iot_map *open;

	put(b, 0, 10, 1);
	open = reserve(b, 0);
	put(b, 0, 30, 3); /* published inside the open one */
	put(b, 1, 5, 4);
	put(b, 1, 25, 5);
	drain(b, 1000, false);
	ASSERT_SEEN(b, 5, 10);
	publish(open, 20, 2);
	drain(b, 1000, false);
	ASSERT_SEEN(b, 5, 10, 20, 25, 30);
	assert_int_equal(rings__late(b->rings), 0);
}

static void what_is_never_published_is_left_and_counted(void **state)
{
	struct bed *b = *state;
	uint64_t since;

	put(b, 0, 10, 1);
	put(b, 1, 25, 5);
	drain(b, 1000, true);
	assert_int_equal(rings__left(b->rings, &since), 0);
	put(b, 0, 30, 1);
	reserve(b, 0);
	put(b, 0, 50, 3);
	put(b, 1, 55, 5);
	drain(b, 1000, true);
	ASSERT_SEEN(b, 10, 25, 30, 55);
	assert_int_equal(rings__left(b->rings, &since), 2);
	assert_int_equal(since, 30);
}

static void rings_wrap_around_and_lose_nothing_while_they_are_read(void **state)
{
	struct bed *b = *state;
	uint64_t ts = 1, n = 0;

	while (n < 40 * SLOTS) {
		for (int i = 0; i < 17; i++, n++, ts++)
			assert_true(put(b, i % CPUS, ts, ts));
		drain(b, ts + HOLD / 2, false);
	}
	drain(b, ts, true);
	assert_int_equal(b->seen, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(b->ts[i], i + 1);
		assert_int_equal(b->iova[i], i + 1);
	}
	for (int cpu = 0; cpu < CPUS; cpu++)
		for (int i = 0; i < SLOTS; i++)
			assert_int_equal(b->hot[cpu][i].h.ts, 0);
}

static void a_full_ring_loses_the_newest_and_counts_them(void **state)
{
	struct bed *b = *state;
	size_t kept = 0;

	for (uint64_t ts = 1; ts <= 3 * SLOTS; ts++)
		kept += (size_t)put(b, 1, ts, ts);
	assert_int_equal(kept, SLOTS - IOT_RING_SLACK);
	assert_int_equal(b->cpus[1].lost, 3 * SLOTS - kept);
	drain(b, 10000, false);
	assert_int_equal(rings__fill(b->rings), kept * 100 / SLOTS);
	assert_int_equal(b->seen, kept);
	assert_int_equal(b->ts[kept - 1], kept);
	/* read: there is room again, for as many */
	for (uint64_t ts = 20001; ts <= 20000 + 3 * SLOTS; ts++)
		put(b, 1, ts, ts);
	drain(b, 30000, false);
	assert_int_equal(b->seen, 2 * kept);
	assert_int_equal(b->ts[kept], 20001);
}

static void nothing_is_taken_while_the_capture_is_off(void **state)
{
	struct bed *b = *state;

	put(b, 0, 10, 1);
	rings__activate(b->rings, false);
	assert_false(put(b, 0, 20, 2));
	drain(b, 1000, false);
	assert_false(put(b, 0, 30, 3)); /* draining doesn't switch it on */
	assert_int_equal(b->cpus[0].lost, 0);
	ASSERT_SEEN(b, 10);
	rings__activate(b->rings, true);
	assert_true(put(b, 0, 40, 4));
}

static void an_event_that_comes_too_late_is_moved_forward_and_counted(void **state)
{
	struct bed *b = *state;

	put(b, 0, 500, 1);
	drain(b, 1000, false);
	put(b, 1, 300, 2);
	add_rare(b, 400);
	put(b, 1, 600, 3);
	drain(b, 1000, false);
	ASSERT_SEEN(b, 500, 500, 500, 600);
	assert_int_equal(b->iova[1], 2);
	assert_int_equal(rings__late(b->rings), 2);
}

/* More than a batch, so that several calls of the sink are in order too. */
static void many_events_come_in_batches(void **state)
{
	struct bed *b = *state;
	uint64_t ts = 1;

	for (; ts <= 5000; ts += 2) {
		add_rare(b, ts);
		if (ts < 2 * (SLOTS - IOT_RING_SLACK))
			put(b, 0, ts + 1, ts);
	}
	drain(b, 10000, false);
	assert_int_equal(b->seen, 2500 + SLOTS - IOT_RING_SLACK);
	for (size_t i = 1; i < b->seen; i++)
		assert_true(b->ts[i - 1] < b->ts[i]);
}

static void an_error_of_the_sink_is_passed_on(void **state)
{
	struct bed *b = *state;

	b->sink_result = -5;
	drain(b, 1000, false); /* nothing there: no call */
	put(b, 0, 10, 1);
	assert_int_equal(rings__drain(b->rings, 1000, false, see, b), -5);
}

/* A chunk holds 127 events; here, rings are larger than all the memory. */
#define DEEP 4096

struct deep {
	struct iot_cpu cpus[2];
	struct iot_map hot[2][DEEP];
	struct rings *rings;
	uint64_t next_ts; /* of the sink: every event must be the one after the one before */
	uint64_t seen;
	bool gaps;
};

static int see_next(void *ctx, void *events, size_t bytes)
{
	struct deep *d = ctx;

	for (struct iot_map *e = events; (char *)e < (char *)events + bytes; e++, d->seen++) {
		/* with the clock's times, two CPUs may have the same */
		if (d->gaps ? e->h.ts + 1 < d->next_ts : e->h.ts != d->next_ts)
			fail_msg("event %llu has time %llu, not %llu", (unsigned long long)d->seen,
				 (unsigned long long)e->h.ts, (unsigned long long)d->next_ts);
		d->next_ts = e->h.ts + 1;
	}
	return 0;
}

static struct deep *deep_up(size_t memory)
{
	struct deep *d = calloc(1, sizeof(*d));

	d->rings = rings__new(d->cpus, d->hot, 2, DEEP, HOLD, memory);
	assert_non_null(d->rings);
	rings__activate(d->rings, true);
	d->next_ts = 1;
	return d;
}

static void deep_down(struct deep *d)
{
	rings__free(d->rings);
	free(d);
}

static bool deep_put(struct deep *d, int cpu, uint64_t ts)
{
	struct iot_cpu *c = &d->cpus[cpu];
	uint64_t limit = __atomic_load_n(&c->limit, __ATOMIC_ACQUIRE), head = c->head;

	if (head >= limit) {
		c->lost++;
		return false;
	}
	__atomic_store_n(&c->head, head + 1, __ATOMIC_RELEASE);
	d->hot[cpu][head & (DEEP - 1)].h.id = IOT_EV_MAP;
	d->hot[cpu][head & (DEEP - 1)].h.len = IOT_HOT_SIZE;
	__atomic_store_n(&d->hot[cpu][head & (DEEP - 1)].h.ts, ts, __ATOMIC_RELEASE);
	return true;
}

static void disorder_is_mended_across_chunks(void **state)
{
	/* the 128th event of a CPU is the first of its second chunk, and is three places too late
	 */
	static const uint64_t times[] = { 126, 127, 128, 125 };
	struct deep *d = deep_up(0);

	(void)state;
	for (uint64_t ts = 1; ts <= 124; ts++)
		deep_put(d, 0, ts);
	for (size_t i = 0; i < 4; i++)
		deep_put(d, 0, times[i]);
	for (uint64_t ts = 129; ts <= 400; ts++)
		deep_put(d, 0, ts);
	assert_int_equal(rings__drain(d->rings, 10000, false, see_next, d), 0);
	assert_int_equal(d->seen, 400);
	assert_int_equal(rings__late(d->rings), 0);
	deep_down(d);
}

static void disorder_is_mended_across_two_readings(void **state)
{
	struct deep *d = deep_up(0);

	(void)state;
	deep_put(d, 0, 1);
	deep_put(d, 0, 3);
	deep_put(d, 1, 4);
	assert_int_equal(rings__drain(d->rings, 3 + HOLD - 1, false, see_next, d), 0);
	deep_put(d, 0, 2);
	assert_int_equal(rings__drain(d->rings, 1000, false, see_next, d), 0);
	assert_int_equal(d->seen, 4);
	deep_down(d);
}

static void what_memory_has_no_room_for_stays_in_its_ring(void **state)
{
	struct deep *d = deep_up(1);
	uint64_t ts = 0, before;

	(void)state;
	/* CPU 0 alone has the oldest, then CPU 1 alone, then both in turn: neither may starve */
	while (ts < 2000)
		deep_put(d, 0, ++ts);
	while (ts < 4000)
		deep_put(d, 1, ++ts);
	for (ts++; ts <= 7000; ts++)
		deep_put(d, (int)(ts & 1), ts);
	ts = 7000;
	do {
		before = d->seen;
		assert_int_equal(rings__drain(d->rings, ts + 2 * HOLD, false, see_next, d), 0);
		/* at least 4 chunks a CPU, and not much more */
		assert_true(d->seen - before <= 8 * 127);
	} while (d->seen != before);
	assert_int_equal(d->seen, ts);
	assert_int_equal(d->cpus[0].lost + d->cpus[1].lost, 0);
	assert_true(rings__empty(d->rings));
	deep_down(d);
}

static void the_end_delivers_all_however_little_memory_there_is(void **state)
{
	const uint64_t ts = 6000;
	struct deep *d = deep_up(1);

	(void)state;
	for (uint64_t t = 1; t <= ts; t++)
		deep_put(d, (int)(t & 1), t);
	assert_int_equal(rings__drain(d->rings, ts, true, see_next, d), 0);
	assert_int_equal(d->seen, ts);
	assert_int_equal(rings__late(d->rings), 0);
	deep_down(d);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool room_in(struct deep *d, int cpu)
{
	return d->cpus[cpu].head < __atomic_load_n(&d->cpus[cpu].limit, __ATOMIC_ACQUIRE);
}

/* The caller does nothing for a long time (hooks are attached, a disk is slow): no ring fills up.
 */
static void the_thread_drains_while_nobody_sorts(void **state)
{
	const struct timespec pause = { .tv_nsec = 100000 };
	uint64_t deadline = now_ns() + 30000000000, ts = 0;
	struct deep *d = deep_up(16 << 20);

	(void)state;
	d->gaps = true; /* times are the clock's */
	assert_int_equal(rings__start(d->rings), 0);
	for (int i = 0; i < 10 * DEEP; i++) {
		while (!room_in(d, i & 1) && now_ns() < deadline)
			nanosleep(&pause, NULL);
		ts = now_ns();
		assert_true(deep_put(d, i & 1, ts));
	}
	assert_int_equal(d->cpus[0].lost + d->cpus[1].lost, 0);
	/* from now on the memory tells how near the next loss is */
	assert_true(rings__fill(d->rings) > 5);
	rings__activate(d->rings, false);
	rings__stop(d->rings);
	assert_int_equal(rings__drain(d->rings, now_ns(), true, see_next, d), 0);
	assert_int_equal(d->seen, 10 * DEEP);
	assert_int_equal(rings__late(d->rings), 0);
	deep_down(d);
}

static uint64_t head_of(struct deep *d, int cpu)
{
	return __atomic_load_n(&d->cpus[cpu].head, __ATOMIC_ACQUIRE);
}

struct producer {
	struct deep *deep;
	int cpu;
	uint64_t put;
};

static void *produce(void *arg)
{
	const struct timespec pause = { .tv_nsec = 50000 };
	struct producer *p = arg;

	for (int i = 0; i < 50000; i++) {
		while (!room_in(p->deep, p->cpu))
			nanosleep(&pause, NULL);
		p->put += deep_put(p->deep, p->cpu, now_ns());
	}
	return NULL;
}

/* Both threads and two CPUs at once: nothing is lost, nothing comes twice, time goes forward. */
static void draining_and_sorting_go_on_at_the_same_time(void **state)
{
	struct deep *d = deep_up(1 << 20);
	struct producer p[2] = { { d, 0, 0 }, { d, 1, 0 } };
	uint64_t deadline = now_ns() + 60000000000;
	pthread_t threads[2];

	(void)state;
	d->gaps = true;
	rings__free(d->rings);
	/* a hold-back that a preempted producer doesn't exceed */
	d->rings = rings__new(d->cpus, d->hot, 2, DEEP, 20000000000, 8 << 20);
	rings__activate(d->rings, true);
	d->next_ts = 0;
	assert_int_equal(rings__start(d->rings), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, produce, &p[i]), 0);
	while ((head_of(d, 0) < 50000 || head_of(d, 1) < 50000) && now_ns() < deadline)
		assert_int_equal(rings__drain(d->rings, now_ns(), false, see_next, d), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	rings__activate(d->rings, false);
	rings__stop(d->rings);
	assert_int_equal(rings__drain(d->rings, now_ns(), true, see_next, d), 0);
	assert_int_equal(d->seen, p[0].put + p[1].put);
	assert_int_equal(d->seen, 100000);
	deep_down(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, bed_up, bed_down)
		T(events_of_all_cpus_and_rare_ones_come_in_time_order),
		T(what_is_younger_than_the_hold_time_waits),
		T(everything_comes_when_all_is_asked_for),
		T(a_nested_interrupt_that_got_its_slot_first_is_put_in_order),
		T(a_slot_being_written_holds_back_what_is_behind_it_on_every_cpu),
		T(what_is_never_published_is_left_and_counted),
		T(rings_wrap_around_and_lose_nothing_while_they_are_read),
		T(a_full_ring_loses_the_newest_and_counts_them),
		T(nothing_is_taken_while_the_capture_is_off),
		T(an_event_that_comes_too_late_is_moved_forward_and_counted),
		T(many_events_come_in_batches),
		T(an_error_of_the_sink_is_passed_on),
		cmocka_unit_test(disorder_is_mended_across_chunks),
		cmocka_unit_test(disorder_is_mended_across_two_readings),
		cmocka_unit_test(what_memory_has_no_room_for_stays_in_its_ring),
		cmocka_unit_test(the_end_delivers_all_however_little_memory_there_is),
		cmocka_unit_test(the_thread_drains_while_nobody_sorts),
		cmocka_unit_test(draining_and_sorting_go_on_at_the_same_time),
	};

	return cmocka_run_group_tests_name("rings", tests, NULL, NULL);
}
