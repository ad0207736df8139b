/* SPDX-License-Identifier: GPL-2.0-only */
/* A device that user space drives, bound to vfio-pci: by VFIO's type 1, or by iommufd. */
#ifndef TESTS_GUEST_VFIO_H
#define TESTS_GUEST_VFIO_H

#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdbool.h>

#include "iommufd.h"

/* From Linux 6.6 on (include/uapi/linux/vfio.h). */
#define FD_DEVICE_BIND _IO(VFIO_TYPE, VFIO_BASE + 18)
#define FD_DEVICE_PT   _IO(VFIO_TYPE, VFIO_BASE + 19)
struct fd_device_bind {
	uint32_t argsz, flags;
	int32_t iommufd;
	uint32_t devid;
};
struct fd_device_pt {
	uint32_t argsz, flags, pt;
};

struct vfio {
	int device;
	bool by_iommufd;
	int container, group; /* type 1 */
	struct iommufd fd;    /* iommufd */
};

static void vfio__open_type1(struct vfio *v, const char *device)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", device);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		guest__die(path);
	target[n] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%.32s", basename(target));
	v->container = guest__file("/dev/vfio/vfio");
	v->group = guest__file(path);
	if (ioctl(v->group, VFIO_GROUP_GET_STATUS, &status))
		guest__die(path);
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		errno = EBUSY;
		guest__die("another driver has a device of the group");
	}
	if (ioctl(v->group, VFIO_GROUP_SET_CONTAINER, &v->container))
		guest__die("VFIO_GROUP_SET_CONTAINER");
	if (ioctl(v->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		guest__die("VFIO_SET_IOMMU");
	v->device = ioctl(v->group, VFIO_GROUP_GET_DEVICE_FD, device);
	if (v->device < 0)
		guest__die("VFIO_GROUP_GET_DEVICE_FD");
}

static void vfio__open_iommufd(struct vfio *v, const char *device)
{
	struct fd_device_bind bind = { .argsz = sizeof(bind) };
	struct fd_device_pt pt = { .argsz = sizeof(pt) };
	char path[PATH_MAX], node[64] = "";
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", device);
	dir = opendir(path);
	if (!dir)
		guest__die(path);
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.')
			snprintf(node, sizeof(node), "/dev/vfio/devices/%.32s", d->d_name);
	closedir(dir);
	iommufd__open(&v->fd);
	v->device = guest__file(node);
	bind.iommufd = v->fd.fd;
	if (ioctl(v->device, FD_DEVICE_BIND, &bind))
		guest__die("VFIO_DEVICE_BIND_IOMMUFD");
	pt.pt = v->fd.ioas;
	if (ioctl(v->device, FD_DEVICE_PT, &pt))
		guest__die("VFIO_DEVICE_ATTACH_IOMMUFD_PT");
}

/* Device: its name on the PCI bus. It and its address space are there until the program ends. */
static void vfio__open(struct vfio *v, const char *device, bool by_iommufd)
{
	v->by_iommufd = by_iommufd;
	if (by_iommufd)
		vfio__open_iommufd(v, device);
	else
		vfio__open_type1(v, device);
}

static void vfio__map(const struct vfio *v, void *memory, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = size,
	};

	if (v->by_iommufd)
		iommufd__map(&v->fd, memory, iova, size);
	else if (ioctl(v->container, VFIO_IOMMU_MAP_DMA, &map))
		guest__die("VFIO_IOMMU_MAP_DMA");
}

/* All mappings that lie in there. How many bytes the kernel says that it unmapped. */
static uint64_t vfio__unmap(const struct vfio *v, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof(unmap),
						    .iova = iova,
						    .size = size };

	if (v->by_iommufd)
		return iommufd__unmap(&v->fd, iova, size);
	if (ioctl(v->container, VFIO_IOMMU_UNMAP_DMA, &unmap))
		guest__die("VFIO_IOMMU_UNMAP_DMA");
	return unmap.size;
}

/* The word is among the arguments from the third on. */
static bool vfio__asked(int argc, char **argv, const char *word)
{
	for (int i = 3; i < argc; i++)
		if (!strcmp(argv[i], word))
			return true;
	return false;
}

#endif
