// SPDX-License-Identifier: GPL-2.0-only
/* Rules that the kernel side's own counts decide where events are missing. */
#include "check_scene.h"

static struct iot_tally tally;
static bool forgotten; /* the begin of a flush */

static void counted_scene(enum invariant_id id, bool freed)
{
	set.nr = 0;
	add_rule(id);
	start_with(IOT_TYPE_DMA, false, 0);
	attr(3, "tables.refiommu_=refiommu_table_alloc refiommu_table_free");
	attr(3, "teardown.refiommu_=refiommu_domain_free");
	clean();
	lose(200, 300, IOT_LOST_RING, "");
	if (forgotten)
		lose(200, 300, IOT_LOST_BEGIN, "");
	if (freed) {
		domain_free(5000);
		teardown(5000, 5010, 1000);
	}
	tally.h = head(IOT_EV_TALLY, sizeof(tally), 6000);
	tally.last = 1;
	feed(&tally);
	finish();
}

static void counted(enum invariant_id id, bool freed, enum outcome o)
{
	counted_scene(id, freed);
	expect_outcome(id, o);
	assert_int_equal(result_of(id)->counted, o != OUTCOME_INCONCLUSIVE);
	if (o != OUTCOME_INCONCLUSIVE)
		assert_true(result_of(id)->looked_at > 0);
	done();
}

static void balances_are_decided_by_counts(void **state)
{
	(void)state;
	tally = (struct iot_tally){ .maps = 20,
				    .map_bytes = 20 * PAGE,
				    .unmaps = 20,
				    .unmap_bytes = 20 * PAGE,
				    .tables_allocated = 4,
				    .tables_freed = 4,
				    .teardown_longest = 1000 };
	counted(INV_NO_LEAK, false, OUTCOME_PASS);
	counted(INV_DETACH_EMPTY, true, OUTCOME_PASS);
	counted(INV_PT_BALANCE, true, OUTCOME_PASS);
	tally.unmap_bytes -= PAGE;
	tally.tables_freed--;
	counted(INV_NO_LEAK, false, OUTCOME_FAIL);
	counted(INV_DETACH_EMPTY, true, OUTCOME_FAIL);
	counted(INV_PT_BALANCE, true, OUTCOME_FAIL);
	/* what a failed map undid was never counted as mapped */
	tally.unmap_bytes += PAGE;
	tally.map_errors = 1;
	counted(INV_NO_LEAK, false, OUTCOME_INCONCLUSIVE);
	tally.map_errors = 0;
	/* what was freed with the domain wasn't counted: that says nothing of what is mapped */
	tally.snapshot = IOT_TALLY_FREE_UNSEEN;
	counted(INV_PT_BALANCE, true, OUTCOME_INCONCLUSIVE);
	tally.unmap_bytes -= PAGE;
	counted(INV_DETACH_EMPTY, true, OUTCOME_FAIL);
	tally.unmap_bytes += PAGE;
	/* older than the capture */
	tally.snapshot = 1;
	counted(INV_NO_LEAK, false, OUTCOME_INCONCLUSIVE);
	counted(INV_PT_BALANCE, true, OUTCOME_INCONCLUSIVE);
}

static void some_are_decided_to_fail_only(void **state)
{
	(void)state;
	tally = (struct iot_tally){ .maps = 20, .unmaps = 20 };
	counted(INV_UNMAP_MATCHES_MAP, false, OUTCOME_INCONCLUSIVE);
	tally.short_unmaps = 1;
	counted(INV_UNMAP_MATCHES_MAP, false, OUTCOME_FAIL);
}

static void faults_that_the_full_ring_lost(void **state)
{
	(void)state;
	for (__u64 faults = 0; faults < 2; faults++) {
		set.nr = 0;
		add_rule(INV_NO_FAULT);
		start_with(IOT_TYPE_DMA, false, 0);
		lose(200, 300, IOT_LOST_RARE, "");
		tally = (struct iot_tally){ .h = head(IOT_EV_TALLY, sizeof(tally), 6000),
					    .faults = faults };
		feed(&tally);
		finish();
		expect_outcome(INV_NO_FAULT, faults ? OUTCOME_FAIL : OUTCOME_INCONCLUSIVE);
		done();
	}
}

static void a_bucket_that_straddles_the_limit_decides_nothing(void **state)
{
	(void)state;
	/* the limit is 1 ms: bucket 10 is from 262 to 524 us, 11 from 524 to 1049 us */
	tally = (struct iot_tally){ .flushes = 100, .flush_longest = 500000 };
	tally.flush[10] = 100;
	counted(INV_FLUSH_LATENCY, false, OUTCOME_PASS);
	tally.flush[10] = 98;
	tally.flush[11] = 2;
	tally.flush_longest = 1048000;
	counted(INV_FLUSH_LATENCY, false, OUTCOME_INCONCLUSIVE);
	tally.flush[11] = 0;
	tally.flush[12] = 2;
	tally.flush_longest = 1500000;
	counted(INV_FLUSH_LATENCY, false, OUTCOME_FAIL);
	tally.flush[10] = 99;
	tally.flush[12] = 1;
	counted(INV_FLUSH_LATENCY, false, OUTCOME_PASS);
	/* one that has no length */
	forgotten = true;
	counted(INV_FLUSH_LATENCY, false, OUTCOME_INCONCLUSIVE);
	forgotten = false;
}

static void teardown_is_counted_too(void **state)
{
	(void)state;
	tally = (struct iot_tally){ .teardown_longest = 19999999 };
	set.nr = 0;
	for (int longer = 0; longer < 2; longer++) {
		set.nr = 0;
		add_rule(INV_TEARDOWN_STALL);
		start_with(IOT_TYPE_DMA, false, 0);
		attr(3, "teardown.refiommu_=refiommu_domain_free");
		clean();
		domain_free(5000);
		lose(5001, 6000, IOT_LOST_RARE, "");
		tally.h = head(IOT_EV_TALLY, sizeof(tally), 6000);
		tally.teardown_longest += (__u64)longer;
		feed(&tally);
		finish();
		expect_outcome(INV_TEARDOWN_STALL, longer ? OUTCOME_FAIL : OUTCOME_PASS);
		done();
	}
}

static void counts_know_no_phases(void **state)
{
	(void)state;
	tally = (struct iot_tally){ .map_bytes = 2 * PAGE, .unmap_bytes = PAGE };
	set.nr = 0;
	add_rule(INV_NO_LEAK)->phases = PHASE_WORKLOAD;
	start_with(IOT_TYPE_DMA, false, 0);
	mark(50, "workload");
	clean();
	lose(200, 300, IOT_LOST_RING, "");
	tally.h = head(IOT_EV_TALLY, sizeof(tally), 6000);
	feed(&tally);
	finish();
	expect_outcome(INV_NO_LEAK, OUTCOME_INCONCLUSIVE);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(balances_are_decided_by_counts),
		cmocka_unit_test(some_are_decided_to_fail_only),
		cmocka_unit_test(faults_that_the_full_ring_lost),
		cmocka_unit_test(a_bucket_that_straddles_the_limit_decides_nothing),
		cmocka_unit_test(teardown_is_counted_too),
		cmocka_unit_test(counts_know_no_phases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
