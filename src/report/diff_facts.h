/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between two recordings and isn't a figure: kernel, options, each device's mode. */
#ifndef IOMMUTOP_REPORT_DIFF_FACTS_H
#define IOMMUTOP_REPORT_DIFF_FACTS_H

#include "model/model.h"

struct diff_fact {
	char what[64];
	char a[160], b[160]; /* "-" = not there */
};

/*
 * Those that differ, at most max of them: attributes of host and kernel, then devices by name
 * (driver, IOMMU, domain type, mode). Returns how many there are, which may be more than max.
 */
size_t diff_facts__list(struct diff_fact *out, size_t max, const struct model *a,
			const struct model *b);

#endif
