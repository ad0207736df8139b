// SPDX-License-Identifier: GPL-2.0-only
#include "collect/sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/parse.h"

/* The last component of what a link of the device points to; out keeps what it has if there is no
 * such link: on its way out a device loses them one by one. */
static void read_link(const struct iot_device *dev, const char *sysfs, const char *link, char *out,
		      size_t size)
{
	char path[256], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/bus/%s/devices/%s/%s", sysfs, dev->bus, dev->name, link);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return;
	target[n] = 0;
	memset(out, 0, size);
	snprintf(out, size, "%s", basename(target));
}

void sysfs__device(struct iot_device *dev, const char *sysfs)
{
	dev->name[sizeof(dev->name) - 1] = 0;
	dev->bus[sizeof(dev->bus) - 1] = 0;
	read_link(dev, sysfs, "driver", dev->driver, sizeof(dev->driver));
	if (strcmp(dev->bus, "pci"))
		return;
	dev->rid_known = !parse__pci_rid(dev->name, &dev->rid);
	read_link(dev, sysfs, "physfn", dev->physfn, sizeof(dev->physfn));
}

/* A small file without the newline at its end. -ENOENT, or whatever keeps it from being read. */
static int read_file(const char *path, char *out, size_t size)
{
	size_t n;
	FILE *f = fopen(path, "re");

	if (!f)
		return -errno;
	n = fread(out, 1, size - 1, f);
	fclose(f);
	while (n && out[n - 1] == '\n')
		n--;
	out[n] = 0;
	return 0;
}

/*
 * sysfs has one word for both kinds of MSI region (drivers/iommu/iommu.c). The kind where the
 * kernel maps the doorbell itself always has the address that the drivers call MSI_IOVA_BASE, where
 * no architecture has its own window.
 */
#define SW_MSI_FIRST 0x8000000
#define SW_MSI_LAST  0x80fffff

static __u32 region_kind(const char *word, __u64 first, __u64 last)
{
	static const struct {
		const char *word;
		__u32 kind;
	} kinds[] = {
		{ "direct", IOT_REGION_DIRECT },
		{ "direct-relaxable", IOT_REGION_RELAXABLE },
		{ "reserved", IOT_REGION_RESERVED },
		{ "msi", IOT_REGION_MSI },
	};

	if (!strcmp(word, "msi") && first == SW_MSI_FIRST && last == SW_MSI_LAST)
		return IOT_REGION_SW_MSI;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(word, kinds[i].word))
			return kinds[i].kind;
	return 0;
}

int sysfs__regions(const char *sysfs, __s32 group,
		   int (*each)(void *ctx, const struct iot_region *region), void *ctx)
{
	char path[256], line[128], from[32], to[32], word[32];
	struct iot_region r = { .group = group };
	int err = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/kernel/iommu_groups/%d/reserved_regions", sysfs, group);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (!err && fgets(line, sizeof(line), f)) {
		uint64_t first, last;

		if (sscanf(line, "%31s %31s %31s", from, to, word) != 3 ||
		    parse__u64(from, &first) || parse__u64(to, &last))
			continue;
		r.first = first;
		r.last = last;
		r.kind = region_kind(word, first, last);
		if (r.kind)
			err = each(ctx, &r);
	}
	fclose(f);
	return err;
}

int sysfs__nodes(const char *sysfs, facts_add add, void *ctx)
{
	char path[PATH_MAX], cpus[800];
	struct dirent *e;
	int err = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/devices/system/node", sysfs);
	d = opendir(path);
	while (d && !err && (e = readdir(d))) {
		uint64_t n;

		if (strncmp(e->d_name, "node", 4) || parse__u64(e->d_name + 4, &n))
			continue;
		snprintf(path, sizeof(path), "%s/devices/system/node/%s/cpulist", sysfs, e->d_name);
		if (!read_file(path, cpus, sizeof(cpus)))
			err = facts__attr(add, ctx, "node.%llu=%s", (unsigned long long)n, cpus);
	}
	if (d)
		closedir(d);
	return err;
}

/* What the drivers tell of themselves: drivers/iommu/intel/iommu.c, drivers/iommu/amd/init.c. */
static const char *const iommu_files[] = {
	"intel-iommu/version",           "intel-iommu/cap", "intel-iommu/ecap",
	"intel-iommu/domains_supported", "amd-iommu/cap",   "amd-iommu/features",
};

int sysfs__iommus(const char *sysfs, facts_add add, void *ctx)
{
	char path[PATH_MAX], value[128], text[600];
	struct dirent *e;
	int err = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/class/iommu", sysfs);
	d = opendir(path);
	while (d && !err && (e = readdir(d))) {
		size_t used = 0;

		if (e->d_name[0] == '.')
			continue;
		text[0] = 0;
		for (size_t i = 0; i < sizeof(iommu_files) / sizeof(iommu_files[0]); i++) {
			snprintf(path, sizeof(path), "%s/class/iommu/%s/%s", sysfs, e->d_name,
				 iommu_files[i]);
			if (read_file(path, value, sizeof(value)))
				continue;
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s",
						 used ? ", " : "", strchr(iommu_files[i], '/') + 1,
						 value);
			if (used >= sizeof(text))
				used = sizeof(text) - 1;
		}
		err = facts__attr(add, ctx, "iommu.%s=%s", e->d_name, text);
	}
	if (d)
		closedir(d);
	return err;
}

static bool exists(const char *dir, const char *name)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return !access(path, F_OK);
}

/* Cuts the path back to the directory of the device meant, and returns its name in there; NULL:
 * there is none above it. */
static const char *responsible(char *path)
{
	__u32 rid;
	char *slash;

	while ((slash = strrchr(path, '/')) && slash != path) {
		if (!parse__pci_rid(slash + 1, &rid) || exists(path, "iommu_group"))
			return slash + 1;
		*slash = 0;
	}
	return NULL;
}

/* The log calls the device dev1.0 of this class "ata1.00" (drivers/ata/libata-core.c). */
static void ata_name(char *name, size_t size)
{
	char *dot = strchr(name, '.');
	uint64_t port, device;

	if (strncmp(name, "dev", 3) || !dot)
		return;
	*dot = 0;
	if (!parse__u64(name + 3, &port) && !parse__u64(dot + 1, &device))
		snprintf(name, size, "ata%u.%02u", (unsigned int)port, (unsigned int)device);
	else
		*dot = '.';
}

static int aliases_of(const char *sysfs, const char *dir,
		      int (*each)(void *ctx, const char *name, const char *device), void *ctx)
{
	char path[PATH_MAX], real[PATH_MAX], name[NAME_MAX + 1];
	struct dirent *e;
	int err = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", sysfs, dir);
	d = opendir(path);
	while (d && !err && (e = readdir(d))) {
		const char *device;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/%s", sysfs, dir, e->d_name);
		/* a partition's disk is an entry of its own; card0-DP-1 is a connector of card0 */
		if (!realpath(path, real) || exists(real, "partition") ||
		    (!strcmp(dir, "class/drm") && strchr(e->d_name, '-')))
			continue;
		snprintf(name, sizeof(name), "%s", e->d_name);
		if (!strcmp(dir, "class/ata_device"))
			ata_name(name, sizeof(name));
		device = responsible(real);
		if (device && strcmp(device, name))
			err = each(ctx, name, device);
	}
	if (d)
		closedir(d);
	return err;
}

int sysfs__aliases(const char *sysfs, int (*each)(void *ctx, const char *name, const char *device),
		   void *ctx)
{
	static const char *const dirs[] = {
		"class/net",         "class/nvme",     "class/block",        "class/scsi_host",
		"class/scsi_device", "class/ata_port", "class/ata_device",   "class/drm",
		"class/infiniband",  "class/mmc_host", "bus/virtio/devices",
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(dirs) / sizeof(dirs[0]); i++)
		err = aliases_of(sysfs, dirs[i], each, ctx);
	return err;
}
