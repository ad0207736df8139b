/* SPDX-License-Identifier: GPL-2.0-only */
/* Boots a test kernel in QEMU, runs a command in it as root, and brings back output, files and exit
 * code. */
#ifndef IOMMUTOP_BOOT_BOOT_H
#define IOMMUTOP_BOOT_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/strv.h"
#include "util/error.h"

/* Nothing in it is owned or changed by boot__run(). Strings may be NULL where it says so. */
struct boot_config {
	const char *tools;  /* the directory of kernel.sh, qemu.sh, modules.sh and init.sh */
	const char *self;   /* the iommutop to put into the guest; NULL: none */
	const char *kernel; /* what kernel.sh calls SPEC, or a path: kernel directory, vmlinux,
			       bzImage */
	const char
		*modules;  /* lib/modules/RELEASE of a kernel given by path; NULL: look beside it */
	const char *iommu; /* see devices__set_iommu() */
	const char *command;  /* for the guest's sh -c */
	const char *output;   /* where to put files; NULL: nowhere */
	const char *qemu;     /* program name or path, or what qemu.sh calls SPEC */
	struct strv devices;  /* see devices__add() */
	struct strv appends;  /* for the kernel's command line */
	struct strv files;    /* HOST[:GUEST] */
	struct strv programs; /* host programs, to be taken along with their shared libraries */
	struct strv extra_modules; /* to be there, not loaded */
	struct strv qemu_args;
	struct strv traces;  /* patterns of QEMU's trace events */
	uint64_t timeout_ms; /* of everything after the kernel was got */
	uint64_t silence_ms; /* of a boot, until it counts as hung */
	uint64_t memory;     /* bytes */
	unsigned int cpus;
	bool cost; /* deterministic: one CPU, instructions as time */
	bool no_kvm;
	bool no_drivers;    /* leave it to the command to load the devices' drivers */
	int out_fd, err_fd; /* where the command's output goes */
	int stop_fd;        /* readable: give up; -1: never */
	void (*log)(void *ctx, const char *line); /* progress, a line without its end */
	void *log_ctx;
};

enum boot_verdict {
	BOOT_EXITED,    /* the command ended, with .exit_code */
	BOOT_PANICKED,  /* the guest ended before the command did */
	BOOT_TIMED_OUT, /* also: it hung while booting, twice */
};

struct boot_result {
	enum boot_verdict verdict;
	int exit_code;      /* 0 to 255 */
	const char *reason; /* in words, for all but BOOT_EXITED; static */
	char *console_tail; /* last lines of the console, "" if none; the caller frees it */
};

/*
 * 0: the guest was run, see *result. Negative errno: it could not be tried, err says which part is
 * missing and what to do; -EINTR: stopped by stop_fd. *result's tail may be set in either case.
 * Nothing stays behind.
 */
int boot__run(const struct boot_config *config, struct boot_result *result, struct error *err);

/*
 * What the kernel lacks, a line each through log, without booting it. *vital: the number of things
 * without which the guest won't come up or can't be traced. 0, or negative errno if there is no
 * such kernel.
 */
int boot__check(const struct boot_config *config, unsigned int *vital, struct error *err);

/* boot__run()'s parts tell of progress through this. */
void boot__log(const struct boot_config *config, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
