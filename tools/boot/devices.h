/* SPDX-License-Identifier: GPL-2.0-only */
/* What --iommu and --device mean: QEMU's arguments, words of the kernel's command line, modules to
 * load. */
#ifndef IOMMUTOP_BOOT_DEVICES_H
#define IOMMUTOP_BOOT_DEVICES_H

#include <stdbool.h>

#include "boot/strv.h"
#include "util/error.h"

struct devices {
	struct strv qemu;          /* arguments of QEMU */
	struct strv cmdline;       /* words for the kernel */
	struct strv iommu_modules; /* to load before any driver */
	struct strv drivers;       /* modules of the devices' drivers */
	bool ref;                  /* the reference IOMMU is asked for */
	bool flat;                 /* devices behind root ports would not be translated */
	unsigned int qemu_major;
	unsigned int nr_nics;
	unsigned int nr_disks;
	unsigned int nr_ports;
};

/*
 * "none", "ref", "intel", "amd" or "virtio", with properties for QEMU's device behind a comma
 * ("intel,caching-mode=on"). To be called once, before the devices. qemu_major chooses what an AMD
 * IOMMU needs. 0 or negative errno.
 */
int devices__set_iommu(struct devices *d, const char *spec, unsigned int qemu_major,
		       struct error *err);

/* Whether that is an IOMMU: what can be said before the first of several boots. Which properties
 * there are only QEMU knows. 0 or negative errno. */
int devices__check_iommu(const char *spec, struct error *err);

/*
 * A name of the table in devices.c, with properties for QEMU behind a comma, or whatever else
 * QEMU's -device takes. Backends (network, throw-away disk in dir) are added to the names of the
 * table, unless a property names one.
 */
int devices__add(struct devices *d, const char *spec, const char *dir, struct error *err);

/* A file name as part of a QEMU option: commas doubled. The caller frees it; NULL if out of memory.
 */
char *devices__escape(const char *path);

void devices__free(struct devices *d);

#endif
