// SPDX-License-Identifier: GPL-2.0-only
#include "util/text.h"

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
