/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one table of what events look like, field by field: the metadata of a trace (tsdl_text.h)
 * is printed from it and records are checked against it. Offsets and widths come from
 * the structs of event.h.
 */
#ifndef IOMMUTOP_SESSION_TSDL_H
#define IOMMUTOP_SESSION_TSDL_H

#include <stddef.h>
#include <stdint.h>

enum tsdl_show {
	TSDL_DEC,
	TSDL_TIME, /* CLOCK_MONOTONIC, ns; 0 = none */
	TSDL_HEX,  /* addresses, flags, tokens */
	TSDL_TEXT,
	TSDL_ENUM,
};

struct tsdl_label { /* a list ends with text NULL */
	uint32_t value;
	const char *text;
};

struct tsdl_enum {
	const char *name;
	unsigned int bits; /* of the integer behind it */
	const struct tsdl_label *labels;
};

#define TSDL_COUNT_IN_FIELD 0xffff

struct tsdl_field {
	const char *name;
	uint16_t offset; /* bytes, from the start of the event */
	uint8_t width;   /* bytes, of one element */
	uint8_t is_signed;
	uint16_t
		count; /* 0 scalar, n array, TSDL_COUNT_IN_FIELD sequence at the end of the event */
	uint16_t count_offset; /* sequence: offset of the u32 that holds the number of elements */
	const char *count_name;
	enum tsdl_show show;
	const struct tsdl_enum *labels; /* show == TSDL_ENUM */
};

struct tsdl_event {
	const char *name;
	uint16_t id;
	uint16_t size;      /* bytes; without the sequence, if there is one */
	uint16_t nr_fields; /* behind struct iot_event */
	const struct tsdl_field *fields;
};

const struct tsdl_event *tsdl__event(uint16_t id); /* NULL: no such id */
const struct tsdl_event *
tsdl__next(const struct tsdl_event *after);        /* in order of id; NULL begins, NULL ends */
const struct tsdl_field *tsdl__header(size_t *nr); /* the fields of struct iot_event behind id */

const struct tsdl_enum *const *tsdl__enums(size_t *nr);

#endif
