// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process watches (the command assert, with its report in a file), another tells what is in its
 * files: so whatever becomes of the first one, it is told.
 */
#include "early_assert.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assert_progress.h"
#include "boot/framed.h"
#include "boot/proc.h"
#include "opts.h"

/* in the root that nobody else sees */
#define PROGRESS "/progress"
#define REPORT   "/report"
#define TICK_MS  200

struct early {
	const struct boot_params *p;
	struct framed framed;
	int ready_fd;         /* -1: told */
	struct timespec told; /* when the progress was written that was sent last */
};

static char *read_text(const char *path)
{
	size_t size = 1 << 20;
	char *text = malloc(size + 1);
	FILE *in = text ? fopen(path, "re") : NULL;

	if (in) {
		text[fread(text, 1, size, in)] = '\0';
		fclose(in);
		return text;
	}
	free(text);
	return NULL;
}

static void send_text(struct early *e, const char *kind, const char *text)
{
	struct error err = { "" };

	if (framed__send(&e->framed, kind, text, &err))
		cmd__complain("init", "%s", err.text);
}

static void ready(struct early *e)
{
	if (e->ready_fd >= 0)
		close(e->ready_fd);
	e->ready_fd = -1;
}

/* Sends the progress if it is new. The first one comes when everything is attached. */
static void look(struct early *e)
{
	struct stat st;
	char *text;

	if (stat(PROGRESS, &st) ||
	    (st.st_mtim.tv_sec == e->told.tv_sec && st.st_mtim.tv_nsec == e->told.tv_nsec))
		return;
	e->told = st.st_mtim;
	ready(e);
	text = read_text(PROGRESS);
	if (text)
		send_text(e,
			  strncmp(text, PROGRESS_FAILS, strlen(PROGRESS_FAILS)) ? "partial"
										: "partial-FAIL",
			  text);
	free(text);
}

/* What its exit code says, as reports are called. */
static const char *kind_of(int status)
{
	if (!WIFEXITED(status))
		return "ERROR";
	switch (WEXITSTATUS(status)) {
	case 0:
		return "PASS";
	case 1:
		return "FAIL";
	case 4:
		return "SKIP";
	case 5:
		return "INCONCLUSIVE";
	}
	return "ERROR";
}

/* The process that watches. Its rules were copied to /rules.yaml. */
static __attribute__((noreturn)) void run_assert(const struct boot_params *p)
{
	static const char *const ends[] = { "mark", "workload", "shutdown" };
	char every[32], *argv[16];
	int argc = 0;

	snprintf(every, sizeof(every), "%lluus", (unsigned long long)p->every / 1000);
	argv[argc++] = (char *)"assert";
	if (*p->preset) {
		argv[argc++] = (char *)"--preset";
		argv[argc++] = (char *)p->preset;
	}
	argv[argc++] = (char *)"--until";
	argv[argc++] = (char *)ends[p->end];
	argv[argc++] = (char *)"--progress";
	argv[argc++] = (char *)PROGRESS;
	argv[argc++] = (char *)"--every";
	argv[argc++] = every;
	argv[argc++] = (char *)"--text";
	argv[argc++] = (char *)REPORT;
	if (*p->rules)
		argv[argc++] = (char *)"/rules.yaml";
	argv[argc] = NULL;
	exit(opts__run(&cmd_assert, argc, argv));
}

static int told_by(struct early *e, pid_t pid)
{
	const struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };
	sigset_t set;
	char *text;
	int status;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	for (;;) {
		if (sigtimedwait(&set, NULL, &tick) == SIGTERM)
			kill(pid, SIGTERM);
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
		look(e);
	}
	ready(e);
	text = read_text(REPORT);
	if (text)
		send_text(e, kind_of(status), text);
	else
		send_text(
			e, "ERROR",
			WIFSIGNALED(status)
				? "iommutop assert was killed before it could report.\n"
				: "iommutop assert made no report; why is in the kernel's log.\n");
	free(text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
}

int early_assert__run(const struct boot_params *p, const struct error *failed, int ready_fd)
{
	struct early e = { .p = p,
			   .framed = { .path = !strcmp(p->out, "serial") ? p->serial : p->out,
				       .root = "/proc/1/root" },
			   .ready_fd = ready_fd };
	sigset_t set;
	pid_t pid;

	if (failed) {
		ready(&e);
		send_text(&e, "ERROR", failed->text);
		return EXIT_FAILED;
	}
	/* before there is a child whose end could be missed; assert blocks its own anew */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid = fork();
	if (!pid) {
		close(ready_fd);
		run_assert(p);
	}
	if (pid > 0)
		return told_by(&e, pid);
	ready(&e);
	send_text(&e, "ERROR", "iommutop: no process could be made.\n");
	return EXIT_FAILED;
}
