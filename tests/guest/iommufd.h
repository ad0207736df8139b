/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address spaces of /dev/iommu. The headers of Linux 6.1 lack it, so it stands here as the kernel
 * has it since 6.2 (include/uapi/linux/iommufd.h), under names of our own: newer headers have
 * theirs.
 */
#ifndef TESTS_GUEST_IOMMUFD_H
#define TESTS_GUEST_IOMMUFD_H

#include <sys/resource.h>

#include "guest.h"

#define FD_IOAS_ALLOC _IO(';', 0x81)
#define FD_IOAS_MAP   _IO(';', 0x85)
#define FD_IOAS_UNMAP _IO(';', 0x86)
#define FD_FIXED_IOVA 1U
#define FD_WRITE      2U
#define FD_READ       4U
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

struct iommufd {
	int fd;
	uint32_t ioas; /* number of the address space */
};

/* Both are there until the program ends. */
static void iommufd__open(struct iommufd *i)
{
	struct rlimit pinned = { RLIM_INFINITY, RLIM_INFINITY };
	struct fd_ioas_alloc alloc = { .size = sizeof(alloc) };

	if (setrlimit(RLIMIT_MEMLOCK, &pinned)) /* each map is counted, whosever pages */
		guest__die("RLIMIT_MEMLOCK");
	i->fd = guest__file("/dev/iommu");
	if (ioctl(i->fd, FD_IOAS_ALLOC, &alloc))
		guest__die("IOMMU_IOAS_ALLOC");
	i->ioas = alloc.ioas;
}

static void iommufd__map(const struct iommufd *i, void *memory, uint64_t iova, uint64_t size)
{
	struct fd_ioas_map map = {
		.size = sizeof(map),
		.flags = FD_FIXED_IOVA | FD_READ | FD_WRITE,
		.ioas = i->ioas,
		.user_va = (uintptr_t)memory,
		.length = size,
		.iova = iova,
	};

	if (ioctl(i->fd, FD_IOAS_MAP, &map))
		guest__die("IOMMU_IOAS_MAP");
}

/* All mappings that lie in there. How many bytes the kernel says that it unmapped. */
static uint64_t iommufd__unmap(const struct iommufd *i, uint64_t iova, uint64_t size)
{
	struct fd_ioas_unmap unmap = {
		.size = sizeof(unmap), .ioas = i->ioas, .iova = iova, .length = size
	};

	if (ioctl(i->fd, FD_IOAS_UNMAP, &unmap))
		guest__die("IOMMU_IOAS_UNMAP");
	return unmap.length;
}

#endif
