/* SPDX-License-Identifier: GPL-2.0-only */
/* The metadata of a trace as text: TSDL, CTF 1.8.3 section 7. */
#ifndef IOMMUTOP_SESSION_TSDL_TEXT_H
#define IOMMUTOP_SESSION_TSDL_TEXT_H

#include <stdint.h>
#include <stdio.h>

#include "session/session.h"

/* What a trace's metadata says beside the declarations. */
struct tsdl_trace {
	uint8_t uuid[16];
	struct session_clock clock;
	const struct session_env_entry *env;
	size_t nr_env;
};

/* 1 if key may be used in env{}: an identifier of at most 63 bytes that is no word of TSDL. */
int tsdl_text__key_ok(const char *key);

void tsdl_text__uuid(const uint8_t uuid[16], char text[37]);

/* The whole metadata as text. Errors of out are out's: ferror(). */
void tsdl_text__print(FILE *out, const struct tsdl_trace *trace);

#endif
