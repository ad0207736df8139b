// SPDX-License-Identifier: GPL-2.0-only
#include "export/chunk.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "export/encode.h"

/* parquet.thrift */
enum {
	PAGE_DATA = 0,
	PAGE_DICTIONARY = 2,
	ENCODING_PLAIN = 0,
	ENCODING_RLE = 3,
	ENCODING_RLE_DICTIONARY = 8,
	CODEC_NONE = 0,
	CODEC_ZSTD = 6,
};

#define ZSTD_LEVEL  3
#define SLOTS_BEGIN 64
#define STAT_MAX    64 /* bytes; longer texts have no minimum and maximum */

int chunk__physical(const struct column *c)
{
	switch (c->type) {
	case COLUMN_U64:
	case COLUMN_TIME:
		return PARQUET_INT64;
	case COLUMN_NAME:
	case COLUMN_TEXT:
		return PARQUET_BYTE_ARRAY;
	default:
		return PARQUET_INT32;
	}
}

static bool has_dictionary(const struct chunk *c)
{
	return c->column->type == COLUMN_NAME;
}

static bool is_signed(const struct column *c)
{
	return c->type == COLUMN_I32 || c->type == COLUMN_TIME;
}

/* Little-endian, as all of Parquet. */
static void put_number(struct buf *b, uint64_t v, size_t width)
{
	v = htole64(v);
	buf__put(b, &v, width);
}

/* For ourselves. */
static void put_index(struct buf *b, uint32_t v)
{
	buf__put(b, &v, sizeof(v));
}

static void add_number(struct chunk *c, uint64_t v)
{
	bool first = c->rows == c->nulls;
	bool below = is_signed(c->column) ? (int64_t)v < (int64_t)c->min : v < c->min;
	bool above = is_signed(c->column) ? (int64_t)v > (int64_t)c->max : v > c->max;

	if (first || below)
		c->min = v;
	if (first || above)
		c->max = v;
	put_number(&c->values, v, chunk__physical(c->column) == PARQUET_INT64 ? 8 : 4);
}

/* FNV-1a: the names of a session are few, and a stranger who makes them collide makes it slow. */
static uint32_t hash(const char *s, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)s[i]) * 16777619u;
	return h;
}

static const char *entry(const struct chunk *c, uint32_t nr, size_t *len)
{
	uint32_t at, n;

	memcpy(&at, c->offsets.data + 4 * (size_t)nr, 4);
	memcpy(&n, c->dict.data + at, 4);
	*len = le32toh(n);
	return (const char *)c->dict.data + at + 4;
}

/* The slot of the text, or the free one where it belongs. */
static uint32_t *find_slot(const struct chunk *c, const char *text, size_t len)
{
	uint32_t i = hash(text, len) & (c->nr_slots - 1);

	while (c->slots[i]) {
		size_t n;
		const char *e = entry(c, c->slots[i] - 1, &n);

		if (n == len && !memcmp(e, text, len))
			break;
		i = (i + 1) & (c->nr_slots - 1);
	}
	return &c->slots[i];
}

static int grow_slots(struct chunk *c)
{
	uint32_t *old = c->slots;

	c->nr_slots = c->nr_slots ? c->nr_slots * 2 : SLOTS_BEGIN;
	c->slots = calloc(c->nr_slots, sizeof(*c->slots));
	free(old);
	if (!c->slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->nr_dict; i++) {
		size_t len;
		const char *text = entry(c, i, &len);

		*find_slot(c, text, len) = i + 1;
	}
	return 0;
}

static void put_text(struct buf *b, const char *text, size_t len)
{
	put_number(b, len, 4);
	buf__put(b, text, len);
}

/* UTF-8's order is that of its bytes, which is what Parquet wants of texts. */
static int compare(const struct buf *b, const char *text, size_t len)
{
	int cmp = memcmp(b->data, text, b->nr < len ? b->nr : len);

	return cmp ? cmp : b->nr < len ? -1 : b->nr > len;
}

static void note_text(struct chunk *c, const char *text, size_t len)
{
	bool first = c->rows == c->nulls;

	if (first || compare(&c->min_text, text, len) > 0) {
		c->min_text.nr = 0;
		buf__put(&c->min_text, text, len);
	}
	if (first || compare(&c->max_text, text, len) < 0) {
		c->max_text.nr = 0;
		buf__put(&c->max_text, text, len);
	}
	/* an empty one is a value too, and has to have an address for memcmp() */
	buf__room(&c->min_text, 1);
	buf__room(&c->max_text, 1);
}

/* Its index in the dictionary; NULL: no memory. */
static uint32_t *add_entry(struct chunk *c, const char *text, size_t len)
{
	uint32_t *slot;

	if (c->nr_slots < 2 * (c->nr_dict + 1) && grow_slots(c)) {
		c->error = -ENOMEM;
		return NULL;
	}
	slot = find_slot(c, text, len);
	if (*slot)
		return slot;
	put_index(&c->offsets, (uint32_t)c->dict.nr);
	put_text(&c->dict, text, len);
	if (c->offsets.error || c->dict.error)
		return NULL;
	*slot = ++c->nr_dict;
	note_text(c, text, len);
	return slot;
}

static void add_text(struct chunk *c, const char *raw, size_t raw_len)
{
	const uint32_t *slot = NULL;
	char text[ENCODE_CSV * IOT_EVENT_MAX];
	size_t len;

	/* The dictionary holds clean texts: one that is found needs no cleaning. */
	if (has_dictionary(c) && c->nr_dict)
		slot = find_slot(c, raw, raw_len);
	if (!slot || !*slot) {
		len = (size_t)(encode__text(text, raw, raw_len) - text);
		if (!has_dictionary(c)) {
			note_text(c, text, len);
			put_text(&c->values, text, len);
			return;
		}
		slot = add_entry(c, text, len);
	}
	if (slot)
		put_index(&c->values, *slot - 1);
}

void chunk__add(struct chunk *c, const struct column_value *v)
{
	if (c->error)
		return;
	if (c->column->nullable)
		buf__byte(&c->present, !v->null);
	if (v->null)
		c->nulls++;
	else if (chunk__physical(c->column) == PARQUET_BYTE_ARRAY)
		add_text(c, v->text, v->len);
	else
		add_number(c, v->number);
	c->rows++;
}

size_t chunk__bytes(const struct chunk *c)
{
	return c->values.nr + c->present.nr + c->dict.nr + c->offsets.nr;
}

/* How many values from the front are alike. */
static size_t run_of(const uint32_t *values, size_t nr)
{
	size_t n = 1;

	while (n < nr && values[n] == values[0])
		n++;
	return n;
}

static void pack(struct buf *out, const uint32_t *values, size_t nr, unsigned int width)
{
	uint64_t bits = 0;
	unsigned int have = 0;

	for (size_t i = 0; i < (nr + 7) / 8 * 8; i++) {
		bits |= (uint64_t)(i < nr ? values[i] : 0) << have;
		for (have += width; have >= 8; have -= 8) {
			buf__byte(out, (uint8_t)bits);
			bits >>= 8;
		}
	}
}

void chunk__rle(struct buf *out, const uint32_t *values, size_t nr, unsigned int width)
{
	size_t at = 0, run, end;

	while (at < nr) {
		run = run_of(values + at, nr - at);
		if (run >= 8) {
			buf__varint(out, (uint64_t)run << 1);
			put_number(out, values[at], (width + 7) / 8);
			at += run;
			continue;
		}
		/* groups of eight, until a run begins at the start of one */
		for (end = at + 8;
		     end < nr && run_of(values + end, nr - end < 8 ? nr - end : 8) < 8;)
			end += 8;
		if (end > nr)
			end = nr;
		buf__varint(out, (uint64_t)(end - at + 7) / 8 << 1 | 1);
		pack(out, values + at, end - at, width);
		at = end;
	}
}

static void put_levels(struct chunk *c, struct chunk_scratch *s)
{
	uint32_t *levels;

	s->numbers.nr = 0;
	levels = (uint32_t *)(void *)buf__room(&s->numbers, c->rows * 4);
	if (!levels)
		return;
	for (uint64_t i = 0; i < c->rows; i++)
		levels[i] = c->present.data[i];
	s->packed.nr = 0;
	chunk__rle(&s->packed, levels, c->rows, 1);
	put_number(&s->page, s->packed.nr, 4);
	buf__put(&s->page, s->packed.data, s->packed.nr);
}

static unsigned int width_of(uint32_t nr)
{
	return nr < 2 ? 1 : 32 - (unsigned int)__builtin_clz(nr - 1);
}

static void fill_data_page(struct chunk *c, struct chunk_scratch *s)
{
	unsigned int width;

	s->page.nr = 0;
	if (c->column->nullable)
		put_levels(c, s);
	if (!has_dictionary(c)) {
		buf__put(&s->page, c->values.data, c->values.nr);
		return;
	}
	width = width_of(c->nr_dict);
	buf__byte(&s->page, (uint8_t)width);
	chunk__rle(&s->page, (const uint32_t *)(const void *)c->values.data, c->values.nr / 4,
		   width);
}

static int compress(struct chunk_scratch *s, const struct buf *raw, const void **data, size_t *len)
{
	size_t bound = ZSTD_compressBound(raw->nr), n;

	*data = raw->data;
	*len = raw->nr;
	if (!s->zstd)
		return 0;
	s->packed.nr = 0;
	if (!buf__room(&s->packed, bound))
		return -ENOMEM;
	n = ZSTD_compressCCtx(s->zstd, s->packed.data, bound, raw->data, raw->nr, ZSTD_LEVEL);
	if (ZSTD_isError(n))
		return -ENOMEM; /* the only way it fails with that much room */
	*data = s->packed.data;
	*len = n;
	return 0;
}

/* Writes header and content; adds to the sizes of the chunk. */
static int put_page(const struct chunk *c, const struct buf *content, int type, struct out *out,
		    struct chunk_scratch *s, uint64_t *raw, uint64_t *stored)
{
	struct buf header = { 0 };
	struct thrift t;
	const void *data;
	size_t len;
	int ret = compress(s, content, &data, &len);

	if (ret)
		return ret;
	thrift__init(&t, &header);
	thrift__i32(&t, 1, type);
	thrift__i32(&t, 2, (int32_t)content->nr);
	thrift__i32(&t, 3, (int32_t)len);
	if (type == PAGE_DATA) {
		thrift__struct(&t, 5);
		thrift__i32(&t, 1, (int32_t)c->rows);
		thrift__i32(&t, 2, has_dictionary(c) ? ENCODING_RLE_DICTIONARY : ENCODING_PLAIN);
		thrift__i32(&t, 3, ENCODING_RLE);
		thrift__i32(&t, 4, ENCODING_RLE);
	} else {
		thrift__struct(&t, 7);
		thrift__i32(&t, 1, (int32_t)c->nr_dict);
		thrift__i32(&t, 2, ENCODING_PLAIN);
	}
	thrift__end(&t);
	thrift__end(&t);
	ret = header.error;
	if (!ret) {
		out__write(out, header.data, header.nr);
		out__write(out, data, len);
		*raw += header.nr + content->nr;
		*stored += header.nr + len;
	}
	buf__free(&header);
	return ret;
}

static void put_bound(struct thrift *t, int id, const struct chunk *c, uint64_t number,
		      const struct buf *text)
{
	struct buf b = { 0 };

	if (chunk__physical(c->column) == PARQUET_BYTE_ARRAY) {
		thrift__binary(t, id, text->data, text->nr);
		return;
	}
	put_number(&b, number, chunk__physical(c->column) == PARQUET_INT64 ? 8 : 4);
	thrift__binary(t, id, b.data, b.nr);
	buf__free(&b);
}

static void put_statistics(struct thrift *t, const struct chunk *c)
{
	bool text = chunk__physical(c->column) == PARQUET_BYTE_ARRAY;

	thrift__struct(t, 12);
	thrift__i64(t, 3, (int64_t)c->nulls);
	if (c->rows > c->nulls &&
	    !(text && (c->min_text.nr > STAT_MAX || c->max_text.nr > STAT_MAX))) {
		put_bound(t, 5, c, c->max, &c->max_text);
		put_bound(t, 6, c, c->min, &c->min_text);
	}
	thrift__end(t);
}

struct placed {
	uint64_t dict_at, data_at; /* offsets in the file */
	uint64_t raw, stored;      /* bytes */
};

static void put_meta(struct thrift *t, const struct chunk *c, const struct chunk_scratch *s,
		     const struct placed *at)
{
	bool dict = has_dictionary(c);

	thrift__element(t);
	thrift__i64(t, 2, (int64_t)(dict ? at->dict_at : at->data_at));
	thrift__struct(t, 3);
	thrift__i32(t, 1, chunk__physical(c->column));
	thrift__list(t, 2, THRIFT_I32, dict ? 3 : 2);
	thrift__element_i32(t, ENCODING_PLAIN);
	thrift__element_i32(t, ENCODING_RLE);
	if (dict)
		thrift__element_i32(t, ENCODING_RLE_DICTIONARY);
	thrift__list(t, 3, THRIFT_BINARY, 1);
	thrift__element_text(t, c->column->name);
	thrift__i32(t, 4, s->zstd ? CODEC_ZSTD : CODEC_NONE);
	thrift__i64(t, 5, (int64_t)c->rows);
	thrift__i64(t, 6, (int64_t)at->raw);
	thrift__i64(t, 7, (int64_t)at->stored);
	thrift__i64(t, 9, (int64_t)at->data_at);
	if (dict)
		thrift__i64(t, 11, (int64_t)at->dict_at);
	put_statistics(t, c);
	thrift__end(t);
	thrift__end(t);
}

static void clear(struct chunk *c)
{
	c->values.nr = c->present.nr = c->dict.nr = c->offsets.nr = 0;
	c->min_text.nr = c->max_text.nr = 0;
	c->rows = c->nulls = 0;
	c->nr_dict = 0;
	if (c->slots)
		memset(c->slots, 0, c->nr_slots * sizeof(*c->slots));
}

static int error_of(const struct chunk *c, const struct chunk_scratch *s)
{
	return c->error            ? c->error
	       : c->values.error   ? c->values.error
	       : c->present.error  ? c->present.error
	       : c->dict.error     ? c->dict.error
	       : c->offsets.error  ? c->offsets.error
	       : c->min_text.error ? c->min_text.error
	       : c->max_text.error ? c->max_text.error
	       : s->page.error     ? s->page.error
	       : s->packed.error   ? s->packed.error
				   : s->numbers.error;
}

int chunk__write(struct chunk *c, struct out *out, struct chunk_scratch *s, struct thrift *meta,
		 uint64_t *raw)
{
	struct placed at = { .dict_at = out->offset };
	int ret = 0;

	if (has_dictionary(c))
		ret = put_page(c, &c->dict, PAGE_DICTIONARY, out, s, &at.raw, &at.stored);
	at.data_at = out->offset;
	fill_data_page(c, s);
	if (!ret)
		ret = error_of(c, s);
	if (!ret)
		ret = put_page(c, &s->page, PAGE_DATA, out, s, &at.raw, &at.stored);
	put_meta(meta, c, s, &at);
	*raw += at.raw;
	clear(c);
	return ret;
}

void chunk__free(struct chunk *c)
{
	buf__free(&c->values);
	buf__free(&c->present);
	buf__free(&c->dict);
	buf__free(&c->offsets);
	buf__free(&c->min_text);
	buf__free(&c->max_text);
	free(c->slots);
	*c = (struct chunk){ 0 };
}
