// SPDX-License-Identifier: GPL-2.0-only
/* What the hardware was told: flush-covers-unmap, strict-means-strict, sync-map. */
#include "check_scene.h"

#define WORKER 500

/* One unmap of four pages and its flush from 210 to 230, in which nothing was told yet. */
static void unmapped(bool lazy)
{
	start(lazy ? IOT_TYPE_DMA_FQ : IOT_TYPE_DMA);
	see_invalidations();
	/* the driver is known by its flushes: the first one teaches it */
	flush_everything(50, 51);
	map_ok(100, IOVA, 4 * PAGE);
	unmap_ok(200, IOVA, 4 * PAGE, lazy ? LAZY : STRICT);
}

static void flushed(bool lazy)
{
	if (lazy)
		flush_everything(210, 230);
	else
		sync_of(210, 230, IOVA, 4 * PAGE);
}

static void told_everything(bool lazy)
{
	unmapped(lazy);
	if (lazy)
		invalidate(215, 220, TASK, DOM, 0, ALL_END);
	else
		invalidate(215, 220, TASK, DOM, IOVA, IOVA + 4 * PAGE - 1);
	flushed(lazy);
	finish();
}

static void what_is_told_in_time_passes(void **state)
{
	(void)state;
	for (int lazy = 0; lazy < 2; lazy++) {
		told_everything(lazy);
		NOTHING_FAILS();
		expect_outcome(INV_FLUSH_COVERS_UNMAP, OUTCOME_PASS);
		done();
	}
	/* in pieces, and by whoever: by its end it was told */
	unmapped(false);
	invalidate(211, 212, TASK, DOM, IOVA, IOVA + PAGE - 1);
	invalidate(213, 214, WORKER, DOM, IOVA + 3 * PAGE, IOVA + 4 * PAGE - 1);
	invalidate(215, 216, TASK, DOM, IOVA + PAGE, IOVA + 3 * PAGE - 1);
	flushed(false);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_FLUSH_COVERS_UNMAP, OUTCOME_PASS);
	done();
}

static void a_dropped_flush_covers_nothing(void **state)
{
	(void)state;
	for (int lazy = 0; lazy < 2; lazy++) {
		unmapped(lazy);
		flushed(lazy);
		finish();
		FAILS(1, INV_FLUSH_COVERS_UNMAP);
		found_text(INV_FLUSH_COVERS_UNMAP, "didn't tell the hardware to forget");
		done();
	}
}

/* … unless it may have told the hardware, and nobody saw it; or nobody sees flushes at all. */
static void what_may_have_been_told_is_no_violation(void **state)
{
	static const struct {
		const char *skipped; /* NULL: none */
		const char *attr;
		enum outcome outcome;
	} cases[] = {
		{ "invalidation", NULL, OUTCOME_INCONCLUSIVE },
		{ "submission", NULL, OUTCOME_FAIL },
		{ NULL, "flush_fn.9=iotlb_sync other_sync other, not attached: refused",
		  OUTCOME_INCONCLUSIVE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unmapped(false);
		flushed(false);
		if (cases[i].skipped)
			lose(200, 240, IOT_LOST_CALL, cases[i].skipped);
		if (cases[i].attr)
			attr(300, cases[i].attr);
		finish();
		expect_outcome(INV_FLUSH_COVERS_UNMAP, cases[i].outcome);
		done();
	}
}

static void one_page_short(void **state)
{
	(void)state;
	unmapped(false);
	invalidate(215, 220, TASK, DOM, IOVA, IOVA + 3 * PAGE - 1);
	flushed(false);
	finish();
	FAILS(1, INV_FLUSH_COVERS_UNMAP);
	done();
	unmapped(true);
	invalidate(215, 220, TASK, DOM, 0, IOVA + 3 * PAGE - 1);
	flushed(true);
	finish();
	FAILS(1, INV_FLUSH_COVERS_UNMAP);
	done();
}

static void the_wrong_domain_is_named(void **state)
{
	(void)state;
	for (int lazy = 0; lazy < 2; lazy++) {
		unmapped(lazy);
		domain_state(201, 9, IOT_DOMAIN_SEEN, IOT_TYPE_DMA_FQ, true, false, 0);
		invalidate(215, 220, TASK, 9, 0, ALL_END);
		flushed(lazy);
		finish();
		FAILS(1, INV_FLUSH_COVERS_UNMAP);
		found_text(INV_FLUSH_COVERS_UNMAP, "about domain 9");
		done();
	}
}

static void what_was_told_before_the_unmap_is_too_old(void **state)
{
	(void)state;
	unmapped(true);
	done();
	start(IOT_TYPE_DMA_FQ);
	see_invalidations();
	flush_everything(50, 51);
	map_ok(100, IOVA, PAGE);
	invalidate(150, 160, TASK, DOM, 0, ALL_END);
	flush_everything(149, 161);
	unmap_ok(200, IOVA, PAGE, LAZY);
	flush_everything(210, 230);
	finish();
	FAILS(1, INV_FLUSH_COVERS_UNMAP);
	done();
}

static void early(bool lazy)
{
	unmapped(lazy);
	flushed(lazy);
	invalidate(225, 400, WORKER, DOM, lazy ? 0 : IOVA, lazy ? ALL_END : IOVA + 4 * PAGE - 1);
	finish();
}

static void an_early_return_is_told_by_what_comes_later(void **state)
{
	(void)state;
	early(false);
	FAILS(1, INV_STRICT_MEANS_STRICT);
	found_text(INV_STRICT_MEANS_STRICT, "that took 0.170 ms more");
	done();
	early(true);
	FAILS(1, INV_FLUSH_COVERS_UNMAP);
	found_text(INV_FLUSH_COVERS_UNMAP, "returned before");
	done();
}

/* The address is in use again, and flushed, before the first flush's late end. */
static void an_early_return_is_told_though_the_address_is_used_again(void **state)
{
	(void)state;
	unmapped(false);
	flushed(false);
	map_ok(300, IOVA, 4 * PAGE);
	unmap_ok(310, IOVA, 4 * PAGE, STRICT);
	invalidate(321, 322, TASK, DOM, IOVA, IOVA + 4 * PAGE - 1);
	sync_of(320, 330, IOVA, 4 * PAGE);
	invalidate(390, 400, WORKER, DOM, IOVA, IOVA + 4 * PAGE - 1);
	finish();
	FAILS(1, INV_STRICT_MEANS_STRICT);
	done();
}

static void detached_by(__u64 us, __u32 tid)
{
	struct iot_attach ev = { .h = head(IOT_EV_DETACH, sizeof(ev), us), .group = -1 };

	ev.h.tid = tid;
	feed(&ev);
}

/* The last device is being detached, which takes the hardware long; a timer's flush finds nothing
 * to tell. */
static void a_flush_while_the_last_device_leaves(void **state)
{
	(void)state;
	unmapped(true);
	flushed(true);
	invalidate(150, 400, WORKER, DOM, 0, ALL_END);
	detached_by(499, WORKER);
	domain_state(500, DOM, IOT_DOMAIN_FREE, IOT_TYPE_DMA_FQ, false, false, 0);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_FLUSH_COVERS_UNMAP, OUTCOME_PASS);
	done();
}

/* The same, but it is not that device's end which told the hardware meanwhile. */
static void a_dropped_flush_near_a_devices_end(void **state)
{
	enum { NOBODY, ANOTHER_TASK, ONE_OF_TWO, OTHER_FLUSH, SHORTER, NR };

	(void)state;
	for (int what = 0; what < NR; what++) {
		unmapped(true);
		if (what == ONE_OF_TWO) {
			device(2, "refdma.1", "refdma", "", 5);
			attach(201, 2, DOM);
		}
		if (what == SHORTER)
			invalidate(150, 225, WORKER, DOM, 0, ALL_END);
		flushed(true);
		if (what != SHORTER)
			invalidate(150, 400, WORKER, DOM, 0, ALL_END);
		if (what == OTHER_FLUSH)
			flush_full(149, 401, WORKER, IOT_FLUSH_ALL, 0, 0, 0);
		if (what != NOBODY)
			detached_by(499, what == ANOTHER_TASK ? TASK : WORKER);
		finish();
		FAILS(1, INV_FLUSH_COVERS_UNMAP);
		done();
	}
}

static void whether_a_device_was_leaving_is_cut_off(void **state)
{
	(void)state;
	unmapped(true);
	flushed(true);
	invalidate(150, 400, WORKER, DOM, 0, ALL_END);
	finish_at(450);
	NOTHING_FAILS();
	expect_outcome(INV_FLUSH_COVERS_UNMAP, OUTCOME_INCONCLUSIVE);
	why_text(INV_FLUSH_COVERS_UNMAP, "whether the last device was leaving");
	done();
	/* the event that would say so is lost */
	unmapped(true);
	flushed(true);
	invalidate(150, 400, WORKER, DOM, 0, ALL_END);
	lose(450, 500, IOT_LOST_RARE, "rare ring");
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_FLUSH_COVERS_UNMAP, OUTCOME_INCONCLUSIVE);
	done();
}

/* What tells the hardware to forget everything when a device leaves is no flush's late end. */
static void a_dropped_flush_is_not_early_when_the_device_leaves(void **state)
{
	(void)state;
	unmapped(false);
	flushed(false);
	invalidate(390, 400, WORKER, DOM, 0, ALL_END);
	domain_free(500);
	finish();
	FAILS(1, INV_FLUSH_COVERS_UNMAP);
	done();
}

/* The next flush does what the dropped one didn't: that doesn't make the first one early. */
static void a_later_flush_is_no_late_end(void **state)
{
	(void)state;
	unmapped(false);
	flushed(false);
	map_ok(300, IOVA + 0x10000, PAGE);
	unmap_ok(310, IOVA + 0x10000, PAGE, STRICT);
	invalidate(321, 322, TASK, DOM, 0, ALL_END);
	sync_of(320, 330, IOVA + 0x10000, PAGE);
	finish();
	FAILS(1, INV_FLUSH_COVERS_UNMAP);
	found_text(INV_FLUSH_COVERS_UNMAP, "didn't tell");
	done();
}

static void a_domain_without_devices_tells_nobody(void **state)
{
	(void)state;
	unmapped(true);
	detach(205, DEV, DOM);
	flushed(true);
	finish();
	NOTHING_FAILS();
	done();
}

static void a_driver_that_isnt_hooked_is_believed(void **state)
{
	(void)state;
	/* another driver's invalidations are seen */
	start(IOT_TYPE_DMA_FQ);
	attr(3, "invalidate.intel_=cache_tag_flush_range");
	flush_everything(50, 51);
	map_ok(100, IOVA, PAGE);
	unmap_ok(200, IOVA, PAGE, LAZY);
	flush_everything(210, 230);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_FLUSH_COVERS_UNMAP, OUTCOME_PASS);
	done();
	/* it was hooked while the flush was under way */
	start(IOT_TYPE_DMA_FQ);
	flush_everything(50, 51);
	map_ok(100, IOVA, PAGE);
	unmap_ok(200, IOVA, PAGE, LAZY);
	attr(220, "invalidate.refiommu_=refiommu_inval_range");
	flush_everything(210, 230);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_FLUSH_COVERS_UNMAP, OUTCOME_PASS);
	done();
}

static void too_many_to_remember_is_said(void **state)
{
	(void)state;
	unmapped(true);
	invalidate(201, 202, TASK, DOM, IOVA, IOVA + 4 * PAGE - 1);
	for (int i = 0; i < 300; i++)
		invalidate(203, 204, WORKER, DOM, 0x1000, 0x1fff);
	flushed(true);
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_FLUSH_COVERS_UNMAP, OUTCOME_INCONCLUSIVE);
	done();
}

static void many_dropped_flushes_are_all_counted(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	see_invalidations();
	flush_everything(50, 51);
	for (int i = 0; i < 3000; i++) {
		map_ok(100 + i * 10, IOVA, PAGE);
		unmap_ok(103 + i * 10, IOVA, PAGE, STRICT);
		sync_of(104 + i * 10, 105 + i * 10, IOVA, PAGE);
	}
	finish();
	FAILS(3000, INV_FLUSH_COVERS_UNMAP);
	assert_int_equal(result_of(INV_FLUSH_COVERS_UNMAP)->nr_findings, CHECK_FINDINGS);
	done();
}

static void synced_map(bool invalidates, bool hooked, bool told)
{
	rules_for(IOT_TYPE_DMA);
	rules[INV_SYNC_MAP].params[0] = invalidates;
	start_with(IOT_TYPE_DMA, true, 0);
	if (hooked)
		see_invalidations();
	flush_everything(50, 51);
	map_ok(100, IOVA, 2 * PAGE);
	invalidate(102, 103, TASK, DOM, IOVA, IOVA + (told ? 2 : 1) * PAGE - 1);
	flush_full(101, 104, TASK, IOT_FLUSH_SYNC_MAP, IOVA, 2 * PAGE, 0);
	unmap_ok(200, IOVA, 2 * PAGE, STRICT);
	invalidate(202, 203, TASK, DOM, IOVA, IOVA + 2 * PAGE - 1);
	sync_of(201, 204, IOVA, 2 * PAGE);
	finish();
}

static void a_sync_after_map_must_tell_if_the_user_says_so(void **state)
{
	(void)state;
	synced_map(true, true, true);
	NOTHING_FAILS();
	expect_outcome(INV_SYNC_MAP, OUTCOME_PASS);
	done();
	synced_map(true, true, false);
	FAILS(1, INV_SYNC_MAP);
	done();
	synced_map(false, true, false);
	NOTHING_FAILS();
	expect_outcome(INV_SYNC_MAP, OUTCOME_PASS);
	done();
	synced_map(true, false, true);
	NOTHING_FAILS();
	expect_outcome(INV_SYNC_MAP, OUTCOME_INCONCLUSIVE);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_in_time_passes),
		cmocka_unit_test(a_dropped_flush_covers_nothing),
		cmocka_unit_test(what_may_have_been_told_is_no_violation),
		cmocka_unit_test(one_page_short),
		cmocka_unit_test(the_wrong_domain_is_named),
		cmocka_unit_test(what_was_told_before_the_unmap_is_too_old),
		cmocka_unit_test(an_early_return_is_told_by_what_comes_later),
		cmocka_unit_test(an_early_return_is_told_though_the_address_is_used_again),
		cmocka_unit_test(a_flush_while_the_last_device_leaves),
		cmocka_unit_test(a_dropped_flush_near_a_devices_end),
		cmocka_unit_test(whether_a_device_was_leaving_is_cut_off),
		cmocka_unit_test(a_dropped_flush_is_not_early_when_the_device_leaves),
		cmocka_unit_test(a_later_flush_is_no_late_end),
		cmocka_unit_test(a_domain_without_devices_tells_nobody),
		cmocka_unit_test(a_driver_that_isnt_hooked_is_believed),
		cmocka_unit_test(too_many_to_remember_is_said),
		cmocka_unit_test(many_dropped_flushes_are_all_counted),
		cmocka_unit_test(a_sync_after_map_must_tell_if_the_user_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
