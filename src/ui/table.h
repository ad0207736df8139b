/* SPDX-License-Identifier: GPL-2.0-only */
/* The live view: one line a domain, rates since the line before, and what src/ui/details.h has.
 * Text for people, one JSON object for programs. */
#ifndef IOMMUTOP_UI_TABLE_H
#define IOMMUTOP_UI_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "analyze/analysis.h"
#include "collect/collect.h"

struct table;

struct table *table__new(void); /* NULL: no memory */
void table__free(struct table *t);

/* Reads the counters, and of a what its events told; to be called once an interval. now:
 * CLOCK_MONOTONIC, ns. -errno, or 0. */
int table__update(struct table *t, struct collect *c, const struct analysis *a, uint64_t now);

struct table_totals {
	uint64_t lost;    /* events of any kind that could not be counted or told */
	uint64_t elapsed; /* ns since the start */
};

/* a: who the numbers are, their faults and hangs. Nothing but the table is written. */
void table__text(const struct table *t, const struct analysis *a, const struct table_totals *totals,
		 FILE *out);
void table__json(const struct table *t, const struct analysis *a, const struct table_totals *totals,
		 FILE *out);

#endif
