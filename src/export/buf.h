/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes that grow. An allocation that fails is kept in error; what comes after it is dropped. */
#ifndef IOMMUTOP_EXPORT_BUF_H
#define IOMMUTOP_EXPORT_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf { /* all zero = empty */
	uint8_t *data;
	size_t nr, size;
	int error; /* 0 or -ENOMEM */
};

/* Room for more bytes behind data + nr; NULL: no memory. */
uint8_t *buf__grow(struct buf *b, size_t more);
void buf__free(struct buf *b);

static inline uint8_t *buf__room(struct buf *b, size_t more)
{
	return b->size - b->nr >= more ? b->data + b->nr : buf__grow(b, more);
}

static inline void buf__put(struct buf *b, const void *data, size_t nr)
{
	uint8_t *to = buf__room(b, nr);

	if (!to || !nr)
		return;
	memcpy(to, data, nr);
	b->nr += nr;
}

static inline void buf__byte(struct buf *b, uint8_t v)
{
	buf__put(b, &v, 1);
}

#define BUF_VARINT_MAX 10

/* Seven bits a byte, lowest first (LEB128): what protobuf, Thrift's compact protocol and Parquet
 * all use. Returns the end. */
static inline uint8_t *buf__varint_at(uint8_t *to, uint64_t v)
{
	while (v >= 0x80) {
		*to++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*to++ = (uint8_t)v;
	return to;
}

static inline void buf__varint(struct buf *b, uint64_t v)
{
	uint8_t *to = buf__room(b, BUF_VARINT_MAX);

	if (to)
		b->nr = (size_t)(buf__varint_at(to, v) - b->data);
}

#endif
