// SPDX-License-Identifier: GPL-2.0-only
/*
 * Apache Parquet, format version 2.6 (parquet-format's README.md, Encodings.md, parquet.thrift):
 * a file a table, row groups of bounded size, one page a column chunk, zstd.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "export/chunk.h"
#include "export/internal.h"

#define GROUP_BYTES (64u << 20) /* whatever the number of rows */

/* parquet.thrift */
enum {
	REQUIRED = 0,
	OPTIONAL = 1,
	CONVERTED_UTF8 = 0,
	CONVERTED_TIMESTAMP_MICROS = 10,
	CONVERTED_UINT_8 = 11,
	CONVERTED_UINT_16 = 12,
	CONVERTED_UINT_32 = 13,
	CONVERTED_UINT_64 = 14,
	CONVERTED_INT_32 = 17,
};

struct file {
	const struct columns_table *table;
	struct out own, *out; /* own: of a directory; else the exporter's */
	struct chunk *chunks;
	uint64_t group_rows, rows;
	uint64_t next_look; /* group_rows when bytes are counted again */
	uint32_t nr_groups;
	struct buf groups; /* RowGroup structs, as they will stand in the footer */
};

struct parquet {
	char *partial; /* directory, until it is complete; NULL: a single file */
	unsigned int nr;
	struct file files[COLUMNS_TABLES_MAX];
	struct chunk_scratch scratch;
};

static int begin_file(struct file *f, const struct columns_table *t, struct out *out)
{
	f->table = t;
	f->out = out;
	f->chunks = calloc(t->nr, sizeof(*f->chunks));
	if (!f->chunks)
		return -ENOMEM;
	for (unsigned int i = 0; i < t->nr; i++)
		f->chunks[i].column = &t->columns[i];
	out__write(out, "PAR1", 4);
	return out->error;
}

static int begin_directory(struct exporter *x, struct parquet *p, struct error *err)
{
	const char *path = x->opts.path;
	char name[4096];
	struct stat st;
	int ret = 0;

	if (!lstat(path, &st))
		return error__set(err, -EEXIST,
				  "%s exists already: name a new directory, or one table", path);
	if (asprintf(&p->partial, "%s.partial", path) < 0) {
		p->partial = NULL;
		return error__set(err, -ENOMEM, "cannot create %s: out of memory", path);
	}
	if (mkdir(p->partial, 0700)) {
		ret = -errno;
		error__set(err, ret, "cannot create %s: %s%s", p->partial, strerror(errno),
			   errno == EEXIST ? "; an export that did not end left it: remove it"
					   : "");
		free(p->partial);
		p->partial = NULL;
		return ret;
	}
	for (unsigned int i = 0; i < x->columns.nr && !ret; i++) {
		struct file *f = &p->files[p->nr++];

		snprintf(name, sizeof(name), "%s/%s.parquet", p->partial,
			 x->columns.tables[i].name);
		ret = out__open(&f->own, name, err);
		if (!ret)
			ret = begin_file(f, &x->columns.tables[i], &f->own);
	}
	return ret;
}

static int parquet_begin(struct exporter *x, struct error *err)
{
	struct parquet *p = x->state;
	int ret;

	if (!x->opts.uncompressed) {
		p->scratch.zstd = ZSTD_createCCtx();
		if (!p->scratch.zstd)
			return error__set(err, -ENOMEM, "cannot begin the export: out of memory");
	}
	if (!x->opts.table)
		return begin_directory(x, p, err);
	p->nr = 1;
	ret = begin_file(&p->files[0], columns__find(&x->columns, x->opts.table), &x->out);
	return ret ? error__set(err, ret, "cannot write %s: %s", x->opts.path, strerror(-ret)) : 0;
}

/* RowGroup */
static int end_group(struct parquet *p, struct file *f)
{
	uint64_t begin = f->out->offset, raw = 0;
	struct thrift t;
	int ret = 0;

	if (!f->group_rows)
		return 0;
	thrift__init(&t, &f->groups);
	thrift__list(&t, 1, THRIFT_STRUCT, f->table->nr);
	for (unsigned int i = 0; i < f->table->nr && !ret; i++)
		ret = chunk__write(&f->chunks[i], f->out, &p->scratch, &t, &raw);
	thrift__i64(&t, 2, (int64_t)raw);
	thrift__i64(&t, 3, (int64_t)f->group_rows);
	thrift__i64(&t, 5, (int64_t)begin);
	thrift__i64(&t, 6, (int64_t)(f->out->offset - begin));
	thrift__end(&t);
	f->nr_groups++;
	f->rows += f->group_rows;
	f->group_rows = 0;
	f->next_look = 0;
	return ret ? ret : f->groups.error ? f->groups.error : f->out->error;
}

/* A row is a few KiB at most: looking every 1024 rows keeps the bound. */
static bool is_large(struct file *f)
{
	size_t bytes = 0;

	if (f->group_rows < f->next_look)
		return false;
	f->next_look = f->group_rows + 1024;
	for (unsigned int i = 0; i < f->table->nr; i++)
		bytes += chunk__bytes(&f->chunks[i]);
	return bytes >= GROUP_BYTES;
}

static struct file *file_of(struct exporter *x, const struct iot_event *ev)
{
	struct parquet *p = x->state;
	const struct columns_table *t = columns__of(&x->columns, ev->id);

	if (!x->opts.table)
		return t ? &p->files[t - x->columns.tables] : NULL;
	return p->files[0].table == t ? &p->files[0] : NULL;
}

static int parquet_event(struct exporter *x, const struct iot_event *ev)
{
	struct file *f = file_of(x, ev);
	struct column_value v;
	unsigned int rows;

	if (!f)
		return 0;
	rows = columns__rows(f->table, ev);
	for (unsigned int row = 0; row < rows; row++) {
		for (unsigned int i = 0; i < f->table->nr; i++) {
			columns__value(&x->columns, f->chunks[i].column, &x->names, ev, row, &v);
			chunk__add(&f->chunks[i], &v);
		}
		f->group_rows++;
	}
	if (f->group_rows >= x->opts.row_group || is_large(f))
		return end_group(x->state, f);
	return 0;
}

/* SchemaElement.converted_type (10) and .logicalType (6, 10): old readers know only the first. */
static void put_type(struct thrift *t, const struct column *c)
{
	static const struct {
		int converted, bits;
		bool is_signed;
	} integers[] = {
		[COLUMN_U8] = { CONVERTED_UINT_8, 8, false },
		[COLUMN_U16] = { CONVERTED_UINT_16, 16, false },
		[COLUMN_U32] = { CONVERTED_UINT_32, 32, false },
		[COLUMN_U64] = { CONVERTED_UINT_64, 64, false },
		[COLUMN_I32] = { CONVERTED_INT_32, 32, true },
	};

	if (c->type == COLUMN_NAME || c->type == COLUMN_TEXT) {
		thrift__i32(t, 6, CONVERTED_UTF8);
		thrift__struct(t, 10);
		thrift__struct(t, 1);
		thrift__end(t);
	} else if (c->type == COLUMN_TIME) {
		thrift__i32(t, 6, CONVERTED_TIMESTAMP_MICROS);
		thrift__struct(t, 10);
		thrift__struct(t, 8);
		thrift__bool(t, 1, true); /* UTC */
		thrift__struct(t, 2);
		thrift__struct(t, 2); /* microseconds */
		thrift__end(t);
		thrift__end(t);
		thrift__end(t);
	} else {
		thrift__i32(t, 6, integers[c->type].converted);
		thrift__struct(t, 10);
		thrift__struct(t, 10);
		thrift__byte(t, 1, (int8_t)integers[c->type].bits);
		thrift__bool(t, 2, integers[c->type].is_signed);
		thrift__end(t);
	}
	thrift__end(t);
}

static void put_schema(struct thrift *t, const struct columns_table *table)
{
	thrift__list(t, 2, THRIFT_STRUCT, table->nr + 1);
	thrift__element(t);
	thrift__text(t, 4, "schema");
	thrift__i32(t, 5, (int32_t)table->nr);
	thrift__end(t);
	for (unsigned int i = 0; i < table->nr; i++) {
		const struct column *c = &table->columns[i];

		thrift__element(t);
		thrift__i32(t, 1, chunk__physical(c));
		thrift__i32(t, 3, c->nullable ? OPTIONAL : REQUIRED);
		thrift__text(t, 4, c->name);
		put_type(t, c);
		thrift__end(t);
	}
}

static void put_pair(struct thrift *t, const char *key, const char *value)
{
	thrift__element(t);
	thrift__text(t, 1, key);
	thrift__text(t, 2, value);
	thrift__end(t);
}

/* FileMetaData */
static int end_file(struct exporter *x, struct file *f, const char *about)
{
	struct buf footer = { 0 };
	char schema[16];
	uint8_t len[4];
	struct thrift t;
	int ret = end_group(x->state, f);

	if (ret)
		return ret;
	snprintf(schema, sizeof(schema), "%d", EXPORT_SCHEMA);
	thrift__init(&t, &footer);
	thrift__i32(&t, 1, 2);
	put_schema(&t, f->table);
	thrift__i64(&t, 3, (int64_t)f->rows);
	thrift__list(&t, 4, THRIFT_STRUCT, f->nr_groups);
	buf__put(&footer, f->groups.data, f->groups.nr);
	thrift__list(&t, 5, THRIFT_STRUCT, 4);
	put_pair(&t, "iommutop.schema", schema);
	put_pair(&t, "iommutop.table", f->table->name);
	put_pair(&t, "iommutop.redacted", export__redacted(x));
	put_pair(&t, "iommutop.source", about);
	thrift__text(&t, 6, "iommutop version " IOMMUTOP_VERSION);
	/* statistics are in the order of the column's type */
	thrift__list(&t, 7, THRIFT_STRUCT, f->table->nr);
	for (unsigned int i = 0; i < f->table->nr; i++) {
		thrift__element(&t);
		thrift__struct(&t, 1);
		thrift__end(&t);
		thrift__end(&t);
	}
	thrift__end(&t);
	for (int i = 0; i < 4; i++)
		len[i] = (uint8_t)(footer.nr >> 8 * i);
	out__write(f->out, footer.data, footer.nr);
	out__write(f->out, len, 4);
	out__write(f->out, "PAR1", 4);
	ret = footer.error ? footer.error : f->out->error;
	buf__free(&footer);
	return ret;
}

static void free_parquet(struct parquet *p)
{
	for (unsigned int i = 0; i < p->nr; i++) {
		struct file *f = &p->files[i];

		for (unsigned int c = 0; f->chunks && c < f->table->nr; c++)
			chunk__free(&f->chunks[c]);
		free(f->chunks);
		buf__free(&f->groups);
	}
	buf__free(&p->scratch.page);
	buf__free(&p->scratch.packed);
	buf__free(&p->scratch.numbers);
	ZSTD_freeCCtx(p->scratch.zstd);
	free(p->partial);
	*p = (struct parquet){ 0 };
}

static int parquet_end(struct exporter *x, struct json_object *about, struct error *err)
{
	struct parquet *p = x->state;
	const char *text =
		about ? json_object_to_json_string_ext(about, JSON_C_TO_STRING_PLAIN) : "{}";
	int ret = 0;

	for (unsigned int i = 0; i < p->nr && !ret; i++) {
		ret = end_file(x, &p->files[i], text);
		if (!ret && p->partial)
			ret = out__commit(&p->files[i].own, err);
	}
	if (!ret && p->partial && rename(p->partial, x->opts.path))
		ret = -errno;
	if (ret)
		return error__set(err, ret, "cannot write %s: %s", x->opts.path, strerror(-ret));
	free_parquet(p);
	return 0;
}

static void parquet_abort(struct exporter *x)
{
	struct parquet *p = x->state;
	char name[4096];

	for (unsigned int i = 0; p->partial && i < p->nr; i++) {
		out__abort(&p->files[i].own);
		snprintf(name, sizeof(name), "%s/%s.parquet", p->partial,
			 x->columns.tables[i].name);
		unlink(name); /* complete ones too: there is no half session */
	}
	if (p->partial)
		rmdir(p->partial);
	free_parquet(p);
}

const struct export_format export_parquet = {
	.name = "parquet",
	.says_source = true,
	.takes_table = true,
	.to_directory = true,
	.state_size = sizeof(struct parquet),
	.begin = parquet_begin,
	.event = parquet_event,
	.end = parquet_end,
	.abort = parquet_abort,
};
