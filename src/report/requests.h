/* SPDX-License-Identifier: GPL-2.0-only */
/* Page requests of devices and how they were answered. */
#ifndef IOMMUTOP_REPORT_REQUESTS_H
#define IOMMUTOP_REPORT_REQUESTS_H

#include <stdio.h>

#include "report/summary_tables.h"

struct json_object;

/* Nothing, if there were none. */
void requests__print(FILE *out, const struct summary_view *v);
/* An array; NULL = none were seen. The caller's. */
struct json_object *requests__json(const struct model *m);

#endif
