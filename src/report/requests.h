/* SPDX-License-Identifier: GPL-2.0-only */
/* Page requests of devices and how they were answered. */
#ifndef IOMMUTOP_REPORT_REQUESTS_H
#define IOMMUTOP_REPORT_REQUESTS_H

#include <stdio.h>

#include "report/summary_tables.h"

struct json_object;

/* Nothing, if there were none. */
void requests__print(FILE *out, const struct summary_view *v);
/* An array; NULL = none were seen. The caller's. now: ns, up to when what has no answer waits; 0:
 * up to the end of the capture. */
struct json_object *requests__json(const struct model *m, __u64 now);

/* Devices with something to tell, by their numbers, which are the keys; the values are struct
 * requests_dev. The array is to be freed. NULL: there are none, or no memory. */
struct idtab_slot **requests__sorted(const struct model *m, size_t *nr);
/* Of groups without an answer, there may be fewer: answers may be among what is missing. */
bool requests__is_ceiling(const struct model *m);
/* How long the oldest of them has waited, ns; 0 = there is none. */
__u64 requests__waited(const struct model *m, const struct requests_dev *d, __u64 now);

#endif
