// SPDX-License-Identifier: GPL-2.0-only
/* What top shows below its domains: submissions to the hardware, and page requests. */
#include <errno.h>

#include "scene.h"

#include "ui/details.h"
#include "ui/numbers.h"

static struct details *d;

static int begin_details(void **state)
{
	d = details__new();
	assert_non_null(d);
	return begin(state);
}

static int end_details(void **state)
{
	details__free(d);
	return end(state);
}

#define DETAILS(f) cmocka_unit_test_setup_teardown(f, begin_details, end_details)

/* nr of them, each of ns. */
static void submitted(__u32 by, __u32 kind, __u64 nr, __u64 ns, __u64 commands, __u64 failed)
{
	struct live_submits s = { .by = by, .kind = kind, .commands = commands, .failed = failed };

	for (__u64 i = 0; i < nr; i++)
		hist__add(&s.time, ns);
	assert_int_equal(details__submission(d, &s), 0);
}

/* All of the text; the caller frees it. */
static char *text(__u64 now_us)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	details__text(d, &a->model, AT(now_us), f);
	fclose(f);
	return out;
}

/* Line number n (0 = the first) is exactly this. */
static void line_is(__u64 now_us, int n, const char *want)
{
	char *all = text(now_us), *line = strtok(all, "\n");

	while (line && n--)
		line = strtok(NULL, "\n");
	assert_non_null(line);
	assert_string_equal(line, want);
	free(all);
}

static struct json_object *json_of(__u64 now_us)
{
	struct json_object *o = json_object_new_object();

	details__json(d, &a->model, AT(now_us), o);
	return o;
}

static void json_is(struct json_object *list, int n, const char *key, const char *want)
{
	struct json_object *v = NULL;

	assert_true(json_object_object_get_ex(json_object_array_get_idx(list, (size_t)n), key, &v));
	assert_string_equal(v ? json_object_get_string(v) : "null", want);
}

static void where_there_is_nothing_nothing_is_shown(void **state)
{
	struct json_object *o, *v;
	char *all;

	(void)state;
	details__begin(d, 0);
	assert_int_equal(details__requests(d, &a->model), 0);
	all = text(1000);
	assert_string_equal(all, "");
	free(all);
	o = json_of(1000);
	assert_true(json_object_object_get_ex(o, "submissions", &v));
	assert_null(v);
	assert_true(json_object_object_get_ex(o, "page_requests", &v));
	assert_null(v);
	json_object_put(o);
}

static void submissions_have_rates_since_the_look_before(void **state)
{
	(void)state;
	details__begin(d, 0);
	submitted(IOT_BY_QI_SUBMIT, IOT_SUBMIT_IOTLB, 100, 3, 200, 0);
	line_is(0, 0,
		"HARDWARE FUNCTION           WHAT        /s    TOTAL COMMANDS FAILED | TIME "
		"p50 / p99 / max");
	line_is(0, 1,
		"intel    qi_submit_sync     iotlb        0      100      200      - | 3 ns / "
		"3 ns / 3 ns");
	details__begin(d, 2 * S);
	submitted(IOT_BY_QI_SUBMIT, IOT_SUBMIT_IOTLB, 150, 3, 300, 2);
	submitted(IOT_BY_AMD_WAIT, IOT_SUBMIT_WAIT, 10, 1000000, 0, 0);
	line_is(0, 1,
		"intel    qi_submit_sync     iotlb       25      150      300      2 | 3 ns / "
		"3 ns / 3 ns");
	line_is(0, 2,
		"amd      completion_wait    wait         5       10        -      - | 1.00 ms "
		"/ 1.00 ms / 1.00 ms");
}

static void what_a_later_kernel_part_counts_is_refused(void **state)
{
	struct live_submits s = { .by = IOT_BY_NR };

	(void)state;
	assert_int_equal(details__submission(d, &s), -EINVAL);
	s.by = 0;
	s.kind = IOT_SUBMIT_NR;
	assert_int_equal(details__submission(d, &s), -EINVAL);
}

static void page_requests_of_each_device(void **state)
{
	(void)state;
	page_request(0, IOVA, 1, 5, false);
	page_request(1, IOVA, 1, 5, true);
	page_answer(21, 1, 5, IOT_PAGE_SUCCESS, 20, 0);
	details__begin(d, 0);
	assert_int_equal(details__requests(d, &a->model), 0);
	page_request(30, IOVA, 2, 5, true);
	page_answer(40, 2, 5, IOT_PAGE_INVALID, 10, 0);
	page_request(50, IOVA, 3, 5, true);
	details__begin(d, S);
	assert_int_equal(details__requests(d, &a->model), 0);
	line_is(50, 0,
		"PAGE REQUESTS        /s  GROUPS SUCCESS INVALID FAILURE REFUSED |   OPEN   "
		"OLDEST | ANSWER p50 / p99 / max");
	line_is(2050, 1,
		"refdma.0              2       3       1       1       0       0 |      1  "
		"2.00 ms | 10.0 us / 19.5 us / 20.0 us");
}

static void what_waits_may_be_less_where_answers_may_be_missing(void **state)
{
	(void)state;
	page_request(50, IOVA, 3, 5, true);
	loss(60, 70, IOT_LOST_RARE);
	details__begin(d, S);
	assert_int_equal(details__requests(d, &a->model), 0);
	line_is(2050, 1,
		"refdma.0              1       1       0       0       0       0 |     1-  "
		"2.00 ms | -");
}

static void json_is_that_of_analyze(void **state)
{
	struct json_object *o, *list;

	(void)state;
	submitted(IOT_BY_VIRTIO_SYNC, IOT_SUBMIT_WAIT, 7, 500, 0, 1);
	page_request(50, IOVA, 3, 5, true);
	o = json_of(1050);
	assert_true(json_object_object_get_ex(o, "submissions", &list));
	assert_int_equal(json_object_array_length(list), 1);
	json_is(list, 0, "driver", "virtio");
	json_is(list, 0, "function", "viommu_sync_req");
	json_is(list, 0, "kind", "wait");
	json_is(list, 0, "failed", "1");
	assert_true(json_object_object_get_ex(o, "page_requests", &list));
	json_is(list, 0, "device", "refdma.0");
	json_is(list, 0, "unanswered", "1");
	json_is(list, 0, "oldest_unanswered_ns", "1000000");
	json_object_put(o);
}

static void numbers_take_five_characters(void **state)
{
	static const struct {
		double v;
		const char *text;
	} cases[] = {
		{ 0, "0" },      { 999.4, "999" }, { 999.5, "1.0k" }, { 9949, "9.9k" },
		{ 9951, "10k" }, { 1e6, "1.0M" },  { 123e9, "123G" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(numbers__short(cases[i].v).s, cases[i].text);
	assert_string_equal(numbers__rate(30, 10, 2 * S).s, "10");
	assert_string_equal(numbers__rate(30, 10, 0).s, "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DETAILS(where_there_is_nothing_nothing_is_shown),
		DETAILS(submissions_have_rates_since_the_look_before),
		DETAILS(what_a_later_kernel_part_counts_is_refused),
		DETAILS(page_requests_of_each_device),
		DETAILS(what_waits_may_be_less_where_answers_may_be_missing),
		DETAILS(json_is_that_of_analyze),
		cmocka_unit_test(numbers_take_five_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
