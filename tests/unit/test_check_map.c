// SPDX-License-Identifier: GPL-2.0-only
/* no-map-over-map, unmap-matches-map, no-leak, detach-empty. */
#include <errno.h>

#include "check_scene.h"

static void unmap_flushed(__u64 us, __u64 iova, __u64 size)
{
	unmap_ok(us, iova, size, STRICT);
	sync_of(us + 1, us + 2, iova, size);
}

static void a_map_onto_a_live_one(void **state)
{
	(void)state;
	start(IOT_TYPE_UNMANAGED);
	map_ok(100, IOVA, 2 * PAGE);
	map_by(200, 62, IOVA + PAGE, PAGE, 0);
	unmap_flushed(300, IOVA, 2 * PAGE);
	finish();
	FAILS(1, INV_NO_MAP_OVER_MAP);
	found_text(INV_NO_MAP_OVER_MAP, "by task 61");
	done();
	/* right beside it */
	start(IOT_TYPE_UNMANAGED);
	map_ok(100, IOVA, PAGE);
	map_ok(200, IOVA + PAGE, PAGE);
	map_ok(201, IOVA - PAGE, PAGE);
	unmap_flushed(300, IOVA - PAGE, 3 * PAGE);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_NO_MAP_OVER_MAP, OUTCOME_PASS);
	assert_int_equal(result_of(INV_NO_MAP_OVER_MAP)->looked_at, 3);
	done();
}

static void a_refused_map_says_what_was_there(void **state)
{
	(void)state;
	start(IOT_TYPE_UNMANAGED);
	map_ok(100, IOVA, PAGE);
	map_by(200, 62, IOVA, PAGE, -EEXIST);
	unmap_flushed(300, IOVA, PAGE);
	finish();
	FAILS(1, INV_NO_MAP_OVER_MAP);
	found_text(INV_NO_MAP_OVER_MAP, "has been mapped for 0.100 ms, by task 61");
	done();
	start(IOT_TYPE_DMA);
	map_ok(100, IOVA, PAGE);
	unmap_flushed(200, IOVA, PAGE);
	map_by(300, TASK, IOVA, PAGE, -EADDRINUSE);
	finish();
	FAILS(1, INV_NO_MAP_OVER_MAP);
	found_text(INV_NO_MAP_OVER_MAP, "an unmap left an entry");
	done();
	/* another failure is none of this */
	start(IOT_TYPE_DMA);
	map_by(100, TASK, IOVA, PAGE, -ENOMEM);
	map_ok(150, IOVA, PAGE);
	unmap_flushed(200, IOVA, PAGE);
	finish();
	NOTHING_FAILS();
	assert_int_equal(result_of(INV_NO_MAP_OVER_MAP)->looked_at, 1);
	done();
}

static void an_older_domain_is_judged_where_the_allocator_rules(void **state)
{
	(void)state;
	for (int dma = 0; dma < 2; dma++) {
		rules_for(dma ? IOT_TYPE_DMA : IOT_TYPE_UNMANAGED);
		start_with(dma ? IOT_TYPE_DMA : IOT_TYPE_UNMANAGED, false, IOT_F_SNAPSHOT);
		map_ok(100, IOVA, PAGE);
		unmap_flushed(200, IOVA, PAGE);
		finish();
		NOTHING_FAILS();
		expect_outcome(INV_NO_MAP_OVER_MAP, dma ? OUTCOME_PASS : OUTCOME_INCONCLUSIVE);
		done();
	}
}

static void a_missing_unmap_could_fake_it(void **state)
{
	(void)state;
	start(IOT_TYPE_UNMANAGED);
	map_ok(100, IOVA, PAGE);
	map_ok(200, IOVA, PAGE);
	unmap_flushed(300, IOVA, PAGE);
	loss(150, 160, IOT_LOST_RING);
	finish();
	expect_outcome(INV_NO_MAP_OVER_MAP, OUTCOME_INCONCLUSIVE);
	why_text(INV_NO_MAP_OVER_MAP, "may be none");
	done();
	/* missing before it was mapped: certain all the same */
	start(IOT_TYPE_UNMANAGED);
	map_ok(100, IOVA, PAGE);
	map_ok(200, IOVA, PAGE);
	unmap_flushed(300, IOVA, PAGE);
	loss(50, 60, IOT_LOST_RING);
	finish();
	FAILS(1, INV_NO_MAP_OVER_MAP);
	done();
	/* the kernel said so */
	start(IOT_TYPE_UNMANAGED);
	map_ok(100, IOVA, PAGE);
	map_by(200, TASK, IOVA, PAGE, -EEXIST);
	unmap_flushed(300, IOVA, PAGE);
	loss(150, 160, IOT_LOST_RING);
	finish();
	FAILS(1, INV_NO_MAP_OVER_MAP);
	done();
}

/* --- unmap-matches-map */

static void an_unmap_twice_is_told_with_the_first(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	map_ok(100, IOVA, 2 * PAGE);
	unmap_flushed(200, IOVA, 2 * PAGE);
	unmap_full(300, TASK, IOVA, 2 * PAGE, 0, STRICT, 77);
	finish();
	FAILS(1, INV_UNMAP_MATCHES_MAP);
	found_text(INV_UNMAP_MATCHES_MAP, "had been unmapped 0.100 ms before, by task 61");
	done();
}

static void a_hole_is_told(void **state)
{
	(void)state;
	start(IOT_TYPE_UNMANAGED);
	map_ok(100, IOVA, PAGE);
	unmap_full(300, TASK, IOVA, 2 * PAGE, PAGE, STRICT, 77);
	sync_of(301, 302, IOVA, PAGE);
	finish();
	FAILS(1, INV_UNMAP_MATCHES_MAP);
	found_text(INV_UNMAP_MATCHES_MAP, "removed 4096");
	done();
	/* what a failed map undoes has size 0 if it failed at once */
	start(IOT_TYPE_UNMANAGED);
	unmap_full(300, TASK, IOVA, 0, 0, STRICT, 77);
	map_by(301, TASK, IOVA, PAGE, -ENOMEM);
	finish();
	NOTHING_FAILS();
	done();
}

static void borders(__u32 type, __u64 from, __u64 pages)
{
	start(type);
	map_ok(100, IOVA, 4 * PAGE);
	map_ok(101, IOVA + 4 * PAGE, 4 * PAGE);
	unmap_flushed(200, IOVA + from * PAGE, pages * PAGE);
	if (from)
		unmap_flushed(300, IOVA, from * PAGE);
	if (from + pages < 8)
		unmap_flushed(400, IOVA + (from + pages) * PAGE, (8 - from - pages) * PAGE);
	finish();
}

static void the_dma_api_unmaps_what_was_mapped(void **state)
{
	(void)state;
	borders(IOT_TYPE_DMA, 0, 8);
	NOTHING_FAILS();
	done();
	borders(IOT_TYPE_DMA, 0, 4);
	NOTHING_FAILS();
	done();
	borders(IOT_TYPE_DMA, 4, 4);
	NOTHING_FAILS();
	done();
	/* ends within, and so the rest begins within; the book then knows the rest as a piece */
	borders(IOT_TYPE_DMA, 0, 3);
	FAILS(1, INV_UNMAP_MATCHES_MAP);
	found_text(INV_UNMAP_MATCHES_MAP, "ends within");
	done();
	borders(IOT_TYPE_DMA, 5, 3);
	FAILS(1, INV_UNMAP_MATCHES_MAP);
	found_text(INV_UNMAP_MATCHES_MAP, "begins within");
	done();
	/* whoever calls iommu_unmap() may do so in parts */
	borders(IOT_TYPE_UNMANAGED, 5, 2);
	NOTHING_FAILS();
	expect_outcome(INV_UNMAP_MATCHES_MAP, OUTCOME_PASS);
	done();
}

static void a_torn_large_page(void **state)
{
	(void)state;
	for (int dma = 0; dma < 2; dma++) {
		start(dma ? IOT_TYPE_DMA : IOT_TYPE_UNMANAGED);
		map_ok(100, 0x40000000, 0x200000);
		unmap_full(200, TASK, 0x40000000, PAGE, 0x200000, STRICT, 77);
		sync_of(201, 202, 0x40000000, 0x200000);
		finish();
		if (dma)
			FAILS(1, INV_UNMAP_MATCHES_MAP);
		else
			NOTHING_FAILS();
		done();
	}
}

static void what_is_older_is_not_judged_by_our_book(void **state)
{
	(void)state;
	rules_for(IOT_TYPE_DMA);
	start_with(IOT_TYPE_DMA, false, IOT_F_SNAPSHOT);
	unmap_flushed(200, IOVA, 4 * PAGE);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_UNMAP_MATCHES_MAP, OUTCOME_PASS);
	done();
}

/* --- no-leak, detach-empty */

static void what_is_left_is_told_by_who(void **state)
{
	struct iot_map ev;

	(void)state;
	start(IOT_TYPE_DMA);
	map_ok(100, IOVA, PAGE);
	map_ok(101, IOVA + 2 * PAGE, 2 * PAGE);
	ev = (struct iot_map){ .h = head(IOT_EV_MAP, sizeof(ev), 102),
			       .iova = IOVA + 8 * PAGE,
			       .size = PAGE };
	ev.h.stack = 7;
	feed(&ev);
	map_ok(103, IOVA + 16 * PAGE, PAGE);
	unmap_flushed(200, IOVA + 16 * PAGE, PAGE);
	finish();
	FAILS(2, INV_NO_LEAK);
	found_text(INV_NO_LEAK, "task 61 left 2 mappings (12288 bytes)");
	assert_true(result_of(INV_NO_LEAK)->findings[0].stack == 7 ||
		    result_of(INV_NO_LEAK)->findings[1].stack == 7);
	done();
}

static void growth_of(__u64 limit, int pages)
{
	rules_for(IOT_TYPE_DMA);
	rules[INV_NO_LEAK].params[0] = limit;
	start_with(IOT_TYPE_DMA, false, 0);
	for (int i = 0; i < pages; i++)
		map_ok(100 + i, IOVA + (__u64)i * PAGE, PAGE);
	finish();
}

static void growth_is_held_against_its_limit(void **state)
{
	(void)state;
	growth_of(4 * PAGE, 3);
	NOTHING_FAILS();
	expect_outcome(INV_NO_LEAK, OUTCOME_PASS);
	done();
	growth_of(4 * PAGE, 4);
	FAILS(1, INV_NO_LEAK);
	found_text(INV_NO_LEAK, "16384 bytes more");
	done();
}

static void leaks_are_a_matter_of_the_phase(void **state)
{
	(void)state;
	/* mapped at boot, and left; mapped in the workload, and unmapped at shutdown */
	for (int phase = 0; phase < 4; phase++) {
		static const __u32 phases[] = { PHASE_BOOT, PHASE_WORKLOAD, PHASE_SHUTDOWN,
						PHASE_WORKLOAD | PHASE_SHUTDOWN };

		rules_for(IOT_TYPE_DMA);
		rules[INV_NO_LEAK].phases = phases[phase];
		start_with(IOT_TYPE_DMA, false, 0);
		map_ok(100, IOVA, PAGE);
		mark(200, "workload");
		map_ok(300, IOVA + 2 * PAGE, PAGE);
		mark(400, "shutdown");
		map_ok(500, IOVA + 4 * PAGE, PAGE);
		unmap_flushed(510, IOVA + 2 * PAGE, PAGE);
		unmap_flushed(520, IOVA + 4 * PAGE, PAGE);
		finish();
		if (phase < 2) {
			FAILS(1, INV_NO_LEAK);
			found_text(INV_NO_LEAK, phase ? "0xfff2000" : "0xfff0000");
		} else {
			NOTHING_FAILS();
			expect_outcome(INV_NO_LEAK, OUTCOME_PASS);
		}
		done();
	}
}

static void a_domain_freed_with_mappings(void **state)
{
	(void)state;
	start(IOT_TYPE_UNMANAGED);
	map_ok(100, IOVA, 3 * PAGE);
	domain_free(200);
	finish();
	FAILS(1, INV_DETACH_EMPTY, INV_NO_LEAK);
	found_text(INV_DETACH_EMPTY, "with 1 mapping in it (12288 bytes)");
	done();
	start(IOT_TYPE_UNMANAGED);
	map_ok(100, IOVA, 3 * PAGE);
	unmap_flushed(150, IOVA, 3 * PAGE);
	domain_free(200);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_DETACH_EMPTY, OUTCOME_PASS);
	done();
}

static void what_the_kernel_maps_for_good_is_no_leak(void **state)
{
	(void)state;
	for (int direct = 0; direct < 2; direct++) {
		start(IOT_TYPE_DMA);
		domain_of_type(10, DOM, IOT_TYPE_DMA, 0);
		{
			struct iot_attach ev = { .h = head(IOT_EV_ATTACH, sizeof(ev), 20),
						 .group = 5 };

			feed(&ev);
		}
		region(5, IOVA, IOVA + PAGE - 1, direct ? IOT_REGION_DIRECT : IOT_REGION_RESERVED);
		map_ok(100, IOVA, PAGE);
		domain_free(200);
		finish();
		if (direct)
			NOTHING_FAILS();
		else
			FAILS(1, INV_DETACH_EMPTY, INV_NO_LEAK);
		done();
	}
}

static void an_older_domain_may_have_had_more(void **state)
{
	(void)state;
	rules_for(IOT_TYPE_UNMANAGED);
	start_with(IOT_TYPE_UNMANAGED, false, IOT_F_SNAPSHOT);
	map_ok(100, IOVA, PAGE);
	unmap_flushed(150, IOVA, PAGE);
	domain_free(200);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_DETACH_EMPTY, OUTCOME_INCONCLUSIVE);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_map_onto_a_live_one),
		cmocka_unit_test(a_refused_map_says_what_was_there),
		cmocka_unit_test(an_older_domain_is_judged_where_the_allocator_rules),
		cmocka_unit_test(a_missing_unmap_could_fake_it),
		cmocka_unit_test(an_unmap_twice_is_told_with_the_first),
		cmocka_unit_test(a_hole_is_told),
		cmocka_unit_test(the_dma_api_unmaps_what_was_mapped),
		cmocka_unit_test(a_torn_large_page),
		cmocka_unit_test(what_is_older_is_not_judged_by_our_book),
		cmocka_unit_test(what_is_left_is_told_by_who),
		cmocka_unit_test(growth_is_held_against_its_limit),
		cmocka_unit_test(leaks_are_a_matter_of_the_phase),
		cmocka_unit_test(a_domain_freed_with_mappings),
		cmocka_unit_test(what_the_kernel_maps_for_good_is_no_leak),
		cmocka_unit_test(an_older_domain_may_have_had_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
