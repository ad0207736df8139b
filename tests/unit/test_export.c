// SPDX-License-Identifier: GPL-2.0-only
/* The encoders of exports, against bytes from their specifications, and the tables that events go
 * to. Whole files are read by other programs in tests/cli/export_*.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/buf.h"
#include "export/chunk.h"
#include "export/columns.h"
#include "export/encode.h"
#include "export/proto.h"
#include "export/redact.h"
#include "export/thrift.h"

#define BYTES(b, ...)                                                 \
	do {                                                          \
		static const uint8_t want_[] = { __VA_ARGS__ };       \
		assert_int_equal((b)->nr, sizeof(want_));             \
		assert_memory_equal((b)->data, want_, sizeof(want_)); \
	} while (0)

static void varints_are_seven_bits_a_byte(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf__varint(&b, 0);
	buf__varint(&b, 127);
	buf__varint(&b, 128);
	buf__varint(&b, 300); /* the example of protobuf's documentation */
	BYTES(&b, 0x00, 0x7f, 0x80, 0x01, 0xac, 0x02);
	b.nr = 0;
	buf__varint(&b, UINT64_MAX);
	BYTES(&b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
	buf__free(&b);
}

/* Messages Test1 (150), Test2 ("testing") and Test3 of protobuf's documentation of its encoding. */
static void protobuf_fields_are_as_documented(void **state)
{
	struct buf b = { 0 };
	size_t at;

	(void)state;
	proto__uint(&b, 1, 150);
	BYTES(&b, 0x08, 0x96, 0x01);
	b.nr = 0;
	proto__text(&b, 2, "testing");
	BYTES(&b, 0x12, 0x07, 't', 'e', 's', 't', 'i', 'n', 'g');
	b.nr = 0;
	at = proto__begin(&b, 3);
	proto__uint(&b, 1, 150);
	proto__end(&b, at);
	BYTES(&b, 0x1a, 0x83, 0x80, 0x00, 0x08, 0x96, 0x01); /* length 3, in three bytes */
	buf__free(&b);
}

static void long_messages_have_their_length(void **state)
{
	char *text = calloc(1, 300000);
	struct buf b = { 0 };
	size_t at;

	(void)state;
	at = proto__begin(&b, 1);
	proto__bytes(&b, 2, text, 300000);
	proto__end(&b, at);
	/* 300000 and its head of 1 + 3 bytes: 0x493e4 */
	assert_memory_equal(b.data, "\x0a\xe4\xa7\x12", 4);
	assert_int_equal(b.error, 0);
	at = proto__begin(&b, 1);
	for (int i = 0; i < 7; i++)
		proto__bytes(&b, 2, text, 300000);
	proto__end(&b, at);
	assert_true(b.error < 0);
	buf__free(&b);
	free(text);
}

/* By hand from Thrift's compact protocol: field headers, zigzag, lists short and long, nesting. */
static void thrift_structs_are_compact(void **state)
{
	struct buf b = { 0 };
	struct thrift t;

	(void)state;
	thrift__init(&t, &b);
	thrift__i32(&t, 1, 1);
	thrift__i64(&t, 3, -1);
	thrift__i32(&t, 20, -2); /* too far from 3 for the short form */
	thrift__bool(&t, 21, true);
	thrift__bool(&t, 22, false);
	thrift__byte(&t, 23, -128);
	thrift__end(&t);
	BYTES(&b, 0x15, 0x02, 0x26, 0x01, 0x05, 0x28, 0x03, 0x11, 0x12, 0x13, 0x80, 0x00);
	b.nr = 0;
	thrift__init(&t, &b);
	thrift__text(&t, 1, "ab");
	thrift__list(&t, 2, THRIFT_I32, 2);
	thrift__element_i32(&t, 1);
	thrift__element_i32(&t, -1);
	thrift__struct(&t, 3);
	thrift__i32(&t, 1, 5);
	thrift__end(&t);
	thrift__list(&t, 4, THRIFT_STRUCT, 20);
	thrift__end(&t);
	BYTES(&b, 0x18, 0x02, 'a', 'b', 0x19, 0x25, 0x02, 0x01, 0x1c, 0x15, 0x0a, 0x00, 0x19, 0xfc,
	      0x14, 0x00);
	buf__free(&b);
}

/* Decodes the hybrid as Parquet's Encodings.md says. Returns the values. */
static size_t unhybrid(const struct buf *b, unsigned int width, uint32_t *out, size_t max)
{
	size_t at = 0, nr = 0;

	while (at < b->nr) {
		uint64_t head = 0;
		int shift = 0;

		do
			head |= (uint64_t)(b->data[at] & 0x7f) << shift, shift += 7;
		while (b->data[at++] & 0x80);
		if (head & 1) {
			for (uint64_t bit = 0; bit < (head >> 1) * 8 * width; bit += width) {
				uint32_t v = 0;

				for (unsigned int i = 0; i < width; i++)
					v |= (uint32_t)(b->data[at + (bit + i) / 8] >>
								(bit + i) % 8 &
							1)
					     << i;
				assert_true(nr < max);
				out[nr++] = v;
			}
			at += (head >> 1) * width;
		} else {
			uint32_t v = 0;

			memcpy(&v, b->data + at, (width + 7) / 8);
			at += (width + 7) / 8;
			for (uint64_t i = 0; i < head >> 1; i++) {
				assert_true(nr < max);
				out[nr++] = v;
			}
		}
	}
	assert_int_equal(at, b->nr);
	return nr;
}

/* The example of Encodings.md: 0 to 7 in three bits are 88 c6 fa. */
static void bits_are_packed_as_parquet_says(void **state)
{
	static const uint32_t values[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	struct buf b = { 0 };

	(void)state;
	chunk__rle(&b, values, 8, 3);
	BYTES(&b, 0x03, 0x88, 0xc6, 0xfa);
	buf__free(&b);
}

static void runs_and_packed_groups_come_back(void **state)
{
	static uint32_t values[5000], back[5008];
	struct buf b = { 0 };

	(void)state;
	srandom(7);
	for (int round = 0; round < 400; round++) {
		unsigned int width = 1 + (unsigned int)random() % 32;
		size_t nr = (size_t)random() % 5000, i = 0, got;

		while (i < nr) {
			size_t run = random() % 3 ? 1 : (size_t)random() % 40;
			uint32_t v = (uint32_t)random() << 1 ^ (uint32_t)random();

			v &= width == 32 ? UINT32_MAX : (1u << width) - 1;
			for (; run && i < nr; run--)
				values[i++] = v;
		}
		b.nr = 0;
		chunk__rle(&b, values, nr, width);
		got = unhybrid(&b, width, back, sizeof(back) / sizeof(back[0]));
		assert_in_range(got, nr, nr + 7);
		assert_memory_equal(back, values, nr * sizeof(*values));
		for (i = nr; i < got; i++)
			assert_int_equal(back[i], 0);
	}
	buf__free(&b);
}

static const char *text_of(char *(*encode)(char *, const char *, size_t), const char *s, size_t len)
{
	static char out[256];

	*encode(out, s, len) = '\0';
	return out;
}
#define JSON(s) text_of(encode__json, s, sizeof(s) - 1)
#define CSV(s)  text_of(encode__csv, s, sizeof(s) - 1)

static void json_texts_are_escaped(void **state)
{
	(void)state;
	assert_string_equal(JSON("plain"), "\"plain\"");
	assert_string_equal(JSON(""), "\"\"");
	assert_string_equal(JSON("a\"b\\c\n\r\t\b\f"), "\"a\\\"b\\\\c\\n\\r\\t\\b\\f\"");
	assert_string_equal(JSON("\x1b[2J\x7f\x01\0z"), "\"\\u001b[2J\\u007f\\u0001\\u0000z\"");
	assert_string_equal(JSON("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\"");
	assert_string_equal(JSON("caf\xe9!"), "\"caf\xef\xbf\xbd!\"");
}

static void csv_fields_are_quoted_when_they_must_be(void **state)
{
	(void)state;
	assert_string_equal(CSV("plain"), "plain");
	assert_string_equal(CSV(""), "");
	assert_string_equal(CSV("a,b"), "\"a,b\"");
	assert_string_equal(CSV("say \"x\""), "\"say \"\"x\"\"\"");
	assert_string_equal(CSV("two\nlines"), "\"two\nlines\"");
	assert_string_equal(CSV("two\rlines"), "\"two\rlines\"");
	assert_string_equal(CSV(" x"), "\" x\"");
	assert_string_equal(CSV("\""), "\"\"\"\"");
	assert_string_equal(CSV("\x1b]0;x\x07"), "\xef\xbf\xbd]0;x\xef\xbf\xbd");
	assert_string_equal(CSV("\xff,"), "\"\xef\xbf\xbd,\"");
}

/* The table of well-formed sequences of Unicode's chapter 3, at its edges. */
static void only_well_formed_utf8_passes(void **state)
{
	static const char *const good[] = {
		"\x7f",         "\xc2\x80",         "\xdf\xbf",
		"\xe0\xa0\x80", "\xed\x9f\xbf",     "\xee\x80\x80",
		"\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"
	};
	static const char *const bad[] = { "\x80",
					   "\xc0\x80",
					   "\xc1\xbf",
					   "\xe0\x9f\xbf",
					   "\xed\xa0\x80",
					   "\xf0\x8f\xbf\xbf",
					   "\xf4\x90\x80\x80",
					   "\xf5\x80\x80\x80",
					   "\xe2\x82",
					   "\xe2\x28\xa1",
					   "\xff" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(encode__utf8(good[i], strlen(good[i])), strlen(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(encode__utf8(bad[i], strlen(bad[i])), 0);
}

static void numbers_are_written_whole(void **state)
{
	char out[32];

	(void)state;
	*encode__dec(out, UINT64_MAX) = '\0';
	assert_string_equal(out, "18446744073709551615");
	*encode__dec(out, 0) = '\0';
	assert_string_equal(out, "0");
	*encode__signed(out, INT64_MIN) = '\0';
	assert_string_equal(out, "-9223372036854775808");
	*encode__hex(out, 0) = '\0';
	assert_string_equal(out, "0x0");
	*encode__hex(out, 0x10) = '\0';
	assert_string_equal(out, "0x10");
	*encode__hex(out, UINT64_MAX) = '\0';
	assert_string_equal(out, "0xffffffffffffffff");
}

/* A new event has a table by itself; each of its fields but layout is a column, of one type. */
static void every_field_of_every_event_has_a_column(void **state)
{
	static struct columns c;
	const struct tsdl_event *type = NULL;
	const struct columns_table *t;

	(void)state;
	assert_int_equal(columns__init(&c), 0);
	while ((type = tsdl__next(type))) {
		t = columns__of(&c, type->id);
		assert_non_null(t);
		for (unsigned int i = 0; i < type->nr_fields; i++) {
			const struct tsdl_field *f = &type->fields[i];
			unsigned int found = 0;

			for (unsigned int k = 0; k < t->nr; k++)
				found += t->columns[k].source == COLUMN_OF_BODY &&
					 t->columns[k].fields[c.kind_of[type->id]] == f;
			assert_int_equal(found, columns__is_layout(type, f) ? 0 : 1);
		}
		for (unsigned int a = 0; a < t->nr; a++)
			for (unsigned int b = 0; b < a; b++)
				assert_string_not_equal(t->columns[a].name, t->columns[b].name);
	}
	assert_ptr_equal(columns__of(&c, IOT_EV_MAP), columns__find(&c, "events"));
	assert_ptr_equal(columns__of(&c, IOT_EV_RESET), columns__of(&c, IOT_EV_HANG));
	assert_null(columns__find(&c, "nothing"));
	assert_null(columns__of(&c, 0));
	assert_null(columns__of(&c, 300));
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void addresses_are_permuted(void **state)
{
	static uint64_t tokens[20000];
	static struct redact r, other;
	size_t nr = sizeof(tokens) / sizeof(tokens[0]), same = 0;

	(void)state;
	assert_int_equal(redact__init(&r, REDACT_ADDRESSES, false), 0);
	assert_int_equal(redact__init(&other, REDACT_ADDRESSES, false), 0);
	assert_int_equal(redact__address(&r, 0), 0);
	for (size_t i = 0; i < nr; i++) {
		uint64_t addr = 0xfff00000ULL + i * 0x1000;

		tokens[i] = redact__address(&r, addr);
		assert_int_equal(redact__address(&r, addr), tokens[i]);
		same += tokens[i] == addr || tokens[i] == redact__address(&other, addr);
	}
	assert_int_equal(same, 0);
	/* no two alike, and not in the order of the addresses */
	for (size_t i = 1, up = 0; i < nr; i++) {
		up += tokens[i] > tokens[i - 1];
		if (i == nr - 1)
			assert_in_range(up, nr * 4 / 10, nr * 6 / 10);
	}
	qsort(tokens, nr, sizeof(tokens[0]), by_value);
	for (size_t i = 1; i < nr; i++)
		assert_int_not_equal(tokens[i], tokens[i - 1]);
	assert_int_equal(redact__init(&r, REDACT_ADDRESSES, true), 0);
	assert_int_equal(redact__address(&r, 0x123456789abcULL) & 0xfff, 0xabc);
	assert_int_equal(redact__address(&r, 0x123456789abcULL) >> 12,
			 redact__address(&r, 0x123456789fffULL) >> 12);
	assert_int_not_equal(redact__address(&r, 0x123456789abcULL), 0x123456789abcULL);
}

static void hides(const char *text, const char *secret, bool gone)
{
	static struct redact r;
	char out[256];

	assert_int_equal(redact__init(&r, REDACT_ADDRESSES, false), 0);
	redact__text(&r, text, strlen(text), out, sizeof(out));
	if (!!strstr(out, secret) == gone)
		fail_msg("'%s' became '%s'", text, out);
}

static void numbers_that_may_be_addresses_are_hidden_in_text(void **state)
{
	(void)state;
	hides("fault addr 0xfffff000 [reason 5]", "fffff", true);
	hides("fault addr 0xfffff000 [reason 5]", "[reason 5]", false);
	hides("pfn fff00 mapped", "fff00", true);
	hides("RIP 0010:FFFFFFFF81234567", "FFFF", true);
	hides("dma fe200000.mmc", "fe200", true);
	hides("at 4294963200", "42949", true);
	hides("pte00000000fffff001x", "fffff001", true);
	hides("0xfffff000UL", "fffff", true);
	hides("nvme 0000:03:00.0: added 1024 sectors", "nvme 0000:03:00.0: added 1024 sectors",
	      false);
	hides("decade accede 10GbE", "decade accede 10GbE", false);
}

static void text_and_field_of_one_address_agree(void **state)
{
	static struct redact r;
	char out[64], want[64];

	(void)state;
	assert_int_equal(redact__init(&r, REDACT_ADDRESSES, false), 0);
	redact__text(&r, "iova fffff000!", 14, out, sizeof(out));
	snprintf(want, sizeof(want), "iova 0x%llx!",
		 (unsigned long long)redact__address(&r, 0xfffff000));
	assert_string_equal(out, want);
	/* what doesn't fit is cut, not written */
	assert_int_equal(redact__text(&r, "0x1 0x2 0x3", 11, out, 8), 7);
	assert_int_equal(out[7], 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(varints_are_seven_bits_a_byte),
		cmocka_unit_test(protobuf_fields_are_as_documented),
		cmocka_unit_test(long_messages_have_their_length),
		cmocka_unit_test(thrift_structs_are_compact),
		cmocka_unit_test(bits_are_packed_as_parquet_says),
		cmocka_unit_test(runs_and_packed_groups_come_back),
		cmocka_unit_test(json_texts_are_escaped),
		cmocka_unit_test(csv_fields_are_quoted_when_they_must_be),
		cmocka_unit_test(only_well_formed_utf8_passes),
		cmocka_unit_test(numbers_are_written_whole),
		cmocka_unit_test(every_field_of_every_event_has_a_column),
		cmocka_unit_test(addresses_are_permuted),
		cmocka_unit_test(numbers_that_may_be_addresses_are_hidden_in_text),
		cmocka_unit_test(text_and_field_of_one_address_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
