/* SPDX-License-Identifier: GPL-2.0-only */
/* What sysfs knows of devices, groups and IOMMUs. sysfs is where it is mounted: "/sys". */
#ifndef IOMMUTOP_COLLECT_SYSFS_H
#define IOMMUTOP_COLLECT_SYSFS_H

#include <stddef.h>

#include "collect/facts.h"
#include "event.h"

/* Completes a device's event: driver bound now, requester id, PF of a VF. What sysfs doesn't say
 * (any more) stays as it is. */
void sysfs__device(struct iot_device *dev, const char *sysfs);

/*
 * Calls each() with first, last, kind and group of each region that the kernel reserves in the
 * domains of a group. Returns 0 also if there is no such group; else the first error of each().
 */
int sysfs__regions(const char *sysfs, __s32 group,
		   int (*each)(void *ctx, const struct iot_region *region), void *ctx);

/* The attributes "node.<n>=<its CPUs>"; none on kernels without NUMA. 0, or the error of add(). */
int sysfs__nodes(const char *sysfs, facts_add add, void *ctx);

/* The attributes "iommu.<name>=<what its driver says of it>". 0, or the error of add(). */
int sysfs__iommus(const char *sysfs, facts_add add, void *ctx);

/*
 * Calls each() with every name that drivers use in the kernel's log instead of their device's
 * ("nvme0", "eth0", "host0", "0:0:0:0", "ata1", "sda", "card0", "virtio0") and the device meant:
 * the nearest one above it that has an IOMMU group or is a PCI function. Returns 0, or the first
 * error of each().
 */
int sysfs__aliases(const char *sysfs, int (*each)(void *ctx, const char *name, const char *device),
		   void *ctx);

#endif
