// SPDX-License-Identifier: GPL-2.0-only
#include "qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot/proc.h"
#include "boot/script.h"

#define PROBE_MS 15000

/* /dev/kvm may be there and fail at the first virtual CPU, so one is made, and QEMU told to quit.
 */
static int qemu__kvm_works(const struct boot_config *config, const char *path, bool *works,
			   struct error *err)
{
	char *const argv[] = {
		(char *)path, "-accel", "kvm",         "-machine", "q35,kernel-irqchip=split",
		"-cpu",       "host",   "-nodefaults", "-display", "none",
		"-no-reboot", "-S",     "-monitor",    "stdio",    NULL
	};
	struct proc_spec spec = { .argv = argv };
	int fd, status, code = 0;
	char *out = NULL;

	*works = false;
	fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return 0;
	close(fd);
	spec.err_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	spec.in_fd = memfd_create("monitor", MFD_CLOEXEC);
	if (spec.err_fd < 0 || spec.in_fd < 0 || pwrite(spec.in_fd, "quit\n", 5, 0) != 5)
		code = error__set(err, -errno, "cannot find out whether KVM works: %s",
				  strerror(errno));
	code = code ?: proc__capture(&spec, config->stop_fd, PROBE_MS, &out, &status, err);
	if (spec.err_fd >= 0)
		close(spec.err_fd);
	if (spec.in_fd >= 0)
		close(spec.in_fd);
	free(out);
	*works = !code && WIFEXITED(status) && !WEXITSTATUS(status);
	return code == -EINTR ? code : 0;
}

/* q->path: of a program of this machine, or of one that qemu.sh gets. */
static int qemu__find(const struct boot_config *config, struct qemu *q, struct error *err)
{
	char *dir = NULL;
	int code;

	if (!strncmp(config->qemu, "debian:", strlen("debian:"))) {
		code = script__run(config, "qemu.sh",
				   (const char *const[]){ "get", config->qemu, NULL }, &dir, err);
		if (!code && asprintf(&q->path, "%s/qemu-system-x86_64", dir) < 0) {
			q->path = NULL;
			code = error__set(err, -ENOMEM, "no memory for QEMU's path");
		}
		free(dir);
		return code;
	}
	q->path = proc__find(config->qemu);
	return q->path ? 0
		       : error__set(err, -ENOENT,
				    "QEMU is missing: cannot run %s (apt-get install "
				    "qemu-system-x86, or --qemu PATH or debian:10)",
				    config->qemu);
}

int qemu__probe(const struct boot_config *config, struct qemu *q, struct error *err)
{
	const char *version;
	char *out = NULL;
	int status, code;

	code = qemu__find(config, q, err);
	if (code)
		return code;
	code = proc__capture(
		&(struct proc_spec){ .argv = (char *[]){ q->path, "--version", NULL } },
		config->stop_fd, PROBE_MS, &out, &status, err);
	if (code)
		return code;
	version = out ? strstr(out, "version ") : NULL;
	if (version)
		q->major = (unsigned int)strtoul(version + strlen("version "), NULL, 10);
	free(out);
	if (!q->major)
		return error__set(err, -ENOEXEC, "%s --version names no QEMU version: is it QEMU?",
				  q->path);
	if (config->no_kvm || config->cost)
		return 0;
	return qemu__kvm_works(config, q->path, &q->kvm, err);
}

static int qemu__accel(const struct qemu *q, const struct boot_config *config, struct strv *argv)
{
	int code;

	if (config->cost) {
		/* 1 ns of guest time is 1 instruction, and nothing outside changes the order of
		 * things. */
		return strv__add_all(argv, "-accel", "tcg,thread=single", "-cpu", "max", "-smp",
				     "1", "-icount", "shift=0,sleep=off", "-rtc",
				     "clock=vm,base=2026-01-01T00:00:00", "-seed", "1", NULL);
	}
	if (q->kvm)
		code = strv__add_all(argv, "-accel", "kvm", "-cpu", "host", NULL);
	else
		code = strv__add_all(argv, "-accel", "tcg,thread=multi", "-cpu", "max", NULL);
	return code ?: strv__add(argv, "-smp") ?: strv__addf(argv, "%u", config->cpus);
}

/* ttyS0 and ttyS1, then the virtio-serial ports out, err and files: all to files of the run
 * directory. */
static int qemu__channels(const struct boot_config *config, const char *dir, struct strv *argv)
{
	static const char *const serials[] = { "console.log", "ctl" }, *const ports[] = { "out",
											  "err",
											  "files" };
	int code = 0;

	for (size_t i = 0; i < 2 && !code; i++)
		code = strv__add(argv, "-chardev") ?: strv__addf(argv, "file,id=%s,path=%s/%s", serials[i], dir, serials[i])
		       ?: strv__add(argv, "-serial") ?: strv__addf(argv, "chardev:%s", serials[i]);
	code = code
		       ?: strv__add_all(
				  argv, "-device",
				  config->cost ? "virtio-serial-pci,disable-legacy=on,ioeventfd=off"
					       : "virtio-serial-pci,disable-legacy=on",
				  NULL);
	for (size_t i = 0; i < 3 && !code; i++)
		code = strv__add(argv, "-chardev") ?: strv__addf(argv, "file,id=%s,path=%s/%s", ports[i], dir, ports[i])
		       ?: strv__add(argv, "-device")
		       ?: strv__addf(argv, "virtserialport,chardev=%s,name=%s", ports[i], ports[i]);
	return code;
}

static int qemu__cmdline(const struct boot_config *config, const struct devices *devices,
			 bool verbose, struct strv *argv)
{
	struct strv words = { 0 };
	char *line = NULL;
	int code;

	code = strv__add_all(&words, "console=ttyS0", "panic=-1", "oops=panic", "mitigations=off",
			     "tsc=reliable", "no_timer_check", "audit=0", "random.trust_cpu=on",
			     "cryptomgr.notests", verbose ? "ignore_loglevel" : "quiet", NULL);
	for (size_t i = 0; i < devices->cmdline.nr && !code; i++)
		code = strv__add(&words, devices->cmdline.items[i]);
	for (size_t i = 0; i < config->appends.nr && !code; i++)
		code = strv__add(&words, config->appends.items[i]);
	line = code ? NULL : strv__join(&words, " ");
	strv__free(&words);
	if (!line)
		return -ENOMEM;
	code = strv__add_all(argv, "-append", line, NULL);
	free(line);
	return code;
}

int qemu__argv(const struct qemu *q, const struct boot_config *config,
	       const struct devices *devices, const struct kernel *kernel, const char *run_dir,
	       bool verbose, struct strv *argv, struct error *err)
{
	char *dir = devices__escape(run_dir);
	int code = dir ? 0 : -ENOMEM;

	code = code
		       ?: strv__add_all(argv, q->path, "-machine", "q35,kernel-irqchip=split",
					"-nodefaults", "-display", "none", "-no-reboot", "-monitor",
					"none", NULL);
	code = code ?: qemu__accel(q, config, argv);
	code = code ?: strv__add(argv, "-m") ?: strv__addf(argv, "%lluM", (unsigned long long)(config->memory >> 20));
	code = code ?: strv__add_all(argv, "-kernel", kernel->image, "-initrd", NULL)
	       ?: strv__addf(argv, "%s/initrd", run_dir);
	code = code ?: qemu__cmdline(config, devices, verbose, argv);
	for (size_t i = 0; i < devices->qemu.nr && !code; i++)
		code = strv__add(argv, devices->qemu.items[i]);
	code = code ?: qemu__channels(config, dir, argv);
	if (!code && config->traces.nr)
		code = strv__add(argv, "-D") ?: strv__addf(argv, "%s/qemu-trace.log", run_dir);
	for (size_t i = 0; i < config->traces.nr && !code; i++)
		code = strv__add_all(argv, "-trace", config->traces.items[i], NULL);
	for (size_t i = 0; i < config->qemu_args.nr && !code; i++)
		code = strv__add(argv, config->qemu_args.items[i]);
	free(dir);
	return code ? error__set(err, code, "no memory for QEMU's command line") : 0;
}

void qemu__free(struct qemu *q)
{
	free(q->path);
}
