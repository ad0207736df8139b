/* SPDX-License-Identifier: GPL-2.0-only */
/* The events that an incident rests on, in order of time, one line each. */
#ifndef IOMMUTOP_REPORT_EVIDENCE_H
#define IOMMUTOP_REPORT_EVIDENCE_H

#include "analyze/analysis.h"

#define EVIDENCE_MAX 32

struct evidence {
	__u64 ts;         /* ns */
	const char *what; /* "map", "unmap", "free", "flush", "stall", "detach", "fault", "hang",
			     "error", "reset", "ask", "answer" (of page requests) */
	char text[240];
};

struct evidence_list {
	struct evidence items[EVIDENCE_MAX];
	int nr;
	__u64 zero; /* ns: the moment that times are given relative to: the first fault, else the
		       hang */
};

void evidence__collect(struct evidence_list *list, const struct incident *i, const struct model *m);

#endif
