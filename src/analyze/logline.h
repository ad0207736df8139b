/* SPDX-License-Identifier: GPL-2.0-only */
/* A kernel log line to the event it tells of: src/klog finds what it says, this finds whom it
 * means. */
#ifndef IOMMUTOP_ANALYZE_LOGLINE_H
#define IOMMUTOP_ANALYZE_LOGLINE_H

#include <stdbool.h>

#include "event.h"
#include "filter/scope.h"
#include "klog/join.h"
#include "model/model.h"

union logline_event {
	struct iot_event h;
	struct iot_fault fault;
	struct iot_trouble trouble;
	struct iot_loss loss;
};

struct logline {
	struct klog_join join;
	unsigned int origin; /* of a merged session: each has a log of its own */
	/* of the call under way */
	struct model *model;
	const struct iot_event *log;
	int (*fn)(void *ctx, const union logline_event *ev);
	void *ctx;
};

typedef int (*logline_fn)(void *ctx, const union logline_event *ev);

/*
 * Calls fn for each event that the record completes (with IOT_F_DERIVED; a few at the most).
 * Devices not known yet are added to the model. 0, or what fn returned. *l begins as zero.
 */
int logline__feed(struct logline *l, struct model *m, const struct iot_log *log, logline_fn fn,
		  void *ctx);
/* At the end of the log: what waits for more lines. */
int logline__end(struct logline *l, struct model *m, logline_fn fn, void *ctx);

/* Is an event that fn got in scope? s learns the devices that only the log names; -ENOMEM is
 * scope__error()'s to tell. s NULL: it is. */
bool logline__in_scope(struct scope *s, struct model *m, const struct iot_event *derived);

#endif
