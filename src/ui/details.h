/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the live view shows below its domains, and only where there is some: submissions to the
 * hardware, by function and kind (top --hw), and page requests, by device.
 */
#ifndef IOMMUTOP_UI_DETAILS_H
#define IOMMUTOP_UI_DETAILS_H

#include <stdio.h>

#include "analyze/analysis.h"
#include "collect/collect.h"

struct details;
struct json_object;

struct details *details__new(void); /* NULL: no memory */
void details__free(struct details *d);

/* A look: what was the last one is what rates are since. interval: ns between the two, 0 = this is
 * the first. */
void details__begin(struct details *d, __u64 interval);
/* … its submissions, one call for each function and kind; details is a struct details. */
int details__submission(void *details, const struct live_submits *s);
/* … and its page requests. 0 or -ENOMEM. */
int details__requests(struct details *d, const struct model *m);

/* now: ns, CLOCK_MONOTONIC. Nothing is written where there is nothing. */
void details__text(const struct details *d, const struct model *m, __u64 now, FILE *out);
/* The keys "submissions" and "page_requests", as in the report of analyze. */
void details__json(const struct details *d, const struct model *m, __u64 now,
		   struct json_object *o);

#endif
