/* SPDX-License-Identifier: GPL-2.0-only */
/* What drivers submitted to their IOMMUs (IOT_EV_SUBMIT), by function and kind. */
#ifndef IOMMUTOP_MODEL_SUBMITS_H
#define IOMMUTOP_MODEL_SUBMITS_H

#include <linux/types.h>

#include "event.h"
#include "util/hist.h"

struct submits_cell {
	__u64 commands;   /* of those that say how many */
	__u64 failed;     /* returned an error */
	struct hist time; /* ns, from begin to end; its nr is how many submissions there were */
};

/* by 0 and kind 0 stand for what this version doesn't know. */
struct submits {
	struct submits_cell cells[IOT_BY_NR][IOT_SUBMIT_NR];
};

void submits__add(struct submits *s, const struct iot_submit *ev);

#endif
