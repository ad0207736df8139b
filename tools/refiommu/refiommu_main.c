// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reference IOMMU: a software IOMMU registered like any other, for devices that its companion
 * refdma.ko creates. This file has the driver's face to the core: registration, endpoints, groups.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/property.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "refiommu_priv.h"

static unsigned int per_group = 1;
module_param(per_group, uint, 0444);
MODULE_PARM_DESC(per_group, "How many consecutive endpoints share an IOMMU group (default 1)");
static bool deferred_flush = true;
module_param(deferred_flush, bool, 0644);
MODULE_PARM_DESC(deferred_flush,
		 "Claim IOMMU_CAP_DEFERRED_FLUSH (on 6.1: accept DMA-FQ domains) (default Y)");
static char *def_domain_type = "auto";
module_param(def_domain_type, charp, 0444);
MODULE_PARM_DESC(
	def_domain_type,
	"What def_domain_type answers: auto (not offered), dma or identity (default auto)");
static char *reserved = "";
module_param(reserved, charp, 0444);
MODULE_PARM_DESC(reserved, "Addresses FIRST-LAST that every device has reserved (default none)");
static char *msi = "";
module_param(msi, charp, 0444);
MODULE_PARM_DESC(msi, "Addresses FIRST-LAST that are every device's MSI window (default none)");

struct refiommu_unit refiommu = {
	.lock = __MUTEX_INITIALIZER(refiommu.lock),
	.domains = LIST_HEAD_INIT(refiommu.domains),
	.endpoints = LIST_HEAD_INIT(refiommu.endpoints),
	.hw_lock = __SPIN_LOCK_UNLOCKED(refiommu.hw_lock),
};

DEFINE_PER_CPU(struct refiommu_stats, refiommu_unit_stats);

static const struct fwnode_operations fwnode_ops;
static struct fwnode_handle fwnode;
static struct iommu_ops ops;
static int def_type;

bool refiommu_may_defer(void)
{
	return refiommu_flush_all && READ_ONCE(deferred_flush);
}

static bool refiommu_capable(struct device *dev, enum iommu_cap cap)
{
	switch (cap) {
	case IOMMU_CAP_CACHE_COHERENCY:
		return true;
#if !REFIOMMU_BUS_OPS
	case IOMMU_CAP_DEFERRED_FLUSH:
		return refiommu_may_defer();
#endif
	default:
		return false;
	}
}

static int refiommu_def_domain_type(struct device *dev)
{
	return def_type;
}

/* --- reserved regions ------------------------------------------------------------------------- */

static struct {
	char **text; /* the parameter */
	const char *name;
	enum iommu_resv_type type;
	u64 first, last; /* whole pages */
} regions[] = {
	{ &reserved, "reserved", IOMMU_RESV_RESERVED },
	{ &msi, "msi", IOMMU_RESV_MSI },
};

static void refiommu_get_resv_regions(struct device *dev, struct list_head *head)
{
	struct iommu_resv_region *region;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(regions); i++) {
		if (!**regions[i].text)
			continue;
		region = iommu_alloc_resv_region(regions[i].first,
						 regions[i].last - regions[i].first + 1, 0,
						 regions[i].type, GFP_KERNEL);
		if (region)
			list_add_tail(&region->list, head);
	}
}

static int refiommu_check_regions(void)
{
	unsigned int i;
	int end;

	for (i = 0; i < ARRAY_SIZE(regions); i++) {
		const char *text = *regions[i].text;

		if (!*text)
			continue;
		if (sscanf(text, "%llx-%llx%n", &regions[i].first, &regions[i].last, &end) != 2 ||
		    text[end] || regions[i].first > regions[i].last ||
		    !PAGE_ALIGNED(regions[i].first) || !PAGE_ALIGNED(regions[i].last + 1)) {
			pr_err("%s=%s: must be FIRST-LAST in hexadecimal, whole pages of 4 KiB, as in fee00000-feefffff\n",
			       regions[i].name, text);
			return -EINVAL;
		}
		ops.get_resv_regions = refiommu_get_resv_regions;
	}
	return 0;
}

/* --- endpoints and groups --------------------------------------------------------------------- */

int refiommu_endpoint_init(struct device *dev, u32 id)
{
	int ret;

	if (id >= REFIOMMU_MAX_ENDPOINTS)
		return -EINVAL;
	ret = refiommu_fwspec_init(dev, &fwnode, &ops);
	if (!ret)
		ret = iommu_fwspec_add_ids(dev, &id, 1);
	if (ret)
		refiommu_endpoint_undo(dev);
	return ret;
}
EXPORT_SYMBOL_GPL(refiommu_endpoint_init);

void refiommu_endpoint_undo(struct device *dev)
{
	struct dev_iommu *param = dev->iommu;

	/* The core frees this when a device leaves its bus, but this one never got onto one. */
	if (!param)
		return;
	dev->iommu = NULL;
	if (param->fwspec)
		fwnode_handle_put(param->fwspec->iommu_fwnode);
	kfree(param->fwspec);
	kfree(param);
}
EXPORT_SYMBOL_GPL(refiommu_endpoint_undo);

static struct iommu_device *refiommu_probe_device(struct device *dev)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	struct refiommu_endpoint *ep;

	/* On 6.1 the core offers every device of the platform and PCI buses. */
	if (!fwspec || fwspec->iommu_fwnode != &fwnode || fwspec->num_ids != 1)
		return ERR_PTR(-ENODEV);
	ep = kzalloc(sizeof(*ep), GFP_KERNEL);
	if (!ep)
		return ERR_PTR(-ENOMEM);
	ep->dev = dev;
	ep->id = fwspec->ids[0];
	dev_iommu_priv_set(dev, ep);
	mutex_lock(&refiommu.lock);
	list_add_tail(&ep->node, &refiommu.endpoints);
	mutex_unlock(&refiommu.lock);
	return &refiommu.iommu;
}

static void refiommu_release_device(struct device *dev)
{
	struct refiommu_endpoint *ep = dev_iommu_priv_get(dev);

	refiommu_endpoint_detach(ep);
	mutex_lock(&refiommu.lock);
	list_del(&ep->node);
	mutex_unlock(&refiommu.lock);
	kfree(ep);
}

static void refiommu_probe_finalize(struct device *dev)
{
	refiommu_setup_dma(dev);
}

/* The group that an endpoint's neighbour has already, or a new one. */
static struct iommu_group *refiommu_device_group(struct device *dev)
{
	struct refiommu_endpoint *self = dev_iommu_priv_get(dev), *ep;
	struct iommu_group *group = NULL;

	mutex_lock(&refiommu.lock);
	list_for_each_entry(ep, &refiommu.endpoints, node) {
		if (ep == self || ep->id / per_group != self->id / per_group)
			continue;
		group = iommu_group_get(ep->dev);
		if (group)
			break;
	}
	mutex_unlock(&refiommu.lock);
	return group ?: generic_device_group(dev);
}

void refiommu_flushes_of(struct device *dev, struct refiommu_flushes *out)
{
	struct refiommu_endpoint *ep = dev_iommu_priv_get(dev);
	unsigned long flags;

	memset(out, 0, sizeof(*out));
	spin_lock_irqsave(&refiommu.hw_lock, flags);
	if (ep->dom) {
		out->started = atomic64_read(&ep->dom->flush_started);
		out->finished = atomic64_read(&ep->dom->flush_finished);
		out->lazy = ep->dom->domain.type == IOMMU_DOMAIN_DMA_FQ;
		refiommu_invq_advance();
		out->in_flight = refiommu_invq_busy(ep->dom);
	}
	spin_unlock_irqrestore(&refiommu.hw_lock, flags);
}
EXPORT_SYMBOL_GPL(refiommu_flushes_of);

void refiommu_hold_flushes(struct device *dev, unsigned int ms)
{
	struct refiommu_endpoint *ep = dev_iommu_priv_get(dev);
	unsigned long flags;

	spin_lock_irqsave(&refiommu.hw_lock, flags);
	refiommu_invq_hold(ep->dom, ms ? ktime_get_mono_fast_ns() + ms * (u64)NSEC_PER_MSEC : 0);
	spin_unlock_irqrestore(&refiommu.hw_lock, flags);
}
EXPORT_SYMBOL_GPL(refiommu_hold_flushes);

/* --- the driver ------------------------------------------------------------------------------- */

#if REFIOMMU_REMOVE_PASID
static void refiommu_remove_dev_pasid(struct device *dev, ioasid_t pasid,
				      struct iommu_domain *domain)
{
}
#endif

static struct iommu_ops ops = {
	.capable = refiommu_capable,
	.probe_device = refiommu_probe_device,
	.release_device = refiommu_release_device,
	.probe_finalize = refiommu_probe_finalize,
	.device_group = refiommu_device_group,
	.default_domain_ops = &refiommu_dma_ops,
	.page_response = refiommu_page_response,
#if REFIOMMU_REMOVE_PASID
	.remove_dev_pasid = refiommu_remove_dev_pasid,
#endif
	.owner = THIS_MODULE,
#if REFIOMMU_BUS_OPS
	.domain_alloc = refiommu_domain_alloc,
	.pgsize_bitmap = SZ_4K | SZ_2M,
#else
	.domain_alloc_paging = refiommu_domain_alloc_paging,
	.identity_domain = &refiommu_identity_domain,
	.blocked_domain = &refiommu_blocked_domain,
	.release_domain = &refiommu_blocked_domain,
#endif
};

/* Only so that messages of the IOMMU carry its name as those of real ones do. */
static struct platform_driver refiommu_driver = {
	.driver = { .name = "refiommu" },
};

static int refiommu_check_params(void)
{
	if (!per_group) {
		pr_err("per_group=0: a group needs at least one endpoint\n");
		return -EINVAL;
	}
	if (!strcmp(def_domain_type, "dma")) {
		def_type = IOMMU_DOMAIN_DMA;
	} else if (!strcmp(def_domain_type, "identity")) {
		def_type = IOMMU_DOMAIN_IDENTITY;
	} else if (strcmp(def_domain_type, "auto")) {
		pr_err("def_domain_type=%s: must be auto, dma or identity\n", def_domain_type);
		return -EINVAL;
	}
	if (def_type)
		ops.def_domain_type = refiommu_def_domain_type;
	return 0;
}

static int __init refiommu_init(void)
{
	const struct platform_device_info info = {
		.name = "refiommu",
		.id = 0,
		.fwnode = &fwnode,
	};
	int ret;

	ret = refiommu_check_params() ?: refiommu_check_regions();
	if (ret)
		return ret;
	ret = refiommu_flush_init();
	if (ret)
		return ret;
	ret = refiommu_tlb_init();
	if (ret)
		goto out_flush;
	ret = refiommu_prq_init();
	if (ret)
		goto out_tlb;
	refiommu.iommu.max_pasids = BIT(20);
	refiommu_domain_init();
	fwnode_init(&fwnode, &fwnode_ops);

	ret = platform_driver_register(&refiommu_driver);
	if (ret)
		goto out_prq;
	refiommu.pdev = platform_device_register_full(&info);
	if (IS_ERR(refiommu.pdev)) {
		ret = PTR_ERR(refiommu.pdev);
		goto out_driver;
	}
	ret = iommu_device_sysfs_add(&refiommu.iommu, &refiommu.pdev->dev, NULL, "refiommu0");
	if (ret)
		goto out_device;
	ret = iommu_device_register(&refiommu.iommu, &ops, &refiommu.pdev->dev);
	if (ret == -EBUSY)
		pr_err("another IOMMU driver is active, and this kernel takes only one: boot it without an IOMMU or with intel_iommu=off amd_iommu=off\n");
	if (ret)
		goto out_sysfs;
	refiommu_debugfs_init();
	return 0;

out_sysfs:
	refiommu_forget_buses(&ops);
	iommu_device_sysfs_remove(&refiommu.iommu);
out_device:
	platform_device_unregister(refiommu.pdev);
out_driver:
	platform_driver_unregister(&refiommu_driver);
out_prq:
	refiommu_prq_exit();
out_tlb:
	refiommu_tlb_exit();
out_flush:
	refiommu_flush_exit();
	return ret;
}
module_init(refiommu_init);

static void __exit refiommu_exit(void)
{
	refiommu_debugfs_exit();
	iommu_device_unregister(&refiommu.iommu);
	refiommu_forget_buses(&ops);
	iommu_device_sysfs_remove(&refiommu.iommu);
	platform_device_unregister(refiommu.pdev);
	platform_driver_unregister(&refiommu_driver);
	refiommu_prq_exit();
	refiommu_flush_exit();
	refiommu_tlb_exit();
	refiommu_pt_exit();
}
module_exit(refiommu_exit);

MODULE_DESCRIPTION(
	"Reference IOMMU of iommutop: a software IOMMU with an IOTLB and injectable bugs");
MODULE_LICENSE("GPL");
