/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers in few characters, for the live view. */
#ifndef IOMMUTOP_UI_NUMBERS_H
#define IOMMUTOP_UI_NUMBERS_H

#include "report/words.h"

/* "12.3k", at most five characters. */
struct words numbers__short(double v);
/* How many a second; interval: ns, 0 = there is none yet, and no rate. */
struct words numbers__rate(__u64 now, __u64 before, __u64 interval);

#endif
