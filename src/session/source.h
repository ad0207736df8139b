/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes of one file, a window at a time. Read, not mapped: what was checked can't change before
 * it is used, and a file that is cut or grows while we are at it ends early instead of killing us.
 */
#ifndef IOMMUTOP_SESSION_SOURCE_H
#define IOMMUTOP_SESSION_SOURCE_H

#include <stddef.h>
#include <stdint.h>

struct source {
	int fd;         /* -1: bytes are in memory, or the file is put away */
	uint64_t size;  /* bytes when it was opened: what is appended later doesn't count */
	uint64_t limit; /* bytes that can be read: less than size if it was cut, or at an error */
	const uint8_t *memory; /* instead of a file, or NULL */
	uint8_t *window;
	size_t room, have;
	uint64_t begin; /* window[0 .. have) is the file from here on; a multiple of 64 */
	int error;      /* negative errno of the read that failed, 0 = none */
};

/* Takes over fd. 0 or a negative errno, then fd is still the caller's. */
int source__open(struct source *s, int fd);
/* data must outlive the source. */
void source__open_memory(struct source *s, const void *data, size_t bytes);
/* Gives back memory and descriptor; source__reopen() with the same file goes on. */
void source__put_away(struct source *s);
void source__reopen(struct source *s, int fd);
void source__close(struct source *s);

/*
 * Bytes from `at` on: at least `want` of them unless the file ends before; *got says how many there
 * are. Aligned as `at` is, up to 64. Valid until the next call. Never NULL; at an error of the disk
 * or without memory the file ends here (limit, error).
 */
const uint8_t *source__bytes(struct source *s, uint64_t at, size_t want, size_t *got);

/* 1: the file has more bytes than when it was opened, so somebody is writing it. */
int source__has_grown(const struct source *s);

#endif
