/* SPDX-License-Identifier: GPL-2.0-only */
/* A page request that wasn't served, as a part of an incident's paragraph. */
#ifndef IOMMUTOP_REPORT_EXPLAIN_PAGE_H
#define IOMMUTOP_REPORT_EXPLAIN_PAGE_H

#include <stdio.h>

#include "analyze/incident.h"

/* Nothing, if there is none, or it proves nothing. */
void explain__page(FILE *out, const struct incident *i, const struct model *m);

const char *explain__fate(enum page_fate fate); /* stable, for JSON: "unanswered" */
/* "write, PASID 5, group 7"; at most size bytes at out, which is returned. */
const char *explain__page_detail(const struct incident_page *p, char *out, size_t size);
/* The word for an answer: "INVALID"; "code 9" of one that isn't known. */
const char *explain__answer(__u32 code, char *out, size_t size);

#endif
