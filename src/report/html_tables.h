/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of the HTML report: devices, domains, maps, flushes, windows, losses, self-checks. */
#ifndef IOMMUTOP_REPORT_HTML_TABLES_H
#define IOMMUTOP_REPORT_HTML_TABLES_H

#include <stdio.h>

#include "model/model.h"

struct json_object;

/* report: report__json()'s. */
void html_tables__all(FILE *out, const struct model *m, struct json_object *report);

#endif
