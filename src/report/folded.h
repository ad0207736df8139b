/* SPDX-License-Identifier: GPL-2.0-only */
/* Stacks one to a line, outermost first, with a number: what flame graph programs read. */
#ifndef IOMMUTOP_REPORT_FOLDED_H
#define IOMMUTOP_REPORT_FOLDED_H

#include <stdio.h>

#include "analyze/analysis.h"

enum folded_weight { FOLDED_COUNT, FOLDED_BYTES, FOLDED_TIME };

/* "kthread;refdma_run;refdma_unmap [refdma] 95", by weight. Events without a stack: "task;[no
 * stack]". Lines of weight 0 are left out. 0 or -ENOMEM. */
int folded__print(FILE *out, const struct analysis *a, enum folded_weight weight);

#endif
