/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The analysis: takes a stream of events in time order, whatever its source, and says what
 * happened. Reports of it are in src/report. Faults, hangs and resets in kernel log lines
 * (IOT_EV_LOG) are found here; events that carry IOT_F_DERIVED are passed over, so that a line is
 * never counted twice and a better parser helps old sessions.
 */
#ifndef IOMMUTOP_ANALYZE_ANALYSIS_H
#define IOMMUTOP_ANALYZE_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>

#include "analyze/incident.h"
#include "analyze/logline.h"
#include "analyze/timeline.h"
#include "event.h"
#include "model/model.h"

struct analysis_opts {
	size_t history; /* dead mappings to remember, 0 = 65536; 128 bytes each */
};

struct analysis {
	struct model model;
	struct logline lines[IOT_ORIGINS];
	struct incidents incidents; /* judged by analysis__finish() */
	struct timeline timeline;   /* up to date after analysis__finish() */
	__u64 events;
	__u64 log_lines, log_matched; /* of these events */
	__u64 malformed;              /* events shorter than their id demands: passed over */
	int error;                    /* first -ENOMEM: what was seen after it is incomplete */
};

/* opts may be NULL. 0 or -ENOMEM. */
int analysis__new(struct analysis **out, const struct analysis_opts *opts);

/* One event; it is not kept. 0, or -ENOMEM: the analysis goes on, but is incomplete and says so. */
int analysis__event(struct analysis *a, const struct iot_event *ev);

/* Judges the incidents by what has been seen so far. May be called again after more events. */
void analysis__finish(struct analysis *a);

void analysis__free(struct analysis *a); /* NULL is fine */

#endif
