/* SPDX-License-Identifier: GPL-2.0-only */
/* Marks in the kernel's log: where a phase of a run begins, in the same stream as everything else.
 */
#ifndef IOMMUTOP_KMSG_H
#define IOMMUTOP_KMSG_H

/* Writes one line, level info, to /dev/kmsg. 0 or a negative errno. */
int kmsg__mark(const char *line);

#endif
