/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The report as one HTML file that needs nothing else: no network, no other file, and no script
 * either, but then without drawings. It is made of report__json()'s object, so the two never
 * disagree, and holds that object, in pieces, too.
 */
#ifndef IOMMUTOP_REPORT_HTML_H
#define IOMMUTOP_REPORT_HTML_H

#include <stdio.h>

#include "analyze/analysis.h"
#include "analyze/leaks.h"

#define HTML_INCIDENTS_MAX 200U /* incidents shown; the report says how many more there are */

struct json_object;

/* After analysis__finish(). leaks: NULL, they weren't asked for. source: what the input says of
 * itself, may be NULL; stays the caller's. 0 or -ENOMEM; whether out took it all is for the caller
 * to ask. */
int report__html(FILE *out, const struct analysis *a, const struct leaks *leaks,
		 struct json_object *source);

#endif
