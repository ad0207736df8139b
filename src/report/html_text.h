/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text, values and tables in HTML. Every text that isn't markup of ours goes through html__text()
 * or html__json(): names in a session are a stranger's.
 */
#ifndef IOMMUTOP_REPORT_HTML_TEXT_H
#define IOMMUTOP_REPORT_HTML_TEXT_H

#include <linux/types.h>
#include <stdio.h>

struct json_object;

/* Safe between tags and inside quoted attributes. What is no valid UTF-8, and control characters
 * but tab and line feed, become U+FFFD. NULL is an empty text. */
void html__text(FILE *out, const char *text);

/* A JSON text that no <script> or comment can be ended by; flags are json-c's. */
void html__json(FILE *out, struct json_object *o, int flags);

enum html_kind {
	HTML_TEXT,
	HTML_CODE, /* addresses, names of functions */
	HTML_COUNT,
	HTML_RATIO,   /* one digit behind the point */
	HTML_PERCENT, /* a share, 1 is all */
	HTML_BYTES,
	HTML_NS,     /* a duration */
	HTML_LIST,   /* an array of texts */
	HTML_PASSED, /* a boolean */
};

struct html_column {
	const char *head;
	const char *path;  /* JSON pointer below the row: "/stats/maps" */
	const char *title; /* what the column means, NULL = plain */
	enum html_kind kind;
};

/* The value at path of o, as its kind wants it; "-" if it isn't there. */
void html__value(FILE *out, struct json_object *o, const char *path, enum html_kind kind);

/*
 * rows: an array of objects. Rows without any value but text are left out if skip_empty. Returns
 * how many rows there are; with none, nothing is written.
 */
size_t html__table(FILE *out, const char *caption, struct json_object *rows,
		   const struct html_column *columns, size_t nr, int skip_empty);

/* NULL = not there or null. */
struct json_object *html__at(struct json_object *o, const char *path);
const char *html__string(struct json_object *o, const char *path); /* "" = not there */
__u64 html__u64(struct json_object *o, const char *path);          /* 0 = not there */

#endif
