/* SPDX-License-Identifier: GPL-2.0-only */
/* What to try next, for each verdict: what narrows it down and can be undone. */
#ifndef IOMMUTOP_REPORT_ADVICE_H
#define IOMMUTOP_REPORT_ADVICE_H

#include "analyze/incident.h"
#include "model/model.h"

/* A constant; one or two sentences. */
const char *advice__next(const struct incident *i, const struct model *m);

#endif
