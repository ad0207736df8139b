// SPDX-License-Identifier: GPL-2.0-only
#include "diff/resample.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static size_t below(uint64_t *state, size_t limit)
{
	return (size_t)(next_random(state) % limit);
}

static size_t slices_of(const struct resample_side *s)
{
	size_t nr = 0;

	for (size_t i = 0; i < s->nr; i++)
		nr += s->runs[i].nr;
	return nr;
}

static void add(struct resample_draw *d, const struct resample_run *run, size_t slice)
{
	d->run[d->nr] = run;
	d->pick[d->nr++] = slice;
}

static void take_all(struct resample_draw *d, const struct resample_side *s)
{
	d->nr = 0;
	for (size_t i = 0; i < s->nr; i++)
		for (size_t n = 0; n < s->runs[i].nr; n++)
			add(d, &s->runs[i], n);
}

/* Long enough to hold what neighbours have in common: the cube root is the usual order. */
static size_t block_length(size_t nr)
{
	size_t length = (size_t)ceil(cbrt((double)nr));

	return length ? length : 1;
}

static void draw(struct resample_draw *d, const struct resample_side *s, uint64_t *state)
{
	d->nr = 0;
	for (size_t i = 0; i < s->nr; i++) {
		const struct resample_run *run = &s->runs[s->nr > 1 ? below(state, s->nr) : 0];
		size_t length = block_length(run->nr);

		for (size_t n = 0; n < run->nr; n += length) {
			size_t from = below(state, run->nr);

			for (size_t k = 0; k < length && n + k < run->nr; k++)
				add(d, run, (from + k) % run->nr);
		}
	}
}

static int draw__init(struct resample_draw *d, const struct resample_side *s)
{
	size_t longest = 0;

	for (size_t i = 0; i < s->nr; i++)
		longest = s->runs[i].nr > longest ? s->runs[i].nr : longest;
	/* the longest run may be drawn each time */
	d->run = calloc(longest * s->nr, sizeof(*d->run));
	d->pick = calloc(longest * s->nr, sizeof(*d->pick));
	return d->run && d->pick ? 0 : -ENOMEM;
}

static void draw__free(struct resample_draw *d)
{
	free(d->run);
	free(d->pick);
}

static double effect_of(double a, double b, int effect)
{
	if (isnan(a) || isnan(b))
		return NAN;
	if (effect)
		return b - a;
	return a > 0 ? b / a : NAN;
}

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return a < b ? -1 : a > b;
}

int resample__compare(struct resample_result *out, const struct resample_side *a,
		      const struct resample_side *b, int effect, resample_fn fn, const void *ctx)
{
	struct resample_draw da = { 0 }, db = { 0 };
	uint64_t state = 1;
	double *effects;
	size_t nr = 0;
	int rc = -ENOMEM;

	*out = (struct resample_result){ .a = NAN, .b = NAN, .low = NAN, .high = NAN };
	if (!slices_of(a) || !slices_of(b))
		return -ENODATA;
	effects = calloc(RESAMPLE_DRAWS, sizeof(*effects));
	if (!effects || draw__init(&da, a) || draw__init(&db, b))
		goto out;
	rc = 0;
	take_all(&da, a);
	take_all(&db, b);
	out->a = fn(&da, ctx);
	out->b = fn(&db, ctx);
	for (unsigned int i = 0; i < RESAMPLE_DRAWS; i++) {
		draw(&da, a, &state);
		draw(&db, b, &state);
		effects[nr] = effect_of(fn(&da, ctx), fn(&db, ctx), effect);
		nr += !isnan(effects[nr]);
	}
	out->undefined = RESAMPLE_DRAWS - (unsigned int)nr;
	if (nr) {
		qsort(effects, nr, sizeof(*effects), by_value);
		out->low = effects[nr * 5 / 1000];
		out->high = effects[nr - 1 - nr * 5 / 1000];
	}
out:
	free(effects);
	draw__free(&da);
	draw__free(&db);
	return rc;
}

static double log_binomial(uint64_t n, uint64_t k, double p)
{
	return lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) +
	       (double)k * log(p) + (double)(n - k) * log1p(-p);
}

double resample__rates(uint64_t k1, double t1, uint64_t k2, double t2)
{
	uint64_t n = k1 + k2;
	double p, seen, sum = 0, sd;

	if (!n || !(t1 > 0) || !(t2 > 0))
		return 1;
	p = t1 / (t1 + t2);
	/* Beyond this the normal approximation is exact enough, and the sum would take long. */
	if (n > 100000) {
		sd = sqrt((double)n * p * (1 - p));
		return erfc(fabs((double)k1 - (double)n * p) / sd / sqrt(2));
	}
	seen = log_binomial(n, k1, p);
	for (uint64_t k = 0; k <= n; k++) {
		double l = log_binomial(n, k, p);

		/* as unlikely as what was seen, but for rounding */
		if (l <= seen + 1e-7)
			sum += exp(l);
	}
	return sum > 1 ? 1 : sum;
}
