/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An archive to be appended to anybody's initrd (the kernel unpacks one after the other): the
 * program, under a name that it starts assertions by, rules, and words for it. Everything is below
 * /iommutop, so nothing of the initrd is replaced.
 */
#ifndef IOMMUTOP_BOOT_INITRD_H
#define IOMMUTOP_BOOT_INITRD_H

#include <stdbool.h>

#include "boot/strv.h"
#include "util/error.h"

struct initrd_config {
	const char *self;  /* the program, linked statically */
	const char *rules; /* a file of them; NULL = none */
	struct strv words; /* for the program, as on the kernel's command line */
	bool gzip;
};

/* 0, or negative errno: there is no such file then. */
int initrd__write(const char *path, const struct initrd_config *config, struct error *err);

#endif
