// SPDX-License-Identifier: GPL-2.0-only
#include "util/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

size_t text__copy(char *dst, size_t size, const char *src, size_t len)
{
	size_t n = 0;

	while (n < len && n + 1 < size && src[n]) {
		dst[n] = src[n] >= ' ' && src[n] <= '~' ? src[n] : '?';
		n++;
	}
	dst[n] = '\0';
	return n;
}

struct text_quote text__quote(const char *text)
{
	struct text_quote q;
	size_t len = text__copy(q.s, sizeof(q.s) - 3, text, strlen(text));

	if (text[len])
		memcpy(q.s + len, "...", 4);
	return q;
}

void text__append(char *dst, size_t size, const char *fmt, ...)
{
	size_t len = strlen(dst);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(dst + len, size - len, fmt, ap);
	va_end(ap);
}
