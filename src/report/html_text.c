// SPDX-License-Identifier: GPL-2.0-only
#include "report/html_text.h"

#include <json-c/json.h>
#include <json-c/json_pointer.h>
#include <string.h>

#include "report/words.h"

/* Bytes of the UTF-8 sequence at s, 0 = it is none (RFC 3629: no overlong ones, no surrogates). */
static int utf8_length(const unsigned char *s)
{
	int len = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	for (int i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

void html__text(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)(text ? text : "");

	while (*s) {
		int len = *s < 0x80 ? 1 : utf8_length(s);

		if (*s == '<')
			fputs("&lt;", out);
		else if (*s == '>')
			fputs("&gt;", out);
		else if (*s == '&')
			fputs("&amp;", out);
		else if (*s == '"')
			fputs("&quot;", out);
		else if (*s == '\'')
			fputs("&#39;", out);
		else if (!len || *s == 0x7f || (*s < 0x20 && *s != '\t' && *s != '\n'))
			fputs("&#xfffd;", out);
		else
			fwrite(s, 1, (size_t)len, out);
		s += len ? len : 1;
	}
}

void html__json(FILE *out, struct json_object *o, int flags)
{
	/* Outside of its texts JSON has none of these three characters. */
	for (const char *s = json_object_to_json_string_ext(o, flags); *s; s++) {
		if (*s == '<' || *s == '>' || *s == '&')
			fprintf(out, "\\u%04x", *s);
		else
			fputc(*s, out);
	}
}

struct json_object *html__at(struct json_object *o, const char *path)
{
	struct json_object *v;

	return o && !json_pointer_get(o, path, &v) ? v : NULL;
}

const char *html__string(struct json_object *o, const char *path)
{
	struct json_object *v = html__at(o, path);

	return v ? json_object_get_string(v) : "";
}

__u64 html__u64(struct json_object *o, const char *path)
{
	return json_object_get_uint64(html__at(o, path));
}

void html__value(FILE *out, struct json_object *o, const char *path, enum html_kind kind)
{
	struct json_object *v = html__at(o, path);

	if (!v || (kind == HTML_LIST && !json_object_array_length(v))) {
		fputc('-', out);
		return;
	}
	switch (kind) {
	case HTML_COUNT:
	case HTML_TEXT:
		html__text(out, json_object_get_string(v));
		break;
	case HTML_CODE:
		fputs("<code>", out);
		html__text(out, json_object_get_string(v));
		fputs("</code>", out);
		break;
	case HTML_RATIO:
		fprintf(out, "%.1f", json_object_get_double(v));
		break;
	case HTML_PERCENT:
		fprintf(out, "%.1f %%", 100 * json_object_get_double(v));
		break;
	case HTML_BYTES:
		fputs(words__bytes(json_object_get_uint64(v)).s, out);
		break;
	case HTML_NS:
		fputs(words__duration(json_object_get_uint64(v)).s, out);
		break;
	case HTML_LIST:
		for (size_t i = 0; i < json_object_array_length(v); i++) {
			fputs(i ? ", " : "", out);
			html__text(out, json_object_get_string(json_object_array_get_idx(v, i)));
		}
		break;
	case HTML_PASSED:
		fputs(json_object_get_boolean(v) ? "passed" : "<strong>failed</strong>", out);
		break;
	}
}

static int is_number(enum html_kind kind)
{
	return kind == HTML_COUNT || kind == HTML_RATIO || kind == HTML_PERCENT ||
	       kind == HTML_BYTES || kind == HTML_NS;
}

static int is_empty(struct json_object *row, const struct html_column *columns, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (is_number(columns[i].kind) &&
		    json_object_get_double(html__at(row, columns[i].path)) != 0)
			return 0;
	return 1;
}

/* What a column is sorted by, as exact as it is. */
static const char *number(struct json_object *v)
{
	return v ? json_object_get_string(v) : "0";
}

static void table_head(FILE *out, const char *caption, const struct html_column *columns, size_t nr)
{
	fputs("<div class=\"scroll\"><table class=\"sortable\"><caption>", out);
	html__text(out, caption);
	fputs("</caption><thead><tr>", out);
	for (size_t i = 0; i < nr; i++) {
		fprintf(out, "<th scope=\"col\"%s",
			is_number(columns[i].kind) ? " class=\"n\"" : "");
		if (columns[i].title) {
			fputs(" title=\"", out);
			html__text(out, columns[i].title);
			fputc('"', out);
		}
		fprintf(out, ">%s</th>", columns[i].head);
	}
	fputs("</tr></thead><tbody>\n", out);
}

size_t html__table(FILE *out, const char *caption, struct json_object *rows,
		   const struct html_column *columns, size_t nr, int skip_empty)
{
	size_t written = 0;

	for (size_t n = 0; rows && n < json_object_array_length(rows); n++) {
		struct json_object *row = json_object_array_get_idx(rows, n);

		if (skip_empty && is_empty(row, columns, nr))
			continue;
		if (!written++)
			table_head(out, caption, columns, nr);
		fputs("<tr>", out);
		for (size_t i = 0; i < nr; i++) {
			if (is_number(columns[i].kind))
				fprintf(out, "<td class=\"n\" data-v=\"%s\">",
					number(html__at(row, columns[i].path)));
			else
				fputs("<td>", out);
			html__value(out, row, columns[i].path, columns[i].kind);
			fputs("</td>", out);
		}
		fputs("</tr>\n", out);
	}
	if (written)
		fputs("</tbody></table></div>\n", out);
	return written;
}
