/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one table of what events look like, field by field: the metadata of a trace (TSDL, CTF 1.8.3
 * section 7) is printed from it and records are checked against it. Offsets and widths come from
 * the structs of event.h.
 */
#ifndef IOMMUTOP_SESSION_TSDL_H
#define IOMMUTOP_SESSION_TSDL_H

#include <stdint.h>
#include <stdio.h>

#include "session/session.h"

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

/* What a trace's metadata says beside the declarations. */
struct tsdl_trace {
	uint8_t uuid[16];
	struct session_clock clock;
	const struct session_env_entry *env;
	size_t nr_env;
};

const struct tsdl_event *tsdl__event(uint16_t id); /* NULL: no such id */
const struct tsdl_event *
tsdl__next(const struct tsdl_event *after);        /* in order of id; NULL begins, NULL ends */
const struct tsdl_field *tsdl__header(size_t *nr); /* the fields of struct iot_event behind id */

/* 1 if key may be used in env{}: an identifier of at most 63 bytes that is no word of TSDL. */
int tsdl__key_ok(const char *key);

void tsdl__uuid_text(const uint8_t uuid[16], char text[37]);

/* The whole metadata as text. Errors of out are out's: ferror(). */
void tsdl__print(FILE *out, const struct tsdl_trace *trace);

#endif
