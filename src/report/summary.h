/* SPDX-License-Identifier: GPL-2.0-only */
/* The summary tables of the text report. */
#ifndef IOMMUTOP_REPORT_SUMMARY_H
#define IOMMUTOP_REPORT_SUMMARY_H

#include <stdio.h>

#include "analyze/analysis.h"

/* which: a bit for each of summary_tables[] (report/summary_tables.h). */
void summary__print(FILE *out, const struct analysis *a, __u32 which);

/* Devices and domains by number, for whoever lists them; nr of them, to free(). NULL if none or
 * without memory. */
const struct model_device **summary__devices(const struct model *m, size_t *nr);
const struct model_domain **summary__domains(const struct model *m, size_t *nr);

#endif
