/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writer for protobuf messages (protobuf.dev, "Encoding"): fields in any order, messages nested.
 * The length of a nested message is a varint of three bytes, filled in at its end.
 */
#ifndef IOMMUTOP_EXPORT_PROTO_H
#define IOMMUTOP_EXPORT_PROTO_H

#include "export/buf.h"

#define PROTO_MESSAGE_MAX ((1u << 21) - 1) /* bytes of a nested message */

static inline void proto__uint(struct buf *b, unsigned int field, uint64_t v)
{
	buf__varint(b, field << 3);
	buf__varint(b, v);
}

static inline void proto__bytes(struct buf *b, unsigned int field, const void *data, size_t len)
{
	buf__varint(b, field << 3 | 2);
	buf__varint(b, len);
	buf__put(b, data, len);
}

static inline void proto__text(struct buf *b, unsigned int field, const char *text)
{
	proto__bytes(b, field, text, strlen(text));
}

/* Returns where the message begins, for proto__end(). */
static inline size_t proto__begin(struct buf *b, unsigned int field)
{
	buf__varint(b, field << 3 | 2);
	buf__put(b, "\x80\x80\x00", 3);
	return b->nr;
}

/* -E2BIG is kept in error if it is longer than PROTO_MESSAGE_MAX. */
void proto__end(struct buf *b, size_t begin);

#endif
