// SPDX-License-Identifier: GPL-2.0-only
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void proc__child(const struct proc_spec *spec, int report, pid_t parent)
{
	int in = spec->in_fd ?: open("/dev/null", O_RDONLY);
	sigset_t none;
	int code;

	if (in >= 0)
		dup2(in, STDIN_FILENO);
	if (spec->out_fd)
		dup2(spec->out_fd, STDOUT_FILENO);
	if (spec->err_fd)
		dup2(spec->err_fd, STDERR_FILENO);
	if (spec->detached) {
		setsid();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(127);
	}
	/* What is ignored stays so across exec. */
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(spec->argv[0], spec->argv);
	code = errno;
	if (write(report, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

int proc__spawn(const struct proc_spec *spec, pid_t *pid, struct error *err)
{
	pid_t parent = getpid(), child;
	int report[2], code = 0;
	ssize_t n;

	/* The pipe closes by itself when exec succeeds; otherwise it carries the reason. */
	if (pipe2(report, O_CLOEXEC))
		return error__set(err, -errno, "cannot start %s: %s", spec->argv[0],
				  strerror(errno));
	child = fork();
	if (child < 0) {
		code = -errno;
		close(report[0]);
		close(report[1]);
		return error__set(err, code, "cannot start %s: %s", spec->argv[0], strerror(-code));
	}
	if (!child)
		proc__child(spec, report[1], parent);
	close(report[1]);
	do
		n = read(report[0], &code, sizeof(code));
	while (n < 0 && errno == EINTR);
	close(report[0]);
	if (n == (ssize_t)sizeof(code)) {
		waitpid(child, NULL, 0);
		return error__set(err, -code, "cannot run %s: %s", spec->argv[0], strerror(code));
	}
	*pid = child;
	return 0;
}

long long proc__now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Reads fd to its end. Returns 0, -EINTR, -ETIMEDOUT or -ENOMEM. */
static int proc__drain(int fd, int stop_fd, int timeout_ms, char **out, size_t *len)
{
	long long deadline = proc__now_ms() + timeout_ms;

	for (;;) {
		struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
					{ .fd = stop_fd, .events = POLLIN } };
		int wait_ms = timeout_ms < 0 ? -1 : (int)(deadline - proc__now_ms());
		char *grown;
		ssize_t n;

		if (timeout_ms >= 0 && wait_ms <= 0)
			return -ETIMEDOUT;
		if (poll(fds, 2, wait_ms) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents & POLLIN)
			return -EINTR;
		if (!fds[0].revents)
			continue;
		grown = realloc(*out, *len + 4097);
		if (!grown)
			return -ENOMEM;
		*out = grown;
		n = read(fd, grown + *len, 4096);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			*len += (size_t)n;
		grown[*len] = '\0';
		if (!n)
			return 0;
	}
}

int proc__capture(const struct proc_spec *spec, int stop_fd, int timeout_ms, char **out,
		  int *status, struct error *err)
{
	struct proc_spec piped = *spec;
	size_t len = 0;
	int fds[2], code;
	pid_t pid;

	*out = NULL;
	if (pipe2(fds, O_CLOEXEC))
		return error__set(err, -errno, "cannot start %s: %s", spec->argv[0],
				  strerror(errno));
	piped.out_fd = fds[1];
	code = proc__spawn(&piped, &pid, err);
	close(fds[1]);
	if (code) {
		close(fds[0]);
		return code;
	}
	code = proc__drain(fds[0], stop_fd, timeout_ms, out, &len);
	close(fds[0]);
	if (code)
		kill(pid, SIGTERM);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	if (code) {
		free(*out);
		*out = NULL;
		return error__set(err, code, "%s was ended: %s", spec->argv[0],
				  code == -EINTR ? "interrupted" : strerror(-code));
	}
	return 0;
}

char *proc__find(const char *name)
{
	const char *path = getenv("PATH") ?: "/usr/bin:/bin";
	char *full = NULL;

	if (strchr(name, '/'))
		return access(name, X_OK) ? NULL : realpath(name, NULL);
	while (*path) {
		size_t len = strcspn(path, ":");

		if (asprintf(&full, "%.*s/%s", (int)len, path, name) < 0)
			return NULL;
		if (!access(full, X_OK))
			return full;
		free(full);
		path += len;
		path += *path == ':';
	}
	return NULL;
}
