/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes an initramfs: an archive in the "newc" format that the kernel unpacks
 * (Documentation/driver-api/early-userspace/buffer-format.rst in the kernel's sources).
 *
 * Paths are relative to the guest's root, without a leading slash. Missing parent directories are
 * added. Owners are root and times are 0, so equal contents make equal archives.
 */
#ifndef IOMMUTOP_BOOT_CPIO_H
#define IOMMUTOP_BOOT_CPIO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

struct cpio;

/* Creates or truncates the file. 0 or negative errno; *out must go through cpio__close(). */
int cpio__create(const char *path, struct cpio **out, struct error *err);

/* All return 0 or negative errno. A path that was added before: -EEXIST (directories: 0). */
int cpio__add_dir(struct cpio *c, const char *path, mode_t mode, struct error *err);
int cpio__add_data(struct cpio *c, const char *path, mode_t mode, const void *data, size_t len,
		   struct error *err);
int cpio__add_symlink(struct cpio *c, const char *path, const char *target, struct error *err);
int cpio__add_char_device(struct cpio *c, const char *path, mode_t mode, unsigned int major,
			  unsigned int minor, struct error *err);
/* A host's file (symbolic links followed), or a directory with all that is below it. Modes are
 * kept. */
int cpio__add_host(struct cpio *c, const char *path, const char *host, struct error *err);

/* Writes the trailer and closes; c is gone whatever is returned. NULL is allowed. */
int cpio__close(struct cpio *c, struct error *err);

#endif
