/* SPDX-License-Identifier: GPL-2.0-only */
/* What the HTML report's script draws: series over time, heat maps, marks and gaps. */
#ifndef IOMMUTOP_REPORT_HTML_VIEW_H
#define IOMMUTOP_REPORT_HTML_VIEW_H

#include <stdio.h>

#include "analyze/analysis.h"

struct json_object;

/*
 * A new object, or NULL without memory. All times in it are ns after the time line's origin, which
 * JavaScript's numbers hold exactly for 104 days; "zero" is where the report's time 0 lies. Marks
 * are made of the first incidents of report (report__json()'s) only, shown of them.
 */
struct json_object *html_view__new(const struct analysis *a, struct json_object *report,
				   size_t shown);

/* The time line as a table of at most HTML_VIEW_ROWS rows, for those who can't see or run a
 * drawing.
 */
#define HTML_VIEW_ROWS 32U
void html_view__table(FILE *out, const struct analysis *a);

#endif
