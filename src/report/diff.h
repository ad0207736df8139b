/* SPDX-License-Identifier: GPL-2.0-only */
/* A comparison in words: for people, for a merge request, for programs. */
#ifndef IOMMUTOP_REPORT_DIFF_H
#define IOMMUTOP_REPORT_DIFF_H

#include <stdio.h>

#include "diff/diff.h"

#define REPORT_DIFF_SCHEMA 1 /* as REPORT_SCHEMA */

struct json_object;

struct report_diff {
	const struct diff *diff;
	const struct model *a, *b; /* of the first run of each side */
	const char *name_a, *name_b;
	const char *only; /* the options that say which events count; NULL = all */
};

/* At most 100 columns. */
void report_diff__text(FILE *out, const struct report_diff *r);
/* Tables in GitHub's Markdown. */
void report_diff__markdown(FILE *out, const struct report_diff *r);
/* A new object, or NULL without memory. */
struct json_object *report_diff__json(const struct report_diff *r);

#endif
