/* SPDX-License-Identifier: GPL-2.0-only */
/* QEMU: what the installed one can do, and the command line of a guest. */
#ifndef IOMMUTOP_BOOT_QEMU_H
#define IOMMUTOP_BOOT_QEMU_H

#include "boot/boot.h"
#include "boot/devices.h"
#include "boot/kernel.h"

struct qemu {
	char *path;
	unsigned int major;
	bool kvm; /* to be used */
};

/* Finds the program, its version, and whether KVM works. 0 or negative errno; qemu__free() in
 * either case. */
int qemu__probe(const struct boot_config *config, struct qemu *q, struct error *err);

/*
 * Appends the whole command line. In run_dir are, or will be: initrd, console.log, ctl, out, err,
 * files, qemu-trace.log. verbose: let the kernel tell all that it does.
 */
int qemu__argv(const struct qemu *q, const struct boot_config *config,
	       const struct devices *devices, const struct kernel *kernel, const char *run_dir,
	       bool verbose, struct strv *argv, struct error *err);

void qemu__free(struct qemu *q);

#endif
