/* SPDX-License-Identifier: GPL-2.0-only */
/* Puts together what the guest starts with. */
#ifndef IOMMUTOP_BOOT_INITRAMFS_H
#define IOMMUTOP_BOOT_INITRAMFS_H

#include "boot/boot.h"
#include "boot/devices.h"
#include "boot/kernel.h"

/* nonce: what marks our frames on ttyS1. 0 or negative errno. */
int initramfs__write(const char *path, const struct boot_config *config,
		     const struct devices *devices, const struct kernel *kernel, const char *nonce,
		     struct error *err);

#endif
