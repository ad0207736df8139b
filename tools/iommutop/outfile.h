/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that comes to be in whole or not at all: written beside its name, which it takes over when
 * it is complete. What isn't a regular file (a link, a terminal, a pipe, /dev/kmsg) is written as
 * it is, and stays what it is.
 */
#ifndef IOMMUTOP_OUTFILE_H
#define IOMMUTOP_OUTFILE_H

#include <stdbool.h>
#include <stdio.h>

#include "util/error.h"

struct outfile {
	FILE *out; /* write here; NULL = not open */
	const char *path;
	char *part; /* its name until it is complete; NULL: written directly */
};

/* "-", or /dev/stdout: by that name a log that it goes to would be emptied first. */
bool outfile__is_stdout(const char *path);
/* path: "-" is standard output; must outlive it. 0, or a negative errno and err. */
int outfile__open(struct outfile *o, const char *path, struct error *err);
/* Closes it and gives it its name. 0, or a negative errno and err; then the file isn't there. */
int outfile__commit(struct outfile *o, struct error *err);
/* Closes it and forgets what was written; after a commit, or if it isn't open, nothing is done. */
void outfile__drop(struct outfile *o);

#endif
