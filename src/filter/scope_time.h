/* SPDX-License-Identifier: GPL-2.0-only */
/* The time that --time asks for, as it is written. */
#ifndef IOMMUTOP_FILTER_SCOPE_TIME_H
#define IOMMUTOP_FILTER_SCOPE_TIME_H

#include <linux/types.h>
#include <stdbool.h>

#include "util/error.h"

struct scope_time {
	bool given;
	bool absolute;         /* CLOCK_MONOTONIC; else since the begin of the capture */
	bool relative_to_from; /* of the second one: +1s */
	__u64 ns;
};

/* "2.5,3": seconds since the begin, or with a unit: "200ms,2s". "@5959.3,@5960": CLOCK_MONOTONIC,
 * as dmesg shows it. "2,+500ms": the second one after the first. Each may be missing. 0 or -EINVAL
 * and err. */
int scope_time__parse(const char *text, struct scope_time *from, struct scope_time *to,
		      struct error *err);

#endif
