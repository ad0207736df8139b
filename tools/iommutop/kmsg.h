/* SPDX-License-Identifier: GPL-2.0-only */
/* Marks in the kernel's log: where a phase of a run begins, in the same stream as everything else.
 */
#ifndef IOMMUTOP_KMSG_H
#define IOMMUTOP_KMSG_H

#include <stdbool.h>
#include <stddef.h>

/* Writes one line, level info, to /dev/kmsg. 0 or a negative errno. */
int kmsg__mark(const char *line);

/* What is logged from now on, for kmsg__has(); the caller closes it. A negative errno: it can't be
 * read. */
int kmsg__open(void);
/*
 * Whether is() says yes to a line that was logged since kmsg__open(), or since the last time. A
 * line is as /dev/kmsg shows it, len bytes with the newline, not terminated; of those that the log
 * has overwritten nobody knows.
 */
bool kmsg__has(int fd, bool (*is)(void *ctx, const char *line, size_t len), void *ctx);

#endif
