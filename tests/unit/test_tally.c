// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel side counted, as events: sums over CPUs, places used again, what needn't balance.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collect/tally.h"

#define CPUS   2
#define PLACES 4
#define BEGIN  1000

static struct iot_counts counts[CPUS * (PLACES + 1)];
static struct iot_dom doms[PLACES];
static struct iot_tally told[8];
static size_t nr_told;
static int answer;

static struct tally tally = {
	.counts = counts, .doms = doms, .nr_cpus = CPUS, .nr_places = PLACES, .begin = BEGIN
};

static int add(void *ctx, const struct iot_event *ev)
{
	assert_ptr_equal(ctx, told);
	assert_int_equal(ev->id, IOT_EV_TALLY);
	assert_int_equal(ev->len, sizeof(struct iot_tally));
	assert_true(nr_told < sizeof(told) / sizeof(told[0]));
	memcpy(&told[nr_told++], ev, sizeof(told[0]));
	return answer;
}

static struct iot_counts *row(uint32_t cpu, uint32_t place)
{
	return &counts[cpu * (PLACES + 1) + place];
}

static int clear(void **state)
{
	(void)state;
	memset(counts, 0, sizeof(counts));
	memset(doms, 0, sizeof(doms));
	nr_told = 0;
	answer = 0;
	return 0;
}

/* Each counter has a value of its own, so that none is taken for another. */
static void fill(struct iot_counts *c, __u64 base)
{
	*c = (struct iot_counts){
		.maps = base + 1,
		.map_bytes = base + 2,
		.map_errors = base + 3,
		.unmaps = base + 4,
		.unmap_bytes = base + 5,
		.short_unmaps = base + 6,
		.faults = base + 7,
		.hangs = base + 8,
		.tables_allocated = base + 9,
		.tables_freed = base + 10,
		.teardown_longest = base + 11,
		.flushes = base + 12,
		.flush_longest = base + 13,
	};
	for (__u32 i = 0; i < IOT_TALLY_LOG2; i++)
		c->flush[i] = base + 20 + i;
}

static void cpus_are_added_up_and_the_longest_is_the_longest(void **state)
{
	const struct iot_tally *t = &told[0];

	(void)state;
	doms[2] = (struct iot_dom){ .ptr = 0xffff0, .id = 7, .dev = 3, .seen_by = IOT_SEEN_TABLE };
	fill(row(0, 2), 100);
	fill(row(1, 2), 1000);
	row(1, 2)->begin = 5000; /* the CPU that saw it first */
	assert_int_equal(tally__gone(&tally, 2, add, told), 0);
	assert_int_equal(nr_told, 1);
	assert_int_equal(t->h.domain, 7);
	assert_int_equal(t->h.dev, 3);
	assert_int_equal(t->begin, 5000);
	assert_int_equal(t->last, 1);
	assert_int_equal(t->snapshot, 0);
	assert_int_equal(t->maps, 1102);
	assert_int_equal(t->map_bytes, 1104);
	assert_int_equal(t->map_errors, 1106);
	assert_int_equal(t->unmaps, 1108);
	assert_int_equal(t->unmap_bytes, 1110);
	assert_int_equal(t->short_unmaps, 1112);
	assert_int_equal(t->faults, 1114);
	assert_int_equal(t->hangs, 1116);
	assert_int_equal(t->tables_allocated, 1118);
	assert_int_equal(t->tables_freed, 1120);
	assert_int_equal(t->teardown_longest, 1011);
	assert_int_equal(t->flushes, 1124);
	assert_int_equal(t->flush_longest, 1013);
	for (__u32 i = 0; i < IOT_TALLY_LOG2; i++)
		assert_int_equal(t->flush[i], 1140 + 2 * i);
}

static void the_next_domain_at_a_place_begins_at_zero(void **state)
{
	(void)state;
	doms[0] = (struct iot_dom){ .ptr = 0xffff0, .id = 1 };
	fill(row(0, 0), 1);
	fill(row(1, 0), 1);
	fill(row(1, 1), 50); /* another's */
	assert_int_equal(tally__gone(&tally, 0, add, told), 0);
	doms[0].id = 2;
	assert_int_equal(tally__gone(&tally, 0, add, told), 0);
	assert_int_equal(told[1].h.domain, 2);
	assert_int_equal(told[1].maps + told[1].flushes + told[1].flush[31], 0);
	assert_int_equal(row(1, 1)->maps, 51);
}

static __u32 snapshot_of(__u8 seen_by, __u64 begin, __u64 tables)
{
	clear(NULL);
	doms[1] = (struct iot_dom){ .ptr = 0xffff0, .id = 9, .seen_by = seen_by };
	row(0, 1)->begin = begin;
	row(0, 1)->tables_freed = tables;
	assert_int_equal(tally__gone(&tally, 1, add, told), 0);
	assert_true(told[0].begin >= BEGIN);
	return told[0].snapshot;
}

static void what_need_not_balance_is_said(void **state)
{
	(void)state;
	assert_int_equal(snapshot_of(IOT_SEEN_TABLE, 2000, 3), 0);
	assert_int_equal(snapshot_of(IOT_SEEN_ATTACH, 2000, 0), 0);
	/* its functions were hooked after its first page */
	assert_int_equal(snapshot_of(IOT_SEEN_ATTACH, 2000, 3), IOT_TALLY_TABLES_OLDER);
	/* … or before the counting began */
	assert_int_equal(snapshot_of(IOT_SEEN_TABLE, 999, 3), IOT_TALLY_OLDER);
	assert_int_equal(snapshot_of(IOT_SEEN_SNAPSHOT, 999, 0), IOT_TALLY_OLDER);
	/* a map before anything else: nobody knows how old it is */
	assert_int_equal(snapshot_of(IOT_SEEN_EVENT, 2000, 0), IOT_TALLY_OLDER);
}

/* What the driver's free gave back is counted for the domain only if its place waited for it. */
static void what_a_free_that_is_not_seen_takes_is_said(void **state)
{
	(void)state;
	doms[0] = (struct iot_dom){ .ptr = IOT_DOM_DEAD, .id = 1, .life = IOT_DOM_GOING };
	doms[1] = (struct iot_dom){ .ptr = IOT_DOM_DEAD, .id = 2, .life = IOT_DOM_TOLD };
	doms[2] = (struct iot_dom){ .ptr = 0xffff0, .id = 3, .life = IOT_DOM_GOING };
	doms[3] = (struct iot_dom){ .ptr = 0xffff8, .id = 4, .life = IOT_DOM_TOLD };
	for (uint32_t i = 0; i < PLACES; i++)
		doms[i].seen_by = IOT_SEEN_ATTACH, row(0, i)->begin = 2000;
	assert_int_equal(tally__end(&tally, add, told), 0);
	assert_int_equal(told[0].snapshot, 0);
	assert_int_equal(told[1].snapshot, IOT_TALLY_FREE_UNSEEN);
	assert_int_equal(told[2].snapshot, IOT_TALLY_FREE_UNSEEN);
	assert_int_equal(told[3].snapshot, 0);
}

static void the_end_tells_each_domain_and_what_has_none(void **state)
{
	(void)state;
	doms[0] = (struct iot_dom){ .ptr = IOT_DOM_FREE, .id = 1 }; /* told when it went */
	doms[1] = (struct iot_dom){ .ptr = 0xffff0, .id = 2, .seen_by = IOT_SEEN_ATTACH };
	doms[2] = (struct iot_dom){ .ptr = IOT_DOM_BUSY, .id = 3 };
	doms[3] = (struct iot_dom){ .ptr = IOT_DOM_DEAD, .id = 4 };
	row(1, PLACES)->hangs = 5;
	assert_int_equal(tally__end(&tally, add, told), 0);
	assert_int_equal(nr_told, 3);
	assert_int_equal(told[0].h.domain, 2);
	assert_int_equal(told[1].h.domain, 4);
	assert_int_equal(told[2].h.domain, 0);
	assert_int_equal(told[2].hangs, 5);
	assert_int_equal(told[2].snapshot, 0);
}

static void errors_come_back_and_without_counters_nothing_is_told(void **state)
{
	struct tally none = { .doms = doms, .nr_cpus = CPUS, .nr_places = PLACES };

	(void)state;
	doms[0] = doms[1] = (struct iot_dom){ .ptr = 0xffff0, .id = 1 };
	answer = -12;
	assert_int_equal(tally__end(&tally, add, told), -12);
	assert_int_equal(nr_told, 1);
	assert_int_equal(tally__end(&none, add, told), 0);
	assert_int_equal(tally__gone(&none, 0, add, told), 0);
	assert_int_equal(nr_told, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(cpus_are_added_up_and_the_longest_is_the_longest, clear),
		cmocka_unit_test_setup(the_next_domain_at_a_place_begins_at_zero, clear),
		cmocka_unit_test_setup(what_need_not_balance_is_said, clear),
		cmocka_unit_test_setup(what_a_free_that_is_not_seen_takes_is_said, clear),
		cmocka_unit_test_setup(the_end_tells_each_domain_and_what_has_none, clear),
		cmocka_unit_test_setup(errors_come_back_and_without_counters_nothing_is_told,
				       clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
