/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first program of user space (rdinit=/iommutop/init, which is this binary by another name):
 * starts the assertions beside the boot and hands over to the initrd's own init.
 */
#ifndef IOMMUTOP_EARLY_INIT_H
#define IOMMUTOP_EARLY_INIT_H

#include <stdbool.h>

#define EARLY_DIR   "/iommutop"
#define EARLY_RULES EARLY_DIR "/rules.yaml"
/* words as on the kernel's command line, which come before those there */
#define EARLY_WORDS EARLY_DIR "/cmdline"

/* Was the program started as that, by the kernel? */
bool early_init__is_it(const char *argv0);

/* Becomes the real init. Returns, with an exit code, only if there is none. */
int early_init__run(char **argv);

#endif
