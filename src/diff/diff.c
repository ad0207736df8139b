// SPDX-License-Identifier: GPL-2.0-only
#include "diff/diff.h"

#include <errno.h>
#include <math.h>

#include "diff/figures.h"
#include "diff/resample.h"

#define RUNS_TO_BE_SURE 3
#define RARE            0.01 /* chance below which a difference of counts is none by accident */

int diff_run__init(struct diff_run *run, const char *name, size_t history, struct scope *scope)
{
	const struct analysis_opts opts = { .history = history, .scope = scope };
	int rc;

	*run = (struct diff_run){ .name = name };
	rc = analysis__new(&run->analysis, &opts);
	if (!rc)
		rc = slices__init(&run->slices);
	if (rc)
		diff_run__free(run);
	return rc;
}

int diff_run__event(struct diff_run *run, const struct iot_event *ev)
{
	int rc = analysis__event(run->analysis, ev);

	slices__event(&run->slices, &run->analysis->model, ev);
	return rc;
}

void diff_run__end(struct diff_run *run)
{
	const struct model *m = &run->analysis->model;

	run->begin = m->first;
	run->end = m->last;
	scope__narrow(run->analysis->scope, &run->begin, &run->end);
	slices__end(&run->slices, m, run->end);
	analysis__finish(run->analysis);
}

void diff_run__free(struct diff_run *run)
{
	analysis__free(run->analysis);
	slices__free(&run->slices);
	*run = (struct diff_run){ 0 };
}

/*
 * Different only if the whole of what is plausible lies beyond what matters; the same only if all
 * of it lies within.
 */
static enum diff_answer answer(const struct diff_row *r, bool many_runs)
{
	bool share = r->unit == DIFF_SHARE;
	double below = share ? -r->matters : 1 / (1 + r->matters),
	       above = share ? r->matters : 1 + r->matters;

	if (r->low > above || r->high < below)
		return many_runs ? DIFF_SURE : DIFF_LIKELY;
	if (r->low >= below && r->high <= above)
		return DIFF_SAME;
	return DIFF_CANNOT_TELL;
}

static void add_side(struct resample_side *side, struct diff_run *const *runs, size_t nr)
{
	side->nr = 0;
	for (size_t i = 0; i < nr; i++)
		if (runs[i]->slices.nr)
			side->runs[side->nr++] =
				(struct resample_run){ .slices = runs[i]->slices.list,
						       .nr = runs[i]->slices.nr };
}

static int compare_figures(struct diff *d, const struct resample_side *a,
			   const struct resample_side *b, double matters)
{
	bool many = d->runs_a >= RUNS_TO_BE_SURE && d->runs_b >= RUNS_TO_BE_SURE;
	const struct figure *f;
	int rc;

	for (f = figures; f->id && d->nr_rows < DIFF_ROWS; f++) {
		struct diff_row *r = &d->rows[d->nr_rows++];
		bool share = f->unit == DIFF_SHARE;
		struct resample_result res;

		*r = (struct diff_row){ .id = f->id,
					.title = f->title,
					.unit = f->unit,
					.worse = f->worse,
					.matters = matters > 0 && !share ? matters * f->times
						   : share               ? FIGURE_SHARE_MATTERS
							   : FIGURE_MATTERS * f->times };
		rc = resample__compare(&res, a, b, share, figure__value, f);
		if (rc && rc != -ENODATA)
			return rc;
		r->a = res.a;
		r->b = res.b;
		r->low = res.low;
		r->high = res.high;
		r->effect = share ? res.b - res.a : res.a > 0 ? res.b / res.a : NAN;
		if (rc || isnan(r->effect))
			r->answer = DIFF_NO_DATA;
		else if (res.undefined > RESAMPLE_DRAWS / 20 || a->runs[0].nr < FIGURE_MIN_SLICES ||
			 b->runs[0].nr < FIGURE_MIN_SLICES)
			r->answer = DIFF_CANNOT_TELL;
		else
			r->answer = answer(r, many);
		d->different += r->answer >= DIFF_LIKELY;
	}
	return 0;
}

/* Equal counts of times that differ are no equal rates. */
static bool as_long(const double seconds[2])
{
	return seconds[0] <= seconds[1] * (1 + FIGURE_MATTERS) &&
	       seconds[1] <= seconds[0] * (1 + FIGURE_MATTERS);
}

/* independent: how often it really happened, a burst counting once. */
static void add_count(struct diff *d, struct diff_count c, const __u64 independent[2],
		      const double seconds[2])
{
	if ((!c.a && !c.b) || d->nr_counts == DIFF_COUNTS)
		return;
	c.a_seconds = seconds[0];
	c.b_seconds = seconds[1];
	c.floor = d->lossy_a || d->lossy_b;
	c.chance = resample__rates(independent[0], seconds[0], independent[1], seconds[1]);
	if (c.chance < RARE)
		c.answer = d->runs_a >= RUNS_TO_BE_SURE && d->runs_b >= RUNS_TO_BE_SURE
				   ? DIFF_SURE
				   : DIFF_LIKELY;
	else
		c.answer = c.a == c.b && as_long(seconds) ? DIFF_SAME : DIFF_CANNOT_TELL;
	d->different += c.answer >= DIFF_LIKELY;
	d->counts[d->nr_counts++] = c;
}

struct sums {
	double seconds;
	__u64 faults, hangs, resets;
	__u64 with_faults;           /* incidents: a burst of faults is one */
	__u64 incidents[VERDICT_NR]; /* by verdict */
	bool lossy;
};

static void count_incident(struct sums *s, const struct incident *i)
{
	s->incidents[i->judgement.verdict]++;
	s->with_faults += i->nr_faults > 0;
}

static void sum_up(struct sums *s, struct diff_run *const *runs, size_t nr)
{
	*s = (struct sums){ 0 };
	for (size_t i = 0; i < nr; i++) {
		const struct analysis *a = runs[i]->analysis;
		const struct model *m = &a->model;

		s->seconds += (double)(runs[i]->end - runs[i]->begin) / 1e9;
		s->faults += m->total.faults;
		s->hangs += m->total.hangs;
		s->resets += m->total.resets;
		for (__u32 n = 0; n < a->incidents.nr; n++)
			count_incident(s, a->incidents.list[n]);
		for (size_t n = 0; n < m->nr_losses; n++)
			s->lossy = s->lossy || m->losses[n].cause != IOT_LOST_LATE;
	}
}

int diff__compare(struct diff *out, struct diff_run *const *a, size_t nr_a,
		  struct diff_run *const *b, size_t nr_b, double matters)
{
	struct resample_side side_a, side_b;
	struct sums sa, sb;
	double seconds[2];
	int rc;

	*out = (struct diff){ .runs_a = nr_a, .runs_b = nr_b };
	if (nr_a > RESAMPLE_RUNS || nr_b > RESAMPLE_RUNS)
		return -E2BIG;
	sum_up(&sa, a, nr_a);
	sum_up(&sb, b, nr_b);
	out->lossy_a = sa.lossy;
	out->lossy_b = sb.lossy;
	seconds[0] = sa.seconds;
	seconds[1] = sb.seconds;
	add_side(&side_a, a, nr_a);
	add_side(&side_b, b, nr_b);
	rc = compare_figures(out, &side_a, &side_b, matters);
	if (rc)
		return rc;
	add_count(out,
		  (struct diff_count){
			  .id = "faults", .title = "Faults", .a = sa.faults, .b = sb.faults },
		  (const __u64[]){ sa.with_faults, sb.with_faults }, seconds);
	add_count(out,
		  (struct diff_count){
			  .id = "hangs", .title = "Hangs", .a = sa.hangs, .b = sb.hangs },
		  (const __u64[]){ sa.hangs, sb.hangs }, seconds);
	add_count(out,
		  (struct diff_count){
			  .id = "resets", .title = "Resets", .a = sa.resets, .b = sb.resets },
		  (const __u64[]){ sa.resets, sb.resets }, seconds);
	for (int v = 0; v < VERDICT_NR; v++)
		add_count(out,
			  (struct diff_count){ .verdict = (enum verdict)v,
					       .a = sa.incidents[v],
					       .b = sb.incidents[v] },
			  (const __u64[]){ sa.incidents[v], sb.incidents[v] }, seconds);
	return 0;
}
