/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IOMMUTOP_UTIL_IO_H
#define IOMMUTOP_UTIL_IO_H

#include <stddef.h>

/* All of it, however often the kernel takes a part or a signal comes. 0 or negative errno. */
int io__write(int fd, const void *data, size_t bytes);

#endif
