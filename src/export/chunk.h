/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One column of a Parquet row group: gathers values, then encodes them (Parquet's Encodings.md):
 * numbers and long texts PLAIN, texts that few values have as RLE_DICTIONARY, which rows are null
 * as RLE levels.
 */
#ifndef IOMMUTOP_EXPORT_CHUNK_H
#define IOMMUTOP_EXPORT_CHUNK_H

#include "export/buf.h"
#include "export/columns.h"
#include "export/out.h"
#include "export/thrift.h"

/* parquet.thrift, enum Type */
#define PARQUET_INT32      1
#define PARQUET_INT64      2
#define PARQUET_BYTE_ARRAY 6

struct chunk {
	const struct column *column;
	struct buf values;  /* PLAIN; of a dictionary: the index of each value, as u32 */
	struct buf present; /* nullable: a byte a row, 1 = not null */
	uint64_t rows, nulls;
	/* texts with a dictionary */
	struct buf dict;    /* PLAIN */
	struct buf offsets; /* u32: where each entry begins in dict */
	uint32_t *slots;    /* hash table of entry + 1 */
	uint32_t nr_dict, nr_slots;
	/* of what isn't null */
	uint64_t min, max;
	struct buf min_text, max_text;
	int error;
};

/* What encoding needs beside the columns, shared by all of them. */
struct chunk_scratch {
	struct buf page, packed, numbers;
	void *zstd; /* ZSTD_CCtx; NULL: not compressed */
};

int chunk__physical(const struct column *c); /* PARQUET_… */
void chunk__add(struct chunk *c, const struct column_value *v);
/* Bytes it holds, about what it takes on disk uncompressed. */
size_t chunk__bytes(const struct chunk *c);
/* Writes the pages to out and the ColumnChunk to meta, as an element of a list of structs. It is
 * empty then. Adds to *raw the uncompressed size. 0 or a negative errno. */
int chunk__write(struct chunk *c, struct out *out, struct chunk_scratch *s, struct thrift *meta,
		 uint64_t *raw);
void chunk__free(struct chunk *c);

/*
 * The hybrid of runs and packed bits for nr values of width (1..32) bits. The last packed group is
 * filled up with zeros.
 */
void chunk__rle(struct buf *out, const uint32_t *values, size_t nr, unsigned int width);

#endif
