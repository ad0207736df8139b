// SPDX-License-Identifier: GPL-2.0-only
/* Uncertainty of differences, against values calculated by hand; slices; and what is concluded. */
#include "scene.h"

#include <errno.h>
#include <math.h>

#include "diff/diff.h"
#include "diff/figures.h"
#include "diff/resample.h"

static double mean(const struct resample_draw *d, const void *ctx)
{
	double sum = 0;

	(void)ctx;
	for (size_t i = 0; i < d->nr; i++)
		sum += ((const double *)d->run[i]->slices)[d->pick[i]];
	return d->nr ? sum / (double)d->nr : NAN;
}

static struct resample_side side(const double *values, size_t nr)
{
	return (struct resample_side){ .runs = { { values, nr } }, .nr = 1 };
}

static void chances_of_rare_counts_are_exact(void **state)
{
	(void)state;
	/* heads or tails: 0 of 5 is as unlikely as 5 of 5, 2 / 32 */
	assert_true(fabs(resample__rates(0, 1, 5, 1) - 0.0625) < 1e-9);
	assert_true(fabs(resample__rates(10, 7, 0, 7) - 2.0 / 1024) < 1e-9);
	/* a quarter of the time: 3 of 3 there has 1/64, and nothing else is as unlikely */
	assert_true(fabs(resample__rates(3, 1, 0, 3) - 1.0 / 64) < 1e-9);
	assert_true(fabs(resample__rates(4, 2, 4, 2) - 1) < 1e-9);
	assert_true(resample__rates(0, 1, 0, 1) >= 1);
	assert_true(resample__rates(3, 0, 1, 0) >= 1);
	/* many: 10 sigma apart */
	assert_true(resample__rates(1000000, 1, 1014142, 1) < 1e-20);
	assert_true(resample__rates(1000000, 1, 1000100, 1) > 0.9);
}

static void constant_sides_differ_by_their_ratio_exactly(void **state)
{
	double before[20], after[20];
	struct resample_side sa = side(before, 20), sb = side(after, 20);
	struct resample_result r;

	(void)state;
	for (int i = 0; i < 20; i++) {
		before[i] = 2;
		after[i] = 5;
	}
	assert_int_equal(resample__compare(&r, &sa, &sb, 0, mean, NULL), 0);
	assert_true(r.a == 2 && r.b == 5 && r.low == 2.5 && r.high == 2.5 && !r.undefined);
	assert_int_equal(resample__compare(&r, &sa, &sb, 1, mean, NULL), 0);
	assert_true(r.low == 3 && r.high == 3);
}

/* Noise without memory, and the same values sorted into waves: what neighbours have in common makes
 * a run tell less. */
static void waves_are_less_certain_than_noise(void **state)
{
	double noise[128], waves[128];
	struct resample_side sn = side(noise, 128), sw = side(waves, 128);
	struct resample_result rn, rw;

	(void)state;
	for (int i = 0; i < 128; i++) {
		noise[i] = 10 + (i * 37 % 128) / 64.0;
		waves[i] = 10 + (i % 32 < 16 ? 0.2 : 1.8);
	}
	assert_int_equal(resample__compare(&rn, &sn, &sn, 0, mean, NULL), 0);
	assert_int_equal(resample__compare(&rw, &sw, &sw, 0, mean, NULL), 0);
	assert_true(rn.low < 1 && rn.high > 1 && rw.low < 1 && rw.high > 1);
	/* standard error of a mean of 128 evenly spread over 2: 0.051; of a ratio of two, relative
	 * to 11: 0.0066; 99 %: 2.58 of it to each side */
	assert_true(rn.high - rn.low > 0.015 && rn.high - rn.low < 0.045);
	assert_true(rw.high - rw.low > 1.5 * (rn.high - rn.low));
}

static void runs_that_differ_among_themselves_widen_the_result(void **state)
{
	double low[16], high[16];
	struct resample_side one = side(low, 16), mixed = { .nr = 2 };
	struct resample_result r;

	(void)state;
	for (int i = 0; i < 16; i++) {
		low[i] = 10;
		high[i] = 20;
	}
	mixed.runs[0] = (struct resample_run){ low, 16 };
	mixed.runs[1] = (struct resample_run){ high, 16 };
	assert_int_equal(resample__compare(&r, &one, &mixed, 0, mean, NULL), 0);
	assert_true(r.b == 15 && r.low == 1 && r.high == 2);
}

static void a_side_without_slices_has_no_data(void **state)
{
	double value[1] = { 1 };
	struct resample_side sa = side(value, 1), none = { .nr = 0 };
	struct resample_result r;

	(void)state;
	assert_int_equal(resample__compare(&r, &sa, &none, 0, mean, NULL), -ENODATA);
	assert_true(isnan(r.a) && isnan(r.low));
}

static void a_quantile_lies_where_it_must(void **state)
{
	static struct slice slices[2];
	const struct resample_run run = { slices, 2 };
	const struct resample_run *runs[2] = { &run, &run };
	size_t pick[2] = { 0, 1 };
	struct resample_draw d = { runs, pick, 2 };
	const struct figure *f = figures;

	(void)state;
	while (strcmp(f->id, "flush_p50"))
		f++;
	/* 100 flushes of 1000 ns, 100 of 9000 ns: half of them are 1000 or less */
	slices[0].flush.nr = slices[1].flush.nr = 100;
	slices[0].flush.buckets[hist__bucket(1000)] = 100;
	slices[1].flush.buckets[hist__bucket(9000)] = 100;
	assert_true(fabs(figure__value(&d, f) - 1000) < 130);
	pick[0] = 1; /* the other slice twice */
	assert_true(fabs(figure__value(&d, f) - 9000) < 1200);
	slices[1].flush.nr = 0;
	assert_true(isnan(figure__value(&d, f)));
}

/* --- sessions --- */

/* Traffic: nr maps and unmaps of 4 KiB with a flush of flush_ns after each ten. */
static void traffic(struct diff_run *run, unsigned int nr, __u64 flush_ns)
{
	__u64 ts = T0;

	for (unsigned int i = 0; i < nr; i++) {
		struct iot_map map = { .h = head(IOT_EV_MAP, sizeof(map), 0),
				       .iova = IOVA,
				       .size = 4096,
				       .prot = RW };
		struct iot_unmap unmap = { .h = head(IOT_EV_UNMAP, sizeof(unmap), 0),
					   .iova = IOVA,
					   .size = 4096,
					   .unmapped = 4096,
					   .mode = IOT_UNMAP_LAZY };
		struct iot_flush flush = { .h = head(IOT_EV_FLUSH, sizeof(flush), 0),
					   .kind = IOT_FLUSH_ALL,
					   .why = IOT_WHY_TIMER };

		map.h.ts = ts += 1000;
		unmap.h.ts = ts += 1000 + i % 7 * 100;
		assert_int_equal(diff_run__event(run, &map.h), 0);
		assert_int_equal(diff_run__event(run, &unmap.h), 0);
		if (i % 10 != 9)
			continue;
		flush.begin = ts += 500;
		flush.h.ts = ts += flush_ns + i % 30;
		assert_int_equal(diff_run__event(run, &flush.h), 0);
	}
	diff_run__end(run);
}

static const struct diff_row *row(const struct diff *d, const char *id)
{
	for (size_t i = 0; i < d->nr_rows; i++)
		if (!strcmp(d->rows[i].id, id))
			return &d->rows[i];
	fail_msg("no figure %s", id);
	return NULL;
}

static void compare(struct diff *d, __u64 flush_a, __u64 flush_b, size_t runs)
{
	struct diff_run a_runs[3], b_runs[3], *al[3], *bl[3];

	for (size_t i = 0; i < runs; i++) {
		al[i] = &a_runs[i];
		bl[i] = &b_runs[i];
		assert_int_equal(diff_run__init(al[i], "a", 0, NULL), 0);
		assert_int_equal(diff_run__init(bl[i], "b", 0, NULL), 0);
		traffic(al[i], 20000, flush_a);
		traffic(bl[i], 20000 + 1000 * (unsigned int)i, flush_b);
	}
	assert_int_equal(diff__compare(d, al, runs, bl, runs, 0), 0);
	for (size_t i = 0; i < runs; i++) {
		diff_run__free(al[i]);
		diff_run__free(bl[i]);
	}
}

static void the_same_thing_has_no_difference(void **state)
{
	struct diff d;

	(void)state;
	compare(&d, 2000, 2000, 1);
	assert_int_equal(d.different, 0);
	assert_int_equal(row(&d, "flush_p50")->answer, DIFF_SAME);
	assert_int_equal(row(&d, "flushes_per_unmap")->answer, DIFF_SAME);
	assert_int_equal(row(&d, "window_strict_p50")->answer, DIFF_NO_DATA);
}

static void slower_flushes_are_found_and_nothing_else(void **state)
{
	struct diff d;

	(void)state;
	compare(&d, 2000, 3000, 1);
	assert_int_equal(row(&d, "flush_p50")->answer, DIFF_LIKELY);
	assert_true(fabs(row(&d, "flush_p50")->effect - 1.5) < 0.1);
	assert_int_equal(row(&d, "flush_mean")->answer, DIFF_LIKELY);
	assert_int_equal(row(&d, "flushes_per_unmap")->answer, DIFF_SAME);
	assert_int_equal(row(&d, "lazy")->answer, DIFF_SAME);
	assert_int_equal(row(&d, "bytes_per_map")->answer, DIFF_SAME);
	/* less than what matters is no difference */
	compare(&d, 2000, 2050, 1);
	assert_int_equal(row(&d, "flush_mean")->answer, DIFF_SAME);
}

static void three_runs_a_side_make_sure(void **state)
{
	struct diff d;

	(void)state;
	compare(&d, 2000, 3000, 3);
	assert_int_equal(row(&d, "flush_mean")->answer, DIFF_SURE);
}

/* A reset in each run: one of the same length as its peer, or of ten times that. */
static enum diff_answer one_reset_each(unsigned int maps_a, unsigned int maps_b)
{
	const unsigned int maps[] = { maps_a, maps_b };
	struct diff_run run[2], *a_run = &run[0], *b_run = &run[1];
	struct diff d;

	for (int i = 0; i < 2; i++) {
		struct iot_trouble reset = { .h = head(IOT_EV_RESET, sizeof(reset), 0) };

		assert_int_equal(diff_run__init(&run[i], "x", 0, NULL), 0);
		assert_int_equal(diff_run__event(&run[i], &reset.h), 0);
		traffic(&run[i], maps[i], 2000);
	}
	assert_int_equal(diff__compare(&d, &a_run, 1, &b_run, 1, 0), 0);
	diff_run__free(&run[0]);
	diff_run__free(&run[1]);
	for (size_t i = 0; i < d.nr_counts; i++)
		if (!strcmp(d.counts[i].id, "resets")) {
			assert_int_equal(d.counts[i].a, 1);
			assert_int_equal(d.counts[i].b, 1);
			return d.counts[i].answer;
		}
	fail_msg("resets aren't counted");
	return DIFF_NO_DATA;
}

static void equal_counts_of_unequal_times_are_not_the_same(void **state)
{
	(void)state;
	assert_int_equal(one_reset_each(20000, 20000), DIFF_SAME);
	assert_int_equal(one_reset_each(20000, 2000), DIFF_CANNOT_TELL);
}

static void slices_keep_the_sum_when_they_merge(void **state)
{
	struct diff_run run;
	__u64 maps = 0, flushes = 0, flush_ns = 0, ns = 0;
	size_t i;

	(void)state;
	assert_int_equal(diff_run__init(&run, "x", 0, NULL), 0);
	traffic(&run, 100000, 2000);
	assert_true(run.slices.nr >= SLICES_MAX / 2 && run.slices.nr < SLICES_MAX);
	assert_true(run.slices.per_slice > SLICES_FIRST);
	for (i = 0; i < run.slices.nr; i++) {
		maps += run.slices.list[i].maps;
		flushes += run.slices.list[i].flush.nr;
		flush_ns += run.slices.list[i].flush.sum;
		ns += run.slices.list[i].ns;
	}
	/* all but what the unfinished last slice held: 210000 events, 1.05 to a map and half */
	assert_in_range(maps, 100000 - run.slices.per_slice, 100000);
	assert_in_range(flushes, 10000 - run.slices.per_slice, 10000);
	assert_in_range(flush_ns, flushes * 2000, flushes * 2030);
	assert_in_range(ns, maps * 2000, maps * 3000);
	diff_run__free(&run);
}

static void what_is_out_of_scope_is_in_no_slice_but_its_time_is(void **state)
{
	const struct scope_opts opts = { .filter = "id==map" };
	struct scope *scope = NULL;
	struct diff_run all, run;
	struct error err;
	__u64 maps = 0, others = 0, ns = 0;

	(void)state;
	assert_int_equal(scope__new(&scope, &opts, &err), 0);
	assert_int_equal(diff_run__init(&all, "all", 0, NULL), 0);
	assert_int_equal(diff_run__init(&run, "x", 0, scope), 0);
	traffic(&all, 20000, 2000);
	traffic(&run, 20000, 2000);
	for (size_t i = 0; i < run.slices.nr; i++) {
		maps += run.slices.list[i].maps;
		others += run.slices.list[i].unmaps + run.slices.list[i].flush.nr +
			  run.slices.list[i].lazy.nr;
		ns += run.slices.list[i].ns;
	}
	assert_in_range(maps, 20000 - run.slices.per_slice, 20000);
	assert_int_equal(others, 0);
	assert_int_equal(run.slices.per_slice,
			 SLICES_FIRST); /* of 42000 events they'd have doubled */
	assert_int_equal(run.begin, all.begin);
	assert_int_equal(run.end, all.end);
	assert_in_range(ns, (run.end - run.begin) * maps / 20000 - 10000, run.end - run.begin);
	diff_run__free(&all);
	diff_run__free(&run);
	scope__free(scope);
}

static void the_time_asked_for_is_what_counts_are_divided_by(void **state)
{
	const struct scope_opts opts = { .time = "10ms,+5ms" };
	struct scope *scope = NULL;
	struct diff_run run;
	struct error err;

	(void)state;
	assert_int_equal(scope__new(&scope, &opts, &err), 0);
	assert_int_equal(diff_run__init(&run, "x", 0, scope), 0);
	traffic(&run, 20000, 2000);
	assert_int_equal(run.end - run.begin, 5000000);
	/* 2.3 to 2.8 us a map, with its share of a flush */
	assert_in_range(run.analysis->model.total.maps, 5000 / 2.8, 5000 / 2.3);
	diff_run__free(&run);
	scope__free(scope);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chances_of_rare_counts_are_exact),
		cmocka_unit_test(constant_sides_differ_by_their_ratio_exactly),
		cmocka_unit_test(waves_are_less_certain_than_noise),
		cmocka_unit_test(runs_that_differ_among_themselves_widen_the_result),
		cmocka_unit_test(a_side_without_slices_has_no_data),
		cmocka_unit_test(a_quantile_lies_where_it_must),
		cmocka_unit_test(the_same_thing_has_no_difference),
		cmocka_unit_test(slower_flushes_are_found_and_nothing_else),
		cmocka_unit_test(three_runs_a_side_make_sure),
		cmocka_unit_test(equal_counts_of_unequal_times_are_not_the_same),
		cmocka_unit_test(slices_keep_the_sum_when_they_merge),
		cmocka_unit_test(what_is_out_of_scope_is_in_no_slice_but_its_time_is),
		cmocka_unit_test(the_time_asked_for_is_what_counts_are_divided_by),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
