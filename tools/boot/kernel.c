// SPDX-License-Identifier: GPL-2.0-only
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/script.h"

#define BZIMAGE_MAGIC_AT 514

static bool is_spec(const char *kernel)
{
	return !strncmp(kernel, "debian:", 7) || !strncmp(kernel, "source:", 7);
}

/* DIR/lib/modules/RELEASE, if there is an index in it. */
static char *kernel__modules_of(const char *dir)
{
	char *path = NULL, *found = NULL, release[128] = "";
	FILE *file;

	if (asprintf(&path, "%s/release", dir) < 0)
		return NULL;
	file = fopen(path, "re");
	free(path);
	if (!file)
		return NULL;
	if (fgets(release, sizeof(release), file))
		release[strcspn(release, "\n")] = '\0';
	fclose(file);
	if (*release && asprintf(&path, "%s/lib/modules/%s/modules.dep", dir, release) >= 0) {
		if (!access(path, R_OK))
			found = strdup(dirname(path));
		free(path);
	}
	return found;
}

/* An image that QEMU can boot by PVH: an ELF file. A bzImage is unpacked, and used as it is if that
 * fails. */
static int kernel__image(const struct boot_config *config, const char *path, const char *run_dir,
			 struct kernel *k, struct error *err)
{
	char head[BZIMAGE_MAGIC_AT + 4] = "", *elf = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head));
	int code = 0;

	if (n < 0)
		code = error__set(err, -errno, "cannot read the kernel %s: %s", path,
				  strerror(errno));
	if (fd >= 0)
		close(fd);
	if (code)
		return code;
	if (n == (ssize_t)sizeof(head) && !memcmp(head + BZIMAGE_MAGIC_AT, "HdrS", 4)) {
		if (asprintf(&elf, "%s/vmlinux", run_dir) < 0)
			return error__set(err, -ENOMEM, "no memory to unpack %s", path);
		code = script__run(config, "kernel.sh",
				   (const char *const[]){ "extract", path, elf, NULL }, NULL, NULL);
		if (!code) {
			k->image = elf;
			return 0;
		}
		free(elf);
		boot__log(config, "%s is booted compressed, which takes longer", path);
	} else if (n < 4 || memcmp(head, "\177ELF", 4)) {
		return error__set(err, -ENOEXEC, "%s is neither a vmlinux nor a bzImage", path);
	}
	k->image = strdup(path);
	return k->image ? 0 : error__set(err, -ENOMEM, "no memory for the kernel's path");
}

int kernel__find(const struct boot_config *config, const char *run_dir, struct kernel *k,
		 struct error *err)
{
	struct stat st;
	char *vmlinux = NULL, *copy;
	int code;

	if (is_spec(config->kernel)) {
		code = script__run(config, "kernel.sh",
				   (const char *const[]){ "get", config->kernel, NULL }, &k->dir,
				   err);
		if (code)
			return code;
	} else if (stat(config->kernel, &st)) {
		return error__set(err, -errno,
				  "no kernel %s: %s (give debian:6.1, debian:6.12, debian:7.2, "
				  "source:7.2 or a path)",
				  config->kernel, strerror(errno));
	} else if (S_ISDIR(st.st_mode)) {
		k->dir = realpath(config->kernel, NULL);
	} else {
		code = kernel__image(config, config->kernel, run_dir, k, err);
		if (code)
			return code;
		copy = realpath(config->kernel, NULL);
		k->modules = copy ? kernel__modules_of(dirname(copy)) : NULL;
		if (k->modules)
			k->dir = strdup(copy);
		free(copy);
	}
	if (!k->image) {
		if (!k->dir || asprintf(&vmlinux, "%s/vmlinux", k->dir) < 0)
			return error__set(err, -ENOMEM, "no memory for the kernel's path");
		code = kernel__image(config, vmlinux, run_dir, k, err);
		free(vmlinux);
		if (code)
			return code;
		k->modules = kernel__modules_of(k->dir);
	}
	if (config->modules) {
		free(k->modules);
		k->modules = strdup(config->modules);
		if (!k->modules)
			return error__set(err, -ENOMEM, "no memory for the modules' path");
	}
	return 0;
}

int kernel__build_ref(const struct boot_config *config, bool required, struct kernel *k,
		      struct error *err)
{
	char *kbuild = NULL;
	int code;

	if (!k->dir && !required)
		return 0;
	if (!k->dir || asprintf(&kbuild, "%s/kbuild", k->dir) < 0)
		return error__set(err, -ENOENT,
				  "--iommu ref needs a kernel that modules can be built for, %s is "
				  "not: give debian:6.1, "
				  "debian:6.12, source:7.2 or a directory of kernel.sh",
				  config->kernel);
	code = access(kbuild, R_OK);
	free(kbuild);
	if (code && !required)
		return 0;
	code = script__run(config, "modules.sh", (const char *const[]){ k->dir, NULL }, &k->ref,
			   required ? err : NULL);
	if (!code || required || code == -EINTR)
		return code;
	boot__log(config, "going on without the reference driver");
	return 0;
}

void kernel__free(struct kernel *k)
{
	free(k->dir);
	free(k->image);
	free(k->modules);
	free(k->ref);
}
