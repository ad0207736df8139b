/* SPDX-License-Identifier: GPL-2.0-only */
/* What was still mapped at the end, and by whom. */
#ifndef IOMMUTOP_REPORT_LEAKS_H
#define IOMMUTOP_REPORT_LEAKS_H

#include <stdio.h>

#include "analyze/leaks.h"
struct json_object;

void leaks__print(FILE *out, const struct analysis *a, const struct leaks *l);
struct json_object *leaks__json(const struct analysis *a, const struct leaks *l);

#endif
