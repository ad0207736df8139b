/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes a damaged session one that every CTF reader takes: what can be read stays, what can't goes,
 * and loss events in rare_0 say from when to when it is missing.
 */
#ifndef IOMMUTOP_SESSION_REPAIR_H
#define IOMMUTOP_SESSION_REPAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

enum repair_action {
	REPAIR_CUT,     /* the file ends behind its last whole packet now */
	REPAIR_CLOSE,   /* and behind the events of a torn packet that could be read */
	REPAIR_REWRITE, /* a new file of what is whole took its place */
	REPAIR_LOSSES,  /* loss events were added */
};

struct repair_step {
	enum repair_action action;
	const char *file; /* "ctf/events_0" */
	uint64_t bytes;   /* that are gone */
	uint64_t events;  /* CLOSE: of the torn packet; LOSSES: loss events */
};

typedef void (*repair_report)(void *ctx, const struct repair_step *step);

/*
 * In place. Nothing readable is lost whenever it is interrupted, and running it again goes on:
 * files are cut only behind what is readable, and rewritten beside the old one, which is then
 * replaced. dry_run: only report. 0, also if there is nothing to do; -EBUSY the session is still
 * being written; -ENOTSUP it is of the other byte order; or what the system said.
 */
int session__repair(const char *dir, bool dry_run, repair_report report, void *ctx,
		    struct error *err);

/* Copies the files of a session to a new directory, byte for byte. */
int session__copy(const char *dir, const char *to, struct error *err);

#endif
