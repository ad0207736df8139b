/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between two sets of recordings: cost, flush behaviour, windows, faults. Every figure
 * comes with how much it differs and how sure that is; what can't be told apart is said to be so.
 * src/report/diff.h makes words of it.
 */
#ifndef IOMMUTOP_DIFF_DIFF_H
#define IOMMUTOP_DIFF_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "analyze/analysis.h"
#include "diff/slices.h"

struct diff_run {
	const char *name; /* the caller's */
	struct analysis *analysis;
	struct slices slices;
	__u64 begin, end; /* ns: of the session, or of the time asked for; after diff_run__end() */
};

/* history, scope: see struct analysis_opts. 0 or -ENOMEM. */
int diff_run__init(struct diff_run *run, const char *name, size_t history, struct scope *scope);
int diff_run__event(struct diff_run *run, const struct iot_event *ev); /* 0 or -ENOMEM */
void diff_run__end(struct diff_run *run);
void diff_run__free(struct diff_run *run);

enum diff_unit { DIFF_NS, DIFF_BYTES, DIFF_PER_SECOND, DIFF_NUMBER, DIFF_SHARE };

enum diff_answer {
	DIFF_NO_DATA,     /* one side or both have nothing of it */
	DIFF_CANNOT_TELL, /* the uncertainty is larger than what would matter */
	DIFF_SAME,        /* whatever difference there is, it is smaller than what matters */
	DIFF_LIKELY,      /* different, unless runs vary among themselves more than within */
	DIFF_SURE,        /* different, and three runs a side or more say so */
};

/* One figure. */
struct diff_row {
	const char *id;    /* stable, for JSON */
	const char *title; /* "Flush, median" */
	enum diff_unit unit;
	int worse;        /* 1 = more is worse, -1 = less is worse, 0 = neither */
	double a, b;      /* NaN = none */
	double effect;    /* b / a, of shares b - a; NaN if one of them is missing */
	double low, high; /* 99 % of the draws have their effect between these */
	double matters;   /* least effect that counts: 0.1 = 10 %, or 0.02 of a share */
	enum diff_answer answer;
};

/* Something rare, counted. */
struct diff_count {
	const char *id, *title; /* NULL: incidents with this verdict */
	enum verdict verdict;
	__u64 a, b;
	double a_seconds, b_seconds; /* in which they were counted */
	double chance;               /* that such a difference comes by accident, 0 to 1 */
	bool floor;                  /* events are missing: both are lower limits */
	enum diff_answer answer;
};

#define DIFF_ROWS   24U
#define DIFF_COUNTS 24U

struct diff {
	struct diff_row rows[DIFF_ROWS];
	size_t nr_rows;
	struct diff_count counts[DIFF_COUNTS];
	size_t nr_counts;
	size_t runs_a, runs_b;
	bool lossy_a, lossy_b; /* a run of the side has lost events: its counts are lower limits */
	size_t different;      /* rows and counts that are LIKELY or SURE */
};

/*
 * matters: least relative effect to speak of, 0 = 10 % (percentiles far out: 25 %; shares: 2
 * points). 0, -ENOMEM, or -E2BIG: more than RESAMPLE_RUNS runs.
 */
int diff__compare(struct diff *out, struct diff_run *const *a, size_t nr_a,
		  struct diff_run *const *b, size_t nr_b, double matters);

#endif
