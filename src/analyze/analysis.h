/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The analysis: takes a stream of events in time order, whatever its source, and says what
 * happened. Reports of it are in src/report. Faults, hangs and resets in kernel log lines
 * (IOT_EV_LOG) are found here; events that carry IOT_F_DERIVED are passed over, so that a line is
 * never counted twice and a better parser helps old sessions.
 *
 * With a scope, the model still takes every event, so that what is in scope is explained by what
 * isn't; but only events in scope are counted, and of incidents those are reported that have one.
 */
#ifndef IOMMUTOP_ANALYZE_ANALYSIS_H
#define IOMMUTOP_ANALYZE_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>

#include "analyze/folded.h"
#include "analyze/incident.h"
#include "analyze/journey.h"
#include "analyze/logline.h"
#include "analyze/timeline.h"
#include "event.h"
#include "filter/scope.h"
#include "model/model.h"

struct analysis_opts {
	size_t history;      /* dead mappings to remember, 0 = 65536; 128 bytes each */
	struct scope *scope; /* what counts, NULL = everything; the caller's, must outlive it */
	const __u64 *iova;   /* NULL, or the address whose journey is wanted */
	__u16 folded;        /* 0, or the IOT_EV_* whose stacks are to be counted */
};

struct analysis {
	struct model model;
	struct logline lines[IOT_ORIGINS];
	struct incidents incidents; /* judged by analysis__finish() */
	struct timeline timeline;   /* up to date after analysis__finish() */
	struct scope *scope;
	struct journey *journey;      /* NULL = not asked for */
	struct folded folded;         /* id 0 = not asked for */
	__u64 events;                 /* taken, side tables included */
	__u64 in_scope;               /* of these */
	__u64 log_lines, log_matched; /* of these events */
	__u64 malformed;              /* events shorter than their id demands: passed over */
	int error;                    /* first -ENOMEM: what was seen after it is incomplete */
};

/* opts may be NULL. 0 or -ENOMEM. */
int analysis__new(struct analysis **out, const struct analysis_opts *opts);

/* One event; it is not kept. 0, or -ENOMEM: the analysis goes on, but is incomplete and says so. */
int analysis__event(struct analysis *a, const struct iot_event *ev);

/* Judges the incidents by what has been seen so far. May be called again after more events, unless
 * there is a scope: incidents outside are forgotten here. */
void analysis__finish(struct analysis *a);

/* Were there perhaps more faults than are counted? Before analysis__finish(), too. */
bool analysis__faults_are_floor(const struct analysis *a);

void analysis__free(struct analysis *a); /* NULL is fine */

#endif
