/* SPDX-License-Identifier: GPL-2.0-only */
/* Submissions to the hardware (record --hw), by function and kind, beside the flushes. */
#ifndef IOMMUTOP_REPORT_SUBMITS_H
#define IOMMUTOP_REPORT_SUBMITS_H

#include <stdio.h>

#include "report/summary_tables.h"

struct json_object;

/* Nothing, if there were none. */
void submits__print(FILE *out, const struct summary_view *v);
/* An array; NULL = none were recorded. The caller's. */
struct json_object *submits__json(const struct model *m);

#endif
