/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Judges incidents, when everything has been seen: the flush that came after a fault, and losses,
 * which are reported late, count as well. What can't be known is said to be unknown; nothing is
 * guessed.
 */
#ifndef IOMMUTOP_ANALYZE_VERDICT_H
#define IOMMUTOP_ANALYZE_VERDICT_H

#include "analyze/incident.h"

/* work: see lookup__fault() */
void verdict__judge(struct incident *i, struct model *m, __u64 *work);

#endif
