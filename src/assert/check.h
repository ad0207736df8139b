/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checks: rules held against one stream of events, live or of a session, on top of the
 * analysis, whose model knows what is mapped. Each rule ends as PASS, FAIL, INCONCLUSIVE or SKIP.
 *
 * Phases are told by kernel log lines "iommutop: phase workload" and "iommutop: phase shutdown",
 * which anybody may write to /dev/kmsg, so that a session has them too.
 */
#ifndef IOMMUTOP_ASSERT_CHECK_H
#define IOMMUTOP_ASSERT_CHECK_H

#include "analyze/analysis.h"
#include "assert/rule.h"

enum outcome {
	OUTCOME_PASS,
	OUTCOME_FAIL,
	OUTCOME_INCONCLUSIVE, /* no violation seen, but one could have been missed */
	OUTCOME_SKIP,         /* nothing that the rule is about was there */
};

/* One violation. */
struct finding {
	__u64 ts;                    /* ns, 0 = at no moment */
	__u64 times;                 /* how many violations it tells of */
	__u32 dev, domain;           /* 0 = not known */
	__u32 incident;              /* number in the analysis' list + 1; 0 = none */
	__u32 stack;                 /* 0 = none */
	const struct waiver *waiver; /* NULL = none */
	char text[480];              /* what happened, in plain words, without full stop */
};
#define CHECK_FINDINGS 8U /* the first ones are kept; all are counted */
#define CHECK_WHY      6U

struct check_result {
	const struct rule *rule;
	enum outcome outcome;
	__u64 looked_at;  /* operations, domains or whatever it checks: 0 is never a PASS */
	const char *unit; /* … "unmaps", "domains" */
	__u64 violations; /* waived ones not included */
	__u64 waived;
	bool counted;                 /* decided by what the kernel counted: events are missing */
	const struct waiver *expired; /* one that would have covered a violation */
	struct finding findings[CHECK_FINDINGS];
	__u32 nr_findings;
	char why[CHECK_WHY][200]; /* INCONCLUSIVE, SKIP: why, a clause each */
	__u32 nr_why;
	char says[440]; /* a line of measured facts: "p99 of 12,345 flushes: 31 us"; "" = none */
};

struct checks;

/* rules and a are the caller's and must outlive it. today: days since 1970-01-01, for waivers. 0 or
 * -ENOMEM. */
int checks__new(struct checks **out, const struct rule_set *rules, struct analysis *a, __s32 today);
/* One event, in time order: checks it and hands it to the analysis. As analysis__event(). */
int checks__event(struct checks *c, const struct iot_event *ev);
/* Ends the analysis and decides. Once. */
int checks__finish(struct checks *c);
/* After it: in the order of the rules. */
const struct check_result *checks__result(const struct checks *c, size_t i);
void checks__free(struct checks *c);

/* Violations so far that aren't waived; for a flight recorder that dumps at the first. */
__u64 checks__violations(const struct checks *c);
/* The same of rule i, *first being the text of the first one, "" = none. What comes later may still
 * show that it was nothing, if events are missing. */
__u64 checks__so_far(const struct checks *c, size_t i, const char **first);

/* All rules together: FAIL before INCONCLUSIVE before PASS; SKIP if nothing else. Warnings don't
 * count. */
enum outcome checks__verdict(const struct checks *c);
const char *outcome__name(enum outcome o); /* "PASS" … */

#endif
