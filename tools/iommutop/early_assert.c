// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process watches (the command assert, with its report in a file), another tells what is in its
 * files: so whatever becomes of the first one, it is told.
 */
#include "early_assert.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
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
	bool reported;
	sigset_t set;
	int signals, files; /* wake us; -1: only the clock does */
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

/* As reports are called, by exit code. */
static const struct {
	int code;
	const char *name;
} kinds[] = { { 0, "PASS" }, { 1, "FAIL" }, { 4, "SKIP" }, { 5, "INCONCLUSIVE" } };
#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const char *kind_of(int status)
{
	for (size_t i = 0; WIFEXITED(status) && i < NR_KINDS; i++)
		if (WEXITSTATUS(status) == kinds[i].code)
			return kinds[i].name;
	return "ERROR";
}

/* What the last line of a report begins with; NULL: it says no verdict. */
static const char *verdict_of(const char *report)
{
	size_t len = strlen(report);

	while (len && report[len - 1] == '\n')
		len--;
	while (len && report[len - 1] != '\n')
		len--;
	for (size_t i = 0; i < NR_KINDS; i++) {
		size_t n = strlen(kinds[i].name);

		if (!strncmp(report + len, kinds[i].name, n) && report[len + n] == ':')
			return kinds[i].name;
	}
	return NULL;
}

/* The report is there before assert ends: its programs are detached in between, which takes as long
 * as a good part of a boot. */
static void look_for_report(struct early *e)
{
	char *text = read_text(REPORT);
	const char *kind = text ? verdict_of(text) : NULL;

	if (kind) {
		send_text(e, kind, text);
		e->reported = true;
	}
	free(text);
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

/* Until a file is new, a signal comes, or a while is over. */
static void wait_a_while(struct early *e, pid_t pid)
{
	const struct timespec now = { 0 };
	struct pollfd p[] = { { .fd = e->signals, .events = POLLIN },
			      { .fd = e->files, .events = POLLIN } };
	char events[512];
	int sig;

	poll(p, 2, TICK_MS);
	while (read(e->files, events, sizeof(events)) > 0)
		;
	while ((sig = sigtimedwait(&e->set, NULL, &now)) > 0)
		if (sig == SIGTERM)
			kill(pid, SIGTERM);
}

static int told_by(struct early *e, pid_t pid)
{
	char *text;
	int status;

	e->signals = signalfd(-1, &e->set, SFD_CLOEXEC | SFD_NONBLOCK);
	e->files = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	inotify_add_watch(e->files, "/", IN_MOVED_TO); /* both are put in place by renaming */
	for (;;) {
		wait_a_while(e, pid);
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
		look(e);
		if (!e->reported)
			look_for_report(e);
	}
	ready(e);
	if (e->reported)
		return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
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
	pid_t pid;

	if (failed) {
		ready(&e);
		send_text(&e, "ERROR", failed->text);
		return EXIT_FAILED;
	}
	/* before there is a child whose end could be missed; assert blocks its own anew */
	sigemptyset(&e.set);
	sigaddset(&e.set, SIGTERM);
	sigaddset(&e.set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &e.set, NULL);
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
