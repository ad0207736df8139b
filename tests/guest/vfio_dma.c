// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps pages for a device by VFIO's type 1 interface and unmaps them again: one by one, several at
 * once, and the rest by closing. It prints what it did, as facts: what the kernel said of it.
 *
 * usage: vfio_dma DEVICE PAGES [wait] [reset]
 * DEVICE: its name on the PCI bus; it must be bound to vfio-pci. PAGES: a multiple of 4. wait: with
 * all of them mapped, until there is a byte, or the end, on standard input.
 */
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
#include <unistd.h>

#define FIRST_IOVA 0x10000000ULL
#define PAGE       4096ULL
/* Pages apart from each other, so that the kernel can't join them. */
#define IOVA(i) (FIRST_IOVA + (uint64_t)(i)*2 * PAGE)

static void die(const char *what)
{
	printf("vfio_dma: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_group(const char *device)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", device);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		die(path);
	target[n] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%.32s", basename(target));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return fd;
}

static bool asked(int argc, char **argv, const char *what)
{
	for (int i = 3; i < argc; i++)
		if (!strcmp(argv[i], what))
			return true;
	return false;
}

static uint64_t unmap(int container, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap u = { .argsz = sizeof(u), .iova = iova, .size = size };

	if (ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u))
		die("unmap");
	return u.size;
}

int main(int argc, char **argv)
{
	unsigned int pages = argc > 2 ? (unsigned int)atoi(argv[2]) : 0;
	int container, group, device;
	uint64_t one_by_one = 0;
	char *memory;

	if (!pages || pages % 4) {
		printf("usage: vfio_dma DEVICE PAGES [wait] [reset]\n");
		return 2;
	}
	container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (container < 0)
		die("/dev/vfio/vfio");
	group = open_group(argv[1]);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		die("container");
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("type 1");
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[1]);
	if (device < 0)
		die(argv[1]);
	memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED)
		die("memory");
	for (unsigned int i = 0; i < pages; i++) {
		struct vfio_iommu_type1_dma_map m = {
			.argsz = sizeof(m),
			.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
			.vaddr = (uintptr_t)(memory + i * PAGE),
			.iova = IOVA(i),
			.size = PAGE,
		};

		if (ioctl(container, VFIO_IOMMU_MAP_DMA, &m))
			die("map");
	}
	printf("mapped_bytes %llu\n", pages * PAGE);
	fflush(stdout);
	if (asked(argc, argv, "wait"))
		getchar();
	for (unsigned int i = 0; i < pages / 2; i++)
		one_by_one += unmap(container, IOVA(i), PAGE);
	printf("unmapped_one_by_one %llu\n", (unsigned long long)one_by_one);
	printf("unmapped_at_once %llu\n",
	       (unsigned long long)unmap(container, IOVA(pages / 2), pages / 4 * 2 * PAGE));
	printf("left_to_close %llu\n", pages / 4 * PAGE);
	if (asked(argc, argv, "reset") && ioctl(device, VFIO_DEVICE_RESET))
		die("reset");
	return 0;
}
