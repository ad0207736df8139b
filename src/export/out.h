/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where an export goes: a file, or a pipe. A file appears under its name only when it is whole:
 * until then it is NAME.partial, which an error removes and a crash leaves behind under that name.
 */
#ifndef IOMMUTOP_EXPORT_OUT_H
#define IOMMUTOP_EXPORT_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define OUT_ROOM 65536 /* bytes that out__room() can be asked for */

struct out { /* all zero = not open */
	int fd;
	bool is_open, is_stdout;
	char *path;      /* its name in messages and in the end */
	char *partial;   /* its name now; NULL: a pipe or a device, written in place */
	char *buf;       /* what waits for its write() */
	size_t nr;       /* bytes of it */
	uint64_t offset; /* bytes given to it so far */
	int error;       /* the first negative errno; everything after it is dropped */
};

/* path "-" is standard output, which stays open. 0 or a negative errno and err. */
int out__open(struct out *o, const char *path, struct error *err);

/* Place for up to OUT_ROOM bytes, never NULL; say with out__used() how many there are. */
char *out__room(struct out *o, size_t nr);
void out__used(struct out *o, size_t nr);
void out__write(struct out *o, const void *data, size_t nr);

/* Writes what waits and gives the file its name. Either way the output is closed. */
int out__commit(struct out *o, struct error *err);
/* Removes what there is of the file. Nothing happens if it isn't open. */
void out__abort(struct out *o);

#endif
