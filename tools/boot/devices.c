// SPDX-License-Identifier: GPL-2.0-only
#include "devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DISK_BYTES (256LL << 20)

enum backend { BACKEND_NONE, BACKEND_NET, BACKEND_DISK };

/* A new device is a new line here. */
static const struct device_kind {
	const char *name;
	const char *qemu;   /* QEMU's name and fixed properties */
	const char *driver; /* kernel module, or NULL */
	enum backend backend;
	bool own_port;      /* behind a PCIe root port: SR-IOV wants that */
	unsigned int since; /* QEMU's major version that brought it */
} device_kinds[] = {
	{ "e1000e", "e1000e", "e1000e", BACKEND_NET, false, 0 },
	{ "igb", "igb", "igb", BACKEND_NET, true, 8 },
	{ "virtio-net", "virtio-net-pci,iommu_platform=on,disable-legacy=on", "virtio_net",
	  BACKEND_NET, false, 0 },
	{ "virtio-blk", "virtio-blk-pci,iommu_platform=on,disable-legacy=on", "virtio_blk",
	  BACKEND_DISK, false, 0 },
	{ "nvme", "nvme,serial=iommutop", "nvme", BACKEND_DISK, false, 0 },
	{ "edu", "edu,dma_mask=0xffffffffffffffff", NULL, BACKEND_NONE, false, 0 },
};

static int devices__no_memory(struct error *err)
{
	return error__set(err, -ENOMEM, "no memory for the list of devices");
}

char *devices__escape(const char *path)
{
	char *escaped = malloc(2 * strlen(path) + 1), *to = escaped;

	if (!escaped)
		return NULL;
	for (; *path; path++) {
		if (*path == ',')
			*to++ = ',';
		*to++ = *path;
	}
	*to = '\0';
	return escaped;
}

int devices__set_iommu(struct devices *d, const char *spec, unsigned int qemu_major,
		       struct error *err)
{
	const char *more, *translate;
	size_t len = strcspn(spec, ",");
	int code = 0;

	more = spec + len;
	d->qemu_major = qemu_major;
	if (!strncmp(spec, "intel", len) && len == 5) {
		code = strv__add(&d->qemu, "-device");
		code = code ?: strv__addf(&d->qemu, "intel-iommu,intremap=on%s", more);
		code = code ?: strv__add(&d->cmdline, "intel_iommu=on");
	} else if (!strncmp(spec, "amd", len) && len == 3) {
		/*
		 * Without these, newer QEMUs pass interrupts or all DMA by the translation. A
		 * device behind a root port is looked up by a bus number from before the guest gave
		 * it one: its DMA is lost (seen with 10.0).
		 */
		d->flat = true;
		translate = qemu_major >= 11   ? ",intremap=off,dma-remap=on"
			    : qemu_major == 10 ? ",intremap=off,pt=off"
					       : "";
		code = strv__add(&d->qemu, "-device");
		code = code ?: strv__addf(&d->qemu, "amd-iommu%s%s", translate, more);
	} else if (!strncmp(spec, "virtio", len) && len == 6) {
		code = strv__add(&d->qemu, "-device");
		code = code ?: strv__addf(&d->qemu, "virtio-iommu-pci%s", more);
		code = code ?: strv__add_all(&d->iommu_modules, "virtio_pci", "virtio_iommu", NULL);
	} else if ((!strncmp(spec, "ref", len) && len == 3) ||
		   (!strncmp(spec, "none", len) && len == 4)) {
		if (*more)
			return error__set(err, -EINVAL,
					  "--iommu %.*s takes no properties, but was given '%s'",
					  (int)len, spec, more + 1);
		d->ref = *spec == 'r';
	} else {
		return error__set(err, -EINVAL,
				  "no IOMMU '%s'; choose from ref, intel, amd, virtio and none",
				  spec);
	}
	return code ? devices__no_memory(err) : 0;
}

int devices__check_iommu(const char *spec, struct error *err)
{
	struct devices scratch = { 0 };
	int code = devices__set_iommu(&scratch, spec, 0, err);

	devices__free(&scratch);
	return code;
}

/* A sparse file that QEMU may write to. */
static int devices__add_disk(struct devices *d, const char *dir, struct error *err)
{
	char *path = NULL, *escaped = NULL;
	int fd = -1, code = 0;

	if (asprintf(&path, "%s/disk%u.img", dir, d->nr_disks) < 0)
		return devices__no_memory(err);
	fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, DISK_BYTES)) {
		code = error__set(err, -errno, "cannot make the throw-away disk %s: %s", path,
				  strerror(errno));
		goto out;
	}
	escaped = devices__escape(path);
	if (!escaped || strv__add(&d->qemu, "-drive") ||
	    strv__addf(&d->qemu, "file=%s,if=none,id=disk%u,format=raw,cache=unsafe", escaped,
		       d->nr_disks))
		code = devices__no_memory(err);
out:
	if (fd >= 0)
		close(fd);
	free(escaped);
	free(path);
	return code;
}

/* A user network: the guest reaches its gateway inside QEMU, and nothing beyond. */
static int devices__add_net(struct devices *d, struct error *err)
{
	if (strv__add(&d->qemu, "-netdev") ||
	    strv__addf(&d->qemu, "user,id=net%u,restrict=on,net=10.0.%u.0/24,ipv6=off", d->nr_nics,
		       d->nr_nics + 2))
		return devices__no_memory(err);
	return 0;
}

/* By this MAC address net_up() of init.sh knows the interface; the last byte is that of the
 * network, too. */
static void devices__nic_end(const struct devices *d, const char *more, char *end, size_t room)
{
	int used = snprintf(end, room, ",netdev=net%u", d->nr_nics);

	if (!strstr(more, ",mac="))
		snprintf(end + used, room - (size_t)used, ",mac=52:54:00:69:6f:%02x",
			 d->nr_nics + 2);
}

static bool names_backend(const char *properties)
{
	return strstr(properties, ",netdev=") || strstr(properties, ",drive=");
}

int devices__add(struct devices *d, const char *spec, const char *dir, struct error *err)
{
	size_t len = strcspn(spec, ",");
	const struct device_kind *kind = NULL;
	const char *more = spec + len;
	enum backend backend;
	char end[96] = "";
	int code = 0;

	for (size_t i = 0; i < sizeof(device_kinds) / sizeof(*device_kinds); i++)
		if (strlen(device_kinds[i].name) == len &&
		    !strncmp(spec, device_kinds[i].name, len))
			kind = &device_kinds[i];
	if (!kind) {
		if (strv__add_all(&d->qemu, "-device", spec, NULL))
			return devices__no_memory(err);
		return 0;
	}
	if (d->qemu_major < kind->since)
		return error__set(
			err, -ENODEV,
			"--device %s needs QEMU %u or later, this is QEMU %u (give --qemu "
			"debian:10, or the path of another)",
			kind->name, kind->since, d->qemu_major);
	backend = names_backend(more) ? BACKEND_NONE : kind->backend;
	if (backend == BACKEND_DISK) {
		code = devices__add_disk(d, dir, err);
		snprintf(end, sizeof(end), ",drive=disk%u", d->nr_disks++);
	} else if (backend == BACKEND_NET) {
		code = devices__add_net(d, err);
		devices__nic_end(d, more, end, sizeof(end));
		d->nr_nics++;
	}
	if (code)
		return code;
	if (kind->own_port && !d->flat && !strstr(more, ",bus=")) {
		size_t used = strlen(end);

		snprintf(end + used, sizeof(end) - used, ",bus=port%u", d->nr_ports);
		if (strv__add(&d->qemu, "-device") ||
		    strv__addf(&d->qemu, "pcie-root-port,id=port%u,chassis=%u", d->nr_ports,
			       d->nr_ports + 1))
			return devices__no_memory(err);
		d->nr_ports++;
	}
	if (strv__add(&d->qemu, "-device") || strv__addf(&d->qemu, "%s%s%s", kind->qemu, end, more))
		return devices__no_memory(err);
	/* One driver may serve several devices. */
	if (kind->driver && !strv__has(&d->drivers, kind->driver) &&
	    ((!strncmp(kind->driver, "virtio", 6) && strv__add(&d->drivers, "virtio_pci")) ||
	     strv__add(&d->drivers, kind->driver)))
		return devices__no_memory(err);
	return 0;
}

void devices__free(struct devices *d)
{
	strv__free(&d->qemu);
	strv__free(&d->cmdline);
	strv__free(&d->iommu_modules);
	strv__free(&d->drivers);
}
