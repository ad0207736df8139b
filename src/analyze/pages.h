/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page requests that were not served, as evidence: of a fault or a hang that came after them, of
 * the same device. A request alone is no incident: a device may well be told that a page isn't
 * there.
 */
#ifndef IOMMUTOP_ANALYZE_PAGES_H
#define IOMMUTOP_ANALYZE_PAGES_H

#include "analyze/incident.h"

struct signal_kind;

/* Served, but late: it took this long and PAGES_LATE_TIMES the device's median. A page that has to
 * be read from a disk takes a tenth of that. */
#define PAGES_LATE       100000000ULL /* ns */
#define PAGES_LATE_TIMES 100

/* An answer, in time order, after the model has taken it. */
void pages__answer(struct incidents *in, const struct model *m, const struct iot_page_response *ev);

/* A fault that the incident keeps, and a hang that is the first of its incident: fill in i->page.
 */
void pages__fault(struct incidents *in, const struct model *m, struct incident *i,
		  const struct incident_fault *f);
void pages__hang(struct incidents *in, const struct model *m, struct incident *i,
		 const struct iot_trouble *ev, const struct signal_kind *signal);

/* When everything was seen: whether i->page can be relied on. Sets its doubt, with a note. */
void pages__judge(struct incident *i, const struct model *m);

#endif
