/* SPDX-License-Identifier: GPL-2.0-only */
/* The figures that diff compares: one table. */
#ifndef IOMMUTOP_DIFF_FIGURES_H
#define IOMMUTOP_DIFF_FIGURES_H

#include "diff/diff.h"
#include "diff/resample.h"

#define FIGURE_MATTERS       0.10 /* what people act upon; less than that differs from boot to boot */
#define FIGURE_SHARE_MATTERS 0.02
#define FIGURE_MIN_SLICES    8U /* with fewer, their spread says nothing */

struct figure {
	const char *id, *title;
	enum diff_unit unit;
	int worse;    /* as in struct diff_row */
	double times; /* so much more than usual must it differ to matter: percentiles far out vary
		       */
	/* The ratio of two sums over slices, or the quantile of a histogram. */
	double (*of)(const struct slice *s); /* NULL: quantile */
	double (*per)(const struct slice *s);
	size_t hist; /* offset in struct slice */
	double quantile;
};

extern const struct figure figures[]; /* id NULL at the end */

double figure__value(const struct resample_draw *draw, const void *figure); /* resample_fn */

#endif
