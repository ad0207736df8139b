/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A condition on one event, written as `id==unmap && size>=64K && !(dev~"0000:03:*")`. Compiled
 * once; neither compiling nor matching recurses deeper than FILTER_DEPTH, whatever the text.
 *
 *	expression = and { "||" and }
 *	and        = not { "&&" not }
 *	not        = { "!" } ( "(" expression ")" | test )
 *	test       = FIELD [ ( "==" "!=" "<" "<=" ">" ">=" "~" "!~" ) VALUE ]
 *
 * A comparison with a field that an event hasn't is false, != included. A field alone is true if it
 * isn't 0 or empty.
 */
#ifndef IOMMUTOP_FILTER_FILTER_H
#define IOMMUTOP_FILTER_FILTER_H

#include <stdbool.h>

#include "event.h"
#include "util/error.h"

#define FILTER_TESTS 64U
#define FILTER_DEPTH 32U

struct filter;

/* 0 and a filter to free; -EINVAL and err with the column of what is wrong, or -ENOMEM. */
int filter__new(struct filter **out, const char *text, struct error *err);
void filter__free(struct filter *f); /* NULL is fine */

/* From now on, the device with that number has that name. 0 or -ENOMEM. */
int filter__device(struct filter *f, __u32 nr, const char *name);

/* ev is at least as long as its id demands. */
bool filter__match(const struct filter *f, const struct iot_event *ev);

#endif
