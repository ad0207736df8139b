/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events as rows of tables: which table an event belongs to and what its columns are, made from the
 * one description of events (src/session/tsdl.c), so that a new event is in every export at once.
 * docs/export.md lists them.
 */
#ifndef IOMMUTOP_EXPORT_COLUMNS_H
#define IOMMUTOP_EXPORT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "export/names.h"
#include "session/tsdl.h"

#define COLUMNS_MAX        32
#define COLUMNS_TABLES_MAX 32
#define COLUMNS_KINDS_MAX  8 /* events of one table */
#define COLUMNS_BODY_MAX   20
#define COLUMNS_LIST_MAX   32 /* numbers of a list that has a fixed length */

enum column_type {
	COLUMN_U8,
	COLUMN_U16,
	COLUMN_U32,
	COLUMN_U64,
	COLUMN_I32,
	COLUMN_TIME, /* microseconds since 1970, UTC */
	COLUMN_NAME, /* text that few values have: labels, names */
	COLUMN_TEXT, /* text that is rarely the same twice; lists: numbers, a space between them */
};

enum column_source {
	COLUMN_OF_EVENT, /* the event's name */
	COLUMN_OF_TS,
	COLUMN_OF_CLOCK, /* ts as the time of day */
	COLUMN_OF_HEADER,
	COLUMN_OF_DEVICE, /* name of dev */
	COLUMN_OF_DOMAIN, /* name of domain */
	COLUMN_OF_BODY,
	COLUMN_OF_FRAME, /* which element of a sequence the row is */
};

struct column {
	char name[32];
	enum column_type type;
	enum column_source source;
	bool nullable;
	bool hex;                                           /* text formats show it so */
	const struct tsdl_field *fields[COLUMNS_KINDS_MAX]; /* OF_HEADER: [0]; OF_BODY: by event,
							       NULL = it has none */
};

struct columns_table {
	const char *name;
	unsigned int nr_kinds;
	const struct tsdl_event *kinds[COLUMNS_KINDS_MAX];
	unsigned int nr;
	struct column columns[COLUMNS_MAX];
	const struct tsdl_field *sequence; /* a row for each element of it; NULL: a row an event */
};

/* What is shown of an event beside the header: no layout. */
struct columns_body {
	unsigned int nr;
	struct {
		const struct tsdl_field *field;
		char name[32];
	} fields[COLUMNS_BODY_MAX];
};

struct columns {
	unsigned int nr;
	struct columns_table tables[COLUMNS_TABLES_MAX];
	/* [id]: number of its table + 1, and its number among the table's kinds */
	uint8_t table_of[256], kind_of[256];
	struct columns_body bodies[256];
};

struct column_value {
	bool null;
	uint64_t number; /* COLUMN_I32: sign-extended; COLUMN_TIME: as int64_t */
	const char *text;
	size_t len;
	char room[COLUMNS_LIST_MAX * 21]; /* for what is no text in the event */
};

/* 0, or -EOVERFLOW: an event has more than fits the limits above, which a test would show. */
int columns__init(struct columns *c);

/* NULL: no such table; no such event. */
const struct columns_table *columns__find(const struct columns *c, const char *name);
const struct columns_table *columns__of(const struct columns *c, uint16_t id);

unsigned int columns__rows(const struct columns_table *t, const struct iot_event *ev);
/* Column col of the row of ev, which is of t. v->text may point into ev, v or n. */
void columns__value(const struct columns *c, const struct column *col, struct names *n,
		    const struct iot_event *ev, unsigned int row, struct column_value *v);

/* The number in a field's element; text fields have none. */
uint64_t columns__number(const struct tsdl_field *f, const struct iot_event *ev, unsigned int i);
/* The label of an enumeration's value, NULL = it has none. */
const char *columns__label(const struct tsdl_field *f, uint64_t value);
/* Bytes of a text field up to its NUL. */
size_t columns__text(const struct tsdl_field *f, const struct iot_event *ev, const char **text);
/* Paddings and lengths say nothing about what happened. */
bool columns__is_layout(const struct tsdl_event *type, const struct tsdl_field *f);

#endif
