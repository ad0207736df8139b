/* SPDX-License-Identifier: GPL-2.0-only */
/* What was still mapped at the end, and by whom. */
#ifndef IOMMUTOP_REPORT_LEAKS_H
#define IOMMUTOP_REPORT_LEAKS_H

#include <stdio.h>

#include "analyze/leaks.h"
struct json_object;

#define LEAKS_UNSURE                                                                            \
	"Events are missing: some of it may have been unmapped unseen, and more may be mapped " \
	"than is known."

/* What stands for the list if it is empty. scoped: not all mappings were asked for. */
const char *leaks__nothing(const struct model *m, bool scoped);
void leaks__print(FILE *out, const struct analysis *a, const struct leaks *l);
struct json_object *leaks__json(const struct analysis *a, const struct leaks *l);

#endif
