/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters and histograms as JSON; the keys are described in docs/json.md. */
#ifndef IOMMUTOP_REPORT_JSON_STATS_H
#define IOMMUTOP_REPORT_JSON_STATS_H

#include "analyze/analysis.h"
#include "report/jsonput.h"

/* Each a new object; NULL: null, there is nothing to say. */
json *json_stats(const struct model_stats *s);
json *json_numa(const struct model *m, const struct model_device *d);
json *json_iova_over_time(const struct model_domain *d);
json *json_whatif(const struct analysis *a, const struct model_domain *d);

/* Number, mean and percentiles of times in ns; NULL: there were none. The caller's. */
json *hist_json(const struct hist *h);

#endif
