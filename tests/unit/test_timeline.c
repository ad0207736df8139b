// SPDX-License-Identifier: GPL-2.0-only
/* The time line: what falls into which interval, and that merging intervals loses nothing. */
#include "scene.h"

#include "analyze/timeline.h"

#define WIDTH(t) (1ULL << (t)->shift)

static __u64 sum(const struct timeline *t, __u32 series)
{
	__u64 nr = 0;

	for (__u32 i = 0; i < t->nr; i++)
		nr += t->buckets[i].counts[series];
	return nr;
}

static __u64 sum_rows(const __u64 rows[HEAT_ROWS])
{
	__u64 nr = 0;

	for (__u32 i = 0; i < HEAT_ROWS; i++)
		nr += rows[i];
	return nr;
}

static void rows_are_halves_of_powers_of_two(void **state)
{
	static const __u64 lows[] = { 0, 4, 8, 12, 16, 24, 32, 48, 64, 96 };

	(void)state;
	for (__u32 row = 0; row < sizeof(lows) / sizeof(lows[0]); row++) {
		assert_int_equal(heat__low(row), lows[row]);
		assert_int_equal(heat__row(lows[row]), row);
		if (row)
			assert_int_equal(heat__row(lows[row] - 1), row - 1);
	}
	assert_int_equal(heat__row(3ULL << 40), HEAT_ROWS - 1);
	assert_int_equal(heat__low(HEAT_ROWS), 1ULL << 42);
	assert_int_equal(heat__row(UINT64_MAX), HEAT_ROWS - 1);
}

static void each_event_counts_in_its_interval(void **state)
{
	const struct timeline *t = &a->timeline;
	const struct timeline_bucket *b = t->buckets;

	(void)state;
	map_at(100, IOVA, 0x1000, RW);
	map_at(300, IOVA + 0x1000, 0x3000, RW);
	unmap_at(310, IOVA, 0x1000, IOT_UNMAP_LAZY);
	flush_at(400, 402, IOT_FLUSH_ALL);
	fault_at(500, IOVA, IOT_ACCESS_READ);
	analysis__finish(a);
	/* 500 µs don't fit 512 intervals of 1,024 ns less one: 500,000 / 1,024 = 488.3. */
	assert_int_equal(t->shift, 10);
	assert_int_equal(t->origin, T0);
	assert_int_equal(t->nr, 489);
	assert_int_equal(b[97].counts[TIMELINE_MAPS], 1); /* 100,000 / 1,024 = 97.7 */
	assert_int_equal(b[97].counts[TIMELINE_MAP_BYTES], 0x1000);
	assert_int_equal(b[97].live_bytes, 0x1000);
	assert_int_equal(b[96].live_bytes, 0);
	assert_int_equal(b[200].live_bytes, 0x1000); /* an interval without events */
	assert_int_equal(b[292].counts[TIMELINE_MAPS], 1);
	assert_int_equal(b[292].live_bytes, 0x4000);
	assert_int_equal(b[302].counts[TIMELINE_UNMAPS], 1);
	assert_int_equal(b[302].live_bytes, 0x3000);
	assert_int_equal(b[392].counts[TIMELINE_FLUSHES + IOT_WHY_TIMER], 1); /* where it ends */
	assert_int_equal(b[488].counts[TIMELINE_FAULTS], 1);
	assert_int_equal(b[488].live_bytes, 0x3000);
	assert_int_equal(sum(t, TIMELINE_MAPS), 2);
}

static void a_failed_map_maps_nothing(void **state)
{
	struct iot_map ev = {
		.h = head(IOT_EV_MAP, sizeof(ev), 100), .iova = IOVA, .size = 0x1000, .ret = -12
	};

	(void)state;
	feed(&ev);
	analysis__finish(a);
	assert_int_equal(sum(&a->timeline, TIMELINE_MAP_FAILED), 1);
	assert_int_equal(sum(&a->timeline, TIMELINE_MAPS), 0);
	assert_int_equal(sum(&a->timeline, TIMELINE_MAP_BYTES), 0);
	assert_int_equal(a->model.total.map_failed, 1);
}

static void windows_and_flushes_lie_where_the_flush_ends(void **state)
{
	const struct timeline_bucket *b = a->timeline.buckets;

	(void)state;
	map_at(100, IOVA, 0x1000, RW);
	unmap_at(302, IOVA, 0x1000, IOT_UNMAP_LAZY);
	flush_at(400, 402, IOT_FLUSH_ALL);
	analysis__finish(a);
	/* 100,000 ns are between 1.5 * 2^16 = 98,304 and 2^17; 2,000 ns between 1.5 * 2^10 and
	 * 2^11. Rows: two each power of two, of which the first four rows, up to 15, are linear. */
	assert_int_equal(b[392].heat.lazy[heat__row(100000)], 1);
	assert_int_equal(heat__low(heat__row(100000)), 98304);
	assert_int_equal(b[392].heat.flush[heat__row(2000)], 1);
	assert_int_equal(heat__low(heat__row(2000)), 1536);
	assert_int_equal(sum_rows(b[392].heat.lazy), 1);
	assert_int_equal(sum_rows(b[392].heat.strict), 0);
	assert_int_equal(sum_rows(b[392].heat.flush), 1);
}

static void neighbours_merge_when_the_session_grows(void **state)
{
	const struct timeline *t = &a->timeline;

	(void)state;
	map_at(100, IOVA, 0x1000, RW);          /* interval 97 */
	map_at(101, IOVA + 0x1000, 0x1000, RW); /* interval 98 */
	map_at(102, IOVA + 0x2000, 0x1000, RW); /* interval 99 */
	map_at(600, IOVA + 0x3000, 0x1000,
	       RW); /* 600,000 / 1,024 = 585.9: too many; / 2,048 = 292 */
	analysis__finish(a);
	assert_int_equal(t->shift, 11);
	assert_int_equal(t->nr, 293);
	assert_int_equal(t->buckets[48].counts[TIMELINE_MAPS], 1);
	assert_int_equal(t->buckets[49].counts[TIMELINE_MAPS], 2);
	assert_int_equal(t->buckets[48].live_bytes, 0x1000);
	assert_int_equal(t->buckets[49].live_bytes, 0x3000);
	assert_int_equal(t->buckets[50].counts[TIMELINE_MAPS], 0);
	assert_int_equal(t->buckets[50].live_bytes, 0x3000);
	assert_int_equal(t->buckets[292].counts[TIMELINE_MAPS], 1);
}

/* Traffic at growing distances, from microseconds to an hour, so that intervals double many times.
 */
static void sums_stay_whole_over_many_merges(void **state)
{
	const struct timeline *t = &a->timeline;
	__u64 us = 100, lazy = 0, flushes = 0;

	(void)state;
	for (__u32 n = 0; us < 3600 * 1000000ULL; n++, us += us / 50) {
		map_at(us, IOVA, 0x1000, RW);
		unmap_at(us + 1, IOVA, 0x1000, IOT_UNMAP_LAZY);
		if (n % 3 == 0)
			flush_at(us + 1 + us / 200, us + 1 + us / 100, IOT_FLUSH_ALL);
	}
	analysis__finish(a);
	/* 2^42 ns, 73 minutes, are the first power of two above the hour and some. */
	assert_int_equal(t->shift, 42 - 9);
	assert_true(t->nr <= TIMELINE_BUCKETS && t->nr > TIMELINE_BUCKETS / 2);
	assert_true(a->model.total.maps > 100);
	assert_int_equal(sum(t, TIMELINE_MAPS), a->model.total.maps);
	assert_int_equal(sum(t, TIMELINE_MAP_BYTES), a->model.total.map_bytes);
	assert_int_equal(sum(t, TIMELINE_UNMAPS), a->model.total.unmaps);
	assert_int_equal(sum(t, TIMELINE_UNMAP_BYTES), a->model.total.unmap_bytes);
	assert_int_equal(sum(t, TIMELINE_FLUSHES + IOT_WHY_TIMER),
			 a->model.total.flushes[IOT_WHY_TIMER]);
	for (__u32 i = 0; i < t->nr; i++) {
		lazy += sum_rows(t->buckets[i].heat.lazy);
		flushes += sum_rows(t->buckets[i].heat.flush);
	}
	assert_true(lazy > 100);
	assert_int_equal(lazy, a->model.total.lazy.nr);
	assert_int_equal(flushes, a->model.total.flush.nr);
}

static void finishing_twice_counts_once(void **state)
{
	(void)state;
	map_at(100, IOVA, 0x1000, RW);
	analysis__finish(a);
	analysis__finish(a);
	map_at(101, IOVA + 0x1000, 0x1000, RW);
	analysis__finish(a);
	assert_int_equal(sum(&a->timeline, TIMELINE_MAPS), 2);
}

static void tables_and_snapshots_do_not_move_time(void **state)
{
	struct iot_attr late = { .h = head(IOT_EV_ATTR, sizeof(late) + 8, 5000000), .text_len = 8 };
	struct {
		struct iot_attr attr;
		char text[8];
	} ev = { .attr = late, .text = "a=b" };

	(void)state;
	map_at(100, IOVA, 0x1000, RW);
	feed(&ev);
	domain_event(9000000, IOT_DOMAIN_SEEN, IOT_F_SNAPSHOT);
	map_at(101, IOVA + 0x1000, 0x1000, RW);
	analysis__finish(a);
	assert_int_equal(a->timeline.nr, 99); /* 101,000 / 1,024 = 98.6 */
	assert_int_equal(WIDTH(&a->timeline), 1024);
}

static void the_end_of_time_fits(void **state)
{
	struct iot_map ev = { .h = head(IOT_EV_MAP, sizeof(ev), 0), .iova = IOVA, .size = 0x1000 };

	(void)state;
	map_at(100, IOVA + 0x1000, 0x1000, RW);
	for (int i = 0; i < 3; i++) {
		ev.h.ts = UINT64_MAX;
		feed(&ev);
	}
	analysis__finish(a);
	assert_true(a->timeline.nr <= TIMELINE_BUCKETS);
	assert_int_equal(sum(&a->timeline, TIMELINE_MAPS), 4);
	assert_int_equal(a->timeline.buckets[0].counts[TIMELINE_MAPS], 1);
	assert_int_equal(a->timeline.buckets[a->timeline.nr - 1].counts[TIMELINE_MAPS], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_halves_of_powers_of_two),
		SCENE(each_event_counts_in_its_interval),
		SCENE(a_failed_map_maps_nothing),
		SCENE(windows_and_flushes_lie_where_the_flush_ends),
		SCENE(neighbours_merge_when_the_session_grows),
		SCENE(sums_stay_whole_over_many_merges),
		SCENE(finishing_twice_counts_once),
		SCENE(tables_and_snapshots_do_not_move_time),
		SCENE(the_end_of_time_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
