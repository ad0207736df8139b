// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/hist.h"

static void buckets_cover_every_value_without_gap_or_overlap(void **state)
{
	(void)state;
	for (__u32 b = 0; b < HIST_BUCKETS; b++) {
		assert_int_equal(hist__bucket(hist__low(b)), b);
		assert_true(hist__low(b + 1) > hist__low(b));
		assert_int_equal(hist__bucket(hist__low(b + 1) - 1), b);
	}
	assert_int_equal(hist__low(HIST_BUCKETS), 1ULL << 42);
}

static void a_bucket_is_at_most_an_eighth_of_its_value_wide(void **state)
{
	(void)state;
	for (__u32 b = 8; b < HIST_BUCKETS; b++)
		assert_true((hist__low(b + 1) - hist__low(b)) * 8 <= hist__low(b));
}

static void values_beyond_the_range_fall_into_the_last_bucket(void **state)
{
	(void)state;
	for (int bit = 42; bit < 64; bit++) {
		assert_int_equal(hist__bucket(1ULL << bit), HIST_BUCKETS - 1);
		assert_int_equal(hist__bucket((1ULL << bit) * 2 - 1), HIST_BUCKETS - 1);
	}
	assert_int_equal(hist__bucket(UINT64_MAX), HIST_BUCKETS - 1);
}

static void the_bucket_grows_with_the_value(void **state)
{
	__u32 last = 0;

	(void)state;
	for (__u64 v = 0; v < 1ULL << 44; v = v < 100000 ? v + 1 : v + v / 97) {
		__u32 b = hist__bucket(v);

		assert_true(b >= last && b < HIST_BUCKETS);
		last = b;
	}
}

static int by_value(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

static void percentiles_are_within_a_sixteenth_of_the_exact_ones(void **state)
{
	static const double q[] = { 0.01, 0.25, 0.5, 0.9, 0.99, 0.999 };
	enum { N = 20000 };
	__u64 *v = calloc(N, sizeof(*v));
	struct hist h = { 0 };

	(void)state;
	assert_non_null(v);
	srandom(7);
	for (int i = 0; i < N; i++) {
		v[i] = (__u64)random() >> (random() % 24);
		hist__add(&h, v[i]);
	}
	qsort(v, N, sizeof(*v), by_value);
	for (size_t i = 0; i < sizeof(q) / sizeof(q[0]); i++) {
		__u64 exact = v[(size_t)(q[i] * N + 0.999999) - 1], got = hist__value(&h, q[i]);
		__u64 off = exact > got ? exact - got : got - exact;

		assert_true(off * 16 <= exact);
	}
	assert_int_equal(hist__value(&h, 1), v[N - 1]);
	assert_int_equal(h.min, v[0]);
	assert_int_equal(hist__total(h.counts), N);
	free(v);
}

static void an_empty_histogram_has_no_percentile(void **state)
{
	struct hist h = { 0 };

	(void)state;
	assert_int_equal(hist__value(&h, 0.5), 0);
	assert_int_equal(hist__percentile(h.counts, 0.99), 0);
}

static void one_sample_is_every_percentile(void **state)
{
	struct hist h = { 0 };

	(void)state;
	hist__add(&h, 123456789);
	assert_int_equal(hist__value(&h, 0), 123456789);
	assert_int_equal(hist__value(&h, 0.5), 123456789);
	assert_int_equal(hist__value(&h, 1), 123456789);
}

static void merging_keeps_counts_and_extremes(void **state)
{
	struct hist a = { 0 }, b = { 0 }, all = { 0 };

	(void)state;
	for (__u64 i = 1; i < 5000; i += 3) {
		hist__add(i & 1 ? &a : &b, i * 17);
		hist__add(&all, i * 17);
	}
	hist__merge(&a, &b);
	assert_memory_equal(&a, &all, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_cover_every_value_without_gap_or_overlap),
		cmocka_unit_test(a_bucket_is_at_most_an_eighth_of_its_value_wide),
		cmocka_unit_test(values_beyond_the_range_fall_into_the_last_bucket),
		cmocka_unit_test(the_bucket_grows_with_the_value),
		cmocka_unit_test(percentiles_are_within_a_sixteenth_of_the_exact_ones),
		cmocka_unit_test(an_empty_histogram_has_no_percentile),
		cmocka_unit_test(one_sample_is_every_percentile),
		cmocka_unit_test(merging_keeps_counts_and_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
