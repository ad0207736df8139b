/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reports over a channel that others write to as well (a console, the kernel's log), and that may
 * break off at any byte. Each report is a frame:
 *
 *	iommutop-report: BEGIN 3 partial
 *	iommutop-report: 3 | a line of text
 *	iommutop-report: END 3 partial lines=1 crc32c=1a2b3c4d
 *
 * The checksum is of the text, each line with its line feed. A frame without END, with another
 * number of lines or another checksum is damaged: the one before it counts.
 */
#ifndef IOMMUTOP_BOOT_FRAMED_H
#define IOMMUTOP_BOOT_FRAMED_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct framed {
	const char *path; /* "kmsg", a character device, or a file, below root */
	const char *root; /* the directory that paths start at: "/proc/1/root", or "" */
	unsigned int nr;  /* of the last frame */
};

/*
 * Writes one frame. A file is replaced by it as a whole; anything else is written to. kind: a word.
 * 0, or negative errno and err: nobody will read it.
 */
int framed__send(struct framed *f, const char *kind, const char *text, struct error *err);

/*
 * The text of the last whole frame within a log: of any kind, or only of one. Lines of others in
 * between, time stamps before ours and carriage returns don't matter. *out is to be freed; kind
 * has 32 bytes. -ENOENT: there is none. -EIO: the last one of all is damaged or broken off; *out is
 * the one before, NULL if there is none.
 */
int framed__find(const char *log, char **out, char *kind);

#endif
