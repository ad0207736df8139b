/* SPDX-License-Identifier: GPL-2.0-only */
/* How far a long reading is: one line on standard error, if that is a terminal and it takes above a
 * second. */
#ifndef IOMMUTOP_PROGRESS_H
#define IOMMUTOP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#define PROGRESS_EVERY 65536 /* events between two looks at the clock: some milliseconds */

struct progress {
	bool wanted, shown;
	uint64_t begin_ns, last_ns;
};

void progress__begin(struct progress *p);
void progress__show(struct progress *p, uint64_t done, uint64_t all); /* bytes */
void progress__end(struct progress *p);                               /* clears the line */

#endif
