// SPDX-License-Identifier: GPL-2.0-only
#include "initramfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/cpio.h"
#include "boot/elf.h"
#include "boot/modules.h"
#include "boot/proc.h"

/* The modules of the running kernel: init.sh makes /lib/modules/RELEASE a link to it. */
#define GUEST_MODULES "lib/modules/boot"

struct initramfs {
	const struct boot_config *config;
	const struct devices *devices;
	const struct kernel *kernel;
	struct cpio *cpio;
	struct error *err;
	struct strv virtio_serial; /* modules for the ports that results come through */
};

static int initramfs__no_memory(struct initramfs *i)
{
	return error__set(i->err, -ENOMEM, "no memory to put the initramfs together");
}

static int initramfs__base(struct initramfs *i)
{
	static const char *const dirs[] = { "bin",  "sbin", "usr/bin", "usr/sbin",
					    "proc", "sys",  "dev",     "etc",
					    "run",  "root", "output",  GUEST_MODULES };
	static const char passwd[] =
		"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n";
	static const char group[] = "root:x:0:\nnogroup:x:65534:\n";
	char *busybox = NULL, *init = NULL;
	int code = 0;

	for (size_t n = 0; !code && n < sizeof(dirs) / sizeof(*dirs); n++)
		code = cpio__add_dir(i->cpio, dirs[n], 0755, i->err);
	code = code ?: cpio__add_dir(i->cpio, "tmp", 01777, i->err);
	code = code ?: cpio__add_char_device(i->cpio, "dev/console", 0600, 5, 1, i->err);
	code = code
		       ?: cpio__add_data(i->cpio, "etc/passwd", 0644, passwd, sizeof(passwd) - 1,
					 i->err);
	code = code ?: cpio__add_data(i->cpio, "etc/group", 0644, group, sizeof(group) - 1, i->err);
	code = code ?: cpio__add_symlink(i->cpio, "bin/net-up", "/init", i->err);
	if (code)
		goto out;

	busybox = proc__find("busybox");
	if (!busybox) {
		code = error__set(i->err, -ENOENT,
				  "busybox is not installed: the guest's shell (apt-get install "
				  "busybox-static)");
		goto out;
	}
	code = elf__check_static(busybox, "apt-get install busybox-static", i->err);
	code = code ?: cpio__add_host(i->cpio, "bin/busybox", busybox, i->err);
	if (!code && i->config->self) {
		code = elf__check_static(i->config->self, "run the static build/iommutop of `make`",
					 i->err);
		code = code ?: cpio__add_host(i->cpio, "bin/iommutop", i->config->self, i->err);
	}
	if (!code && asprintf(&init, "%s/init.sh", i->config->tools) < 0) {
		init = NULL;
		code = initramfs__no_memory(i);
	}
	code = code ?: cpio__add_host(i->cpio, "init", init, i->err);
out:
	free(busybox);
	free(init);
	return code;
}

/* Does the module's "depends=" field name another one? */
static bool module_needs(const char *path, const char *other)
{
	static const char field[] = "depends=";
	FILE *file = fopen(path, "re");
	bool needs = false;
	struct stat st;
	char *data;

	if (!file)
		return false;
	data = fstat(fileno(file), &st) ? NULL : calloc(1, (size_t)st.st_size + 1);
	if (data && fread(data, 1, (size_t)st.st_size, file) == (size_t)st.st_size) {
		const char *at = memmem(data, (size_t)st.st_size, field, sizeof(field) - 1);

		needs = at && strstr(at, other);
	}
	free(data);
	fclose(file);
	return needs;
}

/* The reference driver's files, and those of the other test modules, go to /lib/modules/ref, and
 * are known to modprobe. */
static int initramfs__ref(struct initramfs *i, struct strv *dep)
{
	static const char *const names[] = { "refiommu", "refdma", "edudma", "reftrouble" };
	int code = cpio__add_symlink(i->cpio, GUEST_MODULES "/ref", "../ref", i->err);

	for (size_t n = 0; !code && n < sizeof(names) / sizeof(*names); n++) {
		char *host = NULL, *guest = NULL;

		if (asprintf(&host, "%s/%s.ko", i->kernel->ref, names[n]) < 0 ||
		    asprintf(&guest, "lib/modules/ref/%s.ko", names[n]) < 0) {
			code = initramfs__no_memory(i);
		} else {
			code = cpio__add_host(i->cpio, guest, host, i->err);
			if (!code &&
			    strv__addf(dep, "ref/%s.ko:%s", names[n],
				       n && module_needs(host, names[0]) ? " ref/refiommu.ko" : ""))
				code = initramfs__no_memory(i);
		}
		free(host);
		free(guest);
	}
	return code;
}

static int initramfs__resolve_all(struct initramfs *i, const struct modules *index,
				  struct strv *paths)
{
	const struct strv *const lists[] = { &i->devices->iommu_modules, &i->devices->drivers,
					     &i->config->extra_modules };
	static const char *const serial[] = { "virtio_pci", "virtio_console" };
	int code = 0;

	for (size_t l = 0; l < sizeof(lists) / sizeof(*lists); l++)
		for (size_t n = 0; n < lists[l]->nr && !code; n++)
			code = modules__resolve(index, lists[l]->items[n], paths, i->err);
	/* Without virtio-serial the results come over ttyS1: slower, but they come. */
	for (size_t n = 0; n < 2 && !code; n++)
		if (!modules__resolve(index, serial[n], paths, NULL) &&
		    strv__add(&i->virtio_serial, serial[n]))
			code = initramfs__no_memory(i);
	return code;
}

static int initramfs__modules(struct initramfs *i)
{
	struct strv paths = { 0 }, dep = { 0 };
	struct modules *index = NULL;
	char *host = NULL, *guest = NULL, *text = NULL;
	int code = 0;

	if (i->kernel->modules) {
		code = modules__open(i->kernel->modules, &index, i->err);
		code = code ?: initramfs__resolve_all(i, index, &paths);
		for (size_t n = 0; n < paths.nr && !code; n++) {
			if (asprintf(&host, "%s/%s", i->kernel->modules, paths.items[n]) < 0)
				host = NULL;
			if (asprintf(&guest, GUEST_MODULES "/%s", paths.items[n]) < 0)
				guest = NULL;
			if (!host || !guest ||
			    strv__add(&dep, modules__dep_line(index, paths.items[n])))
				code = initramfs__no_memory(i);
			else
				code = cpio__add_host(i->cpio, guest, host, i->err);
			free(host);
			free(guest);
		}
		/* With the list of what is built in, modprobe of such a module succeeds. */
		host = NULL;
		if (!code && asprintf(&host, "%s/modules.builtin", i->kernel->modules) >= 0 &&
		    !access(host, R_OK))
			code = cpio__add_host(i->cpio, GUEST_MODULES "/modules.builtin", host,
					      i->err);
		free(host);
	}
	if (!code && i->kernel->ref)
		code = initramfs__ref(i, &dep);
	if (!code) {
		code = strv__add(&dep, "");
		text = strv__join(&dep, "\n");
		if (code || !text)
			code = initramfs__no_memory(i);
		else
			code = cpio__add_data(i->cpio, GUEST_MODULES "/modules.dep", 0644, text,
					      strlen(text), i->err);
	}
	free(text);
	strv__free(&paths);
	strv__free(&dep);
	modules__close(index);
	return code;
}

/* HOST[:GUEST]; GUEST is relative to /root, and is HOST's last part by default. */
static int initramfs__file(struct initramfs *i, const char *spec)
{
	const char *colon = strrchr(spec, ':'), *name;
	char *host = strndup(spec, colon ? (size_t)(colon - spec) : strlen(spec)), *guest = NULL;
	int code = 0;

	if (!host)
		return initramfs__no_memory(i);
	for (size_t len = strlen(host); len > 1 && host[len - 1] == '/'; len--)
		host[len - 1] = '\0';
	name = colon ? colon + 1 : basename(host);
	if (!*host || !*name)
		code = error__set(i->err, -EINVAL, "--file '%s': HOST or GUEST is empty", spec);
	else if ((*name == '/' ? asprintf(&guest, "%s", name + 1)
			       : asprintf(&guest, "root/%s", name)) < 0)
		code = initramfs__no_memory(i);
	else
		code = cpio__add_host(i->cpio, guest, host, i->err);
	free(host);
	free(guest);
	return code;
}

static int initramfs__add_once(struct initramfs *i, const char *host, struct strv *done)
{
	if (strv__has(done, host))
		return 0;
	if (strv__add(done, host))
		return initramfs__no_memory(i);
	return cpio__add_host(i->cpio, host + 1, host, i->err);
}

/* A program and the libraries that ldd names, at the paths that they have here. */
static int initramfs__program(struct initramfs *i, const char *name, struct strv *done)
{
	char *path = proc__find(name), *libs = NULL, *line, *rest = NULL;
	int status, code;

	if (!path)
		return error__set(i->err, -ENOENT,
				  "cannot take %s along: there is no such program here", name);
	code = initramfs__add_once(i, path, done);
	if (!code)
		code = proc__capture(&(struct proc_spec){ .argv = (char *[]){ "ldd", path, NULL } },
				     i->config->stop_fd, 10000, &libs, &status, i->err);
	/* "libz.so.1 => /lib/…/libz.so.1 (0x…)" or "/lib64/ld-linux-x86-64.so.2 (0x…)"; static
	 * programs have none. */
	for (line = strtok_r(libs, "\n", &rest); line && !code;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *slash = strchr(line, '/');

		if (strstr(line, "not found"))
			code = error__set(i->err, -ENOENT,
					  "cannot take %s along: library missing here:%s", name,
					  line);
		if (!slash || code)
			continue;
		slash[strcspn(slash, " ")] = '\0';
		code = initramfs__add_once(i, slash, done);
	}
	free(libs);
	free(path);
	return code;
}

static int initramfs__conf(struct initramfs *i, const char *nonce)
{
	const struct devices *d = i->devices;
	bool drivers = !i->config->no_drivers;
	struct strv loaded = { 0 };
	char *serial = NULL, *iommu = NULL, *names = NULL, *conf = NULL, *command = NULL;
	int code = 0, len;

	for (size_t n = 0; drivers && n < d->drivers.nr && !code; n++)
		code = strv__add(&loaded, d->drivers.items[n]);
	if (!code && drivers && d->ref)
		code = strv__add_all(&loaded, "refiommu", "refdma", NULL);
	serial = strv__join(&i->virtio_serial, " ");
	iommu = strv__join(&d->iommu_modules, " ");
	names = strv__join(&loaded, " ");
	if (code || !serial || !iommu || !names) {
		code = initramfs__no_memory(i);
		goto out;
	}
	len = asprintf(&conf,
		       "NONCE=%s\nVIRTIO_SERIAL='%s'\nIOMMU_MODULES='%s'\nDRIVERS='%s'\nNET=%s\n",
		       nonce, serial, iommu, names, drivers && d->nr_nics ? "yes" : "");
	code = len < 0 ? initramfs__no_memory(i)
		       : cpio__add_data(i->cpio, "etc/boot.conf", 0644, conf, (size_t)len, i->err);
	if (code)
		goto out;
	len = asprintf(&command, "%s\n", i->config->command);
	code = len < 0 ? initramfs__no_memory(i)
		       : cpio__add_data(i->cpio, "etc/boot.command", 0644, command, (size_t)len,
					i->err);
out:
	strv__free(&loaded);
	free(serial);
	free(iommu);
	free(names);
	free(conf);
	free(command);
	return code;
}

int initramfs__write(const char *path, const struct boot_config *config,
		     const struct devices *devices, const struct kernel *kernel, const char *nonce,
		     struct error *err)
{
	struct initramfs i = { .config = config, .devices = devices, .kernel = kernel, .err = err };
	struct strv done = { 0 };
	int code, closed;

	code = cpio__create(path, &i.cpio, err);
	if (code)
		return code;
	code = initramfs__base(&i);
	code = code ?: initramfs__modules(&i);
	code = code ?: initramfs__conf(&i, nonce);
	for (size_t n = 0; n < config->files.nr && !code; n++)
		code = initramfs__file(&i, config->files.items[n]);
	for (size_t n = 0; n < config->programs.nr && !code; n++)
		code = initramfs__program(&i, config->programs.items[n], &done);
	closed = cpio__close(i.cpio, err);
	strv__free(&done);
	strv__free(&i.virtio_serial);
	return code ?: closed;
}
