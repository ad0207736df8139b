/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a session says about itself: given to the writer when it is opened, given back by the
 * reader.
 */
#ifndef IOMMUTOP_SESSION_SESSION_H
#define IOMMUTOP_SESSION_SESSION_H

#include <stddef.h>
#include <stdint.h>

/* One value of the session's environment: text, or a number if text is NULL. */
struct session_env_entry {
	const char *key;  /* [a-z_][a-z0-9_]*, at most 63 bytes, not a word of TSDL */
	const char *text; /* any bytes but NUL */
	int64_t number;
};

/*
 * Where and how the session is recorded. A NULL among the first three is filled in from this
 * machine; command may be NULL (not known). Nothing is kept: the writer copies what it needs into
 * the metadata.
 */
struct session_env {
	const char *host;
	const char *kernel;  /* release, as in uname -r */
	const char *boot_id; /* UUID text: says which boot CLOCK_MONOTONIC belongs to */
	const char *version; /* of iommutop; NULL = "unknown" */
	const char *command; /* what was recorded or asked for */
	const struct session_env_entry *more;
	size_t nr_more;
};

struct session_clock {
	char boot_id[37];  /* UUID text */
	int64_t offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC when the session was opened */
};

/*
 * All of it but the counters is there once a session is open; the counters grow while it is read
 * and are final when session_reader__next() has returned 0. Damage: bytes that hold no whole,
 * checked packet, or an event that is not what its length says.
 */
struct session_info {
	const struct session_env_entry *env;
	size_t nr_env;
	struct session_clock clock;
	uint8_t uuid[16];
	int format_version;
	unsigned int nr_streams; /* stream files */
	uint64_t total_bytes;    /* of these files: how far bytes + damage can grow */
	int other_byte_order;    /* 1: recorded on a machine of the other byte order */
	int compressed;          /* 1: at least one stream is */

	uint64_t packets;          /* read and found whole */
	uint64_t events;           /* given to the caller: from the files, */
	uint64_t told_losses;      /* and loss events that the reader made of damage */
	uint64_t bytes;            /* of those packets in the files, headers included */
	uint64_t unknown_events;   /* skipped: ids of a newer iommutop */
	uint64_t discarded_events; /* the writer dropped them: the disk was too slow */
	uint64_t missing_packets;  /* gaps in the packets' sequence numbers */
	uint64_t damaged_packets;  /* stretches of damage with readable packets after them */
	uint64_t damaged_bytes;
	uint64_t torn_bytes;      /* at the end of the files, all streams together */
	uint64_t salvaged_events; /* of a packet that is torn: believed without a checksum */
	int torn_tail; /* 1: at least one file ends in something that is no whole packet */
	int growing; /* 1: a file became longer while it was read: the session is being recorded */
};

/* The entry with that key, NULL if there is none. */
const struct session_env_entry *session_info__env(const struct session_info *info, const char *key);

#endif
