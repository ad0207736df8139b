/* SPDX-License-Identifier: GPL-2.0-only */
/* The module index of a kernel (modules.dep, modules.builtin): which files a module needs, in which
 * order. */
#ifndef IOMMUTOP_BOOT_MODULES_H
#define IOMMUTOP_BOOT_MODULES_H

#include "boot/strv.h"
#include "util/error.h"

struct modules;

/* Reads the index in dir (lib/modules/RELEASE). 0 or negative errno. */
int modules__open(const char *dir, struct modules **out, struct error *err);

/*
 * Appends to paths the files of a module and of all it needs that aren't there yet, relative to the
 * directory, in the order to load them. '-' and '_' in names are equal. 0 (built in: nothing
 * added), -ENOENT: the kernel has no such module.
 */
int modules__resolve(const struct modules *m, const char *name, struct strv *paths,
		     struct error *err);

/* The line of modules.dep for one of these files, without its end; NULL if it isn't in the index.
 */
const char *modules__dep_line(const struct modules *m, const char *path);

void modules__close(struct modules *m);

#endif
