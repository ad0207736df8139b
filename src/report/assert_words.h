/* SPDX-License-Identifier: GPL-2.0-only */
/* The words that the reports of assertions share. */
#ifndef IOMMUTOP_REPORT_ASSERT_WORDS_H
#define IOMMUTOP_REPORT_ASSERT_WORDS_H

#include <stdbool.h>

#include "report/assert.h"

/* One line: no control characters, so no line breaks. What is too long ends in "...". */
struct assert_line {
	char s[1024];
};

/* How many results, the run included, ended how. */
struct assert_totals {
	size_t all, pass, fail, inconclusive, skip;
	size_t warnings; /* failed or inconclusive, but only a warning: in none of the others */
};
struct assert_totals assert__totals(const struct assert_report *r);

/* One result of a report, a rule's or, behind them, that of the run. */
struct assert_item {
	struct assert_line name;
	const struct check_result *result; /* NULL: the run */
	enum outcome outcome;
	bool warning; /* its outcome doesn't count */
};
/* i: from 0 to assert__totals().all - 1. */
struct assert_item assert__item(const struct assert_report *r, size_t i);

/* In a few words why it ended so: "3 violations in 120 unmaps, 1 more waived". */
struct assert_line assert__summary(const struct assert_report *r, const struct assert_item *it);
/* Whether the report's analysis has an incident of that number; a finding says 0 for none. */
bool assert__has_incident(const struct assert_report *r, __u32 nr);
/* "5.238000 s, refdma.0, domain 3: what happened" and, if it is waived, that and why. */
struct assert_line assert__finding(const struct assert_report *r, const struct finding *f);
/* "waived until 2027-01-31: why (link)". */
struct assert_line assert__waiver(const struct waiver *w);
/* "FAIL: 1 of 12 rules failed, …". */
struct assert_line assert__verdict_line(const struct assert_report *r);

/*
 * What there is to say beyond the summary, a line each: findings, how many more there were, waivers
 * that expired, why it can't be decided. explain: behind a finding its incident's explanation, of
 * any length, each once.
 */
void assert__details(const struct assert_report *r, const struct assert_item *it, bool explain,
		     void (*say)(void *ctx, const char *line), void *ctx);

#endif
