/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the assertions found, for people and for the programs that run tests. One struct of results
 * in, a text out, in six formats; none of them decides anything.
 *
 * In every format that a harness reads, a rule that is INCONCLUSIVE can't be taken for one that
 * passed, and a rule of severity warning can't fail the whole.
 */
#ifndef IOMMUTOP_REPORT_ASSERT_H
#define IOMMUTOP_REPORT_ASSERT_H

#include <stdio.h>

#include "assert/check.h"

#define ASSERT_SCHEMA 1 /* of the JSON: grows when a key changes its meaning or goes */

/* The run that was watched, told as a result of its own, named "run". */
struct assert_run {
	enum outcome outcome; /* SKIP: it wasn't begun */
	char text[800];       /* "make check exited with code 2" */
};

#define ASSERT_NOTES 8U
struct assert_report {
	const struct check_result *const *results; /* in the order of the rules */
	size_t nr;
	const struct analysis *analysis; /* after analysis__finish(); NULL: nothing was looked at */
	const struct assert_run *run;    /* NULL: a session was read */
	enum outcome verdict;            /* of the rules and the run together */
	const char *rules;               /* where they are from: "preset strict, nic.yaml" */
	const char *source;              /* what was watched: "make check", "session run1" */
	const char *kernel;              /* its release; NULL = not known */
	const char *saved;               /* a session that was saved; NULL = none */
	char notes[ASSERT_NOTES][800];   /* what else must be known to believe it; sentences */
	size_t nr_notes;
};

/* Plain text of at most 100 columns, but for names: rules, then incidents, the verdict last. */
void assert__text(FILE *out, const struct assert_report *r);
/* The kernel's own: KTAP version 1. */
void assert__ktap(FILE *out, const struct assert_report *r);
/* TAP version 14, with YAML diagnostics. */
void assert__tap(FILE *out, const struct assert_report *r);
/* As Jenkins, GitLab and the rest read it. */
void assert__junit(FILE *out, const struct assert_report *r);
/* Workflow commands of GitHub Actions, which become annotations. */
void assert__github(FILE *out, const struct assert_report *r);

struct json_object;
/* A new object for json_object_put(), or NULL without memory. docs/json.md explains it. */
struct json_object *assert__json(const struct assert_report *r);

#endif
