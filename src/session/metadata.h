/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads from a trace's metadata what our reader wants to know: trace, env and clock. Declarations
 * are skipped; event.h says what records look like. Input may be hostile.
 */
#ifndef IOMMUTOP_SESSION_METADATA_H
#define IOMMUTOP_SESSION_METADATA_H

#include "session/session.h"
#include "util/error.h"

struct metadata {
	uint8_t uuid[16];
	struct session_clock clock;
	int format_version;
	int other_byte_order; /* 1: not that of this machine */
	struct session_env_entry *env;
	size_t nr_env;
	char *store; /* holds the texts of env */
};

/*
 * text[bytes] must be NUL. 0 and a result to free; -EBADMSG: not TSDL, or something is missing;
 * -ENOTSUP: not from iommutop, or newer than we are; -ENOMEM. err says which line.
 */
int metadata__parse(struct metadata *out, const char *text, size_t bytes, struct error *err);

void metadata__free(struct metadata *m);

#endif
