// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device of the IOMMU that the kernel keeps for iommufd's own tests (CONFIG_IOMMUFD_TEST), as a
 * virtual machine monitor sets one up: first in an address space, then behind a virtual IOMMU, in a
 * nested domain. It prints what it did, as facts.
 *
 * usage: iommufd_mock PAGES INVALIDATIONS
 * It waits for a byte, or the end, on standard input before it makes the virtual IOMMU, and again
 * when the device is behind that.
 */
#include "iommufd.h"

/* include/uapi/linux/iommufd.h of Linux 6.13 */
#define FD_HWPT_ALLOC      _IO(';', 0x89)
#define FD_HWPT_INVALIDATE _IO(';', 0x8d)
#define FD_VIOMMU_ALLOC    _IO(';', 0x90)
#define FD_VDEVICE_ALLOC   _IO(';', 0x91)
#define FD_NEST_PARENT     1U
struct fd_hwpt_alloc {
	uint32_t size, flags, dev, pt, hwpt, reserved, data_type, data_len;
	uint64_t data;
	uint32_t fault, reserved2;
};
struct fd_hwpt_invalidate {
	uint32_t size, hwpt;
	uint64_t data;
	uint32_t data_type, entry_len, entry_num, reserved;
};
struct fd_viommu_alloc {
	uint32_t size, flags, type, dev, hwpt, viommu, data_len, reserved;
	uint64_t data;
};

struct fd_vdevice_alloc {
	uint32_t size, viommu, dev, vdevice;
	uint64_t virt_id;
};

/* drivers/iommu/iommufd/iommufd_test.h; the union's longest member has 48 bytes */
#define FD_TEST         _IO(';', 0xa0)
#define MOCK_DOMAIN     2U
#define MOCK_REPLACE    10U
#define MOCK_NESTED     0xdeadU
#define MOCK_VIOMMU     0xdeadbeefU
#define MOCK_INVALIDATE 0xdeadbeefU
#define MOCK_FIRST_IOVA 0x1000000ULL
struct fd_test {
	uint32_t size, op, id, reserved;
	union {
		struct {
			uint32_t stdev, hwpt, idev;
		} domain;
		uint32_t replace;
		uint64_t longest[6];
	};
	uint32_t last;
};

static void call(const struct iommufd *i, unsigned long what, void *arg, const char *name)
{
	if (ioctl(i->fd, what, arg))
		guest__die(name);
}

static uint32_t page_table(const struct iommufd *i, uint32_t dev, uint32_t pt, uint32_t flags,
			   uint32_t data_type)
{
	uint32_t data[2] = { 0xbadbeef, 0 };
	struct fd_hwpt_alloc alloc = { .size = sizeof(alloc),
				       .flags = flags,
				       .dev = dev,
				       .pt = pt,
				       .data_type = data_type,
				       .data_len = data_type ? sizeof(data) : 0,
				       .data = data_type ? (uintptr_t)data : 0 };

	call(i, FD_HWPT_ALLOC, &alloc, "IOMMU_HWPT_ALLOC");
	return alloc.hwpt;
}

static void stop(const char *fact)
{
	printf("%s\n", fact);
	fflush(stdout);
	getchar();
}

int main(int argc, char **argv)
{
	unsigned int pages = argc == 3 ? (unsigned int)atoi(argv[1]) : 0;
	unsigned int invalidations = argc == 3 ? (unsigned int)atoi(argv[2]) : 0;
	uint32_t forget[2] = { 0, 0 }; /* flags, and which entry */
	struct fd_test device = { .size = sizeof(device), .op = MOCK_DOMAIN };
	struct fd_test replace = { .size = sizeof(replace), .op = MOCK_REPLACE };
	struct fd_viommu_alloc viommu = { .size = sizeof(viommu), .type = MOCK_VIOMMU };
	struct fd_vdevice_alloc vdevice = { .size = sizeof(vdevice), .virt_id = 7 };
	struct fd_hwpt_invalidate invalidate = { .size = sizeof(invalidate),
						 .data = (uintptr_t)forget,
						 .data_type = MOCK_INVALIDATE,
						 .entry_len = sizeof(forget) };
	struct iommufd i;

	if (!pages) {
		fprintf(stderr, "usage: iommufd_mock PAGES INVALIDATIONS\n");
		return 2;
	}
	iommufd__open(&i);
	device.id = i.ioas;
	call(&i, FD_TEST, &device, "IOMMU_TEST_OP_MOCK_DOMAIN");
	iommufd__map(&i, guest__memory(pages * GUEST_PAGE), MOCK_FIRST_IOVA, pages * GUEST_PAGE);
	stop("mapped");
	viommu.dev = device.domain.idev;
	viommu.hwpt = page_table(&i, viommu.dev, i.ioas, FD_NEST_PARENT, 0);
	call(&i, FD_VIOMMU_ALLOC, &viommu, "IOMMU_VIOMMU_ALLOC");
	vdevice.viommu = viommu.viommu;
	vdevice.dev = viommu.dev;
	call(&i, FD_VDEVICE_ALLOC, &vdevice, "IOMMU_VDEVICE_ALLOC");
	replace.id = device.domain.stdev;
	replace.replace = invalidate.hwpt =
		page_table(&i, viommu.dev, viommu.viommu, 0, MOCK_NESTED);
	call(&i, FD_TEST, &replace, "IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE");
	stop("nested");
	for (unsigned int n = 0; n < invalidations; n++) {
		invalidate.entry_num = 1;
		call(&i, FD_HWPT_INVALIDATE, &invalidate, "IOMMU_HWPT_INVALIDATE");
	}
	printf("invalidations %u\n", invalidations);
	printf("unmapped_bytes %llu\n",
	       (unsigned long long)iommufd__unmap(&i, MOCK_FIRST_IOVA, pages * GUEST_PAGE));
	return 0;
}
