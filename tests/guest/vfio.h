/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device that user space drives, bound to vfio-pci: by VFIO's type 1, or by iommufd. For programs
 * of one file; whatever fails ends the program, and says what and why on standard error.
 */
#ifndef TESTS_GUEST_VFIO_H
#define TESTS_GUEST_VFIO_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define VFIO_PAGE 4096ULL

/*
 * What the headers of Linux 6.1 lack, as the kernel has it since 6.2 (include/uapi/linux/iommufd.h)
 * and 6.6 (include/uapi/linux/vfio.h). Names of our own: newer headers have theirs.
 */
#define FD_IOAS_ALLOC  _IO(';', 0x81)
#define FD_IOAS_MAP    _IO(';', 0x85)
#define FD_IOAS_UNMAP  _IO(';', 0x86)
#define FD_FIXED_IOVA  1U
#define FD_WRITE       2U
#define FD_READ        4U
#define FD_DEVICE_BIND _IO(VFIO_TYPE, VFIO_BASE + 18)
#define FD_DEVICE_PT   _IO(VFIO_TYPE, VFIO_BASE + 19)
struct fd_ioas_alloc {
	uint32_t size, flags, ioas;
};
struct fd_ioas_map {
	uint32_t size, flags, ioas, reserved;
	uint64_t user_va, length, iova;
};
struct fd_ioas_unmap {
	uint32_t size, ioas;
	uint64_t iova, length;
};
struct fd_device_bind {
	uint32_t argsz, flags;
	int32_t iommufd;
	uint32_t devid;
};
struct fd_device_pt {
	uint32_t argsz, flags, pt;
};

struct vfio {
	int space;     /* the container, or /dev/iommu */
	int device;    /* -1 until it is opened */
	bool iommufd;  /* else type 1 */
	uint32_t ioas; /* iommufd: number of the address space */
};

static _Noreturn void vfio__die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

static int vfio__file(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		vfio__die(path);
	return fd;
}

static void vfio__open_type1(struct vfio *v, const char *device)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n;
	int group;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", device);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		vfio__die(path);
	target[n] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%.32s", basename(target));
	v->space = vfio__file("/dev/vfio/vfio");
	group = vfio__file(path);
	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status))
		vfio__die(path);
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		errno = EBUSY;
		vfio__die("another driver has a device of the group");
	}
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &v->space))
		vfio__die("VFIO_GROUP_SET_CONTAINER");
	if (ioctl(v->space, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		vfio__die("VFIO_SET_IOMMU");
	v->device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device);
	if (v->device < 0)
		vfio__die("VFIO_GROUP_GET_DEVICE_FD");
}

static void vfio__open_iommufd(struct vfio *v, const char *device)
{
	struct rlimit pinned = { RLIM_INFINITY, RLIM_INFINITY };
	struct fd_device_bind bind = { .argsz = sizeof(bind) };
	struct fd_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct fd_device_pt pt = { .argsz = sizeof(pt) };
	char path[PATH_MAX], node[64] = "";
	struct dirent *d;
	DIR *dir;

	if (setrlimit(RLIMIT_MEMLOCK, &pinned)) /* each map is counted, whosever pages */
		vfio__die("RLIMIT_MEMLOCK");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", device);
	dir = opendir(path);
	if (!dir)
		vfio__die(path);
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.')
			snprintf(node, sizeof(node), "/dev/vfio/devices/%.32s", d->d_name);
	closedir(dir);
	v->space = vfio__file("/dev/iommu");
	v->device = vfio__file(node);
	bind.iommufd = v->space;
	if (ioctl(v->device, FD_DEVICE_BIND, &bind))
		vfio__die("VFIO_DEVICE_BIND_IOMMUFD");
	if (ioctl(v->space, FD_IOAS_ALLOC, &alloc))
		vfio__die("IOMMU_IOAS_ALLOC");
	v->ioas = pt.pt = alloc.ioas;
	if (ioctl(v->device, FD_DEVICE_PT, &pt))
		vfio__die("VFIO_DEVICE_ATTACH_IOMMUFD_PT");
}

/* Device: its name on the PCI bus. It and its address space are there until the program ends. */
static void vfio__open(struct vfio *v, const char *device, bool iommufd)
{
	v->iommufd = iommufd;
	if (iommufd)
		vfio__open_iommufd(v, device);
	else
		vfio__open_type1(v, device);
}

static void vfio__map(const struct vfio *v, void *memory, uint64_t iova, uint64_t size)
{
	struct fd_ioas_map fd = {
		.size = sizeof(fd),
		.flags = FD_FIXED_IOVA | FD_READ | FD_WRITE,
		.ioas = v->ioas,
		.user_va = (uintptr_t)memory,
		.length = size,
		.iova = iova,
	};
	struct vfio_iommu_type1_dma_map type1 = {
		.argsz = sizeof(type1),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = size,
	};

	if (v->iommufd ? ioctl(v->space, FD_IOAS_MAP, &fd)
		       : ioctl(v->space, VFIO_IOMMU_MAP_DMA, &type1))
		vfio__die("map");
}

/* All mappings that lie in there. How many bytes the kernel says that it unmapped. */
static uint64_t vfio__unmap(const struct vfio *v, uint64_t iova, uint64_t size)
{
	struct fd_ioas_unmap fd = {
		.size = sizeof(fd), .ioas = v->ioas, .iova = iova, .length = size
	};
	struct vfio_iommu_type1_dma_unmap type1 = { .argsz = sizeof(type1),
						    .iova = iova,
						    .size = size };

	if (v->iommufd ? ioctl(v->space, FD_IOAS_UNMAP, &fd)
		       : ioctl(v->space, VFIO_IOMMU_UNMAP_DMA, &type1))
		vfio__die("unmap");
	return v->iommufd ? fd.length : type1.size;
}

static void *vfio__memory(uint64_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		vfio__die("memory");
	return memory;
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
