/* SPDX-License-Identifier: GPL-2.0-only */
/* One incident in plain words. */
#ifndef IOMMUTOP_REPORT_EXPLAIN_H
#define IOMMUTOP_REPORT_EXPLAIN_H

#include "analyze/analysis.h"

/* Both return a text to free(), or NULL without memory. No line breaks inside. */
char *explain__title(const struct incident *i, const struct model *m);
char *explain__paragraph(const struct incident *i, const struct model *m);

#endif
