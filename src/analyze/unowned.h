/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of the verdict tree for addresses that, as far as is remembered, nobody had in the
 * domain. */
#ifndef IOMMUTOP_ANALYZE_UNOWNED_H
#define IOMMUTOP_ANALYZE_UNOWNED_H

#include "analyze/incident.h"

void unowned__judge(struct incident_fault *f, struct model *m, const struct model_domain *dom);

/*
 * A mapping that ends, or begins, within a page of the address; live ones first, ends first. Only
 * what happened after lost_until (ns) counts. Fills in f->neighbour and f->distance.
 */
bool unowned__neighbour(struct incident_fault *f, __u64 lost_until, enum verdict *verdict);

#endif
