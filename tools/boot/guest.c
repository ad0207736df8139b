// SPDX-License-Identifier: GPL-2.0-only
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot/mux.h"
#include "boot/proc.h"

#define TICK_MS 10
/* How long a guest may take to reboot after its last frame. */
#define REBOOT_MS 10000

/* A file that QEMU appends to and we follow. */
struct channel {
	const char *name;
	int fd; /* -1: not there yet */
	off_t seen;
};

enum { CONSOLE, CTL, OUT, ERR, NR_CHANNELS };

struct guest {
	const struct boot_config *config;
	const char *dir;
	struct guest_result *result;
	struct error *err;
	struct channel channels[NR_CHANNELS];
	struct mux mux;
	int files_fd; /* where the output folder goes if it comes over ttyS1 */
	bool running; /* the command was started */
	bool ended;   /* the last frame has come */
	pid_t pid;
	int status; /* of QEMU, when it ended */
};

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			poll(&p, 1, 1000);
			continue;
		}
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int guest__pass_on(struct guest *g, int fd, const char *data, size_t len)
{
	int code = write_all(fd, data, len);

	return code ? error__set(g->err, code, "cannot pass on the guest's output: %s",
				 strerror(-code))
		    : 0;
}

/* Without virtio-serial the command's output comes this way. */
static int on_text(void *ctx, const char *data, size_t len)
{
	struct guest *g = ctx;

	/* What the firmware or a stray getty may print before the command is nobody's output. */
	return g->running ? guest__pass_on(g, g->config->out_fd, data, len) : 0;
}

static int on_data(void *ctx, const char *data, size_t len)
{
	struct guest *g = ctx;
	int code;

	if (g->files_fd < 0) {
		char *path = NULL;

		if (asprintf(&path, "%s/files", g->dir) < 0)
			return -ENOMEM;
		g->files_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		free(path);
		g->result->files = true;
	}
	code = write_all(g->files_fd, data, len);
	return code ? error__set(g->err, code, "cannot keep the guest's files: %s", strerror(-code))
		    : 0;
}

static int on_frame(void *ctx, const char *word, const char *arg)
{
	struct guest *g = ctx;

	if (!strcmp(word, "start")) {
		g->result->booted = true;
	} else if (!strcmp(word, "run")) {
		g->running = true;
	} else if (!strcmp(word, "files")) {
		g->result->files = true;
	} else if (!strcmp(word, "note")) {
		boot__log(g->config, "%s", arg);
	} else if (!strcmp(word, "exit")) {
		g->result->end = GUEST_EXITED;
		g->result->exit_code = atoi(arg) & 255;
		g->ended = true;
	} else if (!strcmp(word, "fail")) {
		g->result->end = GUEST_FAILED;
		snprintf(g->result->text, sizeof(g->result->text), "%s", arg);
		g->ended = true;
	}
	return 0;
}

/* Takes in what is new in a channel. Returns the number of bytes (1 is as good as many), or
 * negative errno. */
static int channel__follow(struct guest *g, struct channel *c)
{
	char data[16384], *path = NULL;
	struct stat st;
	int got = 0;

	if (c->fd < 0) {
		if (asprintf(&path, "%s/%s", g->dir, c->name) < 0)
			return -ENOMEM;
		c->fd = open(path, O_RDONLY | O_CLOEXEC);
		free(path);
		if (c->fd < 0)
			return 0;
	}
	if (c == &g->channels[CONSOLE]) {
		if (fstat(c->fd, &st) || st.st_size == c->seen)
			return 0;
		c->seen = st.st_size;
		return 1;
	}
	for (;;) {
		ssize_t n = pread(c->fd, data, sizeof(data), c->seen);
		int code;

		if (n <= 0)
			return n ? -errno : got;
		got = 1;
		c->seen += n;
		if (c == &g->channels[CTL])
			code = mux__feed(&g->mux, data, (size_t)n);
		else
			code = guest__pass_on(
				g, c == &g->channels[OUT] ? g->config->out_fd : g->config->err_fd,
				data, (size_t)n);
		if (code)
			return code;
	}
}

static int guest__follow(struct guest *g)
{
	int alive = 0;

	for (size_t i = 0; i < NR_CHANNELS; i++) {
		int got = channel__follow(g, &g->channels[i]);

		if (got < 0)
			return got;
		alive |= got;
	}
	return alive;
}

/* The last words of QEMU's standard error. */
static void guest__qemu_said(struct guest *g)
{
	char *path = NULL, data[400] = "";
	struct stat st;
	int fd;

	g->result->end = GUEST_QEMU_FAILED;
	if (asprintf(&path, "%s/qemu.err", g->dir) < 0)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd >= 0 && !fstat(fd, &st)) {
		off_t from = st.st_size > (off_t)sizeof(data) - 1
				     ? st.st_size - (off_t)sizeof(data) + 1
				     : 0;

		if (pread(fd, data, sizeof(data) - 1, from) < 0)
			*data = '\0';
	}
	if (fd >= 0)
		close(fd);
	while (*data && data[strlen(data) - 1] == '\n')
		data[strlen(data) - 1] = '\0';
	if (WIFSIGNALED(g->status))
		snprintf(g->result->text, sizeof(g->result->text), "ended by signal %d: %s",
			 WTERMSIG(g->status), data);
	else
		snprintf(g->result->text, sizeof(g->result->text), "exit code %d: %s",
			 WEXITSTATUS(g->status), data);
}

static int guest__watch(struct guest *g, long long deadline_ms)
{
	long long last_life = proc__now_ms(), ended_at = 0;
	int pidfd = (int)syscall(SYS_pidfd_open, g->pid, 0), code = 0;
	bool gone = false;

	if (pidfd < 0)
		return error__set(g->err, -errno, "cannot watch QEMU (pidfd_open): %s",
				  strerror(errno));
	while (!gone) {
		struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
					{ .fd = g->config->stop_fd, .events = POLLIN } };
		long long now;

		if (poll(fds, 2, TICK_MS) < 0 && errno != EINTR) {
			code = -errno;
			break;
		}
		gone = fds[0].revents & POLLIN;
		/* Once more after the end: QEMU may have written just before it. */
		code = guest__follow(g);
		if (code < 0)
			break;
		now = proc__now_ms();
		if (code)
			last_life = now;
		code = 0;
		if (gone)
			break;
		if (fds[1].revents & POLLIN) {
			code = error__set(g->err, -EINTR, "stopped by a signal");
			break;
		}
		if (g->ended && !ended_at)
			ended_at = now;
		if (g->ended && now - ended_at > REBOOT_MS)
			break;
		if (!g->ended && now > deadline_ms) {
			g->result->end = GUEST_TIMED_OUT;
			break;
		}
		if (!g->ended && !g->running &&
		    now - last_life > (long long)g->config->silence_ms) {
			g->result->end = GUEST_SILENT;
			break;
		}
	}
	if (!gone)
		kill(g->pid, SIGKILL);
	while (waitpid(g->pid, &g->status, 0) < 0 && errno == EINTR)
		;
	if (gone && !code && !g->ended) {
		if (WIFEXITED(g->status) && !WEXITSTATUS(g->status))
			g->result->end = GUEST_GONE;
		else
			guest__qemu_said(g);
	}
	close(pidfd);
	return code;
}

int guest__run(const struct boot_config *config, char *const *argv, const char *run_dir,
	       const char *nonce, long long deadline_ms, struct guest_result *result,
	       struct error *err)
{
	static const struct mux_ops ops = { .text = on_text, .frame = on_frame, .data = on_data };
	static const char *const names[] = { "console.log", "ctl", "out", "err" };
	struct guest g = {
		.config = config, .dir = run_dir, .result = result, .err = err, .files_fd = -1
	};
	struct proc_spec spec = { .argv = argv, .detached = true };
	char *said = NULL;
	int fd, code, flushed;

	*result = (struct guest_result){ 0 };
	mux__init(&g.mux, nonce, &ops, &g);
	for (size_t i = 0; i < NR_CHANNELS; i++) {
		g.channels[i] = (struct channel){ .name = names[i], .fd = -1 };
		/* Of a first attempt nothing may be taken for the second's. */
		if (asprintf(&said, "%s/%s", run_dir, names[i]) >= 0) {
			unlink(said);
			free(said);
		}
	}
	if (asprintf(&said, "%s/qemu.err", run_dir) < 0)
		return error__set(err, -ENOMEM, "no memory to run QEMU");
	fd = open(said, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	free(said);
	if (fd < 0)
		return error__set(err, -errno, "cannot write to %s: %s", run_dir, strerror(errno));
	spec.out_fd = fd;
	spec.err_fd = fd;
	code = proc__spawn(&spec, &g.pid, err);
	if (!code) {
		code = guest__watch(&g, deadline_ms);
		flushed = mux__end(&g.mux);
		code = code ?: flushed;
	}
	close(fd);
	if (g.files_fd >= 0)
		close(g.files_fd);
	for (size_t i = 0; i < NR_CHANNELS; i++)
		if (g.channels[i].fd >= 0)
			close(g.channels[i].fd);
	return code;
}
