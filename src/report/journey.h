/* SPDX-License-Identifier: GPL-2.0-only */
/* The journey of one address, in words. */
#ifndef IOMMUTOP_REPORT_JOURNEY_H
#define IOMMUTOP_REPORT_JOURNEY_H

#include <stdio.h>

#include "analyze/analysis.h"
struct json_object;

/* a->journey must be there. */
void journey__print(FILE *out, const struct analysis *a);
/* NULL (null) if it isn't. */
struct json_object *journey__json(const struct analysis *a);

#endif
