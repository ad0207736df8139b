/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs other programs. */
#ifndef IOMMUTOP_BOOT_PROC_H
#define IOMMUTOP_BOOT_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

struct proc_spec {
	char *const *argv; /* argv[0] is looked up in PATH */
	int in_fd;         /* 0: empty */
	int out_fd;        /* 0: as ours */
	int err_fd;        /* 0: as ours */
	bool detached;     /* out of the terminal's reach, and killed when we die */
};

/*
 * Starts a program with no signal blocked. 0, or negative errno (-ENOENT: there is no such
 * program). The caller waits for *pid.
 */
int proc__spawn(const struct proc_spec *spec, pid_t *pid, struct error *err);

/*
 * Runs a program to its end and gives back what it wrote to its standard output (NUL-ended, NULL if
 * nothing; the caller frees it) and its wait status; spec's out_fd does not matter. If stop_fd (-1:
 * none) becomes readable, or after timeout_ms (-1: none), the program is ended and -EINTR or
 * -ETIMEDOUT returned.
 */
int proc__capture(const struct proc_spec *spec, int stop_fd, int timeout_ms, char **out,
		  int *status, struct error *err);

/* The absolute path of a program in PATH, or of a path itself if it can be run. NULL: there is
 * none. Caller frees. */
char *proc__find(const char *name);

/* Milliseconds of a clock that only goes forward. */
long long proc__now_ms(void);

#endif
