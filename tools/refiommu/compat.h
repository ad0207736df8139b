/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between the kernels that the modules build for (6.1, 6.12, 7.2).
 * Each block says which kernel wants it and why; nothing else tests the version.
 */
#ifndef REFIOMMU_COMPAT_H
#define REFIOMMU_COMPAT_H

#include <linux/dma-map-ops.h>
#include <linux/gfp.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/version.h>

#define REFIOMMU_KERNEL_BEFORE(a, b) (LINUX_VERSION_CODE < KERNEL_VERSION(a, b, 0))

/* 6.1: domains are allocated by type and detached by hand, the driver installs dma-iommu itself. */
#define REFIOMMU_BUS_OPS REFIOMMU_KERNEL_BEFORE(6, 12)

/* 7.2: attach_dev() also gets the domain that the device leaves. */
#if REFIOMMU_KERNEL_BEFORE(7, 0)
#define REFIOMMU_ATTACH(name) int name(struct iommu_domain *domain, struct device *dev)
#else
#define REFIOMMU_ATTACH(name) \
	int name(struct iommu_domain *domain, struct device *dev, struct iommu_domain *old)
#endif

/* 6.1: iotlb_sync_map() cannot fail and returns nothing. */
#if REFIOMMU_KERNEL_BEFORE(6, 12)
typedef void refiommu_sync_map_t;
#define REFIOMMU_SYNC_MAP_RETURN(ret) ((void)(ret))
#else
typedef int refiommu_sync_map_t;
#define REFIOMMU_SYNC_MAP_RETURN(ret) return (ret)
#endif

/* Page requests: 6.1 has an event for faults of any kind, and page_response() may fail. */
#if REFIOMMU_KERNEL_BEFORE(6, 12)
typedef struct iommu_fault_event refiommu_page_event_t;
#define REFIOMMU_PAGE_RESPONSE(name)                                \
	int name(struct device *dev, struct iommu_fault_event *evt, \
		 struct iommu_page_response *resp)
#define REFIOMMU_PAGE_RESPONSE_RETURN return 0
#else
typedef struct iopf_fault refiommu_page_event_t;
#define REFIOMMU_PAGE_RESPONSE(name) \
	void name(struct device *dev, struct iopf_fault *evt, struct iommu_page_response *resp)
#define REFIOMMU_PAGE_RESPONSE_RETURN
#endif

/* 6.12: an operation lets go of a PASID; later the blocked domain is set there. */
#define REFIOMMU_REMOVE_PASID (!REFIOMMU_KERNEL_BEFORE(6, 12) && REFIOMMU_KERNEL_BEFORE(7, 0))

/* set_dev_pasid() also gets the PASID's former domain from 6.13 on, and late in the life of 6.12.
 */
#define REFIOMMU_SET_PASID(set, replace)                                                          \
	__builtin_choose_expr(__builtin_types_compatible_p(                                       \
				      typeof(((struct iommu_domain_ops *)NULL)->set_dev_pasid),   \
				      int (*)(struct iommu_domain *, struct device *, ioasid_t)), \
			      set, replace)

/* 6.12: platform drivers' remove() returns nothing (6.1: int, which the core ignores). */
#if REFIOMMU_KERNEL_BEFORE(6, 12)
typedef int refiommu_remove_t;
#define REFIOMMU_REMOVE_RETURN return 0
#else
typedef void refiommu_remove_t;
#define REFIOMMU_REMOVE_RETURN
#endif

/* 6.10 dropped the source argument of __assign_str(). */
#if REFIOMMU_KERNEL_BEFORE(6, 12)
#define refiommu_assign_str(field, src) __assign_str(field, src)
#else
#define refiommu_assign_str(field, src) __assign_str(field)
#endif

/*
 * Page-table pages. They may wait on gather->freelist, so they must be what the core expects there:
 * plain pages on 6.1, pages counted in two vmstat items on 6.12 (the core's helpers are private
 * inlines there), and pages of the iommu-pages allocator on 7.2 (exported, but declared in a header
 * of drivers/iommu only).
 */
#if REFIOMMU_KERNEL_BEFORE(7, 0)

static inline void refiommu_table_account(struct page *page, long n)
{
#if !REFIOMMU_KERNEL_BEFORE(6, 12)
	mod_node_page_state(page_pgdat(page), NR_IOMMU_PAGES, n);
	mod_node_page_state(page_pgdat(page), NR_SECONDARY_PAGETABLE, n);
#endif
}

static inline void *refiommu_page_alloc(gfp_t gfp)
{
	struct page *page = alloc_page((gfp & ~__GFP_HIGHMEM) | __GFP_ZERO);

	if (!page)
		return NULL;
	refiommu_table_account(page, 1);
	return page_address(page);
}

static inline void refiommu_page_free(void *table)
{
	refiommu_table_account(virt_to_page(table), -1);
	free_page((unsigned long)table);
}

static inline struct list_head *refiommu_gather_tables(struct iommu_iotlb_gather *gather)
{
	return &gather->freelist;
}

#else

void *iommu_alloc_pages_node_sz(int nid, gfp_t gfp, size_t size);
void iommu_free_pages(void *virt);

static inline void *refiommu_page_alloc(gfp_t gfp)
{
	return iommu_alloc_pages_node_sz(NUMA_NO_NODE, gfp & ~__GFP_HIGHMEM, PAGE_SIZE);
}

static inline void refiommu_page_free(void *table)
{
	iommu_free_pages(table);
}

/* The allocator keeps its list element where struct page keeps lru, and asserts so. */
static inline struct list_head *refiommu_gather_tables(struct iommu_iotlb_gather *gather)
{
	return &gather->freelist.pages;
}

#endif

/*
 * Ties a device that is not added yet to the IOMMU of fwnode. 6.1 also wants the ops. From 6.12 on
 * the core asserts a lock that modules cannot take; it guards against a concurrent probe, which a
 * device that is on no bus cannot have, so the assertion alone is switched off.
 */
static inline int refiommu_fwspec_init(struct device *dev, struct fwnode_handle *fwnode,
				       const struct iommu_ops *ops)
{
	int ret;

#if REFIOMMU_KERNEL_BEFORE(6, 12)
	ret = iommu_fwspec_init(dev, fwnode, ops);
#else
	lockdep_off();
	ret = iommu_fwspec_init(dev, fwnode);
	lockdep_on();
#endif
	return ret;
}

/* A domain for iommu_map() by hand: 6.1 takes the bus, later kernels the device (NULL, ERR_PTR). */
static inline struct iommu_domain *refiommu_unmanaged_alloc(struct device *dev)
{
#if REFIOMMU_KERNEL_BEFORE(6, 12)
	return iommu_domain_alloc(dev->bus) ?: ERR_PTR(-ENOMEM);
#else
	return iommu_paging_domain_alloc(dev);
#endif
}

/* 6.3 gave iommu_map() its allocation flags. */
static inline int refiommu_unmanaged_map(struct iommu_domain *domain, unsigned long iova,
					 phys_addr_t paddr, size_t size, int prot)
{
#if REFIOMMU_KERNEL_BEFORE(6, 12)
	return iommu_map(domain, iova, paddr, size, prot);
#else
	return iommu_map(domain, iova, paddr, size, prot, GFP_KERNEL);
#endif
}

/* 6.1: the driver installs dma-iommu on the device; later kernels do it in the core. */
static inline void refiommu_setup_dma(struct device *dev)
{
#if REFIOMMU_KERNEL_BEFORE(6, 12)
	iommu_setup_dma_ops(dev, 0, U64_MAX);
#endif
}

/* 6.1: unregistering leaves the buses with a pointer into this module. */
static inline void refiommu_forget_buses(const struct iommu_ops *ops)
{
#if REFIOMMU_KERNEL_BEFORE(6, 12)
	if (platform_bus_type.iommu_ops == ops)
		platform_bus_type.iommu_ops = NULL;
#ifdef CONFIG_PCI
	if (pci_bus_type.iommu_ops == ops)
		pci_bus_type.iommu_ops = NULL;
#endif
#endif
}

#endif
