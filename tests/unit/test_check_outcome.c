// SPDX-License-Identifier: GPL-2.0-only
/* What missing events, missing hooks, phases, selectors and waivers make of a rule. */
#include <errno.h>

#include "check_scene.h"

/* Which of the invariants about events turn INCONCLUSIVE. */
static void inconclusive(__u32 cause, const char *what, const enum invariant_id *ids)
{
	static const enum invariant_id looked[] = {
		INV_NO_FAULT,
		INV_NO_HANG,
		INV_NO_STALE_ACCESS,
		INV_FLUSH_BEFORE_REUSE,
		INV_STRICT_MEANS_STRICT,
		INV_WINDOW,
		INV_FLUSH_COVERS_UNMAP,
		INV_NO_MAP_OVER_MAP,
		INV_UNMAP_MATCHES_MAP,
		INV_NO_LEAK,
		INV_FLUSH_LATENCY,
		INV_INVALIDATION_TIMEOUT,
		INV_DOMAIN_TYPE,
	};

	start(IOT_TYPE_DMA);
	clean();
	lose(200, 300, cause, what);
	finish();
	NOTHING_FAILS();
	for (size_t i = 0; i < sizeof(looked) / sizeof(looked[0]); i++) {
		bool expected = false;

		for (const enum invariant_id *id = ids; *id != INV_NR; id++)
			expected |= *id == looked[i];
		expect_outcome(looked[i], expected ? OUTCOME_INCONCLUSIVE : OUTCOME_PASS);
	}
	done();
}
#define INCONCLUSIVE(cause, what, ...) \
	inconclusive(cause, what, (const enum invariant_id[]){ __VA_ARGS__, INV_NR })

#define HOT_ONES                                                                                 \
	INV_NO_STALE_ACCESS, INV_FLUSH_BEFORE_REUSE, INV_STRICT_MEANS_STRICT, INV_WINDOW,        \
		INV_FLUSH_COVERS_UNMAP, INV_NO_MAP_OVER_MAP, INV_UNMAP_MATCHES_MAP, INV_NO_LEAK, \
		INV_FLUSH_LATENCY
#define RARE_ONES \
	INV_NO_FAULT, INV_NO_HANG, INV_NO_STALE_ACCESS, INV_INVALIDATION_TIMEOUT, INV_DOMAIN_TYPE

static void each_cause_makes_its_own_unknown(void **state)
{
	(void)state;
	INCONCLUSIVE(IOT_LOST_RING, "", HOT_ONES);
	INCONCLUSIVE(IOT_LOST_OVERWRITTEN, "", HOT_ONES);
	INCONCLUSIVE(IOT_LOST_RARE, "", RARE_ONES);
	INCONCLUSIVE(IOT_LOST_WRITER, "", HOT_ONES, RARE_ONES);
	INCONCLUSIVE(IOT_LOST_DAMAGE, "", HOT_ONES, RARE_ONES);
	INCONCLUSIVE(IOT_LOST_RECURSION, "", HOT_ONES);
	INCONCLUSIVE(IOT_LOST_RECURSION, "unmap", INV_NO_STALE_ACCESS, INV_FLUSH_BEFORE_REUSE,
		     INV_STRICT_MEANS_STRICT, INV_WINDOW, INV_FLUSH_COVERS_UNMAP,
		     INV_NO_MAP_OVER_MAP, INV_UNMAP_MATCHES_MAP, INV_NO_LEAK);
	INCONCLUSIVE(IOT_LOST_RECURSION, "flush", INV_NO_STALE_ACCESS, INV_FLUSH_BEFORE_REUSE,
		     INV_STRICT_MEANS_STRICT, INV_WINDOW, INV_FLUSH_COVERS_UNMAP,
		     INV_FLUSH_LATENCY);
	INCONCLUSIVE(IOT_LOST_RECURSION, "iova-free", INV_FLUSH_BEFORE_REUSE,
		     INV_STRICT_MEANS_STRICT);
	INCONCLUSIVE(IOT_LOST_RECURSION, "iova-begin", INV_NR);
	INCONCLUSIVE(IOT_LOST_CALL, "invalidation", INV_STRICT_MEANS_STRICT);
	INCONCLUSIVE(IOT_LOST_CALL, "submission", INV_NR);
	INCONCLUSIVE(IOT_LOST_RECURSION, "fault", RARE_ONES);
	INCONCLUSIVE(IOT_LOST_RECURSION, "teardown-offer", INV_NR);
	INCONCLUSIVE(IOT_LOST_RATELIMIT, "", INV_NO_FAULT, INV_NO_HANG, INV_NO_STALE_ACCESS,
		     INV_INVALIDATION_TIMEOUT);
	INCONCLUSIVE(IOT_LOST_LATE, "", INV_FLUSH_BEFORE_REUSE, INV_STRICT_MEANS_STRICT, INV_WINDOW,
		     INV_FLUSH_COVERS_UNMAP, INV_NO_MAP_OVER_MAP, INV_UNMAP_MATCHES_MAP);
	INCONCLUSIVE(IOT_LOST_BEGIN, "", INV_NO_STALE_ACCESS, INV_FLUSH_BEFORE_REUSE,
		     INV_STRICT_MEANS_STRICT, INV_WINDOW, INV_FLUSH_COVERS_UNMAP,
		     INV_FLUSH_LATENCY);
	INCONCLUSIVE(IOT_LOST_UNHOOKED, "", INV_NO_STALE_ACCESS, INV_FLUSH_BEFORE_REUSE,
		     INV_STRICT_MEANS_STRICT, INV_WINDOW, INV_FLUSH_COVERS_UNMAP,
		     INV_FLUSH_LATENCY);
	/* no rule here selects by device */
	INCONCLUSIVE(IOT_LOST_DEVICE_TABLE, "", INV_NR);
}

static void late_events_are_moved_not_missing(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	clean();
	lose(200, 300, IOT_LOST_LATE, "order");
	finish();
	assert_int_equal(checks__result(checks, INV_WINDOW)->nr_why, 1);
	assert_string_equal(checks__result(checks, INV_WINDOW)->why[0],
			    "5 events came too late for their order to be known");
	done();
}

static void an_unhooked_flush_matters_only_after_an_unmap(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	lose(20, 90, IOT_LOST_UNHOOKED, "refiommu_iotlb_sync");
	clean();
	finish();
	expect_outcome(INV_FLUSH_COVERS_UNMAP, OUTCOME_PASS);
	done();
}

/* Functions for page tables are hooked late as well: that is nothing to flushes. */
static void what_was_unhooked_is_known_by_name(void **state)
{
	(void)state;
	for (int tables = 0; tables < 2; tables++) {
		start(IOT_TYPE_DMA);
		attr(3, "tables.refiommu_=refiommu_table_alloc refiommu_table_free");
		clean();
		lose(200, 300, IOT_LOST_UNHOOKED,
		     tables ? "refiommu_table_free" : "refiommu_table");
		finish();
		expect_outcome(INV_FLUSH_COVERS_UNMAP,
			       tables ? OUTCOME_PASS : OUTCOME_INCONCLUSIVE);
		expect_outcome(INV_PT_FREED_AFTER_FLUSH, OUTCOME_INCONCLUSIVE);
		done();
	}
}

/* Domains that come and go are told by rare events: a full ring of others hides none. */
static void where_nothing_was_there_nothing_was_missed(void **state)
{
	(void)state;
	for (int rare = 0; rare < 2; rare++) {
		start(IOT_TYPE_DMA);
		clean();
		lose(200, 300, rare ? IOT_LOST_RARE : IOT_LOST_RING, "");
		finish();
		expect_outcome(INV_PT_BALANCE, rare ? OUTCOME_INCONCLUSIVE : OUTCOME_SKIP);
		expect_outcome(INV_DETACH_EMPTY, rare ? OUTCOME_INCONCLUSIVE : OUTCOME_SKIP);
		expect_outcome(INV_SYNC_MAP, rare ? OUTCOME_INCONCLUSIVE : OUTCOME_SKIP);
		done();
	}
}

static void a_loss_in_another_phase_doesnt_matter(void **state)
{
	(void)state;
	for (int phase = 0; phase < 2; phase++) {
		rules_for(IOT_TYPE_DMA);
		for (size_t i = 0; i < set.nr; i++)
			rules[i].phases = phase ? PHASE_WORKLOAD : PHASE_BOOT;
		start_with(IOT_TYPE_DMA, false, 0);
		clean();
		mark(5000, "workload");
		map_ok(6000, IOVA, PAGE);
		unmap_ok(6010, IOVA, PAGE, STRICT);
		sync_of(6011, 6012, IOVA, PAGE);
		lose(6100, 6200, IOT_LOST_RING, "");
		finish();
		expect_outcome(INV_NO_MAP_OVER_MAP, phase ? OUTCOME_INCONCLUSIVE : OUTCOME_PASS);
		assert_int_equal(result_of(INV_NO_MAP_OVER_MAP)->looked_at, phase ? 1 : 20);
		done();
	}
}

static void violations_belong_to_their_phase(void **state)
{
	static const __u32 phases[] = { PHASE_BOOT, PHASE_WORKLOAD, PHASE_SHUTDOWN };

	(void)state;
	/* without a mark, everything is workload */
	for (int marks = 0; marks < 2; marks++)
		for (int i = 0; i < 3; i++) {
			set.nr = 0;
			add_rule(INV_NO_MAP_OVER_MAP)->phases = phases[i];
			start_with(IOT_TYPE_DMA, false, 0);
			if (marks)
				mark(100, "workload");
			map_by(200, TASK, IOVA, PAGE, -EEXIST);
			if (marks)
				mark(300, "shutdown");
			finish();
			expect_outcome(INV_NO_MAP_OVER_MAP, i == 1 ? OUTCOME_FAIL : OUTCOME_SKIP);
			if (!marks && i != 1)
				why_text(INV_NO_MAP_OVER_MAP, "phase was not reached");
			done();
		}
}

static void a_violation_stands_though_events_are_missing(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	clean();
	map_by(1000, TASK, IOVA, PAGE, -EEXIST);
	lose(900, 1100, IOT_LOST_RING, "");
	finish();
	expect_outcome(INV_NO_MAP_OVER_MAP, OUTCOME_FAIL);
	done();
}

static void no_begin_and_no_end_prove_nothing(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	clean();
	assert_int_equal(checks__finish(checks), 0);
	NOTHING_FAILS();
	expect_outcome(INV_NO_MAP_OVER_MAP, OUTCOME_INCONCLUSIVE);
	expect_outcome(INV_NO_FAULT, OUTCOME_INCONCLUSIVE);
	why_text(INV_NO_FAULT, "cut off");
	done();
}

static void what_was_not_recorded_is_said(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	attr(3, "plan.iova-alloc=off");
	attr(3, "plan.fault=missing: no function report_iommu_fault in this kernel");
	clean();
	finish();
	NOTHING_FAILS();
	expect_outcome(INV_FLUSH_BEFORE_REUSE, OUTCOME_INCONCLUSIVE);
	why_text(INV_FLUSH_BEFORE_REUSE, "\"iova-alloc\" was not recorded");
	expect_outcome(INV_NO_FAULT, OUTCOME_INCONCLUSIVE);
	why_text(INV_NO_FAULT, "report_iommu_fault");
	expect_outcome(INV_NO_MAP_OVER_MAP, OUTCOME_PASS);
	done();
	start(IOT_TYPE_DMA);
	attr(3, "flush_fn.2=flush_iotlb_all other_flush other, not attached: no BTF");
	clean();
	finish();
	expect_outcome(INV_FLUSH_COVERS_UNMAP, OUTCOME_INCONCLUSIVE);
	why_text(INV_FLUSH_COVERS_UNMAP, "other_flush");
	done();
}

static void selectors_decide_what_counts(void **state)
{
	(void)state;
	set.nr = 0;
	add_rule(INV_NO_MAP_OVER_MAP)->selector.device = (char *)(uintptr_t) "refdma.1";
	add_rule(INV_NO_MAP_OVER_MAP)->selector.driver = (char *)(uintptr_t) "ref*";
	add_rule(INV_NO_FAULT)->selector.device = (char *)(uintptr_t) "refdma.1";
	start_with(IOT_TYPE_DMA, false, 0);
	clean();
	map_by(1000, TASK, IOVA, PAGE, -EEXIST);
	finish();
	assert_int_equal(checks__result(checks, 0)->outcome, OUTCOME_SKIP);
	assert_non_null(strstr(checks__result(checks, 0)->why[0], "no such device"));
	assert_int_equal(checks__result(checks, 1)->outcome, OUTCOME_FAIL);
	assert_int_equal(checks__result(checks, 1)->looked_at, 21);
	assert_int_equal(checks__result(checks, 2)->outcome, OUTCOME_SKIP);
	done();
}

static void one_of_several_devices_is_enough(void **state)
{
	struct iot_map ev;

	(void)state;
	set.nr = 0;
	add_rule(INV_NO_MAP_OVER_MAP)->selector.device = (char *)(uintptr_t) "refdma.1";
	start_with(IOT_TYPE_UNMANAGED, false, 0);
	device(2, "refdma.1", "refdma", "", 5);
	attach(20, 2, DOM);
	ev = (struct iot_map){
		.h = head(IOT_EV_MAP, sizeof(ev), 100), .iova = IOVA, .size = PAGE, .ret = -EEXIST
	};
	ev.h.dev = 0;
	feed(&ev);
	finish();
	FAILS(1, INV_NO_MAP_OVER_MAP);
	done();
}

static void waived(__s32 expires, const char *device, enum outcome o)
{
	struct waiver w = {
		.selector = { .device = (char *)(uintptr_t)device, .group = -1, .type = -1 },
		.reason = (char *)(uintptr_t) "known",
		.expires = expires
	};

	set.nr = 0;
	add_rule(INV_NO_MAP_OVER_MAP)->waivers = &w;
	rules[0].nr_waivers = 1;
	start_with(IOT_TYPE_DMA, false, 0);
	for (int i = 0; i < 100; i++)
		map_by(1000 + i, TASK, IOVA, PAGE, -EEXIST);
	finish();
	expect_outcome(INV_NO_MAP_OVER_MAP, o);
	if (o == OUTCOME_PASS) {
		assert_int_equal(result_of(INV_NO_MAP_OVER_MAP)->waived, 100);
		assert_int_equal(result_of(INV_NO_MAP_OVER_MAP)->violations, 0);
		assert_ptr_equal(result_of(INV_NO_MAP_OVER_MAP)->findings[0].waiver, &w);
		assert_int_equal(checks__violations(checks), 0);
	} else {
		assert_int_equal(result_of(INV_NO_MAP_OVER_MAP)->violations, 100);
	}
	assert_ptr_equal(result_of(INV_NO_MAP_OVER_MAP)->expired, expires == 19999 ? &w : NULL);
	done();
}

static void waivers_hold_until_they_expire(void **state)
{
	(void)state;
	waived(-1, "refdma.0", OUTCOME_PASS);
	waived(20000, "refdma.0", OUTCOME_PASS);
	waived(19999, "refdma.0", OUTCOME_FAIL);
	waived(-1, "refdma.1", OUTCOME_FAIL);
}

static void more_violations_than_are_kept(void **state)
{
	(void)state;
	for (int lost = 0; lost < 2; lost++) {
		start(IOT_TYPE_UNMANAGED);
		map_ok(100, IOVA, PAGE);
		for (int i = 0; i < 100; i++)
			map_ok(1000 + i, IOVA, PAGE);
		unmap_ok(2000, IOVA, PAGE, STRICT);
		sync_of(2001, 2002, IOVA, PAGE);
		if (lost)
			lose(50, 2000, IOT_LOST_RING, "");
		finish();
		if (lost) {
			expect_outcome(INV_NO_MAP_OVER_MAP, OUTCOME_INCONCLUSIVE);
		} else {
			FAILS(100, INV_NO_MAP_OVER_MAP);
		}
		done();
	}
}

static void verdict_of(enum severity severity, enum outcome o)
{
	set.nr = 0;
	add_rule(INV_NO_MAP_OVER_MAP)->severity = severity;
	add_rule(INV_STRICT_MEANS_STRICT);
	start_with(IOT_TYPE_DMA, false, 0);
	clean();
	map_by(1000, TASK, IOVA, PAGE, -EEXIST);
	finish();
	assert_int_equal(checks__verdict(checks), o);
	assert_int_equal(checks__violations(checks), o == OUTCOME_FAIL);
	done();
}

static void warnings_dont_fail(void **state)
{
	(void)state;
	verdict_of(SEVERITY_ERROR, OUTCOME_FAIL);
	verdict_of(SEVERITY_WARNING, OUTCOME_PASS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cause_makes_its_own_unknown),
		cmocka_unit_test(late_events_are_moved_not_missing),
		cmocka_unit_test(an_unhooked_flush_matters_only_after_an_unmap),
		cmocka_unit_test(what_was_unhooked_is_known_by_name),
		cmocka_unit_test(where_nothing_was_there_nothing_was_missed),
		cmocka_unit_test(a_loss_in_another_phase_doesnt_matter),
		cmocka_unit_test(violations_belong_to_their_phase),
		cmocka_unit_test(a_violation_stands_though_events_are_missing),
		cmocka_unit_test(no_begin_and_no_end_prove_nothing),
		cmocka_unit_test(what_was_not_recorded_is_said),
		cmocka_unit_test(selectors_decide_what_counts),
		cmocka_unit_test(one_of_several_devices_is_enough),
		cmocka_unit_test(waivers_hold_until_they_expire),
		cmocka_unit_test(more_violations_than_are_kept),
		cmocka_unit_test(warnings_dont_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
