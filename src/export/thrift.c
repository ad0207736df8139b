// SPDX-License-Identifier: GPL-2.0-only
#include "export/thrift.h"

#include <assert.h>

static uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

void thrift__init(struct thrift *t, struct buf *out)
{
	*t = (struct thrift){ .out = out };
}

static void field(struct thrift *t, int id, enum thrift_type type)
{
	int delta = id - t->last[t->depth];

	if (delta > 0 && delta < 16) {
		buf__byte(t->out, (uint8_t)(delta << 4 | type));
	} else {
		buf__byte(t->out, type);
		buf__varint(t->out, zigzag(id));
	}
	t->last[t->depth] = id;
}

void thrift__bool(struct thrift *t, int id, bool v)
{
	field(t, id, v ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift__byte(struct thrift *t, int id, int8_t v)
{
	field(t, id, THRIFT_BYTE);
	buf__byte(t->out, (uint8_t)v);
}

void thrift__i32(struct thrift *t, int id, int32_t v)
{
	field(t, id, THRIFT_I32);
	thrift__element_i32(t, v);
}

void thrift__i64(struct thrift *t, int id, int64_t v)
{
	field(t, id, THRIFT_I64);
	buf__varint(t->out, zigzag(v));
}

void thrift__binary(struct thrift *t, int id, const void *data, size_t len)
{
	field(t, id, THRIFT_BINARY);
	buf__varint(t->out, len);
	buf__put(t->out, data, len);
}

void thrift__text(struct thrift *t, int id, const char *text)
{
	thrift__binary(t, id, text, strlen(text));
}

void thrift__list(struct thrift *t, int id, enum thrift_type of, size_t nr)
{
	field(t, id, THRIFT_LIST);
	if (nr < 15) {
		buf__byte(t->out, (uint8_t)(nr << 4 | of));
		return;
	}
	buf__byte(t->out, (uint8_t)(0xf0 | of));
	buf__varint(t->out, nr);
}

void thrift__element(struct thrift *t)
{
	assert(t->depth + 1 < THRIFT_DEPTH);
	t->last[++t->depth] = 0;
}

void thrift__element_i32(struct thrift *t, int32_t v)
{
	buf__varint(t->out, zigzag(v));
}

void thrift__element_text(struct thrift *t, const char *text)
{
	buf__varint(t->out, strlen(text));
	buf__put(t->out, text, strlen(text));
}

void thrift__struct(struct thrift *t, int id)
{
	field(t, id, THRIFT_STRUCT);
	thrift__element(t);
}

void thrift__end(struct thrift *t)
{
	buf__byte(t->out, 0);
	t->depth--;
}
