/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of an explanation that is about hangs, resets, errors and stalled flushes. */
#ifndef IOMMUTOP_REPORT_EXPLAIN_TROUBLE_H
#define IOMMUTOP_REPORT_EXPLAIN_TROUBLE_H

#include <stdio.h>

#include "analyze/analysis.h"

/* Sentences, each with a blank before it unless it is the first of the text. */
void explain__trouble(FILE *out, const struct incident *i, const struct model *m);

#endif
