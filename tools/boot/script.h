/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs the shell scripts that get kernels, modules and QEMUs. */
#ifndef IOMMUTOP_BOOT_SCRIPT_H
#define IOMMUTOP_BOOT_SCRIPT_H

#include "boot/boot.h"

/*
 * Runs a script of config->tools with arguments up to a NULL; its messages go where the command's
 * errors will. *line (line may be NULL) is the first line that it printed; the caller frees it. 0,
 * or negative errno: -EINTR if stopped, -ENOENT if the script failed and said why, -EIO if it
 * printed nothing and a line was wanted.
 */
int script__run(const struct boot_config *config, const char *script, const char *const *args,
		char **line, struct error *err);

#endif
