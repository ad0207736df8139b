/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals that end a capture, and the command that may be run under it. */
#ifndef IOMMUTOP_CHILD_H
#define IOMMUTOP_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* From now on SIGINT, SIGTERM, SIGHUP, SIGUSR2 and SIGCHLD are blocked and read by child__wait().
 * -errno on failure. */
int child__watch(void);

struct child {
	pid_t pid; /* 0 = none */
	bool exited;
	int code;   /* its exit code, or 128 + the signal that ended it */
	int signal; /* the signal that asked us to end; 0 = none */
	bool usr2;  /* SIGUSR2 came; whoever acts on it clears this */
};

/* Starts argv with the signals as they were; exit code 127 if it can't be run. -errno if fork
 * fails. */
int child__start(struct child *c, char **argv);
/* Waits up to ns for a signal or the child's end; what it learned is in c. */
void child__wait(struct child *c, uint64_t ns);
/* Passes the signal on to a child that still runs, and waits for its end. */
void child__end(struct child *c);
/* The words of a command with blanks between them, to free(); NULL without memory. */
char *child__command(char **words);

#endif
