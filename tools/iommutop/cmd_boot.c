// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "boot/boot.h"
#include "boot/devices.h"
#include "boot/matrix.h"
#include "boot_initrd.h"
#include "boot_runs.h"
#include "opts.h"

struct boot_opts {
	struct opt_strings kernels;
	const char *matrix;
	bool bisect, check, gzip;
	const char *emit, *rules, *preset, *report;
	const char *modules;
	const char *iommu;
	struct opt_strings devices;
	bool no_drivers;
	struct opt_strings appends;
	struct opt_strings files;
	struct opt_strings programs;
	struct opt_strings extra_modules;
	const char *output;
	uint64_t timeout_ns;
	uint64_t silence_ns;
	bool cost;
	uint64_t cpus;
	uint64_t memory;
	const char *qemu;
	struct opt_strings qemu_args;
	struct opt_strings traces;
	bool no_kvm;
};

#define AT(field) offsetof(struct boot_opts, field)

static const struct opt boot_table[] = {
	{ .kind = OPT_GROUP, .help = "Kernel" },
	{ OPT_STRINGS, 0, "kernel", "K",
	  "debian:6.1, debian:6.12, debian:7.2, source:7.2, source:7.2-lockdep, or the path of a "
	  "vmlinux or bzImage; each that is given is booted",
	  AT(kernels), 0, 0 },
	{ OPT_STRING, 0, "modules", "DIR", "modules of a kernel given by path: lib/modules/RELEASE",
	  AT(modules), 0, 0 },
	{ OPT_STRINGS, 0, "append", "ARGS", "add to the kernel's command line", AT(appends), 0, 0 },
	{ OPT_STRING, 0, "matrix", "FILE",
	  "YAML: kernels, IOMMUs, QEMUs, command lines and commands; all combinations are booted",
	  AT(matrix), 0, 0 },
	{ OPT_FLAG, 0, "check", NULL, "boot nothing: say what each kernel lacks", AT(check), 0, 0 },
	{ OPT_FLAG, 0, "bisect", NULL,
	  "exit code for git bisect run: 0 good, 1 bad, 125 can't be tested", AT(bisect), 0, 0 },
	{ .kind = OPT_GROUP, .help = "Machine" },
	{ OPT_STRING, 0, "iommu", "IOMMU",
	  "ref, intel, amd, virtio or none[,PROPERTY=VALUE...] (default: none)", AT(iommu), 0, 0 },
	{ OPT_STRINGS, 0, "device", "D",
	  "e1000e, igb, virtio-net, virtio-blk, nvme, edu, or any value of QEMU's -device",
	  AT(devices), 0, 0 },
	{ OPT_FLAG, 0, "no-drivers", NULL, "leave it to COMMAND to load the drivers (modprobe)",
	  AT(no_drivers), 0, 0 },
	{ OPT_U64, 0, "smp", "N", "number of CPUs (default: 2)", AT(cpus), 1, 64 },
	{ OPT_SIZE, 0, "memory", "SIZE", "memory of the guest (default: 1G)", AT(memory), 128 << 20,
	  64ULL << 30 },
	{ OPT_FLAG, 0, "cost", NULL,
	  "count instructions: one CPU, 1 ns = 1 instruction, the same in each run", AT(cost), 0,
	  0 },
	{ OPT_FLAG, 0, "no-kvm", NULL, "emulate, even where KVM works", AT(no_kvm), 0, 0 },
	{ OPT_STRING, 0, "qemu", "QEMU",
	  "debian:10, debian:11, or the program to run (default: qemu-system-x86_64)", AT(qemu), 0,
	  0 },
	{ OPT_STRINGS, 0, "qemu-arg", "ARG", "one more argument for QEMU", AT(qemu_args), 0, 0 },
	{ OPT_STRINGS, 0, "qemu-trace", "PATTERN", "trace QEMU's own events to qemu-trace.log",
	  AT(traces), 0, 0 },
	{ .kind = OPT_GROUP, .help = "Files and time" },
	{ OPT_STRINGS, 0, "file", "HOST[:GUEST]",
	  "put a file or folder into the guest (default: into /root)", AT(files), 0, 0 },
	{ OPT_STRINGS, 0, "program", "NAME",
	  "put a program of this machine into the guest, with its libraries", AT(programs), 0, 0 },
	{ OPT_STRINGS, 0, "module", "NAME",
	  "put a kernel module into the guest, without loading it", AT(extra_modules), 0, 0 },
	{ OPT_STRING, 0, "output", "DIR",
	  "where the files of the guest's /output go, and console.log", AT(output), 0, 0 },
	{ OPT_DURATION, 0, "timeout", "T", "end the guest after this time (default: 5m)",
	  AT(timeout_ns), 1, 0 },
	{ OPT_DURATION, 0, "silence", "T",
	  "retry a boot that prints nothing for this time (default: 45s)", AT(silence_ns), 1, 0 },
	{ .kind = OPT_GROUP, .help = "Assertions from the begin of user space, on any machine" },
	{ OPT_STRING, 0, "emit-initrd", "FILE",
	  "boot nothing: write an archive to append to an initrd", AT(emit), 0, 0 },
	{ OPT_STRING, 0, "rules", "FILE", "put these rules into it", AT(rules), 0, 0 },
	{ OPT_STRING, 0, "preset", "NAME", "let it take these rules (default: boot)", AT(preset), 0,
	  0 },
	{ OPT_FLAG, 0, "gzip", NULL, "compress it: then it may follow an initrd of any length",
	  AT(gzip), 0, 0 },
	{ OPT_STRING, 0, "read-report", "FILE",
	  "boot nothing: print the last report in a log of the console", AT(report), 0, 0 },
	{ .kind = OPT_END },
};

static void boot_defaults(void *values)
{
	struct boot_opts *o = values;

	o->timeout_ns = 300000000000ULL;
	o->silence_ns = 45000000000ULL;
	o->cpus = 2;
	o->memory = 1ULL << 30;
}

/* tools/boot beside the build directory that we run from, or where `make install` puts it. NULL:
 * out of memory. */
static char *boot_tools(const char *self)
{
	char *copy = strdup(self), *path = NULL, *found;

	if (!copy)
		return NULL;
	if (asprintf(&path, "%s/../tools/boot/kernel.sh", dirname(copy)) < 0)
		path = NULL;
	free(copy);
	found = path ? realpath(path, NULL) : NULL;
	free(path);
	if (!found)
		return strdup(IOMMUTOP_DATADIR "/boot");
	*strrchr(found, '/') = '\0';
	return found;
}

static int boot_stop_fd(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* A reader that went away shall end us with an error, after the cleaning up. */
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void boot_say(void *ctx, const char *line)
{
	(void)ctx;
	cmd__complain("boot", "%s", line);
}

/* The list of an option; the strings stay the command line's. */
static struct strv boot_list(const struct opt_strings *from)
{
	return (struct strv){ .items = (char **)from->items, .nr = from->nr };
}

/* The boots that are asked for: the command line takes the place of what the file says. */
static int boot_matrix(const struct boot_opts *o, int rest_nr, char **rest, struct matrix *m,
		       struct error *err)
{
	const struct strv kernels = boot_list(&o->kernels);
	const struct strv words = { .items = rest, .nr = (size_t)rest_nr };
	struct strv single = { 0 };
	char *command;
	int rc = 0;

	if (o->iommu)
		rc = devices__check_iommu(o->iommu, err);
	if (!rc && o->matrix)
		rc = matrix__load(m, o->matrix, err);
	if (rc)
		return rc;
	if (kernels.nr)
		rc = matrix__set(m, AXIS_KERNEL, &kernels);
	if (!rc && o->iommu) {
		single = (struct strv){ .items = (char **)&o->iommu, .nr = 1 };
		rc = matrix__set(m, AXIS_IOMMU, &single);
	}
	if (!rc && o->qemu) {
		single = (struct strv){ .items = (char **)&o->qemu, .nr = 1 };
		rc = matrix__set(m, AXIS_QEMU, &single);
	}
	if (!rc && rest_nr) {
		command = strv__join(&words, " ");
		single = (struct strv){ .items = &command, .nr = 1 };
		rc = command ? matrix__set(m, AXIS_COMMAND, &single) : -ENOMEM;
		free(command);
	}
	if (rc)
		return error__set(err, rc, "no memory for the boots");
	if (!m->axes[AXIS_KERNEL].nr)
		return error__set(err, -EINVAL, "needs --kernel%s; try iommutop boot --help",
				  o->matrix ? ", for the matrix names none" : "");
	if (!m->axes[AXIS_COMMAND].nr && !o->check)
		return error__set(err, -EINVAL,
				  "needs a COMMAND to run in the guest%s; try iommutop boot --help",
				  o->matrix ? ", for the matrix names none" : "");
	return matrix__expand(m, err);
}

/* Both of what has to do with other people's machines. */
static int boot_early(const struct boot_opts *o, int rest_nr)
{
	if (rest_nr || o->kernels.nr || o->matrix || (o->emit && o->report)) {
		cmd__complain("boot", "--%s boots nothing: it takes no COMMAND, no kernel%s",
			      o->emit ? "emit-initrd" : "read-report",
			      o->emit && o->report ? " and no --read-report" : "");
		return EXIT_USAGE;
	}
	if (o->emit)
		return boot_initrd__emit(o->emit, o->rules, o->preset, o->gzip);
	return boot_initrd__report(o->report);
}

/* git bisect would take a wrong command line's 2 for a bad commit. */
static int boot_usage_code(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--bisect"))
			return BOOT_NOT_TRIED_CODE;
	return EXIT_USAGE;
}

static int boot_run(const void *values, int rest_nr, char **rest)
{
	const struct boot_opts *o = values;
	struct boot_config config = {
		.modules = o->modules,
		.output = o->output,
		.devices = boot_list(&o->devices),
		.appends = boot_list(&o->appends),
		.files = boot_list(&o->files),
		.programs = boot_list(&o->programs),
		.extra_modules = boot_list(&o->extra_modules),
		.qemu_args = boot_list(&o->qemu_args),
		.traces = boot_list(&o->traces),
		.timeout_ms = o->timeout_ns / 1000000,
		.silence_ms = o->silence_ns / 1000000,
		.memory = o->memory,
		.cpus = (unsigned int)o->cpus,
		.cost = o->cost,
		.no_kvm = o->no_kvm,
		.no_drivers = o->no_drivers,
		.out_fd = STDOUT_FILENO,
		.err_fd = STDERR_FILENO,
		.log = boot_say,
	};
	char self[PATH_MAX] = "", *tools = NULL;
	struct matrix matrix = { 0 };
	struct error err = { 0 };
	int rc;

	if (o->emit || o->report)
		return boot_early(o, rest_nr);
	if (o->rules || o->preset || o->gzip) {
		cmd__complain("boot", "--rules, --preset and --gzip go with --emit-initrd; in a "
				      "guest of ours give them to iommutop assert");
		return EXIT_USAGE;
	}
	config.stop_fd = -1;
	rc = boot_matrix(o, rest_nr, rest, &matrix, &err);
	if (rc) {
		cmd__complain("boot", "%s", err.text);
		rc = o->bisect ? BOOT_NOT_TRIED_CODE : EXIT_USAGE;
		goto out;
	}
	config.stop_fd = boot_stop_fd();
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) > 0)
		tools = boot_tools(self);
	if (!tools || config.stop_fd < 0) {
		cmd__complain("boot", "cannot start: %s", strerror(errno));
		rc = BOOT_NOT_TRIED_CODE;
		goto out;
	}
	config.tools = tools;
	config.self = self;
	rc = o->check ? boot_runs__check(&config, &matrix)
		      : boot_runs__all(&config, &matrix, o->bisect);
out:
	matrix__free(&matrix);
	free(tools);
	if (config.stop_fd >= 0)
		close(config.stop_fd);
	return rc;
}

const struct cmd cmd_boot = {
	.name = "boot",
	.args = "-- COMMAND...",
	.summary = "boot a test kernel in QEMU and run a command in it as root",
	.notes = "COMMAND's words are joined by spaces and given to the guest's shell, as ssh "
		 "does. Its exit code is boot's;\n"
		 "255: the kernel panicked, 124: timeout, 125: it could not be tried. Of several "
		 "boots, the worst.",
	.opts = boot_table,
	.values_size = sizeof(struct boot_opts),
	.defaults = boot_defaults,
	.usage_code = boot_usage_code,
	.run = boot_run,
};
