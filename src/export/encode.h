/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers and texts as JSON and CSV have them. Each writes at p, without NUL, and returns the end;
 * the caller has the room: 24 bytes for a number, ENCODE_JSON or ENCODE_CSV times the length and 8
 * for a text.
 */
#ifndef IOMMUTOP_EXPORT_ENCODE_H
#define IOMMUTOP_EXPORT_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#define ENCODE_JSON 6 /* "\u001b" */
#define ENCODE_CSV  3 /* U+FFFD */

char *encode__dec(char *p, uint64_t v);
char *encode__signed(char *p, int64_t v);
char *encode__hex(char *p, uint64_t v); /* 0x1f, without leading zeros */
char *encode__str(char *p, const char *s);

/* Length of the valid UTF-8 sequence at s, 0 = the byte is part of none. */
size_t encode__utf8(const char *s, size_t len);

/*
 * Text may hold any bytes. What is no UTF-8 becomes U+FFFD, the replacement character: neither JSON
 * nor a Parquet string may have it.
 */
/* In quotes, by RFC 8259. */
char *encode__json(char *p, const char *s, size_t len);
/* A field by RFC 4180: in quotes if it has to be. Control characters but tab and line ends, which
 * could command a terminal, become U+FFFD too. */
char *encode__csv(char *p, const char *s, size_t len);
/* Bytes as they are where they are UTF-8. */
char *encode__text(char *p, const char *s, size_t len);

#endif
