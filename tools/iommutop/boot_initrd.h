/* SPDX-License-Identifier: GPL-2.0-only */
/* Both ends of assertions on somebody else's machine: what is appended to its initrd, and what it
 * then said on its console. */
#ifndef IOMMUTOP_BOOT_INITRD_CMD_H
#define IOMMUTOP_BOOT_INITRD_CMD_H

#include <stdbool.h>

/* boot --emit-initrd. rules, preset: NULL = none. Returns the exit code. */
int boot_initrd__emit(const char *path, const char *rules, const char *preset, bool gzip);

/* boot --read-report: prints the text of the last whole report in the file ("-": standard input)
 * and returns the exit code of assert that goes with it. */
int boot_initrd__report(const char *path);

#endif
