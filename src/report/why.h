/* SPDX-License-Identifier: GPL-2.0-only */
/* Why each group's unmaps are strict or lazy, for people and for programs. */
#ifndef IOMMUTOP_REPORT_WHY_H
#define IOMMUTOP_REPORT_WHY_H

#include <stdio.h>

#include "analyze/analysis.h"

struct json_object;

/* One line a group, and below it what each chooser asked for. At most 100 columns. */
void report__why_text(FILE *out, const struct analysis *a);
/* A list of objects (docs/json.md), for json_object_put(), or NULL without memory. */
struct json_object *report__why_json(const struct analysis *a);
/* The same without what each chooser asked for: the tables of a recording. */
void report__why_table(FILE *out, const struct analysis *a);
/* Is anything of it known? Sessions of older versions have none. */
bool report__why_known(const struct analysis *a);

#endif
