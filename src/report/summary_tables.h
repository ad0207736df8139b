/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of the text report by name. Each is printed only if there is something to say. */
#ifndef IOMMUTOP_REPORT_SUMMARY_TABLES_H
#define IOMMUTOP_REPORT_SUMMARY_TABLES_H

#include <stdio.h>

#include "analyze/analysis.h"

struct summary_view {
	const struct analysis *a;
	const struct model *m;
	const struct model_domain **doms; /* by number */
	size_t nr_doms;
	const struct model_device **devs; /* by number */
	size_t nr_devs;
};

struct summary_table {
	const char *name, *about;
	void (*print)(FILE *out, const struct summary_view *v);
};

extern const struct summary_table summary_tables[]; /* name NULL at the end */
#define SUMMARY_ALL 0xffffffffU /* a bit each, in the order of summary_tables[] */

/* "maps,flushes": the bits, or 0: one of the names is none of a table. */
__u32 summary__parse(const char *list);
void summary__help(FILE *out);

/* summary_dma.c */
void summary__maps(FILE *out, const struct summary_view *v);
void summary__errors(FILE *out, const struct summary_view *v);
void summary__flushes(FILE *out, const struct summary_view *v);
void summary__covering(FILE *out, const struct summary_view *v);
/* summary_time.c */
void summary__windows(FILE *out, const struct summary_view *v);
void summary__times(FILE *out, const struct summary_view *v);
void summary__numa(FILE *out, const struct summary_view *v);
/* summary_iova.c */
void summary__iova(FILE *out, const struct summary_view *v);
void summary__whatif(FILE *out, const struct summary_view *v);

#endif
