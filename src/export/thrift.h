/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writer for Thrift's compact protocol (doc/specs/thrift-compact-protocol.md of Apache Thrift): as
 * much of it as Parquet's metadata takes. Fields of a struct go in order of their ids.
 */
#ifndef IOMMUTOP_EXPORT_THRIFT_H
#define IOMMUTOP_EXPORT_THRIFT_H

#include <stdbool.h>

#include "export/buf.h"

#define THRIFT_DEPTH 8

enum thrift_type {
	THRIFT_TRUE = 1,
	THRIFT_FALSE = 2,
	THRIFT_BYTE = 3,
	THRIFT_I32 = 5,
	THRIFT_I64 = 6,
	THRIFT_BINARY = 8,
	THRIFT_LIST = 9,
	THRIFT_STRUCT = 12,
};

struct thrift {
	struct buf *out;
	int depth;
	int last[THRIFT_DEPTH]; /* id of the field before, by depth */
};

/* The outermost struct is open from the start; thrift__end() ends it too. */
void thrift__init(struct thrift *t, struct buf *out);
void thrift__bool(struct thrift *t, int id, bool v);
void thrift__byte(struct thrift *t, int id, int8_t v);
void thrift__i32(struct thrift *t, int id, int32_t v);
void thrift__i64(struct thrift *t, int id, int64_t v);
void thrift__binary(struct thrift *t, int id, const void *data, size_t len);
void thrift__text(struct thrift *t, int id, const char *text);
/* nr elements follow: numbers and texts by thrift__element_…, structs each between
 * thrift__element() and thrift__end(). */
void thrift__list(struct thrift *t, int id, enum thrift_type of, size_t nr);
void thrift__element(struct thrift *t);
void thrift__element_i32(struct thrift *t, int32_t v);
void thrift__element_text(struct thrift *t, const char *text);
void thrift__struct(struct thrift *t, int id);
void thrift__end(struct thrift *t);

#endif
