/* SPDX-License-Identifier: GPL-2.0-only */
/* Text from outside (a session of a stranger, a kernel log) made fit for a terminal. */
#ifndef IOMMUTOP_UTIL_TEXT_H
#define IOMMUTOP_UTIL_TEXT_H

#include <stddef.h>

/*
 * Copies src up to its NUL or len bytes, cut to size - 1, and ends it with NUL. What isn't
 * printable ASCII becomes '?': no escape sequence, line break or broken UTF-8 gets through. Returns
 * the length of dst.
 */
size_t text__copy(char *dst, size_t size, const char *src, size_t len);

#endif
