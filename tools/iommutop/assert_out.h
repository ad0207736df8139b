/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the reports of assert go: any number of formats, each to a file of its own. */
#ifndef IOMMUTOP_ASSERT_OUT_H
#define IOMMUTOP_ASSERT_OUT_H

#include <stdbool.h>

#include "outfile.h"
#include "report/assert.h"

enum assert_format {
	FORMAT_TEXT,
	FORMAT_KTAP,
	FORMAT_TAP,
	FORMAT_JUNIT,
	FORMAT_JSON,
	FORMAT_GITHUB,
	FORMATS,
};

struct assert_out {
	struct outfile files[FORMATS];
};

/*
 * paths: by format, NULL = not wanted, "-" = standard output, which only one may have. Opens all
 * of them, so that what can't be written is known before anything is watched. 0, or a negative
 * errno and err; then nothing is open.
 */
int assert_out__open(struct assert_out *o, const char *const paths[FORMATS], struct error *err);
/* Writes all of them, those behind one that fails too, and closes them. 0, or the first error. */
int assert_out__write(struct assert_out *o, const struct assert_report *r, struct error *err);
/* Forgets what is open. */
void assert_out__drop(struct assert_out *o);

#endif
