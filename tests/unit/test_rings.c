// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, bed_up, bed_down)
		T(events_of_all_cpus_and_rare_ones_come_in_time_order),
		T(what_is_younger_than_the_hold_time_waits),
		T(everything_comes_when_all_is_asked_for),
		T(a_nested_interrupt_that_got_its_slot_first_is_put_in_order),
		T(a_slot_being_written_holds_back_what_is_behind_it_on_every_cpu),
		T(rings_wrap_around_and_lose_nothing_while_they_are_read),
		T(a_full_ring_loses_the_newest_and_counts_them),
		T(nothing_is_taken_while_the_capture_is_off),
		T(an_event_that_comes_too_late_is_moved_forward_and_counted),
		T(many_events_come_in_batches),
		T(an_error_of_the_sink_is_passed_on),
	};

	return cmocka_run_group_tests_name("rings", tests, NULL, NULL);
}
