/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a name in a filter means for each kind of event, and one comparison of it with a value. The
 * names are those of src/session/tsdl.c (docs/events.md), and a few that follow from them.
 */
#ifndef IOMMUTOP_FILTER_FIELDS_H
#define IOMMUTOP_FILTER_FIELDS_H

#include <stdbool.h>
#include <stdio.h>

#include "event.h"
#include "filter/lex.h"
#include "util/error.h"

#define FIELDS_IDS 128U /* ids of events are below */

enum field_how {
	FIELD_NONE, /* this event has no such field, or the value can't be one of it: never true */
	FIELD_NUMBER,
	FIELD_TEXT,
	FIELD_FLAG,   /* a bit of flags: value is the mask */
	FIELD_TOOK,   /* ts minus begin; none if the begin isn't known */
	FIELD_DEVICE, /* the name of the device dev */
};

struct field_ref { /* of one kind of event */
	__u64 value;
	__u16 offset; /* bytes */
	__u16 room;   /* bytes of a text of fixed length, 0 = up to the event's end */
	__u8 how;     /* enum field_how */
	__u8 width;   /* bytes */
	bool is_signed;
	bool negative; /* value is below 0 */
};

struct field_test {
	struct field_ref by_id[FIELDS_IDS];
	enum lex_kind op; /* a comparison; LEX_END: just not zero */
	bool by_device;   /* FIELD_DEVICE everywhere */
	char pattern[LEX_WORD_MAX];
};

struct field_word { /* of the filter's text, for messages */
	const char *text;
	size_t column;
	bool quoted;
};

/* value NULL with op LEX_END. 0, or -EINVAL and err, which says the column. */
int fields__test(struct field_test *out, const struct field_word *name, enum lex_kind op,
		 const struct field_word *value, struct error *err);

/* Not for by_device. ev has at least the length that its id demands. */
bool fields__holds(const struct field_test *t, const struct iot_event *ev);
/* A text against the test's pattern. */
bool fields__text_holds(const struct field_test *t, const char *text);

/* All names, and the names of values. */
void fields__help(FILE *out);

#endif
