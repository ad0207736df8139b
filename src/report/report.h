/* SPDX-License-Identifier: GPL-2.0-only */
/* What an analysis found, for people and for programs. Call analysis__finish() first. */
#ifndef IOMMUTOP_REPORT_REPORT_H
#define IOMMUTOP_REPORT_REPORT_H

#include <stdio.h>

#include "analyze/analysis.h"

#define REPORT_SCHEMA 1 /* grows when a key changes its meaning or goes; new keys don't count */

/* Of a session of which the first rare events never reached the disk. */
#define REPORT_NO_BEGIN                                                                     \
	"The capture's begin isn't in it. What is written beside maps, unmaps and flushes " \
	"(faults, "                                                                         \
	"hangs, resets, domains, devices) may be missing, too."

struct json_object;

/* Incidents, then tables; plain text of at most 100 columns. */
void report__text(FILE *out, const struct analysis *a);
/* Only these tables, a bit for each of summary_tables[] (report/summary_tables.h). */
void report__text_tables(FILE *out, const struct analysis *a, __u32 which);
/* One incident, explained; nr: 1 to a->incidents.nr. */
void report__text_incident(FILE *out, const struct analysis *a, __u32 nr);

/* A new object for json_object_put(), or NULL without memory. Addresses are hex strings, times ns
 * of CLOCK_MONOTONIC. */
struct json_object *report__json(const struct analysis *a);

#endif
