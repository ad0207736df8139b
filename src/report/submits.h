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
struct json_object *submits__json(const struct submits *s);

/* Names: "intel", "qi_submit_sync", "iotlb"; "-", "not known", "other" for what this version
 * doesn't know. */
const char *submits__driver(__u32 by);
const char *submits__function(__u32 by);
const char *submits__kind(__u32 kind);

#endif
