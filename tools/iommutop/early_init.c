// SPDX-License-Identifier: GPL-2.0-only
#include "early_init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/proc.h"
#include "boot/boot_params.h"
#include "early_assert.h"
#include "opts.h"

/* How long the boot waits for the hooks; beyond it goes on, and coverage is partial. */
#define READY_MS 60000
/* where the daemon's own root is made; it is moved to / of its namespace */
#define ROOT EARLY_DIR "/root"

bool early_init__is_it(const char *argv0)
{
	return getpid() == 1 && !strcmp(argv0, EARLY_DIR "/init");
}

/* The text of a file of /proc or of the initrd; "" if there is none. NULL: no memory. */
static char *read_all(const char *path)
{
	size_t size = 1 << 20;
	char *text = malloc(size + 1);
	FILE *file = text ? fopen(path, "re") : NULL;

	if (text)
		text[file ? fread(text, 1, size, file) : 0] = '\0';
	if (file)
		fclose(file);
	return text;
}

/* What is mounted in the daemon's root. Those without `must` are not on every kernel. */
static const struct {
	const char *type, *at;
	bool must;
} mounts[] = {
	{ "proc", "proc", true },
	{ "sysfs", "sys", true },
	{ "devtmpfs", "dev", true },
	{ "tracefs", "sys/kernel/tracing", false },
	{ "securityfs", "sys/kernel/security", false },
};

/*
 * A root of our own, in a mount namespace of our own: the initrd's init finds nothing mounted, and
 * what it deletes when it switches the root is not under our feet. A mount on a directory that
 * somebody deletes elsewhere is gone, hence the move to /, which nobody can delete.
 */
static int make_root(struct error *err)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return error__set(err, -errno, "no mount namespace: %s", strerror(errno));
	if ((mkdir(ROOT, 0700) && errno != EEXIST) ||
	    mount("iommutop", ROOT, "tmpfs", MS_NOSUID, "mode=0700") || chdir(ROOT))
		return error__set(err, -errno, "no tmpfs at " ROOT ": %s", strerror(errno));
	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		/* those within sysfs have their directory already */
		mkdir(mounts[i].at, 0755);
		if (mount(mounts[i].type, mounts[i].at, mounts[i].type, MS_NOSUID, NULL) &&
		    mounts[i].must)
			return error__set(err, -errno, "cannot mount %s: %s", mounts[i].type,
					  strerror(errno));
	}
	return 0;
}

static int enter_root(struct error *err)
{
	if (mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		return error__set(err, -errno, "cannot enter " ROOT ": %s", strerror(errno));
	return 0;
}

/* The rules are a file of the initrd: they are read before it is out of sight. */
static int copy_rules(const struct boot_params *p, struct error *err)
{
	char buf[4096];
	FILE *from, *to;
	size_t n;
	int rc = 0;

	if (!*p->rules)
		return 0;
	from = fopen(p->rules, "re");
	if (!from)
		return error__set(err, -errno, "iommutop.rules=%s: %s (it must be in the initrd)",
				  p->rules, strerror(errno));
	to = fopen("rules.yaml", "we");
	while (to && (n = fread(buf, 1, sizeof(buf), from)))
		fwrite(buf, 1, n, to);
	if (!to || ferror(from) || ferror(to))
		rc = error__set(err, -EIO, "cannot copy %s", p->rules);
	if (to && fclose(to) && !rc)
		rc = error__set(err, -errno, "cannot copy %s: %s", p->rules, strerror(errno));
	fclose(from);
	return rc;
}

static int read_params(struct boot_params *p, struct error *err)
{
	/* what the initrd was made with, then bootconfig, then the command line */
	char *words = read_all(EARLY_WORDS), *config = read_all("proc/bootconfig"),
	     *line = read_all("proc/cmdline");
	int rc = words && config && line ? 0 : error__set(err, -ENOMEM, "no memory");

	rc = rc ?: boot_params__cmdline(p, words, err);
	rc = rc ?: boot_params__bootconfig(p, config, err);
	rc = rc ?: boot_params__cmdline(p, line, err);
	free(words);
	free(config);
	free(line);
	return rc;
}

/* Our own messages go to the kernel's log, a record a line. */
static void log_to_kernel(void)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC), null = open("/dev/null", O_RDWR);

	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
	}
	if (fd >= 0 && dup2(fd, STDERR_FILENO) >= 0)
		setvbuf(stderr, NULL, _IOLBF, 1024);
	if (fd > STDERR_FILENO)
		close(fd);
	if (null > STDERR_FILENO)
		close(null);
}

/* Who kills all processes at a switch of root spares those whose name begins so: systemd's rule for
 * daemons that storage hangs on (https://systemd.io/ROOT_STORAGE_DAEMONS). */
static void spare_me(char *argv0)
{
	argv0[0] = '@';
	prctl(PR_SET_NAME, "iommutop");
	/* /sbin/init may be told to reap us, never to wait for us */
	setsid();
}

static __attribute__((noreturn)) void daemon_main(char **argv, int ready_fd)
{
	struct boot_params p;
	struct error err = { "" };
	int rc;

	spare_me(argv[0]);
	boot_params__defaults(&p);
	rc = make_root(&err);
	rc = rc ?: read_params(&p, &err);
	rc = rc ?: copy_rules(&p, &err);
	/* the kernel passes no word with a dot on to init: it learns from us whom to start */
	if (write(ready_fd, p.init, strlen(p.init)) < 0)
		rc = error__set(&err, -errno, "init doesn't listen: %s", strerror(errno));
	if (!enter_root(&err))
		log_to_kernel();
	/* a report tells of what went wrong, too: where to is known by now, or the default */
	exit(early_assert__run(&p, rc ? &err : NULL, ready_fd));
}

/* Waits until the daemon has closed its end: it sees everything, or has given up. What it said is
 * whom to start. */
static void wait_for_daemon(int fd, char *init, size_t size)
{
	long long deadline = proc__now_ms() + READY_MS, left;
	size_t len = 0;

	while (len < size - 1 && (left = deadline - proc__now_ms()) > 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, init + len, size - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	init[len] = '\0';
}

int early_init__run(char **argv)
{
	char init[BOOT_PARAM_MAX] = "";
	int ready[2];
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC)) {
		cmd__complain("init", "no pipe: %s", strerror(errno));
	} else {
		pid = fork();
		if (!pid) {
			close(ready[0]);
			daemon_main(argv, ready[1]);
		}
		close(ready[1]);
		if (pid > 0)
			wait_for_daemon(ready[0], init, sizeof(init));
		close(ready[0]);
	}
	argv[0] = *init ? init : (char *)"/init";
	execv(argv[0], argv);
	cmd__complain("init", "cannot hand over to %s: %s", argv[0], strerror(errno));
	return EXIT_FAILED;
}
