// SPDX-License-Identifier: GPL-2.0-only
#include "export/encode.h"

#include <string.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

char *encode__dec(char *p, uint64_t v)
{
	char digits[20], *d = digits + sizeof(digits);

	do {
		*--d = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	memcpy(p, d, (size_t)(digits + sizeof(digits) - d));
	return p + (digits + sizeof(digits) - d);
}

char *encode__signed(char *p, int64_t v)
{
	if (v >= 0)
		return encode__dec(p, (uint64_t)v);
	*p++ = '-';
	return encode__dec(p, -(uint64_t)v);
}

char *encode__hex(char *p, uint64_t v)
{
	int shift = v ? (63 - __builtin_clzll(v)) & ~3 : 0;

	*p++ = '0';
	*p++ = 'x';
	for (; shift >= 0; shift -= 4)
		*p++ = "0123456789abcdef"[v >> shift & 15];
	return p;
}

char *encode__str(char *p, const char *s)
{
	size_t len = strlen(s);

	memcpy(p, s, len);
	return p + len;
}

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
size_t encode__utf8(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned char low = 0x80, high = 0xbf;
	size_t need, i;

	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	need = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	if (len < need)
		return 0;
	if (u[0] == 0xe0)
		low = 0xa0;
	else if (u[0] == 0xed)
		high = 0x9f;
	else if (u[0] == 0xf0)
		low = 0x90;
	else if (u[0] == 0xf4)
		high = 0x8f;
	if (u[1] < low || u[1] > high)
		return 0;
	for (i = 2; i < need; i++) {
		if (u[i] < 0x80 || u[i] > 0xbf)
			return 0;
	}
	return need;
}

/* Copies one character, or the replacement; *s moves behind it. */
static char *copy_one(char *p, const char **s, const char *end)
{
	size_t n = encode__utf8(*s, (size_t)(end - *s));

	if (!n) {
		memcpy(p, replacement, 3);
		(*s)++;
		return p + 3;
	}
	memcpy(p, *s, n);
	*s += n;
	return p + n;
}

char *encode__text(char *p, const char *s, size_t len)
{
	const char *end = s + len;

	while (s < end)
		p = copy_one(p, &s, end);
	return p;
}

char *encode__json(char *p, const char *s, size_t len)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *end = s + len, *at;

	*p++ = '"';
	while (s < end) {
		unsigned char c = (unsigned char)*s;

		if (c >= ' ' && c != '"' && c != '\\' && c != 0x7f) {
			p = copy_one(p, &s, end);
			continue;
		}
		s++;
		at = c ? strchr(plain, c) : NULL;
		if (at) {
			*p++ = '\\';
			*p++ = letters[at - plain];
		} else {
			p = encode__str(p, "\\u00");
			*p++ = "0123456789abcdef"[c >> 4];
			*p++ = "0123456789abcdef"[c & 15];
		}
	}
	*p++ = '"';
	return p;
}

static int needs_quotes(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] == '"' || s[i] == ',' || s[i] == '\n' || s[i] == '\r')
			return 1;
	}
	return len && (s[0] == ' ' || s[len - 1] == ' ');
}

char *encode__csv(char *p, const char *s, size_t len)
{
	int quotes = needs_quotes(s, len);
	const char *end = s + len;

	if (quotes)
		*p++ = '"';
	while (s < end) {
		unsigned char c = (unsigned char)*s;

		if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
			memcpy(p, replacement, 3);
			p += 3;
			s++;
			continue;
		}
		if (c == '"')
			*p++ = '"';
		p = copy_one(p, &s, end);
	}
	if (quotes)
		*p++ = '"';
	return p;
}
