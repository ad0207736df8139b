// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps and unmaps memory for a device through VFIO (type 1), as a virtual machine monitor does:
 * buffers of mixed sizes, several at once, unmapped one by one or many with one call. usage:
 * vfio_maps GROUP MAPS
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define SLOTS 16U
#define STEP  (4ULL << 20) /* between the addresses of two slots */
#define BASE  (1ULL << 32)

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "vfio_maps: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int container_of_group(const char *nr)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int container = open("/dev/vfio/vfio", O_RDWR), group;
	char path[64];

	if (container < 0)
		fail("/dev/vfio/vfio");
	snprintf(path, sizeof(path), "/dev/vfio/%s", nr);
	group = open(path, O_RDWR);
	if (group < 0)
		fail(path);
	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status) ||
	    !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		fail("the group isn't viable");
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		fail("VFIO_GROUP_SET_CONTAINER");
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		fail("VFIO_SET_IOMMU");
	return container;
}

static void unmap(int container, unsigned long long iova, unsigned long long size)
{
	struct vfio_iommu_type1_dma_unmap arg = { .argsz = sizeof(arg),
						  .iova = iova,
						  .size = size };

	if (ioctl(container, VFIO_IOMMU_UNMAP_DMA, &arg))
		fail("VFIO_IOMMU_UNMAP_DMA");
}

int main(int argc, char **argv)
{
	unsigned int maps = argc == 3 ? (unsigned int)strtoul(argv[2], NULL, 10) : 0;
	size_t sizes[] = { 4096, 16384, 65536, 2U << 20, 12288, 1U << 20 };
	char *memory = mmap(NULL, 2U << 20, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	int container;

	if (!maps) {
		fprintf(stderr, "usage: vfio_maps GROUP MAPS\n");
		return 2;
	}
	if (memory == MAP_FAILED)
		fail("mmap");
	container = container_of_group(argv[1]);
	for (unsigned int i = 0; i < maps; i += SLOTS) {
		for (unsigned int k = 0; k < SLOTS; k++) {
			struct vfio_iommu_type1_dma_map arg = {
				.argsz = sizeof(arg),
				.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
				.vaddr = (unsigned long)memory,
				.iova = BASE + k * STEP,
				.size = sizes[(i / SLOTS + k) % 6],
			};

			if (ioctl(container, VFIO_IOMMU_MAP_DMA, &arg))
				fail("VFIO_IOMMU_MAP_DMA");
		}
		/* every second round all at once */
		if (i / SLOTS % 2) {
			unmap(container, BASE, SLOTS * STEP);
			continue;
		}
		for (unsigned int k = 0; k < SLOTS; k++)
			unmap(container, BASE + k * STEP, sizes[(i / SLOTS + k) % 6]);
	}
	return 0;
}
