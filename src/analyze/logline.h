/* SPDX-License-Identifier: GPL-2.0-only */
/* A kernel log line to the event it tells of: src/klog finds what it says, this finds whom it
 * means. */
#ifndef IOMMUTOP_ANALYZE_LOGLINE_H
#define IOMMUTOP_ANALYZE_LOGLINE_H

#include "event.h"
#include "model/model.h"

union logline_event {
	struct iot_event h;
	struct iot_fault fault;
	struct iot_trouble trouble;
	struct iot_loss loss;
};

/* 1 and *out (with IOT_F_DERIVED), 0 = the line says nothing of interest. Devices not known yet are
 * added to the model. */
int logline__event(struct model *m, const struct iot_log *log, union logline_event *out);

#endif
