/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How sure is it that two sets of runs differ? Each run is cut into slices; the slices of a run
 * depend on their neighbours, and runs differ from each other for reasons that nobody asked about.
 * So whole blocks of neighbouring slices are drawn again and again (the circular block bootstrap:
 * Politis and Romano 1992), out of runs that are drawn themselves when there are several, and the
 * spread of what the draws give is the uncertainty of the result.
 */
#ifndef IOMMUTOP_DIFF_RESAMPLE_H
#define IOMMUTOP_DIFF_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

#define RESAMPLE_DRAWS 1000U
#define RESAMPLE_RUNS  64U

/* One run: nr slices. The data is the caller's; see resample_fn. */
struct resample_run {
	const void *slices;
	size_t nr;
};

struct resample_side {
	struct resample_run runs[RESAMPLE_RUNS];
	size_t nr;
};

/* Which slices were drawn: pick[i] is a slice of run[i]. */
struct resample_draw {
	const struct resample_run **run;
	size_t *pick;
	size_t nr;
};

/*
 * The figure of all drawn slices together, or NaN if they don't give one (nothing happened in
 * them).
 */
typedef double (*resample_fn)(const struct resample_draw *draw, const void *ctx);

struct resample_result {
	double a, b;            /* the figures of the sides as they are; NaN = there is none */
	double low, high;       /* 99 of 100 draws have their effect between these two */
	unsigned int undefined; /* draws that gave no figure */
};

/*
 * effect: 0 = how many times as much, b / a; 1 = how much more, b - a (for shares). The same input
 * always gives the same result. 0, -ENOMEM, or -ENODATA: a side has no slices.
 */
int resample__compare(struct resample_result *out, const struct resample_side *a,
		      const struct resample_side *b, int effect, resample_fn fn, const void *ctx);

/*
 * Counts of something rare, k1 in a time of t1 and k2 in t2: the probability of a difference at
 * least this unlikely if both really happen at the same rate (exact, two-sided, conditional on
 * their sum: Przyborowski and Wilenski 1940). 1 if there is nothing to compare.
 */
double resample__rates(uint64_t k1, double t1, uint64_t k2, double t2);

#endif
