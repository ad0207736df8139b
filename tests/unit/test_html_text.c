// SPDX-License-Identifier: GPL-2.0-only
/* What strangers' names become in the HTML report: never markup, never broken UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "report/html_text.h"

#define BAD "&#xfffd;"

static char *text;
static size_t size;

static FILE *begin(void)
{
	free(text);
	text = NULL;
	return open_memstream(&text, &size);
}

static void becomes(const char *from, const char *to)
{
	FILE *out = begin();

	html__text(out, from);
	fclose(out);
	assert_string_equal(text, to);
}

static void markup_is_text(void **state)
{
	(void)state;
	becomes("<a b='c' d=\"e\">&amp;", "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;amp;");
	becomes("", "");
	becomes(NULL, "");
	becomes("two\tlines\nof it", "two\tlines\nof it");
}

static void control_characters_are_replaced(void **state)
{
	(void)state;
	becomes("a\x01z", "a" BAD "z");
	becomes("\x1b[31m\r\x7f", BAD "[31m" BAD BAD);
}

/* Table 3-7 of the Unicode Standard: well-formed UTF-8. */
static void broken_utf8_is_replaced_byte_by_byte(void **state)
{
	(void)state;
	becomes("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\xa7", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\xa7");
	becomes("\xc3", BAD);
	becomes("\xc3<", BAD "&lt;");
	becomes("\xe2\x82<b", BAD BAD "&lt;b");
	becomes("\xc0\xbc", BAD BAD);         /* an overlong '<' */
	becomes("\xe0\x80\xbc", BAD BAD BAD); /* the same, longer */
	becomes("\xf0\x80\x80\xbc", BAD BAD BAD BAD);
	becomes("\xed\xa0\x80", BAD BAD BAD);         /* a surrogate */
	becomes("\xf4\x90\x80\x80", BAD BAD BAD BAD); /* above U+10FFFF */
	becomes("\xff\xfe", BAD BAD);
}

static void json_in_a_script_cannot_end_it(void **state)
{
	static const char name[] = "</script><!--<script>&\"\\";
	struct json_object *o = json_object_new_object(), *back, *v;
	FILE *out = begin();

	(void)state;
	json_object_object_add(o, name, json_object_new_string(name));
	html__json(out, o, JSON_C_TO_STRING_NOSLASHESCAPE);
	fclose(out);
	assert_null(strpbrk(text, "<>&"));
	back = json_tokener_parse(text);
	assert_true(json_object_object_get_ex(back, name, &v));
	assert_string_equal(json_object_get_string(v), name);
	json_object_put(back);
	json_object_put(o);
}

static void a_table_has_what_its_rows_have(void **state)
{
	static const struct html_column columns[] = {
		{ "name", "/name", "a 'title'", HTML_TEXT },
		{ "n", "/stats/n", NULL, HTML_COUNT },
		{ "list", "/list", NULL, HTML_LIST },
	};
	struct json_object *rows = json_tokener_parse(
		"[{\"name\":\"<x>\",\"stats\":{\"n\":18446744073709551615},\"list\":[\"a\",\"&\"]},"
		"{\"name\":null,\"stats\":{\"n\":0},\"list\":[]}]");
	FILE *out = begin();

	(void)state;
	assert_int_equal(html__table(out, "c", rows, columns, 3, 0), 2);
	fclose(out);
	assert_non_null(strstr(text, "title=\"a &#39;title&#39;\""));
	assert_non_null(strstr(text, "<td>&lt;x&gt;</td><td class=\"n\" "
				     "data-v=\"18446744073709551615\">18446744073709551615</td>"
				     "<td>a, &amp;</td>"));
	assert_non_null(strstr(text, "<td>-</td><td class=\"n\" data-v=\"0\">0</td><td>-</td>"));
	out = begin();
	assert_int_equal(html__table(out, "c", rows, columns, 3, 1), 1);
	fclose(out);
	assert_null(strstr(text, "<td>-</td>"));
	json_object_put(rows);
	rows = json_object_new_array();
	out = begin();
	assert_int_equal(html__table(out, "c", rows, columns, 3, 0), 0);
	fclose(out);
	assert_string_equal(text, "");
	json_object_put(rows);
	free(text);
	text = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(markup_is_text),
		cmocka_unit_test(control_characters_are_replaced),
		cmocka_unit_test(broken_utf8_is_replaced_byte_by_byte),
		cmocka_unit_test(json_in_a_script_cannot_end_it),
		cmocka_unit_test(a_table_has_what_its_rows_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
