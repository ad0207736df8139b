// SPDX-License-Identifier: GPL-2.0-only
/* The reports of assertions, from results made by hand: each format in full, and what is nasty in
 * each. */
#include "scene.h"

#include "report/assert.h"
#include "report/assert_words.h"

static const struct invariant no_fault = { .name = "no-fault",
					   .holds = "No device faults.",
					   .params = { { "max", PARAM_COUNT, "0", NULL, "" } } };
static const char *const types[] = { "DMA-FQ", "DMA", NULL };
static const struct invariant window = {
	.name = "window",
	.holds = "Unmap to flush < 50 ms & no more.",
	.params = { { "below", PARAM_DURATION, "50ms", NULL, "" },
		    { "percentile", PARAM_PERCENT, "100", NULL, "" },
		    { "is", PARAM_WORD, "DMA", types, "" } },
};

/* 2027-01-31 and 2026-01-31 in days since 1970-01-01 */
static const struct waiver known = { .reason = "errata 7: it\nreads ahead",
				     .link = "https://example.org/7",
				     .expires = 20849,
				     .line = 11 };
static const struct waiver expired = { .reason = "fixed in 6.9", .expires = 20484, .line = 14 };

static const struct rule rules[] = {
	{ .invariant = &no_fault,
	  .name = "no-fault",
	  .phases = PHASE_ALL,
	  .params = { 0 },
	  .file = "a,b/ci.yaml",
	  .line = 3,
	  .column = 5 },
	{ .invariant = &window,
	  .name = "nic #1, 100%: \\<x>\"\n",
	  .phases = PHASE_BOOT | PHASE_SHUTDOWN,
	  .params = { 50000000, 99900, 1 } },
	{ .invariant = &window,
	  .name = "slow",
	  .file = "preset strict",
	  .line = 7,
	  .column = 1,
	  .severity = SEVERITY_WARNING },
	{ .invariant = &window, .name = "vfio" },
	{ .invariant = &window, .name = "fast" },
	{ .invariant = &window, .name = "lossy", .severity = SEVERITY_WARNING },
};

static const struct check_result results[] = {
	{ .rule = &rules[0],
	  .outcome = OUTCOME_FAIL,
	  .looked_at = 14,
	  .unit = "faults",
	  .violations = 9,
	  .waived = 1,
	  .expired = &expired,
	  .findings = { { .times = 3, .domain = 3, .text = "write to 0x1000 & <more>" },
			{ .times = 1, .text = "read, 50%", .waiver = &known } },
	  .nr_findings = 2 },
	{ .rule = &rules[1],
	  .outcome = OUTCOME_INCONCLUSIVE,
	  .looked_at = 5,
	  .unit = "unmaps",
	  .why = { "7 events were lost", "cache_tag_flush_range isn't hooked" },
	  .nr_why = 2 },
	{ .rule = &rules[2],
	  .outcome = OUTCOME_FAIL,
	  .looked_at = 100,
	  .unit = "unmaps",
	  .violations = 1,
	  .counted = true,
	  .says = "longest 60 ms" },
	{ .rule = &rules[3],
	  .outcome = OUTCOME_SKIP,
	  .unit = "domains",
	  .why = { "no unmanaged domain was there" },
	  .nr_why = 1 },
	{ .rule = &rules[4],
	  .outcome = OUTCOME_PASS,
	  .looked_at = 100,
	  .unit = "unmaps",
	  .says = "longest 2 ms" },
	{ .rule = &rules[5],
	  .outcome = OUTCOME_INCONCLUSIVE,
	  .unit = "unmaps",
	  .why = { "7 events were lost" },
	  .nr_why = 1 },
};

static const struct check_result *const list[] = { &results[0], &results[1], &results[2],
						   &results[3], &results[4], &results[5] };
static const struct assert_run failed_run = { OUTCOME_FAIL, "the command ended with exit code 3" };

static const struct assert_report report = {
	.results = list,
	.nr = 6,
	.run = &failed_run,
	.verdict = OUTCOME_FAIL,
	.rules = "preset strict, ci.yaml",
	.source = "make check",
	.kernel = "6.12.1",
	.saved = "out.session",
	.notes = { "A note: 100%." },
	.nr_notes = 1,
};

static void expect_text(void (*write)(FILE *out, const struct assert_report *r),
			const struct assert_report *r, const char *expected)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	write(out, r);
	fclose(out);
	/* cmocka's own message is cut */
	if (strcmp(text, expected))
		fprintf(stderr, "written:\n%s", text);
	assert_string_equal(text, expected);
	free(text);
}

static void text_is_for_people(void **state)
{
	(void)state;
	expect_text(
		assert__text, &report,
		"Rules: preset strict, ci.yaml\n"
		"Watched: make check, Linux 6.12.1\n"
		"\n"
		"FAIL          no-fault: 9 violations, 1 more waived in 14 faults\n"
		"              must hold: No device faults.\n"
		"              - domain 3: write to 0x1000 & <more>\n"
		"              - read, 50%; waived until 2027-01-31: errata 7: it reads ahead "
		"(https://example.org/7)\n"
		"              - and 6 more\n"
		"              - no longer waived until 2026-01-31: fixed in 6.9; see "
		"a,b/ci.yaml:14\n"
		"INCONCLUSIVE  nic #1, 100%: \\<x>\" : 7 events were lost\n"
		"              - cache_tag_flush_range isn't hooked\n"
		"FAIL          slow (only a warning): 1 violation in 100 unmaps; longest 60 ms\n"
		"              must hold: Unmap to flush < 50 ms & no more.\n"
		"              - when each of them was isn't known: they were only counted\n"
		"              - decided by what the kernel side counted: events are missing\n"
		"SKIP          vfio: no unmanaged domain was there\n"
		"PASS          fast: 100 unmaps; longest 2 ms\n"
		"INCONCLUSIVE  lossy (only a warning): 7 events were lost\n"
		"FAIL          run: the command ended with exit code 3\n"
		"\n"
		"Note: A note: 100%.\n"
		"Saved: out.session (look at it with `iommutop analyze out.session`)\n"
		"\n"
		"FAIL: 2 failed, 1 inconclusive, 2 only a warning, 1 skipped, 1 passed\n");
}

static void ktap_never_says_ok_to_what_is_inconclusive(void **state)
{
	(void)state;
	expect_text(assert__ktap, &report,
		    "KTAP version 1\n"
		    "1..7\n"
		    "# rules: preset strict, ci.yaml\n"
		    "# watched: make check, Linux 6.12.1\n"
		    "# A note: 100%.\n"
		    "# must hold: No device faults.\n"
		    "# domain 3: write to 0x1000 & <more>\n"
		    "# read, 50%; waived until 2027-01-31: errata 7: it reads ahead "
		    "(https://example.org/7)\n"
		    "# and 6 more\n"
		    "# no longer waived until 2026-01-31: fixed in 6.9; see a,b/ci.yaml:14\n"
		    "not ok 1 no-fault # 9 violations, 1 more waived in 14 faults\n"
		    "# cache_tag_flush_range isn't hooked\n"
		    "not ok 2 nic _1, 100%: \\<x>\"  # ERROR INCONCLUSIVE: 7 events were lost\n"
		    "# must hold: Unmap to flush < 50 ms & no more.\n"
		    "# when each of them was isn't known: they were only counted\n"
		    "# decided by what the kernel side counted: events are missing\n"
		    "ok 3 slow # XFAIL warning: 1 violation in 100 unmaps; longest 60 ms\n"
		    "ok 4 vfio # SKIP no unmanaged domain was there\n"
		    "ok 5 fast # 100 unmaps; longest 2 ms\n"
		    "ok 6 lossy # XFAIL warning: INCONCLUSIVE: 7 events were lost\n"
		    "not ok 7 run # the command ended with exit code 3\n"
		    "# session saved: out.session\n"
		    "# FAIL: 2 failed, 1 inconclusive, 2 only a warning, 1 skipped, 1 passed\n"
		    "# Totals: pass:1 fail:2 xfail:2 xpass:0 skip:1 error:1\n");
}

static void tap_quotes_names_and_says_more_in_yaml(void **state)
{
	(void)state;
	expect_text(
		assert__tap, &report,
		"TAP version 14\n"
		"1..7\n"
		"# rules: preset strict, ci.yaml\n"
		"# watched: make check, Linux 6.12.1\n"
		"# A note: 100%.\n"
		"not ok 1 - no-fault\n"
		"  ---\n"
		"  outcome: FAIL\n"
		"  message: \"9 violations, 1 more waived in 14 faults\"\n"
		"  severity: error\n"
		"  invariant: no-fault\n"
		"  violations: 9\n"
		"  waived: 1\n"
		"  looked_at: 14\n"
		"  must_hold: \"No device faults.\"\n"
		"  details:\n"
		"    - \"domain 3: write to 0x1000 & <more>\"\n"
		"    - \"read, 50%; waived until 2027-01-31: errata 7: it reads ahead "
		"(https://example.org/7)\"\n"
		"    - \"and 6 more\"\n"
		"    - \"no longer waived until 2026-01-31: fixed in 6.9; see a,b/ci.yaml:14\"\n"
		"  ...\n"
		"not ok 2 - nic \\#1, 100%: \\\\<x>\" \n"
		"  ---\n"
		"  outcome: INCONCLUSIVE\n"
		"  message: \"7 events were lost\"\n"
		"  severity: error\n"
		"  invariant: window\n"
		"  violations: 0\n"
		"  waived: 0\n"
		"  looked_at: 5\n"
		"  details:\n"
		"    - \"cache_tag_flush_range isn't hooked\"\n"
		"  ...\n"
		"not ok 3 - slow # TODO only a warning: FAIL\n"
		"  ---\n"
		"  outcome: FAIL\n"
		"  message: \"1 violation in 100 unmaps; longest 60 ms\"\n"
		"  severity: warning\n"
		"  invariant: window\n"
		"  violations: 1\n"
		"  waived: 0\n"
		"  looked_at: 100\n"
		"  must_hold: \"Unmap to flush < 50 ms & no more.\"\n"
		"  details:\n"
		"    - \"when each of them was isn't known: they were only counted\"\n"
		"    - \"decided by what the kernel side counted: events are missing\"\n"
		"  ...\n"
		"ok 4 - vfio # SKIP no unmanaged domain was there\n"
		"ok 5 - fast\n"
		"not ok 6 - lossy # TODO only a warning: INCONCLUSIVE\n"
		"  ---\n"
		"  outcome: INCONCLUSIVE\n"
		"  message: \"7 events were lost\"\n"
		"  severity: warning\n"
		"  invariant: window\n"
		"  violations: 0\n"
		"  waived: 0\n"
		"  looked_at: 0\n"
		"  ...\n"
		"not ok 7 - run\n"
		"  ---\n"
		"  outcome: FAIL\n"
		"  message: \"the command ended with exit code 3\"\n"
		"  ...\n"
		"# session saved: out.session\n"
		"# FAIL: 2 failed, 1 inconclusive, 2 only a warning, 1 skipped, 1 passed\n");
}

static void junit_tells_failures_errors_and_skips_apart(void **state)
{
	(void)state;
	expect_text(
		assert__junit, &report,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites>\n"
		"  <testsuite name=\"iommutop assert\" tests=\"7\" failures=\"2\" errors=\"1\" "
		"skipped=\"1\" time=\"0.000\">\n"
		"    <properties>\n"
		"      <property name=\"verdict\" value=\"FAIL\"/>\n"
		"      <property name=\"rules\" value=\"preset strict, ci.yaml\"/>\n"
		"      <property name=\"watched\" value=\"make check\"/>\n"
		"      <property name=\"kernel\" value=\"6.12.1\"/>\n"
		"      <property name=\"session\" value=\"out.session\"/>\n"
		"    </properties>\n"
		"    <testcase name=\"no-fault\" classname=\"no-fault\" time=\"0\">\n"
		"      <failure type=\"violation\" message=\"9 violations, 1 more waived in 14 "
		"faults\">must hold: No device faults.\n"
		"domain 3: write to 0x1000 &amp; &lt;more&gt;\n"
		"read, 50%; waived until 2027-01-31: errata 7: it reads ahead "
		"(https://example.org/7)\n"
		"and 6 more\n"
		"no longer waived until 2026-01-31: fixed in 6.9; see a,b/ci.yaml:14\n"
		"</failure>\n"
		"    </testcase>\n"
		"    <testcase name=\"nic #1, 100%: \\&lt;x&gt;&quot; \" classname=\"window\" "
		"time=\"0\">\n"
		"      <error type=\"inconclusive\" message=\"7 events were "
		"lost\">cache_tag_flush_range isn't hooked\n"
		"</error>\n"
		"    </testcase>\n"
		"    <testcase name=\"slow\" classname=\"window\" time=\"0\">\n"
		"      <system-out>only a warning: FAIL: 1 violation in 100 unmaps; longest 60 ms\n"
		"must hold: Unmap to flush &lt; 50 ms &amp; no more.\n"
		"when each of them was isn't known: they were only counted\n"
		"decided by what the kernel side counted: events are missing\n"
		"</system-out>\n"
		"    </testcase>\n"
		"    <testcase name=\"vfio\" classname=\"window\" time=\"0\">\n"
		"      <skipped message=\"no unmanaged domain was there\"/>\n"
		"    </testcase>\n"
		"    <testcase name=\"fast\" classname=\"window\" time=\"0\">\n"
		"      <system-out>100 unmaps; longest 2 ms\n"
		"</system-out>\n"
		"    </testcase>\n"
		"    <testcase name=\"lossy\" classname=\"window\" time=\"0\">\n"
		"      <system-out>only a warning: INCONCLUSIVE: 7 events were lost\n"
		"</system-out>\n"
		"    </testcase>\n"
		"    <testcase name=\"run\" classname=\"iommutop.assert\" time=\"0\">\n"
		"      <failure type=\"run\" message=\"the command ended with exit code "
		"3\"></failure>\n"
		"    </testcase>\n"
		"    <system-out>A note: 100%.\n"
		"</system-out>\n"
		"  </testsuite>\n"
		"</testsuites>\n");
}

static void github_commands_are_one_line_each(void **state)
{
	(void)state;
	expect_text(
		assert__github, &report,
		"::error file=a%2Cb/ci.yaml,line=3,col=5,title=no-fault%3A FAIL::9 violations, 1 "
		"more waived in 14 faults%0A"
		"domain 3: write to 0x1000 & <more>%0A"
		"read, 50%25; waived until 2027-01-31: errata 7: it reads ahead "
		"(https://example.org/7)%0Aand 6 more%0A"
		"no longer waived until 2026-01-31: fixed in 6.9; see a,b/ci.yaml:14\n"
		"::error title=nic #1%2C 100%25%3A \\<x>\" %3A INCONCLUSIVE::7 events were lost%0A"
		"cache_tag_flush_range isn't hooked\n"
		"::warning title=slow%3A FAIL::1 violation in 100 unmaps; longest 60 ms%0A"
		"when each of them was isn't known: they were only counted%0A"
		"decided by what the kernel side counted: events are missing\n"
		"::notice title=vfio%3A SKIP::no unmanaged domain was there\n"
		"::warning title=lossy%3A INCONCLUSIVE::7 events were lost\n"
		"::error title=run%3A FAIL::the command ended with exit code 3\n"
		"::notice title=iommutop::A note: 100%25.\n"
		"::notice title=iommutop assert::FAIL: 2 failed, 1 inconclusive, 2 only a warning, "
		"1 skipped, 1 passed\n");
}

static const char *text_at(struct json_object *o, const char *path)
{
	char copy[128], *rest = copy;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *key = strsep(&rest, "."); key; key = strsep(&rest, ".")) {
		bool number = *key >= '0' && *key <= '9';

		o = number ? json_object_array_get_idx(o, strtoul(key, NULL, 10))
			   : json_object_object_get(o, key);
		if (!o)
			return "null";
	}
	return json_object_get_string(o);
}

static void json_has_numbers_as_numbers(void **state)
{
	static const struct {
		const char *path, *value;
	} expected[] = {
		{ "assert_schema", "1" },
		{ "verdict", "FAIL" },
		{ "watched", "make check" },
		{ "saved_session", "out.session" },
		{ "totals.fail", "2" },
		{ "totals.warnings", "2" },
		{ "run.outcome", "FAIL" },
		{ "notes.0", "A note: 100%." },
		{ "results.0.name", "no-fault" },
		{ "results.0.violations", "9" },
		{ "results.0.file", "a,b/ci.yaml" },
		{ "results.0.line", "3" },
		{ "results.0.params.max", "0" },
		{ "results.0.expired_waiver.reason", "fixed in 6.9" },
		{ "results.0.expired_waiver.expires_day", "20484" },
		{ "results.0.findings.0.domain", "3" },
		{ "results.0.findings.0.device", "null" },
		{ "results.0.findings.0.waiver", "null" },
		{ "results.0.findings.1.waiver.link", "https://example.org/7" },
		{ "results.1.name", "nic #1, 100%: \\<x>\"\n" },
		{ "results.1.outcome", "INCONCLUSIVE" },
		{ "results.1.why.1", "cache_tag_flush_range isn't hooked" },
		{ "results.1.phases.1", "shutdown" },
		{ "results.1.phases.2", "null" },
		{ "results.1.params.below_ns", "50000000" },
		{ "results.1.params.percentile_thousandths", "99900" },
		{ "results.1.params.is", "DMA" },
		{ "results.2.severity", "warning" },
		{ "results.2.counted_only", "true" },
		{ "report", "null" },
	};
	struct json_object *o = assert__json(&report);

	(void)state;
	assert_non_null(o);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_string_equal(text_at(o, expected[i].path), expected[i].value);
	json_object_put(o);
}

/* --- with an analysis behind it: findings have a time, a device and an incident */

static void (*const writers[])(FILE *, const struct assert_report *) = {
	assert__text, assert__ktap, assert__tap, assert__junit, assert__github,
};

static size_t times(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static void an_incident_is_explained_once_in_each_format(void **state)
{
	struct check_result r = {
		.rule = &rules[0],
		.outcome = OUTCOME_FAIL,
		.looked_at = 2,
		.unit = "faults",
		.violations = 2,
		.findings = { { .times = 1,
				.ts = AT(2500000),
				.dev = DEV,
				.domain = DOM,
				.incident = 1,
				.text = "a fault" },
			      { .times = 1, .ts = AT(2500001), .incident = 1, .text = "again" },
			      { .times = 1, .incident = 2, .text = "of no incident" } },
		.nr_findings = 3
	};
	const struct check_result *one = &r;
	struct assert_report rep = { .results = &one,
				     .nr = 1,
				     .analysis = a,
				     .verdict = OUTCOME_FAIL,
				     .rules = "x",
				     .source = "session y" };

	(void)state;
	fault_at(2500000, IOVA, IOT_ACCESS_WRITE);
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 1);
	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		writers[i](out, &rep);
		fclose(out);
		assert_int_equal(
			times(text, "2.500000 s, refdma.0, domain 3: a fault (incident 1)"), 1);
		assert_int_equal(times(text, "2.500001 s: again (incident 1)"), 1);
		assert_int_equal(times(text, "of no incident (incident"), 0);
		assert_int_equal(times(text, "Access to an address that was never mapped"), 1);
		assert_int_equal(times(text, "Next:"), 1);
		free(text);
	}
}

static void a_session_without_rules_that_count_has_no_total(void **state)
{
	struct assert_report none = { .verdict = OUTCOME_SKIP, .rules = "x", .source = "y" };

	(void)state;
	expect_text(assert__ktap, &none,
		    "KTAP version 1\n1..0\n# rules: x\n# watched: y\n# SKIP: there are no rules\n"
		    "# Totals: pass:0 fail:0 xfail:0 xpass:0 skip:0 error:0\n");
}

static void a_line_that_is_too_long_says_so(void **state)
{
	static char reason[2000];
	struct waiver w = { .reason = reason, .expires = -1 };
	struct assert_line l;

	(void)state;
	memset(reason, 'x', sizeof(reason) - 1);
	l = assert__waiver(&w);
	assert_int_equal(strlen(l.s), sizeof(l.s) - 1);
	assert_string_equal(l.s + sizeof(l.s) - 5, "x...");
	assert_memory_equal(l.s, "waived: xxx", 11);
}

/* Wherever a reason of many three-byte characters is cut, what is left of it is UTF-8. */
static void a_line_is_not_cut_within_a_character(void **state)
{
	char reason[1400];

	(void)state;
	for (int shift = 0; shift < 3; shift++) {
		const struct waiver w = { .reason = reason, .expires = -1 };
		struct assert_line l;
		size_t len;

		for (size_t i = 0; i < sizeof(reason); i++)
			reason[i] =
				i < (size_t)shift ? 'x' : "\xe2\x82\xac"[(i - (size_t)shift) % 3];
		reason[sizeof(reason) - 1] = 0;
		l = assert__waiver(&w);
		len = strlen(l.s);
		assert_true(len > sizeof(l.s) - 8);
		assert_string_equal(l.s + len - 3, "...");
		assert_int_equal((len - 3 - strlen("waived: ") - (size_t)shift) % 3, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_for_people),
		cmocka_unit_test(ktap_never_says_ok_to_what_is_inconclusive),
		cmocka_unit_test(tap_quotes_names_and_says_more_in_yaml),
		cmocka_unit_test(junit_tells_failures_errors_and_skips_apart),
		cmocka_unit_test(github_commands_are_one_line_each),
		cmocka_unit_test(json_has_numbers_as_numbers),
		SCENE(an_incident_is_explained_once_in_each_format),
		cmocka_unit_test(a_session_without_rules_that_count_has_no_total),
		cmocka_unit_test(a_line_that_is_too_long_says_so),
		cmocka_unit_test(a_line_is_not_cut_within_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
