// SPDX-License-Identifier: GPL-2.0-only
/* flush-before-reuse, strict-means-strict, window, flush-latency, flush-covers-unmap by the flush
 * functions' word. */
#include "check_scene.h"

/* What the DMA API does for a strict unmap. */
static void strict_cycle(__u64 us, __u64 iova)
{
	iova_event(us, IOT_EV_IOVA_ALLOC, iova, PAGE);
	map_ok(us + 1, iova, PAGE);
	unmap_ok(us + 10, iova, PAGE, STRICT);
	sync_of(us + 11, us + 12, iova, PAGE);
	iova_event(us + 13, IOT_EV_IOVA_FREE, iova, PAGE);
}

static void a_clean_strict_domain_passes(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	for (int i = 0; i < 50; i++)
		strict_cycle(100 + i * 20, IOVA);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_FLUSH_BEFORE_REUSE, OUTCOME_PASS);
	expect_outcome(INV_STRICT_MEANS_STRICT, OUTCOME_PASS);
	expect_outcome(INV_WINDOW, OUTCOME_PASS);
	expect_outcome(INV_FLUSH_COVERS_UNMAP, OUTCOME_PASS);
	assert_int_equal(result_of(INV_FLUSH_COVERS_UNMAP)->looked_at, 50);
	assert_int_equal(result_of(INV_STRICT_MEANS_STRICT)->looked_at, 50);
	assert_int_equal(result_of(INV_FLUSH_BEFORE_REUSE)->looked_at, 100);
	done();
}

static void a_clean_lazy_domain_passes(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA_FQ);
	for (int i = 0; i < 50; i++) {
		__u64 iova = IOVA - (__u64)i * PAGE;

		iova_event(100 + i * 20, IOT_EV_IOVA_ALLOC, iova, PAGE);
		map_ok(101 + i * 20, iova, PAGE);
		unmap_ok(110 + i * 20, iova, PAGE, LAZY);
	}
	flush_everything(5000, 5010);
	for (int i = 0; i < 50; i++)
		iova_event(5020 + i, IOT_EV_IOVA_FREE, IOVA - (__u64)i * PAGE, PAGE);
	iova_event(5100, IOT_EV_IOVA_ALLOC, IOVA, PAGE);
	map_ok(5101, IOVA, PAGE);
	unmap_ok(5102, IOVA, PAGE, LAZY);
	flush_everything(5200, 5210);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_FLUSH_BEFORE_REUSE, OUTCOME_PASS);
	expect_outcome(INV_FLUSH_COVERS_UNMAP, OUTCOME_PASS);
	/* no unmap was strict */
	expect_outcome(INV_STRICT_MEANS_STRICT, OUTCOME_SKIP);
	done();
}

static void lazy_reuse(__u64 flush_begin, __u64 flush_end, __u64 reuse_at)
{
	start(IOT_TYPE_DMA_FQ);
	map_ok(100, IOVA, 4 * PAGE);
	unmap_ok(200, IOVA, 4 * PAGE, LAZY);
	if (flush_end < reuse_at)
		flush_everything(flush_begin, flush_end);
	iova_event(reuse_at, IOT_EV_IOVA_ALLOC, IOVA + 3 * PAGE, PAGE);
	map_ok(reuse_at + 1, IOVA + 3 * PAGE, PAGE);
	if (flush_end >= reuse_at)
		flush_everything(flush_begin, flush_end);
	unmap_ok(2000, IOVA + 3 * PAGE, PAGE, LAZY);
	flush_everything(3000, 3010);
	finish();
}

static void reuse_is_legal_only_after_the_flush(void **state)
{
	(void)state;
	lazy_reuse(300, 310, 400);
	NOTHING_FAILS();
	expect_outcome(INV_FLUSH_BEFORE_REUSE, OUTCOME_PASS);
	done();
	/* the flush ends after the address was handed out; told once, though it is mapped as well
	 */
	lazy_reuse(300, 500, 400);
	FAILS(1, INV_FLUSH_BEFORE_REUSE);
	found_text(INV_FLUSH_BEFORE_REUSE, "handed out 200.0 us after its unmap");
	done();
	/* it ended before, but had begun before the unmap */
	lazy_reuse(150, 310, 400);
	FAILS(1, INV_FLUSH_BEFORE_REUSE);
	done();
}

static void neighbours_of_what_waits_are_free(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA_FQ);
	map_ok(100, IOVA, PAGE);
	unmap_ok(200, IOVA, PAGE, LAZY);
	iova_event(300, IOT_EV_IOVA_ALLOC, IOVA + PAGE, PAGE);
	iova_event(301, IOT_EV_IOVA_ALLOC, IOVA - PAGE, PAGE);
	flush_everything(400, 410);
	finish();
	NOTHING_FAILS();
	done();
}

static void domains_with_equal_addresses_are_apart(void **state)
{
	struct iot_map map;

	(void)state;
	start(IOT_TYPE_DMA_FQ);
	domain_state(50, 4, IOT_DOMAIN_SEEN, IOT_TYPE_DMA_FQ, true, false, 0);
	map_ok(100, IOVA, PAGE);
	unmap_ok(200, IOVA, PAGE, LAZY);
	map = (struct iot_map){ .h = head(IOT_EV_MAP, sizeof(map), 300),
				.iova = IOVA,
				.size = PAGE };
	map.h.domain = 4;
	map.h.dev = 2;
	feed(&map);
	flush_everything(400, 410);
	finish();
	/* what is still mapped in the other one is a leak, and nothing else */
	FAILS(1, INV_NO_LEAK);
	done();
}

/* VFIO: many unmaps, one sync; only maps count, once a sync. */
static void unmanaged_reuse_counts_once_a_sync(void **state)
{
	(void)state;
	start(IOT_TYPE_UNMANAGED);
	for (int i = 0; i < 8; i++)
		map_ok(100 + i, IOVA + (__u64)i * PAGE, PAGE);
	for (int i = 0; i < 8; i++)
		unmap_ok(200 + i, IOVA + (__u64)i * PAGE, PAGE, STRICT);
	iova_event(210, IOT_EV_IOVA_ALLOC, IOVA + 0x100000, PAGE);
	map_by(220, 62, IOVA, PAGE, 0);
	map_by(221, 62, IOVA + PAGE, PAGE, 0);
	sync_of(230, 240, IOVA, 8 * PAGE);
	unmap_ok(300, IOVA, 2 * PAGE, STRICT);
	sync_of(310, 320, IOVA, 2 * PAGE);
	finish();
	FAILS(1, INV_FLUSH_BEFORE_REUSE);
	found_text(INV_FLUSH_BEFORE_REUSE, "mapped");
	done();
	/* the same with the map behind the sync */
	start(IOT_TYPE_UNMANAGED);
	for (int i = 0; i < 8; i++)
		map_ok(100 + i, IOVA + (__u64)i * PAGE, PAGE);
	for (int i = 0; i < 8; i++)
		unmap_ok(200 + i, IOVA + (__u64)i * PAGE, PAGE, STRICT);
	sync_of(230, 240, IOVA, 8 * PAGE);
	map_by(250, 62, IOVA, PAGE, 0);
	unmap_ok(300, IOVA, PAGE, STRICT);
	sync_of(310, 320, IOVA, PAGE);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_STRICT_MEANS_STRICT, OUTCOME_SKIP);
	done();
}

static void an_iova_freed_before_its_sync_is_not_strict(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	strict_cycle(100, IOVA);
	map_ok(200, IOVA, PAGE);
	unmap_ok(210, IOVA, PAGE, STRICT);
	iova_event(211, IOT_EV_IOVA_FREE, IOVA, PAGE);
	sync_of(212, 213, IOVA, PAGE);
	finish();
	FAILS(1, INV_STRICT_MEANS_STRICT);
	found_text(INV_STRICT_MEANS_STRICT, "the IOVA was freed 1.0 us after");
	done();
}

static void who_goes_on_before_the_sync_is_not_strict(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	map_ok(200, IOVA, PAGE);
	unmap_ok(210, IOVA, PAGE, STRICT);
	map_ok(211, IOVA + PAGE, PAGE);
	sync_of(212, 213, IOVA, PAGE);
	unmap_ok(220, IOVA + PAGE, PAGE, STRICT);
	sync_of(221, 222, IOVA + PAGE, PAGE);
	finish();
	FAILS(1, INV_STRICT_MEANS_STRICT);
	done();
	/* somebody else may: another task, an interrupt, another CPU's idle task */
	start(IOT_TYPE_DMA);
	map_ok(200, IOVA, PAGE);
	unmap_ok(210, IOVA, PAGE, STRICT);
	map_by(211, 62, IOVA + PAGE, PAGE, 0);
	{
		struct iot_map irq = { .h = head(IOT_EV_MAP, sizeof(irq), 212),
				       .iova = IOVA + 2 * PAGE,
				       .size = PAGE };

		irq.h.flags = IOT_F_IRQ;
		feed(&irq);
	}
	sync_of(213, 214, IOVA, PAGE);
	for (int i = 1; i < 3; i++) {
		unmap_ok(220 + i * 10, IOVA + (__u64)i * PAGE, PAGE, STRICT);
		sync_of(221 + i * 10, 222 + i * 10, IOVA + (__u64)i * PAGE, PAGE);
	}
	finish();
	NOTHING_FAILS();
	done();
}

/* An interrupt on top of another has the same task and the same flag. */
static void an_interrupt_on_top_of_another_is_somebody_else(void **state)
{
	struct iot_unmap unmap;
	struct iot_map map;

	(void)state;
	start(IOT_TYPE_DMA);
	map_ok(200, IOVA, PAGE);
	unmap = (struct iot_unmap){ .h = head(IOT_EV_UNMAP, sizeof(unmap), 210),
				    .iova = IOVA,
				    .size = PAGE,
				    .unmapped = PAGE,
				    .mode = STRICT,
				    .gather = 77 };
	unmap.h.flags = IOT_F_IRQ;
	feed(&unmap);
	map = (struct iot_map){ .h = head(IOT_EV_MAP, sizeof(map), 211),
				.iova = IOVA + PAGE,
				.size = PAGE };
	map.h.flags = IOT_F_IRQ;
	feed(&map);
	sync_of(212, 213, IOVA, PAGE);
	unmap_ok(220, IOVA + PAGE, PAGE, STRICT);
	sync_of(221, 222, IOVA + PAGE, PAGE);
	finish();
	NOTHING_FAILS();
	done();
}

static void idle_tasks_of_two_cpus_are_two(void **state)
{
	struct iot_unmap unmap;
	struct iot_map map;

	(void)state;
	for (int same = 0; same < 2; same++) {
		start(IOT_TYPE_DMA);
		map_ok(200, IOVA, PAGE);
		unmap = (struct iot_unmap){ .h = head(IOT_EV_UNMAP, sizeof(unmap), 210),
					    .iova = IOVA,
					    .size = PAGE,
					    .unmapped = PAGE,
					    .mode = STRICT,
					    .gather = 77 };
		unmap.h.tid = 0;
		feed(&unmap);
		map = (struct iot_map){ .h = head(IOT_EV_MAP, sizeof(map), 211),
					.iova = IOVA + PAGE,
					.size = PAGE };
		map.h.tid = 0;
		map.h.cpu = same ? 0 : 1;
		feed(&map);
		sync_of(212, 213, IOVA, PAGE);
		unmap_ok(220, IOVA + PAGE, PAGE, STRICT);
		sync_of(221, 222, IOVA + PAGE, PAGE);
		finish();
		if (same)
			FAILS(1, INV_STRICT_MEANS_STRICT);
		else
			NOTHING_FAILS();
		done();
	}
}

static void queued_unmaps_in_a_strict_domain(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	strict_cycle(100, IOVA);
	for (int i = 0; i < 3; i++) {
		map_ok(200 + i, IOVA + (__u64)i * PAGE, PAGE);
		unmap_ok(210 + i, IOVA + (__u64)i * PAGE, PAGE, LAZY);
	}
	flush_everything(300, 310);
	finish();
	FAILS(3, INV_STRICT_MEANS_STRICT);
	assert_int_equal(result_of(INV_STRICT_MEANS_STRICT)->looked_at, 4);
	done();
	/* sysfs switched the queue on; the type says so a moment later */
	rules_for(IOT_TYPE_DMA_FQ);
	start_with(IOT_TYPE_DMA, false, 0);
	strict_cycle(100, IOVA);
	domain_state(150, DOM, IOT_DOMAIN_STATE, IOT_TYPE_DMA, true, false, 0);
	map_ok(200, IOVA, PAGE);
	unmap_ok(210, IOVA, PAGE, LAZY);
	flush_everything(300, 310);
	domain_state(400, DOM, IOT_DOMAIN_STATE, IOT_TYPE_DMA_FQ, true, false, 0);
	finish();
	NOTHING_FAILS();
	done();
	/* ... or when it is freed, at the latest */
	rules_for(IOT_TYPE_DMA_FQ);
	start_with(IOT_TYPE_DMA, false, 0);
	strict_cycle(100, IOVA);
	domain_state(150, DOM, IOT_DOMAIN_STATE, IOT_TYPE_DMA, true, false, 0);
	map_ok(200, IOVA, PAGE);
	unmap_ok(210, IOVA, PAGE, LAZY);
	flush_everything(300, 310);
	detach(399, DEV, DOM);
	domain_state(400, DOM, IOT_DOMAIN_FREE, IOT_TYPE_DMA_FQ, false, false, 0);
	finish();
	expect_outcome(INV_STRICT_MEANS_STRICT, OUTCOME_PASS);
	/* the queued one was none of the rule's */
	assert_int_equal(result_of(INV_STRICT_MEANS_STRICT)->looked_at, 1);
	done();
}

static void a_driver_without_sync_is_not_judged(void **state)
{
	struct iot_domain ev;

	(void)state;
	start(IOT_TYPE_DMA);
	ev = (struct iot_domain){ .h = head(IOT_EV_DOMAIN, sizeof(ev), 50),
				  .what = IOT_DOMAIN_STATE,
				  .type = IOT_TYPE_DMA,
				  .group = -1,
				  .owner = 0xffffffffc0005000 };
	feed(&ev);
	map_ok(100, IOVA, PAGE);
	unmap_ok(110, IOVA, PAGE, STRICT);
	iova_event(111, IOT_EV_IOVA_FREE, IOVA, PAGE);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_STRICT_MEANS_STRICT, OUTCOME_INCONCLUSIVE);
	expect_outcome(INV_FLUSH_COVERS_UNMAP, OUTCOME_INCONCLUSIVE);
	why_text(INV_STRICT_MEANS_STRICT, "no iotlb_sync");
	done();
}

static void a_sync_must_hold_its_unmap(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	see_invalidations();
	map_ok(100, IOVA, 4 * PAGE);
	unmap_ok(200, IOVA, 4 * PAGE, STRICT);
	sync_of(201, 202, IOVA, 3 * PAGE);
	iova_event(203, IOT_EV_IOVA_FREE, IOVA, 4 * PAGE);
	finish();
	FAILS(1, INV_FLUSH_COVERS_UNMAP);
	found_text(INV_FLUSH_COVERS_UNMAP, "only");
	done();
	/* a driver may know itself what it was, with or without a range */
	for (int pages = 0; pages < 2; pages++) {
		start(IOT_TYPE_DMA);
		map_ok(100, IOVA, 4 * PAGE);
		unmap_ok(200, IOVA, 4 * PAGE, STRICT);
		sync_of(201, 202, pages ? IOVA : 0, (__u64)pages * PAGE);
		finish();
		NOTHING_FAILS();
		expect_outcome(INV_FLUSH_COVERS_UNMAP, OUTCOME_PASS);
		done();
	}
}

/* Pages of two sizes: the first ones are synced in the middle of the unmap. */
static void a_sync_within_the_unmap_counts(void **state)
{
	(void)state;
	for (int hole = 0; hole < 2; hole++) {
		start(IOT_TYPE_DMA);
		see_invalidations();
		map_ok(100, IOVA, 8 * PAGE);
		invalidate(191, 194, TASK, DOM, IOVA, IOVA + 4 * PAGE - 1);
		sync_of(190, 195, IOVA, (hole ? 3 : 4) * PAGE);
		unmap_ok(200, IOVA, 8 * PAGE, STRICT);
		invalidate(201, 202, TASK, DOM, IOVA + 4 * PAGE, IOVA + 8 * PAGE - 1);
		sync_of(201, 202, IOVA + 4 * PAGE, 4 * PAGE);
		finish();
		if (hole)
			FAILS(1, INV_FLUSH_COVERS_UNMAP);
		else
			NOTHING_FAILS();
		done();
	}
}

static void an_unmap_that_no_flush_covers(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA_FQ);
	map_ok(100, IOVA, PAGE);
	unmap_ok(200, IOVA, PAGE, LAZY);
	finish();
	FAILS(1, INV_FLUSH_COVERS_UNMAP);
	done();
	/* it had no time */
	start(IOT_TYPE_DMA_FQ);
	map_ok(100, IOVA, PAGE);
	unmap_ok(200, IOVA, PAGE, LAZY);
	finish_at(200 + 999999);
	NOTHING_FAILS();
	done();
	/* its domain was freed: the hardware forgets all of it */
	start(IOT_TYPE_DMA_FQ);
	map_ok(100, IOVA, PAGE);
	unmap_ok(200, IOVA, PAGE, LAZY);
	domain_free(300);
	finish();
	NOTHING_FAILS();
	done();
}

static void a_flush_without_begin_covers_nothing_for_sure(void **state)
{
	struct iot_flush ev;

	(void)state;
	start(IOT_TYPE_DMA_FQ);
	map_ok(100, IOVA, PAGE);
	unmap_ok(200, IOVA, PAGE, LAZY);
	ev = (struct iot_flush){ .h = head(IOT_EV_FLUSH, sizeof(ev), 300), .kind = IOT_FLUSH_ALL };
	ev.h.flags = IOT_F_NO_BEGIN;
	feed(&ev);
	map_ok(400, IOVA, PAGE);
	unmap_ok(500, IOVA, PAGE, LAZY);
	flush_everything(600, 610);
	loss(290, 310, IOT_LOST_BEGIN);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_FLUSH_BEFORE_REUSE, OUTCOME_INCONCLUSIVE);
	expect_outcome(INV_FLUSH_COVERS_UNMAP, OUTCOME_INCONCLUSIVE);
	done();
}

/* What it would have covered waits for it still, and is judged as such; its length isn't known. */
static void a_flush_that_had_not_ended_leaves_its_length_open(void **state)
{
	(void)state;
	for (int with = 0; with < 2; with++) {
		start(IOT_TYPE_DMA_FQ);
		map_ok(100, IOVA, PAGE);
		unmap_ok(200, IOVA, PAGE, LAZY);
		flush_everything(300, 310);
		map_ok(320, IOVA, PAGE);
		unmap_ok(330, IOVA, PAGE, LAZY);
		flush_everything(340, 350);
		if (with)
			loss(400, 20000, IOT_LOST_UNENDED);
		finish();
		NOTHING_FAILS();
		expect_outcome(INV_FLUSH_LATENCY, with ? OUTCOME_INCONCLUSIVE : OUTCOME_PASS);
		expect_outcome(INV_WINDOW, OUTCOME_PASS);
		expect_outcome(INV_FLUSH_BEFORE_REUSE, OUTCOME_PASS);
		done();
	}
}

/* An address that is unmapped twice before a flush: both unmaps wait, and the book stays sound. */
static void overlapping_unmaps_wait_both(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA_FQ);
	for (int i = 0; i < 300; i++) {
		map_ok(1000 + i * 10, IOVA + (__u64)(i % 7) * PAGE, 3 * PAGE);
		unmap_ok(1005 + i * 10, IOVA + (__u64)(i % 7) * PAGE, 3 * PAGE, LAZY);
	}
	flush_everything(9000, 9010);
	finish();
	expect_outcome(INV_FLUSH_BEFORE_REUSE, OUTCOME_FAIL);
	expect_outcome(INV_FLUSH_COVERS_UNMAP, OUTCOME_PASS);
	assert_int_equal(result_of(INV_FLUSH_COVERS_UNMAP)->looked_at, 300);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clean_strict_domain_passes),
		cmocka_unit_test(a_clean_lazy_domain_passes),
		cmocka_unit_test(reuse_is_legal_only_after_the_flush),
		cmocka_unit_test(neighbours_of_what_waits_are_free),
		cmocka_unit_test(domains_with_equal_addresses_are_apart),
		cmocka_unit_test(unmanaged_reuse_counts_once_a_sync),
		cmocka_unit_test(an_iova_freed_before_its_sync_is_not_strict),
		cmocka_unit_test(who_goes_on_before_the_sync_is_not_strict),
		cmocka_unit_test(an_interrupt_on_top_of_another_is_somebody_else),
		cmocka_unit_test(idle_tasks_of_two_cpus_are_two),
		cmocka_unit_test(queued_unmaps_in_a_strict_domain),
		cmocka_unit_test(a_driver_without_sync_is_not_judged),
		cmocka_unit_test(a_sync_must_hold_its_unmap),
		cmocka_unit_test(a_sync_within_the_unmap_counts),
		cmocka_unit_test(an_unmap_that_no_flush_covers),
		cmocka_unit_test(a_flush_without_begin_covers_nothing_for_sure),
		cmocka_unit_test(a_flush_that_had_not_ended_leaves_its_length_open),
		cmocka_unit_test(overlapping_unmaps_wait_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
