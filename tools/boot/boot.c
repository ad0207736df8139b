// SPDX-License-Identifier: GPL-2.0-only
#include "boot.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot/devices.h"
#include "boot/guest.h"
#include "boot/initramfs.h"
#include "boot/kernel.h"
#include "boot/lacks.h"
#include "boot/proc.h"
#include "boot/qemu.h"

#define TAIL_LINES 40
#define TAIL_BYTES 16384

void boot__log(const struct boot_config *config, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	if (!config->log)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	config->log(config->log_ctx, line);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	remove(path);
	return 0;
}

static int boot__make_run_dir(char **dir, struct error *err)
{
	const char *tmp = getenv("TMPDIR");

	if (asprintf(dir, "%s/iommutop-boot.XXXXXX", tmp && *tmp ? tmp : "/tmp") < 0) {
		*dir = NULL;
		return error__set(err, -ENOMEM, "no memory for the run's directory");
	}
	if (!mkdtemp(*dir)) {
		int code = -errno;

		error__set(err, code,
			   "cannot make a directory %s: %s (set TMPDIR to one that can be written)",
			   *dir, strerror(-code));
		free(*dir);
		*dir = NULL;
		return code;
	}
	return 0;
}

/* Where the end of a console begins to be of interest: TAIL_LINES from the end, or where a kernel's
 * troubles began. */
static const char *tail_start(const char *text)
{
	static const char *const troubles[] = { "BUG: ", "Oops: ", "Kernel panic - " };
	const char *at = text + strlen(text);
	unsigned int lines = 0;

	for (; at > text; at--)
		if (at[-1] == '\n' && ++lines == TAIL_LINES)
			break;
	for (size_t i = 0; i < sizeof(troubles) / sizeof(*troubles); i++) {
		const char *trouble = strstr(text, troubles[i]);

		while (trouble && trouble > text && trouble[-1] != '\n')
			trouble--;
		if (trouble && trouble < at)
			at = trouble;
	}
	return at;
}

/* The end of the console, printable; NULL if there is no memory or no console. */
static char *console_tail(const char *dir)
{
	char *path = NULL, *data = calloc(1, TAIL_BYTES + 1), *at, *to;
	const char *start;
	struct stat st;
	ssize_t n = -1;
	int fd;

	if (!data || asprintf(&path, "%s/console.log", dir) < 0) {
		free(data);
		return NULL;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &st))
		n = pread(fd, data, TAIL_BYTES,
			  st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0);
	if (fd >= 0)
		close(fd);
	free(path);
	if (n < 0) {
		free(data);
		return NULL;
	}
	to = data;
	for (at = data; at < data + n; at++)
		if (*at == '\n' || *at == '\t' || (*at >= ' ' && *at != '\177'))
			*to++ = *at;
	while (to > data && to[-1] == '\n')
		to--;
	*to = '\0';
	start = tail_start(data);
	memmove(data, start, strlen(start) + 1);
	return data;
}

/* All directories of a path. */
static int make_dirs(const char *path, struct error *err)
{
	char *copy = strdup(path);
	int code = copy ? 0 : -ENOMEM;

	for (char *slash = copy; !code && slash;) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		if (mkdir(copy, 0777) && errno != EEXIST)
			code = -errno;
		if (slash)
			*slash = '/';
	}
	free(copy);
	return code ? error__set(err, code, "cannot make the directory %s for --output: %s", path,
				 strerror(-code))
		    : 0;
}

/* Copies a file of the run to the output folder, if there is one; by cp, which keeps holes and
 * tells its troubles. */
static int keep_file(const struct boot_config *config, const char *dir, const char *name,
		     struct error *err)
{
	char *from = NULL, *out = NULL;
	int status, code = 0;

	if (asprintf(&from, "%s/%s", dir, name) < 0)
		return error__set(err, -ENOMEM, "no memory to keep %s", name);
	if (!access(from, R_OK)) {
		struct proc_spec cp = { .argv = (char *[]){ "cp", "--", from,
							    (char *)config->output, NULL },
					.err_fd = config->err_fd };

		code = proc__capture(&cp, -1, -1, &out, &status, err);
		if (!code && status)
			code = error__set(err, -EIO, "cannot copy %s to %s, see above", name,
					  config->output);
	}
	free(out);
	free(from);
	return code;
}

static int boot__keep(const struct boot_config *config, const char *dir, bool files,
		      struct error *err)
{
	char *archive = NULL, *out = NULL;
	int status, code;

	if (!config->output)
		return 0;
	if (files) {
		if (asprintf(&archive, "%s/files", dir) < 0)
			return error__set(err, -ENOMEM, "no memory to unpack the guest's files");
		/* tar refuses names that lead out of the directory. A guest's clock may be ahead of
		 * ours. */
		code = proc__capture(
			&(struct proc_spec){ .argv = (char *[]){ "tar", "-x", "--no-same-owner",
								 "--warning=no-timestamp", "-C",
								 (char *)config->output, "-f",
								 archive, NULL },
					     .err_fd = config->err_fd },
			-1, -1, &out, &status, err);
		free(archive);
		free(out);
		if (!code && status)
			code = error__set(err, -EIO,
					  "cannot unpack the guest's files in %s, see above",
					  config->output);
		if (code)
			return code;
	}
	code = keep_file(config, dir, "console.log", err);
	return code ?: keep_file(config, dir, "qemu-trace.log", err);
}

/* Runs the guest, a second time if the first one hung while booting or KVM let it down. */
static int boot__attempts(const struct boot_config *config, const struct devices *devices,
			  const struct kernel *kernel, struct qemu *qemu, const char *dir,
			  const char *nonce, struct guest_result *end, struct error *err)
{
	long long deadline = proc__now_ms() + (long long)config->timeout_ms;
	bool again = true, verbose = false;
	int code = 0;

	while (again && !code) {
		struct strv argv = { 0 };

		again = false;
		code = qemu__argv(qemu, config, devices, kernel, dir, verbose, &argv, err);
		code = code ?: guest__run(config, argv.items, dir, nonce, deadline, end, err);
		strv__free(&argv);
		if (code)
			break;
		if (end->end == GUEST_SILENT && !verbose) {
			boot__log(
				config,
				"the boot printed nothing for %llu s: ended it, trying once more%s",
				(unsigned long long)config->silence_ms / 1000,
				qemu->kvm ? ", without KVM" : "");
			again = verbose = true;
			qemu->kvm =
				false; /* seen with QEMU 11: the first vCPU is made, and hangs */
		} else if (end->end == GUEST_QEMU_FAILED && qemu->kvm && !end->booted) {
			boot__log(config, "QEMU failed with KVM (%s): trying without", end->text);
			again = true;
			qemu->kvm = false;
		}
	}
	return code;
}

/* From how the guest ended to what boot says of it. */
static int boot__judge(const struct guest_result *end, const char *dir, struct boot_result *result,
		       struct error *err)
{
	char *tail = console_tail(dir);

	result->console_tail = tail ?: strdup("");
	switch (end->end) {
	case GUEST_EXITED:
		result->verdict = BOOT_EXITED;
		result->exit_code = end->exit_code;
		return 0;
	case GUEST_GONE:
		result->verdict = BOOT_PANICKED;
		result->reason = tail && strstr(tail, "Kernel panic")
					 ? "the kernel panicked"
					 : "the guest ended without handing over an exit code";
		return 0;
	case GUEST_TIMED_OUT:
		result->verdict = BOOT_TIMED_OUT;
		result->reason = end->booted ? "the timeout was reached"
					     : "the timeout was reached while booting";
		return 0;
	case GUEST_SILENT:
		result->verdict = BOOT_TIMED_OUT;
		result->reason = "the boot hung twice";
		return 0;
	case GUEST_FAILED:
		return error__set(err, -ENODEV, "the guest could not be set up: %s", end->text);
	case GUEST_QEMU_FAILED:
		break;
	}
	return error__set(err, -EIO, "QEMU failed: %s", end->text);
}

/* --- what the kernel lacks
 * ------------------------------------------------------------------------------------
 */

struct telling {
	const struct boot_config *config;
	bool all; /* also what is only slower, or not seen */
	unsigned int vital;
};

static void tell_lack(void *ctx, enum lack kind, const char *text)
{
	struct telling *t = ctx;
	const char *with = strcmp(t->config->iommu, "none") ? t->config->iommu : "";

	t->vital += kind != LACK_PART;
	if (kind != LACK_PART || t->all)
		boot__log(t->config, "%s%s%s: %s%s", t->config->kernel,
			  *with ? " with --iommu " : "", with,
			  kind == LACK_BOOT    ? "won't boot here: "
			  : kind == LACK_TRACE ? "can't be traced: "
					       : "",
			  text);
}

int boot__check(const struct boot_config *config, unsigned int *vital, struct error *err)
{
	struct telling t = { .config = config, .all = true };
	char *dir = NULL, *where = NULL;
	struct kernel kernel = { 0 };
	int code;

	code = boot__make_run_dir(&dir, err);
	if (code)
		return code;
	code = kernel__find(config, dir, &kernel, err);
	if (!code) {
		code = lacks__find(&kernel, config->kernel, dir, config->iommu, tell_lack, &t,
				   &where);
		if (code)
			error__set(err, code, "cannot look into %s: %s", config->kernel,
				   strerror(-code));
	}
	if (!code && !*where)
		boot__log(config,
			  "%s: its configuration wasn't found (not in the image, nor as config or "
			  ".config beside it), so only its BTF was looked at",
			  config->kernel);
	if (!code && !t.vital)
		boot__log(config, "%s with --iommu %s: has what booting and tracing need%s%s",
			  config->kernel, config->iommu, *where ? ", by the configuration in " : "",
			  where);
	*vital = t.vital;
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(dir);
	free(where);
	kernel__free(&kernel);
	return code;
}

int boot__run(const struct boot_config *config, struct boot_result *result, struct error *err)
{
	struct telling telling = { .config = config };
	struct guest_result end = { 0 };
	struct devices devices = { 0 };
	struct kernel kernel = { 0 };
	struct qemu qemu = { 0 };
	char *dir = NULL, *initrd = NULL, *where = NULL, nonce[17];
	uint64_t random;
	int code;

	*result = (struct boot_result){ 0 };
	code = boot__make_run_dir(&dir, err);
	if (code)
		return code;
	/* So that nothing the command prints can be taken for a frame; a measured run must be the
	 * same every time. */
	if (config->cost || getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		random = 0x696f6d6d75746f70;
	snprintf(nonce, sizeof(nonce), "%016llx", (unsigned long long)random);

	if (config->output) {
		code = make_dirs(config->output, err);
		if (code)
			goto out;
	}
	code = qemu__probe(config, &qemu, err);
	code = code ?: devices__set_iommu(&devices, config->iommu, qemu.major, err);
	for (size_t i = 0; i < config->devices.nr && !code; i++)
		code = devices__add(&devices, config->devices.items[i], dir, err);
	code = code ?: kernel__find(config, dir, &kernel, err);
	/* said, and tried all the same: a configuration may be another kernel's */
	if (!code &&
	    lacks__find(&kernel, config->kernel, dir, config->iommu, tell_lack, &telling, &where))
		boot__log(config, "%s: what it lacks can't be told", config->kernel);
	code = code ?: kernel__build_ref(config, devices.ref, &kernel, err);
	if (code)
		goto out;
	if (asprintf(&initrd, "%s/initrd", dir) < 0) {
		initrd = NULL;
		code = error__set(err, -ENOMEM, "no memory for the initramfs's path");
		goto out;
	}
	code = initramfs__write(initrd, config, &devices, &kernel, nonce, err);
	code = code ?: boot__attempts(config, &devices, &kernel, &qemu, dir, nonce, &end, err);
	if (code)
		goto out;
	code = boot__judge(&end, dir, result, err);
	if (boot__keep(config, dir, end.files, code ? NULL : err) && !code)
		code = -EIO;
out:
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(dir);
	free(where);
	free(initrd);
	kernel__free(&kernel);
	devices__free(&devices);
	qemu__free(&qemu);
	return code;
}
