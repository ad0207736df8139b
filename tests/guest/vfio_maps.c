// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps and unmaps memory for a device, by VFIO's type 1 or by iommufd, as a virtual machine monitor
 * does: buffers of mixed sizes, several at once, unmapped one by one or many with one call.
 * usage: vfio_maps DEVICE MAPS [iommufd]   DEVICE: its name on the PCI bus
 */
#include "vfio.h"

#define SLOTS 16U
#define STEP  (4ULL << 20) /* between the addresses of two slots */
#define BASE  (1ULL << 32)

int main(int argc, char **argv)
{
	static const uint64_t sizes[] = { 4096, 16384, 65536, 2U << 20, 12288, 1U << 20 };
	unsigned int maps = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 10) : 0;
	struct vfio v;
	void *memory;

	if (!maps) {
		fprintf(stderr, "usage: vfio_maps DEVICE MAPS [iommufd]\n");
		return 2;
	}
	vfio__open(&v, argv[1], vfio__asked(argc, argv, "iommufd"));
	memory = guest__memory(2U << 20);
	for (unsigned int i = 0; i < maps; i += SLOTS) {
		for (unsigned int k = 0; k < SLOTS; k++)
			vfio__map(&v, memory, BASE + k * STEP, sizes[(i / SLOTS + k) % 6]);
		/* every second round all at once */
		if (i / SLOTS % 2) {
			vfio__unmap(&v, BASE, SLOTS * STEP);
			continue;
		}
		for (unsigned int k = 0; k < SLOTS; k++)
			vfio__unmap(&v, BASE + k * STEP, sizes[(i / SLOTS + k) % 6]);
	}
	return 0;
}
