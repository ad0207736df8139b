// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps pages for a device, by VFIO's type 1 or by iommufd, and unmaps them again: one by one,
 * several at once, and the rest by closing. It prints what it did, as facts: what the kernel said
 * of it.
 *
 * usage: vfio_dma DEVICE PAGES [iommufd] [wait] [reset] [hot-reset]
 * DEVICE: its name on the PCI bus; it must be bound to vfio-pci. PAGES: a multiple of 4. wait: with
 * all of them mapped, until there is a byte, or the end, on standard input.
 */
#include "vfio.h"

#define FIRST_IOVA 0x10000000ULL
/* Pages apart from each other, so that the kernel can't join them. */
#define IOVA(i) (FIRST_IOVA + (uint64_t)(i)*2 * GUEST_PAGE)

/* All functions of the slot or bus that the device is on. All of them must be of its group. Type 1
 * only. */
static void hot_reset(const struct vfio *v)
{
	struct {
		struct vfio_pci_hot_reset reset;
		int32_t group;
	} all = { .reset = { .argsz = sizeof(all), .count = 1 }, .group = v->group };

	if (ioctl(v->device, VFIO_DEVICE_PCI_HOT_RESET, &all))
		guest__die("VFIO_DEVICE_PCI_HOT_RESET");
}

int main(int argc, char **argv)
{
	unsigned int pages = argc > 2 ? (unsigned int)atoi(argv[2]) : 0;
	uint64_t one_by_one = 0, at_once;
	struct vfio v;
	char *memory;

	if (!pages || pages % 4) {
		fprintf(stderr,
			"usage: vfio_dma DEVICE PAGES [iommufd] [wait] [reset] [hot-reset]\n");
		return 2;
	}
	vfio__open(&v, argv[1], vfio__asked(argc, argv, "iommufd"));
	memory = guest__memory(pages * GUEST_PAGE);
	for (unsigned int i = 0; i < pages; i++)
		vfio__map(&v, memory + i * GUEST_PAGE, IOVA(i), GUEST_PAGE);
	printf("mapped_bytes %llu\n", pages * GUEST_PAGE);
	fflush(stdout);
	if (vfio__asked(argc, argv, "wait"))
		getchar();
	for (unsigned int i = 0; i < pages / 2; i++)
		one_by_one += vfio__unmap(&v, IOVA(i), GUEST_PAGE);
	printf("unmapped_one_by_one %llu\n", (unsigned long long)one_by_one);
	at_once = vfio__unmap(&v, IOVA(pages / 2), pages / 4 * 2 * GUEST_PAGE);
	printf("unmapped_at_once %llu\n", (unsigned long long)at_once);
	printf("left_to_close %llu\n", pages / 4 * GUEST_PAGE);
	if (vfio__asked(argc, argv, "reset") && ioctl(v.device, VFIO_DEVICE_RESET))
		guest__die("reset");
	if (vfio__asked(argc, argv, "hot-reset"))
		hot_reset(&v);
	return 0;
}
