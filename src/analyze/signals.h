/* SPDX-License-Identifier: GPL-2.0-only */
/* How long after a fault each kind of hang signal may come. */
#ifndef IOMMUTOP_ANALYZE_SIGNALS_H
#define IOMMUTOP_ANALYZE_SIGNALS_H

#include <linux/types.h>
#include <stdbool.h>

struct signal_kind {
	const char *prefix;  /* of iot_trouble.what */
	__u64 window;        /* ns from the fault to the signal, at most */
	bool lost_interrupt; /* says that the data was there and the interrupt wasn't */
	bool since_progress; /* its "stalled for" counts from the last completion, not from the last
				request */
};

/* Never NULL: signals that aren't in the table get the default. */
const struct signal_kind *signals__find(const char *what);

#endif
