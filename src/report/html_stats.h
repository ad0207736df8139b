/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HTML report's tables of what was counted: maps, failures, the IOVA allocator, leaks; what
 * flushes covered, how long they took, NUMA, strict or lazy. Each is written only if there is
 * something in it, and returns its number of rows.
 */
#ifndef IOMMUTOP_REPORT_HTML_STATS_H
#define IOMMUTOP_REPORT_HTML_STATS_H

#include <stdio.h>

#include "model/model.h"

struct json_object;

/* report: report__json()'s. */
size_t html_stats__maps(FILE *out, const struct model *m, struct json_object *report);
size_t html_stats__flushes(FILE *out, const struct model *m, struct json_object *report);

#endif
