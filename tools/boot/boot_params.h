/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel's command line and bootconfig ask of assertions in early user space. */
#ifndef IOMMUTOP_BOOT_BOOT_PARAMS_H
#define IOMMUTOP_BOOT_BOOT_PARAMS_H

#include <stdint.h>

#include "util/error.h"

enum boot_end {
	BOOT_END_MARK,     /* the line "iommutop: end" in the kernel's log */
	BOOT_END_WORKLOAD, /* the line "iommutop: phase shutdown" */
	BOOT_END_SHUTDOWN, /* SIGTERM, or systemd-shutdown's first line in the kernel's log */
};

#define BOOT_PARAM_MAX 256
struct boot_params {
	char rules[BOOT_PARAM_MAX]; /* a file of rules; "" = preset */
	char preset[BOOT_PARAM_MAX];
	char out[BOOT_PARAM_MAX];    /* "serial", "kmsg", or a path */
	char serial[BOOT_PARAM_MAX]; /* the device that "serial" means: the last console= that is
					one */
	char init[BOOT_PARAM_MAX];   /* whom to hand over to */
	enum boot_end end;
	uint64_t every; /* ns between partial reports */
};

/* preset:boot to the serial console, until the mark, every 30 s; then /init. */
void boot_params__defaults(struct boot_params *p);

/*
 * Takes the words that begin with "iommutop." (and console=) of a command line; quotes hold a word
 * together. The later word counts, and whatever else there is belongs to others. -EINVAL: err names
 * the word; those before it were taken.
 */
int boot_params__cmdline(struct boot_params *p, const char *text, struct error *err);

/* The same of what /proc/bootconfig says: lines "iommutop.out = \"serial\"". */
int boot_params__bootconfig(struct boot_params *p, const char *text, struct error *err);

#endif
