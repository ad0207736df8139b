/* SPDX-License-Identifier: GPL-2.0-only */
/* Looks at every byte of a session and says what is wrong, where. */
#ifndef IOMMUTOP_SESSION_CHECK_H
#define IOMMUTOP_SESSION_CHECK_H

#include <stdint.h>

#include "session/files.h"
#include "session/packets.h"
#include "util/error.h"

enum check_kind {
	CHECK_DAMAGE,     /* bytes that are no whole packet, with packets behind them */
	CHECK_TORN,       /* the same, to the end of the file */
	CHECK_GAP,        /* packets are missing: number of them in value */
	CHECK_EVENT,      /* no event, or one that can't be there, under a right checksum */
	CHECK_COUNT,      /* the head says another number of events than there are */
	CHECK_TIMES,      /* times of the head aren't those of its first and last event */
	CHECK_UNKNOWN,    /* events of ids that only a newer iommutop knows: number in value */
	CHECK_DISCARD,    /* the writer dropped events: number in value; no damage */
	CHECK_UNREADABLE, /* the disk can't read the file beyond this place: -value is the errno */
};

struct check_finding {
	enum check_kind kind;
	const struct session_file *file;
	uint64_t at, bytes; /* in the file */
	uint64_t value;
	uint32_t salvaged; /* CHECK_TORN: events that can be believed */
	const char *why;   /* a clause, a constant */
};

/* 1 if it is damage, 0 if it is only worth knowing. */
int check__is_damage(const struct check_finding *f);

struct check_total {
	uint64_t packets, events, bytes;
};

typedef void (*check_report)(void *ctx, const struct check_finding *f);

/* All streams of d. 0, or -ENOMEM or the errno of a file that can't be opened, and a sentence. */
int check__session(const struct session_dir *d, check_report report, void *ctx,
		   struct check_total *total, struct error *err);

/* One file, opened by session_dir__open_file(); takes over fd. */
int check__file(const struct session_dir *d, const struct session_file *file, int fd,
		const struct crc32c *crc, check_report report, void *ctx,
		struct check_total *total);

#endif
