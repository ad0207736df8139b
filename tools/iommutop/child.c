// SPDX-License-Identifier: GPL-2.0-only
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void watched(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR2);
	sigaddset(set, SIGCHLD);
}

int child__watch(void)
{
	sigset_t set;

	watched(&set);
	/* a reader that closes our pipe is an error of write(), not our death in the middle of a
	 * session */
	signal(SIGPIPE, SIG_IGN);
	return sigprocmask(SIG_BLOCK, &set, NULL) ? -errno : 0;
}

int child__start(struct child *c, char **argv)
{
	sigset_t set;
	pid_t pid;

	watched(&set);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		signal(SIGPIPE, SIG_DFL);
		/* a script's background job is born with SIGINT ignored: passed on, we could never
		 * end the command */
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		execvp(argv[0], argv);
		fprintf(stderr, "iommutop: can't run %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	c->pid = pid;
	return 0;
}

static void reap(struct child *c)
{
	int status;

	if (!c->pid || c->exited || waitpid(c->pid, &status, WNOHANG) != c->pid)
		return;
	c->exited = true;
	c->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void child__wait(struct child *c, uint64_t ns)
{
	struct timespec t = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };
	sigset_t set;
	int sig;

	watched(&set);
	sig = sigtimedwait(&set, NULL, &t);
	if (sig == SIGCHLD)
		reap(c);
	else if (sig == SIGUSR2)
		c->usr2 = true;
	else if (sig > 0)
		c->signal = sig;
}

void child__end(struct child *c)
{
	int status;

	reap(c);
	if (!c->pid || c->exited)
		return;
	/* from a terminal Ctrl-C has reached the child already; twice does no harm */
	kill(c->pid, c->signal ? c->signal : SIGTERM);
	if (waitpid(c->pid, &status, 0) == c->pid) {
		c->exited = true;
		c->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
}

char *child__command(char **words)
{
	size_t len = 1;
	char *text;

	for (char **w = words; *w; w++)
		len += strlen(*w) + 1;
	text = calloc(1, len);
	for (char **w = words; text && *w; w++) {
		strcat(text, *w);
		if (w[1])
			strcat(text, " ");
	}
	return text;
}
