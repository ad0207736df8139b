/* SPDX-License-Identifier: GPL-2.0-only */
/* Page requests of devices and their answers (IOT_EV_PAGE_REQUEST, IOT_EV_PAGE_RESPONSE). */
#ifndef IOMMUTOP_MODEL_REQUESTS_H
#define IOMMUTOP_MODEL_REQUESTS_H

#include <linux/types.h>
#include <stdbool.h>

#include "event.h"
#include "model/idtab.h"
#include "util/hist.h"

/* Of one device; more are only counted, in untracked. */
#define REQUESTS_OPEN_MAX 65536U

struct requests_dev {
	__u64 requests, groups;
	__u64 answers[IOT_PAGE_CODES]; /* by IOT_PAGE_* */
	__u64 other;                   /* answers with a code that isn't known */
	__u64 failed;                  /* of all these but the refused: they could not be given */
	__u64 untracked;               /* groups whose answer isn't waited for */
	struct hist latency;           /* ns; of answers to requests that were seen */
	struct idtab open;             /* groups that wait for an answer */
};

struct requests {
	struct idtab devs; /* by number of the device; struct requests_dev */
};

/* in_scope: it counts. The state follows all events. 0 or -ENOMEM. */
int requests__add(struct requests *r, const struct iot_page_request *ev, bool in_scope);
int requests__answer(struct requests *r, const struct iot_page_response *ev, bool in_scope);
void requests__free(struct requests *r);

/* When the request was made that waits longest, ns; 0: none waits. */
__u64 requests__oldest(const struct requests_dev *d);

#endif
