// SPDX-License-Identifier: GPL-2.0-only
/* pt-freed-after-flush, pt-balance, teardown-stall. */
#include "check_scene.h"

#define ALLOC  IOT_EV_TABLE_ALLOC
#define FREE   IOT_EV_TABLE_FREE
#define REGION 0x200000ULL
#define BASE   0x40000000ULL
#define WORKER 500

static void begin_tables(__u32 type)
{
	start(type);
	see_invalidations();
	see_tables();
	flush_everything(50, 51);
}

/* A table for 2 MiB, which one unmap empties. */
static void mapped_table(__u32 type, __u64 page)
{
	begin_tables(type);
	table(99, ALLOC, page, DOM);
	map_ok(100, BASE, REGION);
}

static void told_all(__u64 begin, __u64 end)
{
	invalidate(begin, end, TASK, DOM, 0, ALL_END);
}

/* One page, in the sync, behind the invalidation. */
static void freed_in_the_sync(void)
{
	mapped_table(IOT_TYPE_DMA, 1);
	unmap_ok(200, BASE, REGION, STRICT);
	told_all(211, 212);
	table(215, FREE, 1, DOM);
	sync_of(210, 220, BASE, REGION);
	domain_free(300);
	teardown(300, 310, 1000);
}

static void freed_after_the_flush(void **state)
{
	(void)state;
	freed_in_the_sync();
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_PT_FREED_AFTER_FLUSH, OUTCOME_PASS);
	expect_outcome(INV_PT_BALANCE, OUTCOME_PASS);
	expect_outcome(INV_TEARDOWN_STALL, OUTCOME_PASS);
	assert_int_equal(result_of(INV_PT_FREED_AFTER_FLUSH)->looked_at, 1);
	done();
	/* by the flush queue, after its flush */
	mapped_table(IOT_TYPE_DMA_FQ, 1);
	unmap_ok(200, BASE, REGION, LAZY);
	told_all(211, 212);
	flush_everything(210, 220);
	table(225, FREE, 1, DOM);
	iova_event(230, IOT_EV_IOVA_FREE, BASE, REGION);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_PT_FREED_AFTER_FLUSH, OUTCOME_PASS);
	done();
}

static void freed_within_the_unmap(void **state)
{
	(void)state;
	for (int lazy = 0; lazy < 2; lazy++) {
		mapped_table(lazy ? IOT_TYPE_DMA_FQ : IOT_TYPE_DMA, 1);
		table(195, FREE, 1, DOM);
		unmap_ok(200, BASE, REGION, lazy ? LAZY : STRICT);
		told_all(211, 212);
		if (lazy)
			flush_everything(210, 220);
		else
			sync_of(210, 220, BASE, REGION);
		finish();
		FAILS(1, INV_PT_FREED_AFTER_FLUSH);
		found_text(INV_PT_FREED_AFTER_FLUSH, "in the middle of the unmap");
		done();
	}
}

static void a_driver_may_flush_within_the_unmap(void **state)
{
	(void)state;
	mapped_table(IOT_TYPE_DMA, 1);
	invalidate(190, 192, TASK, DOM, BASE, BASE + REGION - 1);
	table(195, FREE, 1, DOM);
	unmap_ok(200, BASE, REGION, STRICT);
	told_all(211, 212);
	sync_of(210, 220, BASE, REGION);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_PT_FREED_AFTER_FLUSH, OUTCOME_PASS);
	done();
}

/* The whole of it is in another domain, which is told of something else. */
static void another_domains_invalidation_is_none(void **state)
{
	(void)state;
	mapped_table(IOT_TYPE_DMA, 1);
	domain_state(101, 9, IOT_DOMAIN_SEEN, IOT_TYPE_DMA, false, false, 0);
	invalidate(190, 192, TASK, 9, BASE, BASE + REGION - 1);
	table(195, FREE, 1, DOM);
	unmap_ok(200, BASE, REGION, STRICT);
	told_all(211, 212);
	sync_of(210, 220, BASE, REGION);
	finish();
	FAILS(1, INV_PT_FREED_AFTER_FLUSH);
	done();
}

/* Of several drivers that are hooked, the domain's own one counts. */
static void another_drivers_hooks_show_nothing(void **state)
{
	(void)state;
	for (int own = 0; own < 2; own++) {
		start(IOT_TYPE_DMA);
		attr(3, "invalidate.intel_=cache_tag_flush_range");
		attr(3, "tables.=iommu_alloc_pages_node_sz __iommu_free_desc");
		if (own)
			see_invalidations();
		flush_everything(50, 51);
		table(99, ALLOC, 1, 0);
		map_ok(100, BASE, REGION);
		table(195, FREE, 1, 0);
		unmap_ok(200, BASE, REGION, STRICT);
		told_all(211, 212);
		sync_of(210, 220, BASE, REGION);
		finish();
		if (own)
			FAILS(1, INV_PT_FREED_AFTER_FLUSH);
		else
			NOTHING_FAILS();
		expect_outcome(INV_PT_FREED_AFTER_FLUSH, own ? OUTCOME_FAIL : OUTCOME_INCONCLUSIVE);
		if (!own)
			why_text(INV_PT_FREED_AFTER_FLUSH, "what its driver flushes there");
		done();
	}
}

/* The unmap is the first thing that its task does: when it began is known by the map. */
static void freed_by_a_task_that_did_nothing_before(void **state)
{
	(void)state;
	for (int told = 0; told < 2; told++) {
		struct iot_table ev = { .h = head(FREE, sizeof(ev), 195), .page = 1 };

		mapped_table(IOT_TYPE_DMA, 1);
		if (told)
			invalidate(190, 192, WORKER, DOM, BASE, BASE + REGION - 1);
		ev.h.tid = WORKER;
		feed(&ev);
		unmap_full(200, WORKER, BASE, REGION, REGION, STRICT, 77);
		invalidate(211, 212, WORKER, DOM, BASE, BASE + REGION - 1);
		flush_full(210, 220, WORKER, IOT_FLUSH_SYNC, BASE, REGION, 77);
		finish();
		if (told)
			NOTHING_FAILS();
		else
			FAILS(1, INV_PT_FREED_AFTER_FLUSH);
		expect_outcome(INV_PT_FREED_AFTER_FLUSH, told ? OUTCOME_PASS : OUTCOME_FAIL);
		done();
	}
}

/* The map took two tables: the unmap of the second region's address empties one of them. What the
 * hardware is told of the first region says nothing about that. */
static void the_region_that_was_unmapped_counts(void **state)
{
	(void)state;
	for (int second = 0; second < 2; second++) {
		__u64 base = BASE + (second ? REGION : 0);

		begin_tables(IOT_TYPE_UNMANAGED);
		table(98, ALLOC, 1, DOM);
		table(99, ALLOC, 2, DOM);
		map_ok(100, BASE, 2 * REGION);
		invalidate(190, 192, TASK, DOM, base, base + REGION - 1);
		table(195, FREE, 2, DOM);
		unmap_ok(200, BASE + REGION, REGION, STRICT);
		told_all(211, 212);
		sync_of(210, 220, BASE + REGION, REGION);
		finish();
		expect_outcome(INV_PT_FREED_AFTER_FLUSH, second ? OUTCOME_PASS : OUTCOME_FAIL);
		done();
	}
	/* in the flush of the second, while the first one's unmap, which is later, waits */
	begin_tables(IOT_TYPE_UNMANAGED);
	table(98, ALLOC, 1, DOM);
	table(99, ALLOC, 2, DOM);
	map_ok(100, BASE, 2 * REGION);
	unmap_full(200, TASK, BASE + REGION, REGION, REGION, STRICT, 77);
	unmap_full(205, WORKER, BASE, REGION, REGION, STRICT, 78);
	table(215, FREE, 2, DOM);
	invalidate(211, 217, WORKER, 9, 0, ALL_END);
	sync_of(210, 220, BASE + REGION, REGION);
	told_all(231, 232);
	flush_full(230, 240, WORKER, IOT_FLUSH_SYNC, BASE, REGION, 78);
	finish();
	expect_outcome(INV_PT_FREED_AFTER_FLUSH, OUTCOME_PASS);
	done();
}

/* A sync that frees more pages than are remembered, of a driver whose invalidations aren't seen;
 * and one that the capture's end cuts off. */
static void a_flush_whose_end_is_not_seen(void **state)
{
	(void)state;
	for (int cut = 0; cut < 2; cut++) {
		start(IOT_TYPE_DMA);
		see_tables();
		flush_everything(50, 51);
		for (__u64 i = 0; i < 100; i++) {
			table(99 + i, ALLOC, i + 1, DOM);
			map_ok(99 + i, BASE + i * REGION, REGION);
		}
		unmap_ok(300, BASE, 100 * REGION, STRICT);
		for (__u64 i = 0; i < (cut ? 1 : 100); i++)
			table(315, FREE, i + 1, DOM);
		if (!cut)
			sync_of(310, 320, BASE, 100 * REGION);
		finish_at(cut ? 400 : 10000000);
		NOTHING_FAILS();
		expect_outcome(INV_PT_FREED_AFTER_FLUSH, OUTCOME_INCONCLUSIVE);
		why_text(INV_PT_FREED_AFTER_FLUSH, "within that flush isn't known");
		done();
	}
}

static void freed_while_the_unmap_waits(void **state)
{
	(void)state;
	/* by a worker, before the queue's flush */
	mapped_table(IOT_TYPE_DMA_FQ, 1);
	unmap_ok(200, BASE, REGION, LAZY);
	{
		struct iot_table ev = { .h = head(FREE, sizeof(ev), 205), .page = 1 };

		ev.h.tid = WORKER;
		feed(&ev);
	}
	told_all(211, 212);
	flush_everything(210, 220);
	finish();
	FAILS(1, INV_PT_FREED_AFTER_FLUSH);
	found_text(INV_PT_FREED_AFTER_FLUSH, "before a flush covered");
	done();
	/* in the sync, before the invalidation */
	mapped_table(IOT_TYPE_DMA, 1);
	unmap_ok(200, BASE, REGION, STRICT);
	table(211, FREE, 1, DOM);
	told_all(212, 213);
	sync_of(210, 220, BASE, REGION);
	finish();
	FAILS(1, INV_PT_FREED_AFTER_FLUSH);
	found_text(INV_PT_FREED_AFTER_FLUSH, "before that had told");
	done();
}

/* A flush that tells nobody is another invariant's, in whatever it frees. */
static void a_dropped_flush_is_not_told_twice(void **state)
{
	(void)state;
	mapped_table(IOT_TYPE_DMA, 1);
	unmap_ok(200, BASE, REGION, STRICT);
	table(211, FREE, 1, DOM);
	sync_of(210, 220, BASE, REGION);
	finish();
	FAILS(1, INV_FLUSH_COVERS_UNMAP);
	done();
}

static void another_table_begins_a_new_epoch(void **state)
{
	(void)state;
	mapped_table(IOT_TYPE_DMA_FQ, 1);
	unmap_ok(200, BASE, REGION, LAZY);
	told_all(211, 212);
	flush_everything(210, 220);
	/* the first table hasn't gone back yet when the second is in use, and unmapped */
	table(299, ALLOC, 2, DOM);
	map_ok(300, BASE, REGION);
	unmap_ok(310, BASE, REGION, LAZY);
	table(320, FREE, 1, DOM);
	told_all(331, 332);
	flush_everything(330, 340);
	table(350, FREE, 2, DOM);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_PT_FREED_AFTER_FLUSH, OUTCOME_PASS);
	assert_int_equal(result_of(INV_PT_FREED_AFTER_FLUSH)->looked_at, 2);
	done();
}

/* Two tables for one map: which is whose isn't known, so both regions must wait. */
static void a_page_for_one_of_two_regions(void **state)
{
	(void)state;
	for (int both = 0; both < 2; both++) {
		begin_tables(IOT_TYPE_UNMANAGED);
		table(98, ALLOC, 1, DOM);
		table(99, ALLOC, 2, DOM);
		map_ok(100, BASE, 2 * REGION);
		unmap_ok(200, BASE, REGION, LAZY);
		if (both)
			unmap_ok(201, BASE + REGION, REGION, LAZY);
		table(205, FREE, 1, DOM);
		told_all(211, 212);
		flush_everything(210, 220);
		if (!both) {
			unmap_ok(250, BASE + REGION, REGION, LAZY);
			told_all(261, 262);
			flush_everything(260, 270);
		}
		table(280, FREE, 2, DOM);
		finish();
		if (both)
			FAILS(1, INV_PT_FREED_AFTER_FLUSH);
		else
			NOTHING_FAILS();
		done();
	}
}

static void a_page_freed_by_another_while_it_is_fresh(void **state)
{
	struct iot_table ev;

	(void)state;
	begin_tables(IOT_TYPE_DMA);
	table(99, ALLOC, 1, DOM);
	table(99, ALLOC, 2, DOM);
	ev = (struct iot_table){ .h = head(FREE, sizeof(ev), 99), .page = 1 };
	ev.h.tid = WORKER;
	feed(&ev);
	map_ok(100, BASE, PAGE);
	unmap_ok(200, BASE, PAGE, STRICT);
	told_all(211, 212);
	sync_of(210, 220, BASE, PAGE);
	domain_free(300);
	table(305, FREE, 2, DOM);
	teardown(300, 310, 1000);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_PT_BALANCE, OUTCOME_PASS);
	done();
}

static void domain_with_pages(__u32 named, int leaked, __u16 flags)
{
	rules_for(IOT_TYPE_DMA);
	start_with(IOT_TYPE_DMA, false, flags);
	see_invalidations();
	see_tables();
	flush_everything(50, 51);
	for (int i = 0; i < 5; i++) {
		table(99 + i * 10, ALLOC, (__u64)i + 1, named);
		map_ok(100 + i * 10, BASE + (__u64)i * REGION, PAGE);
	}
	for (int i = 0; i < 5; i++) {
		unmap_ok(200 + i * 10, BASE + (__u64)i * REGION, PAGE, STRICT);
		told_all(202 + i * 10, 203 + i * 10);
		sync_of(201 + i * 10, 204 + i * 10, BASE + (__u64)i * REGION, PAGE);
	}
	domain_free(400);
	for (int i = leaked; i < 5; i++)
		table(405, FREE, (__u64)i + 1, named);
	teardown(400, 410, 1000);
	finish();
}

static void pages_that_a_domain_leaves(void **state)
{
	(void)state;
	for (int named = 0; named < 2; named++) {
		domain_with_pages(named ? DOM : 0, 0, 0);
		NOTHING_FAILS();
		expect_outcome(INV_PT_BALANCE, OUTCOME_PASS);
		done();
		domain_with_pages(named ? DOM : 0, 1, 0);
		FAILS(1, INV_PT_BALANCE);
		found_text(INV_PT_BALANCE, "1 page of its page table was not freed");
		done();
	}
	domain_with_pages(DOM, 1, IOT_F_SNAPSHOT);
	expect_outcome(INV_PT_BALANCE, OUTCOME_INCONCLUSIVE);
	done();
}

static void a_domain_counts_for_the_phase_in_which_it_went(void **state)
{
	(void)state;
	for (int phase = 0; phase < 2; phase++) {
		rules_for(IOT_TYPE_DMA);
		rules[INV_PT_BALANCE].phases = phase ? PHASE_SHUTDOWN : PHASE_WORKLOAD;
		start_with(IOT_TYPE_DMA, false, 0);
		see_tables();
		flush_everything(50, 51);
		mark(60, "workload");
		table(99, ALLOC, 1, DOM);
		map_ok(100, BASE, REGION);
		unmap_ok(200, BASE, REGION, STRICT);
		sync_of(201, 204, BASE, REGION);
		table(290, FREE, 1, DOM);
		domain_free(300);
		teardown(300, 310, 1000);
		mark(400, "shutdown");
		finish();
		expect_outcome(INV_PT_BALANCE, phase ? OUTCOME_SKIP : OUTCOME_PASS);
		done();
	}
}

static void pages_that_belong_to_nobody_are_told(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	attr(3, "tables.=iommu_alloc_pages_node_sz __iommu_free_desc");
	table(60, ALLOC, 100, 0);
	iova_event(70, IOT_EV_IOVA_ALLOC, IOVA, PAGE);
	table(99, ALLOC, 1, 0);
	map_ok(100, BASE, PAGE);
	unmap_ok(200, BASE, PAGE, STRICT);
	sync_of(201, 204, BASE, PAGE);
	domain_free(300);
	table(310, FREE, 1, 0);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_PT_BALANCE, OUTCOME_PASS);
	assert_non_null(strstr(result_of(INV_PT_BALANCE)->says, "1 page of no known domain"));
	done();
}

static void a_teardown_that_has_not_ended(void **state)
{
	(void)state;
	begin_tables(IOT_TYPE_DMA);
	table(99, ALLOC, 1, DOM);
	map_ok(100, BASE, PAGE);
	unmap_ok(200, BASE, PAGE, STRICT);
	told_all(202, 203);
	sync_of(201, 204, BASE, PAGE);
	domain_free(300);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_PT_BALANCE, OUTCOME_INCONCLUSIVE);
	done();
}

static void without_hooks_nothing_is_known(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	flush_everything(50, 51);
	map_ok(100, BASE, PAGE);
	unmap_ok(200, BASE, PAGE, STRICT);
	sync_of(201, 204, BASE, PAGE);
	domain_free(300);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_PT_FREED_AFTER_FLUSH, OUTCOME_INCONCLUSIVE);
	expect_outcome(INV_PT_BALANCE, OUTCOME_INCONCLUSIVE);
	expect_outcome(INV_TEARDOWN_STALL, OUTCOME_INCONCLUSIVE);
	why_text(INV_PT_BALANCE, "functions for page tables");
	done();
}

/* Presets say so: what no kernel of the kind can show is no reason to end without a verdict. */
static void what_cannot_be_seen_may_be_skipped(void **state)
{
	static const enum invariant_id ids[] = { INV_PT_FREED_AFTER_FLUSH, INV_PT_BALANCE,
						 INV_TEARDOWN_STALL };

	(void)state;
	for (int lossy = 0; lossy < 2; lossy++) {
		rules_for(IOT_TYPE_DMA);
		for (int i = 0; i < 3; i++)
			rules[ids[i]].skip_unseen = true;
		start_with(IOT_TYPE_DMA, false, 0);
		map_ok(100, BASE, REGION);
		unmap_ok(200, BASE, REGION, STRICT);
		sync_of(201, 204, BASE, REGION);
		domain_free(300);
		/* lost events are another matter */
		if (lossy)
			lose(400, 500, IOT_LOST_RING, "");
		finish();
		expect_outcome(INV_PT_FREED_AFTER_FLUSH,
			       lossy ? OUTCOME_INCONCLUSIVE : OUTCOME_SKIP);
		expect_outcome(INV_PT_BALANCE, lossy ? OUTCOME_INCONCLUSIVE : OUTCOME_SKIP);
		expect_outcome(INV_TEARDOWN_STALL, OUTCOME_SKIP);
		if (!lossy)
			why_text(INV_PT_BALANCE, "functions for page tables of its driver");
		done();
	}
}

/* Pages that nobody saw come or go decide nothing; invalidations nobody saw hide no page. */
static void calls_that_were_not_seen(void **state)
{
	(void)state;
	for (int pages = 0; pages < 2; pages++) {
		enum outcome outcome = pages ? OUTCOME_INCONCLUSIVE : OUTCOME_PASS;

		freed_in_the_sync();
		lose(100, 400, IOT_LOST_CALL, pages ? "page table" : "invalidation");
		finish();
		expect_outcome(INV_PT_FREED_AFTER_FLUSH, outcome);
		expect_outcome(INV_PT_BALANCE, outcome);
		done();
	}
}

#define OTHER 8

static void other_domain(__u64 us, __u32 what)
{
	struct iot_domain ev = { .h = head(IOT_EV_DOMAIN, sizeof(ev), us),
				 .what = what,
				 .type = IOT_TYPE_UNMANAGED,
				 .group = -1,
				 .sync = 0xffffffffc0008000,
				 .owner = 0xffffffffc0009000 };

	ev.h.domain = OTHER;
	ev.h.dev = 0;
	feed(&ev);
}

/* … and what is seen of other drivers' domains still counts. */
static void what_can_be_seen_is_not_skipped(void **state)
{
	(void)state;
	for (int leak = 0; leak < 2; leak++) {
		struct iot_unmap ev;

		rules_for(IOT_TYPE_DMA);
		rules[INV_PT_BALANCE].skip_unseen = true;
		start_with(IOT_TYPE_DMA, false, 0);
		see_tables();
		flush_everything(50, 51);
		other_domain(60, IOT_DOMAIN_SEEN);
		ev = (struct iot_unmap){ .h = head(IOT_EV_UNMAP, sizeof(ev), 70),
					 .iova = BASE,
					 .size = PAGE,
					 .unmapped = PAGE };
		ev.h.domain = OTHER;
		feed(&ev);
		other_domain(80, IOT_DOMAIN_FREE);
		table(99, ALLOC, 1, DOM);
		map_ok(100, BASE, REGION);
		unmap_ok(200, BASE, REGION, STRICT);
		sync_of(201, 204, BASE, REGION);
		if (!leak)
			table(290, FREE, 1, DOM);
		domain_free(300);
		teardown(300, 310, 1000);
		finish();
		expect_outcome(INV_PT_BALANCE, leak ? OUTCOME_FAIL : OUTCOME_PASS);
		assert_non_null(strstr(result_of(INV_PT_BALANCE)->says, "1 domain left out: "));
		done();
	}
}

static void a_long_teardown(void **state)
{
	(void)state;
	for (int chunks = 0; chunks < 2; chunks++) {
		begin_tables(IOT_TYPE_DMA);
		domain_free(100000);
		teardown(100000, 200000, chunks ? 19999999 : 20000000);
		finish();
		if (chunks)
			NOTHING_FAILS();
		else
			FAILS(1, INV_TEARDOWN_STALL);
		expect_outcome(INV_TEARDOWN_STALL, chunks ? OUTCOME_PASS : OUTCOME_FAIL);
		done();
	}
	/* where breaks can't be seen, only a short one is known to be none */
	for (int longer = 0; longer < 2; longer++) {
		begin_tables(IOT_TYPE_DMA);
		domain_free(100000);
		teardown(100000, longer ? 130000 : 110000, 0);
		finish();
		expect_outcome(INV_TEARDOWN_STALL, longer ? OUTCOME_INCONCLUSIVE : OUTCOME_PASS);
		done();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(freed_after_the_flush),
		cmocka_unit_test(freed_within_the_unmap),
		cmocka_unit_test(a_driver_may_flush_within_the_unmap),
		cmocka_unit_test(another_domains_invalidation_is_none),
		cmocka_unit_test(another_drivers_hooks_show_nothing),
		cmocka_unit_test(freed_by_a_task_that_did_nothing_before),
		cmocka_unit_test(the_region_that_was_unmapped_counts),
		cmocka_unit_test(a_flush_whose_end_is_not_seen),
		cmocka_unit_test(freed_while_the_unmap_waits),
		cmocka_unit_test(a_dropped_flush_is_not_told_twice),
		cmocka_unit_test(another_table_begins_a_new_epoch),
		cmocka_unit_test(a_page_for_one_of_two_regions),
		cmocka_unit_test(a_page_freed_by_another_while_it_is_fresh),
		cmocka_unit_test(pages_that_a_domain_leaves),
		cmocka_unit_test(a_domain_counts_for_the_phase_in_which_it_went),
		cmocka_unit_test(pages_that_belong_to_nobody_are_told),
		cmocka_unit_test(a_teardown_that_has_not_ended),
		cmocka_unit_test(without_hooks_nothing_is_known),
		cmocka_unit_test(what_cannot_be_seen_may_be_skipped),
		cmocka_unit_test(calls_that_were_not_seen),
		cmocka_unit_test(what_can_be_seen_is_not_skipped),
		cmocka_unit_test(a_long_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
