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

/* A text for a message: as text__copy(), cut to 64 characters with "..." for the rest. */
struct text_quote {
	char s[68];
};
struct text_quote text__quote(const char *text);

/* Appends to the text in dst; what doesn't fit in size bytes is left out. */
void text__append(char *dst, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
