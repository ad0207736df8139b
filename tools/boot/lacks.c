// SPDX-License-Identifier: GPL-2.0-only
#include "lacks.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "collect/plan.h"
#include "collect/types.h"

#define CONFIG_MAX (4U << 20)

struct need {
	const char *option; /* without CONFIG_ */
	enum lack kind;
	bool elf_only;     /* wanted only of an image that is booted by PVH */
	bool module;       /* =m will do */
	const char *iommu; /* wanted only with this --iommu; NULL: always */
	const char *what;
};

static const struct need needs[] = {
	{ "BLK_DEV_INITRD", LACK_BOOT, false, false, NULL, "it takes no initramfs" },
	{ "BINFMT_ELF", LACK_BOOT, false, false, NULL, "no program can be run" },
	{ "BINFMT_SCRIPT", LACK_BOOT, false, false, NULL,
	  "the guest's init, a script, can't be run" },
	{ "PROC_FS", LACK_BOOT, false, false, NULL, "no /proc" },
	{ "SYSFS", LACK_BOOT, false, false, NULL, "no /sys" },
	{ "DEVTMPFS", LACK_BOOT, false, false, NULL, "no device files" },
	{ "SERIAL_8250", LACK_BOOT, false, false, NULL, "no serial port to hand results over" },
	{ "PVH", LACK_BOOT, true, false, NULL,
	  "QEMU can't boot a vmlinux without it: give the bzImage" },
	{ "INTEL_IOMMU", LACK_BOOT, false, false, "intel", "no driver for --iommu intel" },
	{ "AMD_IOMMU", LACK_BOOT, false, false, "amd", "no driver for --iommu amd" },
	{ "VIRTIO_IOMMU", LACK_BOOT, false, true, "virtio", "no driver for --iommu virtio" },
	{ "MODULES", LACK_BOOT, false, false, "ref", "the reference driver is a module" },
	{ "BPF_SYSCALL", LACK_TRACE, false, false, NULL, "no BPF" },
	{ "BPF_JIT", LACK_TRACE, false, false, NULL,
	  "BPF programs can't be attached to functions" },
	{ "BPF_EVENTS", LACK_TRACE, false, false, NULL, "no BPF programs for tracing" },
	{ "DEBUG_INFO_BTF", LACK_TRACE, false, false, NULL,
	  "no BTF (and pahole when it is built)" },
	{ "DYNAMIC_FTRACE_WITH_DIRECT_CALLS", LACK_TRACE, false, false, NULL,
	  "fentry and fexit programs can't be attached (CONFIG_FUNCTION_TRACER brings it)" },
	{ "KALLSYMS_ALL", LACK_TRACE, false, false, NULL,
	  "the list of IOMMU groups can't be found" },
	{ "IOMMU_API", LACK_TRACE, false, false, NULL, "no IOMMU core: nothing to trace" },
	{ "IOMMU_DMA", LACK_PART, false, false, NULL, "the DMA API doesn't go through the IOMMU" },
	{ "KPROBES", LACK_PART, false, false, NULL,
	  "hooks on modules (NVMe, SCSI, drivers without BTF) are missing" },
	{ "DEBUG_INFO_BTF_MODULES", LACK_PART, false, false, NULL,
	  "flush functions of modules are traced by kprobes, which cost more" },
	{ "SERIAL_8250_CONSOLE", LACK_PART, false, false, NULL,
	  "console.log stays empty, and a panic shows nothing" },
	{ "VIRTIO_CONSOLE", LACK_PART, false, true, NULL,
	  "output and files come over a serial port, which is slower" },
	{ "MAGIC_SYSRQ", LACK_PART, false, false, NULL,
	  "the guest can't end itself: each run takes 10 s more" },
};

/* 'y', 'm' or 'n'. Of an option that is not mentioned at all: 'n'. */
static char config_value(const char *text, const char *option)
{
	size_t len = strlen(option);

	for (const char *at = text; (at = strstr(at, "CONFIG_")); at += 7)
		if ((at == text || at[-1] == '\n') && !strncmp(at + 7, option, len) &&
		    at[7 + len] == '=')
			return at[8 + len];
	return 'n';
}

void lacks__config(const char *text, bool elf, const char *iommu, lack_say say, void *ctx)
{
	size_t len = strcspn(iommu, ",");
	char line[256];

	for (size_t i = 0; i < sizeof(needs) / sizeof(*needs); i++) {
		const struct need *n = &needs[i];
		char value;

		if ((n->elf_only && !elf) ||
		    (n->iommu && (strlen(n->iommu) != len || strncmp(n->iommu, iommu, len))))
			continue;
		value = config_value(text, n->option);
		if (value == 'y' || (value == 'm' && n->module))
			continue;
		snprintf(line, sizeof(line), "CONFIG_%s is %s: %s", n->option,
			 value == 'm' ? "a module" : "not set", n->what);
		say(ctx, n->kind, line);
	}
}

/* --- where the configuration is
 * ----------------------------------------------------------------------------------
 */

/* NULL: not there, too large, or no memory. */
static char *read_text(const char *path)
{
	char *text = NULL;
	struct stat st;
	FILE *file = fopen(path, "re");

	if (!file)
		return NULL;
	if (!fstat(fileno(file), &st) && S_ISREG(st.st_mode) && st.st_size < CONFIG_MAX) {
		text = malloc((size_t)st.st_size + 1);
		if (text)
			text[fread(text, 1, (size_t)st.st_size, file)] = '\0';
	}
	fclose(file);
	return text;
}

/* CONFIG_IKCONFIG: gzip data behind a mark in the image (kernel/configs.c). */
static char *read_embedded(const char *image)
{
	static const char mark[] = "IKCFG_ST";
	int fd = open(image, O_RDONLY | O_CLOEXEC);
	char *data, *at, *text = NULL;
	z_stream z = {};
	struct stat st;

	if (fd < 0)
		return NULL;
	data = fstat(fd, &st) ? MAP_FAILED
			      : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (data == MAP_FAILED)
		return NULL;
	at = memmem(data, (size_t)st.st_size, mark, sizeof(mark) - 1);
	if (at && inflateInit2(&z, 16 + MAX_WBITS) == Z_OK) {
		text = malloc(CONFIG_MAX);
		at += sizeof(mark) - 1;
		z.next_in = (unsigned char *)at;
		z.avail_in = (unsigned int)(data + st.st_size - at);
		z.next_out = (unsigned char *)text;
		z.avail_out = text ? CONFIG_MAX - 1 : 0;
		if (text && inflate(&z, Z_FINISH) == Z_STREAM_END) {
			text[z.total_out] = '\0';
		} else {
			free(text);
			text = NULL;
		}
		inflateEnd(&z);
	}
	munmap(data, (size_t)st.st_size);
	return text;
}

/* The places where builds and distributions leave it, seen from the kernel's file. */
static char *find_config(const struct kernel *k, const char *given, char **where)
{
	static const char *const beside[] = { ".config", "config", "../../../.config" };
	char *path = NULL, *text = NULL, *real = realpath(given, NULL), *copy = NULL;
	const char *dir = k->dir;
	char *dash;

	text = read_embedded(k->image);
	if (text) {
		*where = strdup("the image itself");
		goto out;
	}
	/* /boot/vmlinuz-RELEASE goes with /boot/config-RELEASE */
	dash = real ? strrchr(real, '/') : NULL;
	dash = dash ? strchr(dash, '-') : NULL;
	copy = real ? strdup(real) : NULL;
	if (copy && !k->dir)
		dir = dirname(copy);
	if (dash && dir && asprintf(&path, "%s/config%s", dir, dash) >= 0) {
		text = read_text(path);
		if (text) {
			*where = path;
			goto out;
		}
		free(path);
	}
	for (size_t i = 0; dir && i < sizeof(beside) / sizeof(*beside); i++) {
		if (asprintf(&path, "%s/%s", dir, beside[i]) < 0)
			break;
		text = read_text(path);
		if (text) {
			*where = path;
			goto out;
		}
		free(path);
	}
out:
	free(copy);
	free(real);
	return text;
}

/* --- hooks
 * ------------------------------------------------------------------------------------------------------
 */

/* The functions that BTF knows, as /proc/kallsyms would list them: a function without BTF can't be
 * attached to anyway. */
static int write_symbols(const struct btf *btf, const char *path)
{
	FILE *file = fopen(path, "we");
	int rc = 0;

	if (!file)
		return -errno;
	for (__u32 id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (btf_kind(t) == BTF_KIND_FUNC)
			fprintf(file, "%016llx T %s\n", 0xffffffff81000000ULL + id * 16,
				btf__name_by_offset(btf, t->name_off));
	}
	if (ferror(file))
		rc = -EIO;
	return fclose(file) ? -EIO : rc;
}

static bool by_symbol(const struct plan_point *p)
{
	return p->candidates[0].kind == PLAN_SYMBOL;
}

static void say_hooks(const struct plan *plan, lack_say say, void *ctx)
{
	char line[400];

	for (size_t i = 0; i < plan_nr_points; i++) {
		const struct plan_choice *ch = &plan->choices[i];

		if (ch->chosen >= 0 || ch->absent || by_symbol(&plan_points[i]))
			continue;
		snprintf(line, sizeof(line), "no hook to see: %s (%s)", plan_points[i].sees,
			 ch->why_not[0]);
		say(ctx, plan_points[i].need == PLAN_VITAL ? LACK_TRACE : LACK_PART, line);
	}
}

static int find_hooks(const char *image, const char *run_dir, lack_say say, void *ctx)
{
	struct btf *btf = btf__parse_elf(image, NULL);
	struct kallsyms *syms = NULL;
	struct types *types = NULL;
	struct plan plan = {};
	char *path = NULL;
	int rc = (int)libbpf_get_error(btf);

	if (rc) {
		say(ctx, LACK_TRACE,
		    rc == -ENOENT || rc == -ENODATA
			    ? "it has no BTF, which iommutop needs: build it with "
			      "CONFIG_DEBUG_INFO_BTF=y"
			    : "its BTF, which iommutop needs, can't be read: is the file whole?");
		return 0;
	}
	if (asprintf(&path, "%s/symbols", run_dir) < 0) {
		path = NULL;
		rc = -ENOMEM;
	}
	rc = rc ?: write_symbols(btf, path);
	rc = rc ?: kallsyms__load(&syms, path, NULL);
	types = rc ? NULL : types__new(btf);
	if (!rc && !types)
		rc = -ENOMEM;
	rc = rc ?: plan__resolve(&plan, syms, types);
	if (!rc)
		say_hooks(&plan, say, ctx);
	plan__free(&plan);
	kallsyms__free(syms);
	types__free(types);
	btf__free(btf);
	free(path);
	return rc;
}

static bool is_elf(const char *image)
{
	int fd = open(image, O_RDONLY | O_CLOEXEC);
	char head[4] = "";
	bool elf = fd >= 0 && read(fd, head, 4) == 4 && !memcmp(head, "\177ELF", 4);

	if (fd >= 0)
		close(fd);
	return elf;
}

int lacks__find(const struct kernel *k, const char *given, const char *run_dir, const char *iommu,
		lack_say say, void *ctx, char **config)
{
	/* a bzImage that is booted as it is, because it could not be unpacked, shows nothing */
	bool elf = is_elf(k->image);
	char *text, *where = NULL;
	int rc = 0;

	text = find_config(k, given, &where);
	if (text)
		lacks__config(text, elf, iommu, say, ctx);
	free(text);
	if (elf)
		rc = find_hooks(k->image, run_dir, say, ctx);
	*config = where ?: strdup("");
	return *config ? rc : -ENOMEM;
}
