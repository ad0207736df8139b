// SPDX-License-Identifier: GPL-2.0-only
/* Invariants that are decided at the end: incidents, domain types, self-checks. */
#include <errno.h>

#include "check_scene.h"

static void faulted(__u64 us, __u64 iova, __u32 source)
{
	fault_from(us, iova, IOT_ACCESS_WRITE, source);
}

static void a_fault_fails_with_its_incident(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	map_ok(100, IOVA, PAGE);
	faulted(500, 0x1234000, IOT_SRC_REPORT);
	faulted(501, 0x1235000, IOT_SRC_REPORT);
	unmap_ok(600, IOVA, PAGE, STRICT);
	sync_of(601, 602, IOVA, PAGE);
	finish();
	FAILS(2, INV_NO_FAULT);
	assert_int_equal(result_of(INV_NO_FAULT)->findings[0].incident, 1);
	assert_int_equal(result_of(INV_NO_FAULT)->findings[0].times, 2); /* not "and 1 more" */
	assert_int_equal(result_of(INV_NO_FAULT)->findings[0].dev, DEV);
	found_text(INV_NO_FAULT, "2 faults, the first at 0x1234000");
	/* an address that nobody had is no use after unmap */
	expect_outcome(INV_NO_STALE_ACCESS, OUTCOME_PASS);
	done();
}

static void so_many_faults_are_allowed(void **state)
{
	(void)state;
	for (__u64 max = 1; max < 3; max++) {
		start(IOT_TYPE_DMA);
		rules[INV_NO_FAULT].params[0] = max;
		faulted(500, 0x1234000, IOT_SRC_REPORT);
		faulted(501, 0x1235000, IOT_SRC_REPORT);
		finish();
		expect_outcome(INV_NO_FAULT, max < 2 ? OUTCOME_FAIL : OUTCOME_PASS);
		done();
	}
}

static void a_fault_that_only_the_log_tells_counts(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	log_line(500,
		 "refiommu refiommu.0: fault: device refdma.0 domain 1 iova 0x1234000 write: not "
		 "present\n");
	log_line(600, "refiommu refiommu.0: invalidation timed out after 100 ms\n");
	log_line(700, "refdma refdma.0: queue 0 stalled for 512 ms, resetting\n");
	finish();
	expect_outcome(INV_NO_FAULT, OUTCOME_FAIL);
	expect_outcome(INV_NO_HANG, OUTCOME_FAIL);
	expect_outcome(INV_INVALIDATION_TIMEOUT, OUTCOME_FAIL);
	assert_true(checks__violations(checks) > 0);
	done();
}

/* The index of a rule in the set. */
static size_t index_of(enum invariant_id id)
{
	for (size_t i = 0; i < set.nr; i++)
		if (set.rules[i].invariant == &invariants[id])
			return i;
	fail_msg("no rule for %s", invariants[id].name);
	return 0;
}

static void what_is_violated_is_known_before_the_end(void **state)
{
	const char *first;

	(void)state;
	start(IOT_TYPE_DMA);
	map_ok(400, IOVA, PAGE);
	assert_int_equal(checks__so_far(checks, index_of(INV_NO_FAULT), &first), 0);
	assert_string_equal(first, "");
	faulted(500, 0x1234000, IOT_SRC_REPORT);
	assert_int_equal(checks__so_far(checks, index_of(INV_NO_FAULT), &first), 1);
	assert_non_null(strstr(first, "a fault at 0x1234000"));
	map_by(600, TASK, IOVA, PAGE, -EEXIST);
	assert_int_equal(checks__so_far(checks, index_of(INV_NO_MAP_OVER_MAP), &first), 1);
	assert_non_null(strstr(first, "0x"));
	assert_int_equal(checks__so_far(checks, index_of(INV_NO_HANG), &first), 0);
	/* who tells of it names the rule */
	assert_ptr_equal(checks__result(checks, index_of(INV_NO_HANG))->rule,
			 &set.rules[index_of(INV_NO_HANG)]);
	finish();
	done();
}

/* What a flight recorder dumps at: not at warnings, and at what the device's domain selects. */
static void a_fault_counts_at_once_as_its_rule_says(void **state)
{
	static const struct {
		enum severity severity;
		__s32 type;
		__u64 violations;
	} cases[] = { { SEVERITY_ERROR, -1, 1 },
		      { SEVERITY_WARNING, -1, 0 },
		      { SEVERITY_ERROR, IOT_TYPE_DMA, 1 },
		      { SEVERITY_ERROR, IOT_TYPE_DMA_FQ, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rule *r;

		set.nr = 0;
		r = add_rule(INV_NO_FAULT);
		r->severity = cases[i].severity;
		r->selector.type = cases[i].type;
		start_with(IOT_TYPE_DMA, false, 0);
		faulted(500, 0x1234000, IOT_SRC_REPORT);
		assert_int_equal(checks__violations(checks), cases[i].violations);
		finish();
		done();
	}
}

static void overwritten_faults_of_before_leave_no_fault_open(void **state)
{
	(void)state;
	for (int overwritten = 0; overwritten < 2; overwritten++) {
		start(IOT_TYPE_DMA);
		attr(3, "early.events=iommu:*");
		attr(3, "early.faults=0");
		attr(3, overwritten ? "early.overwritten=7" : "early.overwritten=0");
		map_ok(400, IOVA, PAGE);
		finish();
		expect_outcome(INV_NO_FAULT, overwritten ? OUTCOME_INCONCLUSIVE : OUTCOME_PASS);
		done();
	}
	start(IOT_TYPE_DMA);
	attr(3, "early.events=iommu:*");
	attr(3, "early.error=no tracefs");
	finish();
	expect_outcome(INV_NO_FAULT, OUTCOME_INCONCLUSIVE);
	done();
}

static void used_after_unmap(__u64 fault_at_us, bool neighbour)
{
	start(IOT_TYPE_DMA_FQ);
	map_ok(100, IOVA, PAGE);
	if (neighbour)
		map_ok(101, IOVA - PAGE, PAGE);
	unmap_ok(200, IOVA, PAGE, LAZY);
	faulted(fault_at_us, IOVA + 8, IOT_SRC_REPORT);
	flush_everything(5000000, 5000010);
	if (neighbour) {
		unmap_ok(6000000, IOVA - PAGE, PAGE, LAZY);
		flush_everything(6000010, 6000020);
	}
	finish();
}

static void a_use_after_unmap_is_a_stale_access(void **state)
{
	(void)state;
	used_after_unmap(300, false);
	expect_outcome(INV_NO_STALE_ACCESS, OUTCOME_FAIL);
	expect_outcome(INV_NO_FAULT, OUTCOME_FAIL);
	found_text(INV_NO_STALE_ACCESS,
		   "0xfff0008 was used 100.0 us after its unmap (before the flush)");
	done();
	/* it may have run over the end of the page before */
	used_after_unmap(300, true);
	expect_outcome(INV_NO_STALE_ACCESS, OUTCOME_INCONCLUSIVE);
	expect_outcome(INV_NO_FAULT, OUTCOME_FAIL);
	done();
	/* long after, it may be any wrong address */
	used_after_unmap(2000000, false);
	expect_outcome(INV_NO_STALE_ACCESS, OUTCOME_INCONCLUSIVE);
	done();
}

static void a_fault_on_what_is_mapped(void **state)
{
	(void)state;
	for (int op = 0; op < 2; op++) {
		rules_for(IOT_TYPE_DMA);
		start_with(IOT_TYPE_DMA, op, 0);
		map_ok(100, IOVA, PAGE);
		flush_full(101, 102, TASK, IOT_FLUSH_SYNC_MAP, IOVA, PAGE, 0);
		faulted(5000, IOVA + 8, IOT_SRC_REPORT);
		unmap_ok(6000, IOVA, PAGE, STRICT);
		sync_of(6001, 6002, IOVA, PAGE);
		finish();
		/* only a driver with iotlb_sync_map says that its IOMMU may need it */
		if (op)
			FAILS(1, INV_NO_FAULT, INV_SYNC_MAP);
		else
			FAILS(1, INV_NO_FAULT);
		done();
	}
}

static void type_is(__u32 type, bool fq, __u64 wanted, enum outcome o)
{
	set.nr = 0;
	add_rule(INV_DOMAIN_TYPE)->params[0] = wanted;
	start_with(type, false, 0);
	domain_state(5, DOM, IOT_DOMAIN_STATE, type, fq, false, 0);
	finish();
	expect_outcome(INV_DOMAIN_TYPE, o);
	done();
}

static void types_are_what_they_do(void **state)
{
	enum { DMA_FQ, DMA, IDENTITY, UNMANAGED, BLOCKED };

	(void)state;
	type_is(IOT_TYPE_DMA_FQ, true, DMA_FQ, OUTCOME_PASS);
	type_is(IOT_TYPE_DMA_FQ, true, DMA, OUTCOME_FAIL);
	/* the queue was never started: strict, whatever the type says */
	type_is(IOT_TYPE_DMA_FQ, false, DMA_FQ, OUTCOME_FAIL);
	type_is(IOT_TYPE_DMA_FQ, false, DMA, OUTCOME_PASS);
	type_is(IOT_TYPE_DMA, false, DMA_FQ, OUTCOME_FAIL);
	type_is(IOT_TYPE_DMA, false, DMA, OUTCOME_PASS);
	type_is(IOT_TYPE_IDENTITY, false, IDENTITY, OUTCOME_PASS);
	type_is(IOT_TYPE_UNMANAGED, false, UNMANAGED, OUTCOME_PASS);
	type_is(IOT_TYPE_BLOCKED, false, BLOCKED, OUTCOME_PASS);
	type_is(IOT_TYPE_SVA, false, DMA, OUTCOME_FAIL);
}

/* As `list --why` says it, of the group's default domain only. */
static void who_decided_a_type_is_told(void **state)
{
	(void)state;
	for (int fits = 0; fits < 2; fits++)
		for (int now = 0; now < 2; now++) {
			set.nr = 0;
			add_rule(INV_DOMAIN_TYPE)->params[0] = fits; /* DMA-FQ, DMA */
			start_with(IOT_TYPE_DMA, false, 0);
			attr(4, "iommu_options=iommu.strict=1");
			attr(4, "why.core=def_type=3 strict=1 cmd_line=2 asks=1");
			attr(4, now ? "why.group.5=now=4 owned=0 type=4 queue=0"
				    : "why.group.5=now=3 owned=0 type=3 flush_all=1 queue=0");
			finish();
			if (fits) {
				expect_outcome(INV_DOMAIN_TYPE, OUTCOME_PASS);
				assert_string_equal(
					result_of(INV_DOMAIN_TYPE)->says,
					now ? "refdma.0: type 3, flush queue not active; "
					      "command line: iommu.strict=1"
					    : "refdma.0: decided by: command line, certain");
			} else {
				FAILS(1, INV_DOMAIN_TYPE);
				assert_string_equal(result_of(INV_DOMAIN_TYPE)->says, "");
				found_text(INV_DOMAIN_TYPE,
					   now ? "not DMA-FQ (type 3, flush queue not active"
					       : "not DMA-FQ (decided by: command line, certain: ");
			}
			done();
		}
}

static void the_reason_of_a_type_is_told(void **state)
{
	(void)state;
	set.nr = 0;
	add_rule(INV_DOMAIN_TYPE);
	start_with(IOT_TYPE_DMA, false, 0);
	attr(4, "iommu_options=iommu.strict=1");
	log_line(10, "iommu: DMA domain TLB invalidation policy: strict mode\n");
	finish();
	FAILS(1, INV_DOMAIN_TYPE);
	found_text(INV_DOMAIN_TYPE, "command line: iommu.strict=1");
	found_text(INV_DOMAIN_TYPE, "policy: strict mode");
	found_text(INV_DOMAIN_TYPE, "flush queue not active");
	done();
}

static void a_type_counts_when_the_phase_ends(void **state)
{
	(void)state;
	for (int phase = 0; phase < 2; phase++) {
		set.nr = 0;
		add_rule(INV_DOMAIN_TYPE)->phases = phase ? PHASE_WORKLOAD : PHASE_BOOT;
		start_with(IOT_TYPE_DMA_FQ, false, 0);
		mark(100, "workload");
		domain_state(200, 8, IOT_DOMAIN_SEEN, IOT_TYPE_UNMANAGED, false, false, 0);
		attach(201, DEV, 8);
		finish();
		expect_outcome(INV_DOMAIN_TYPE, phase ? OUTCOME_FAIL : OUTCOME_PASS);
		done();
	}
}

/* A device that stays where it is breaks the rule once, not once a phase. */
static void a_type_that_stays_counts_once(void **state)
{
	(void)state;
	for (int changes = 0; changes < 2; changes++) {
		set.nr = 0;
		add_rule(INV_DOMAIN_TYPE)->params[0] = 0; /* DMA-FQ */
		start_with(IOT_TYPE_DMA, false, 0);
		mark(100, "workload");
		if (changes)
			domain_state(150, DOM, IOT_DOMAIN_STATE, IOT_TYPE_IDENTITY, false, false,
				     0);
		mark(200, "shutdown");
		finish();
		assert_int_equal(result_of(INV_DOMAIN_TYPE)->looked_at, 1);
		FAILS(changes ? 2 : 1, INV_DOMAIN_TYPE);
		assert_int_equal(result_of(INV_DOMAIN_TYPE)->nr_findings, changes ? 2 : 1);
		done();
	}
}

static void a_device_that_had_left_before_the_phase_has_none(void **state)
{
	(void)state;
	set.nr = 0;
	add_rule(INV_DOMAIN_TYPE)->phases = PHASE_WORKLOAD;
	rules[0].params[0] = 1; /* DMA */
	start_with(IOT_TYPE_DMA, false, 0);
	domain_free(50);
	mark(100, "workload");
	domain_state(200, 8, IOT_DOMAIN_SEEN, IOT_TYPE_DMA, false, false, 0);
	device(DEV + 1, "refdma.0", "refdma", "", 6);
	attach(201, DEV + 1, 8);
	finish();
	expect_outcome(INV_DOMAIN_TYPE, OUTCOME_PASS);
	assert_int_equal(result_of(INV_DOMAIN_TYPE)->looked_at, 1);
	done();
}

static void a_device_that_left_had_a_type(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	domain_free(100);
	finish();
	expect_outcome(INV_DOMAIN_TYPE, OUTCOME_PASS);
	done();
}

static void self_check(__u64 us, __u64 ours, __u64 control, __u32 slack)
{
	struct iot_coverage ev = { .h = head(IOT_EV_COVERAGE, sizeof(ev), us),
				   .begin = AT(us - 10),
				   .ours = ours,
				   .control = control,
				   .check = IOT_CHECK_MAP_BYTES,
				   .slack = slack };

	ev.h.domain = ev.h.dev = 0;
	feed(&ev);
}

static void self_checks_must_agree(void **state)
{
	(void)state;
	start(IOT_TYPE_DMA);
	finish();
	expect_outcome(INV_COVERAGE, OUTCOME_INCONCLUSIVE);
	done();
	start(IOT_TYPE_DMA);
	self_check(1000, 4096, 8192, 4096);
	finish();
	expect_outcome(INV_COVERAGE, OUTCOME_PASS);
	done();
	start(IOT_TYPE_DMA);
	self_check(1000, 4096, 8193, 4096);
	finish();
	FAILS(1, INV_COVERAGE);
	found_text(INV_COVERAGE,
		   "bytes mapped: the hooks saw 4096, the kernel's own count is 8193");
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_fails_with_its_incident),
		cmocka_unit_test(so_many_faults_are_allowed),
		cmocka_unit_test(a_fault_that_only_the_log_tells_counts),
		cmocka_unit_test(what_is_violated_is_known_before_the_end),
		cmocka_unit_test(a_fault_counts_at_once_as_its_rule_says),
		cmocka_unit_test(overwritten_faults_of_before_leave_no_fault_open),
		cmocka_unit_test(a_use_after_unmap_is_a_stale_access),
		cmocka_unit_test(a_fault_on_what_is_mapped),
		cmocka_unit_test(types_are_what_they_do),
		cmocka_unit_test(who_decided_a_type_is_told),
		cmocka_unit_test(the_reason_of_a_type_is_told),
		cmocka_unit_test(a_type_counts_when_the_phase_ends),
		cmocka_unit_test(a_type_that_stays_counts_once),
		cmocka_unit_test(a_device_that_had_left_before_the_phase_has_none),
		cmocka_unit_test(a_device_that_left_had_a_type),
		cmocka_unit_test(self_checks_must_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
