/* SPDX-License-Identifier: GPL-2.0-only */
/* The files of a session's directory. It may come from strangers: no links are followed, and
 * nothing is opened that blocks or has no end. */
#ifndef IOMMUTOP_SESSION_FILES_H
#define IOMMUTOP_SESSION_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "session/metadata.h"
#include "util/error.h"

#define SESSION_STREAMS_MAX 65536u

struct session_dir {
	int ctf, zst; /* descriptors; zst -1 if there is none */
	struct metadata metadata;
	struct session_file {
		char *name; /* in its directory */
		bool compressed;
	} * files; /* streams, in the order of their names, numbers in them by value */
	size_t nr_files;
};

/* Directory, metadata and names. The caller closes it, also after a failure. Errors as
 * session_reader__open() has them. */
int session_dir__open(struct session_dir *d, const char *dir, struct error *err);
/* The names as they are now; *changed: they aren't those of before. 0 or as session_dir__open(). */
int session_dir__list_again(struct session_dir *d, const char *dir, bool *changed,
			    struct error *err);
/* A descriptor, or a negative errno; -EINVAL: it is no plain file. */
int session_dir__open_file(const struct session_dir *d, const struct session_file *f);
void session_dir__close(struct session_dir *d);

/* "ctf/events_0", for messages; text has 300 bytes. */
const char *session_file__path(const struct session_file *f, char *text, size_t size);

#endif
