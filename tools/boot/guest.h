/* SPDX-License-Identifier: GPL-2.0-only */
/* One run of QEMU: watches it, passes on what the guest sends, and says how it ended. */
#ifndef IOMMUTOP_BOOT_GUEST_H
#define IOMMUTOP_BOOT_GUEST_H

#include "boot/boot.h"

enum guest_end {
	GUEST_EXITED, /* the command ended */
	GUEST_FAILED, /* init could not set the guest up, see guest_result.text */
	GUEST_GONE,   /* the guest rebooted or powered off before the command ended */
	GUEST_SILENT, /* it hung while booting */
	GUEST_TIMED_OUT,
	GUEST_QEMU_FAILED, /* QEMU ended by itself with an error, see .text */
};

struct guest_result {
	enum guest_end end;
	int exit_code; /* GUEST_EXITED */
	bool files;    /* run_dir/files is an archive of the output folder */
	bool booted;   /* init was reached */
	char text[512];
};

/*
 * Runs QEMU to its end; the files of run_dir are those of qemu__argv(). deadline_ms is in
 * proc__now_ms() terms. 0 or negative errno: -EINTR if stopped, -EPIPE and others if the output
 * could not be passed on.
 */
int guest__run(const struct boot_config *config, char *const *argv, const char *run_dir,
	       const char *nonce, long long deadline_ms, struct guest_result *result,
	       struct error *err);

#endif
