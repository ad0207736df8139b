// SPDX-License-Identifier: GPL-2.0-only
/* Domains and their operations: one table of operations per type. */
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "refiommu_priv.h"
#include "refiommu_trace.h"

static bool iotlb_sync = true;
module_param(iotlb_sync, bool, 0444);
MODULE_PARM_DESC(iotlb_sync,
		 "Offer iotlb_sync; without it every unmap flushes before it returns (default Y)");
static bool iotlb_sync_map;
module_param(iotlb_sync_map, bool, 0444);
MODULE_PARM_DESC(iotlb_sync_map, "Offer iotlb_sync_map (default N, always with cache_nonpresent)");
static bool flush_at_detach;
module_param(flush_at_detach, bool, 0444);
MODULE_PARM_DESC(flush_at_detach,
		 "Call flush_iotlb_all of the domain that a device leaves, too (default N)");
bool refiommu_flush_all = true;
module_param_named(flush_iotlb_all, refiommu_flush_all, bool, 0444);
MODULE_PARM_DESC(flush_iotlb_all,
		 "Offer flush_iotlb_all; without it no domain may be lazy (default Y)");

static DEFINE_IDA(domain_ids);

#define PAGE_SIZES (SZ_4K | SZ_2M)

#define WRONG_UNMAPS (BIT(REFBUG_PTE_LEFT) | BIT(REFBUG_FLUSH_SHORT))

/* --- flushing --------------------------------------------------------------------------------- */

/* Functions of their own per type, as drivers have whose types differ. */
static void refiommu_dma_flush_iotlb_all(struct iommu_domain *domain)
{
	refiommu_flush_everything(to_refiommu_domain(domain));
}

static void refiommu_dma_iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	refiommu_flush_gathered(to_refiommu_domain(domain), gather);
}

static void refiommu_unmanaged_flush_iotlb_all(struct iommu_domain *domain)
{
	refiommu_flush_everything(to_refiommu_domain(domain));
}

static void refiommu_unmanaged_iotlb_sync(struct iommu_domain *domain,
					  struct iommu_iotlb_gather *gather)
{
	refiommu_flush_gathered(to_refiommu_domain(domain), gather);
}

static refiommu_sync_map_t refiommu_iotlb_sync_map(struct iommu_domain *domain, unsigned long iova,
						   size_t size)
{
	struct refiommu_domain *dom = to_refiommu_domain(domain);

	refiommu_count(dom, sync_map, 1);
	if (!refiommu_cache_nonpresent || !READ_ONCE(dom->endpoints))
		goto out;
	if (refbug_fire(REFBUG_SYNC_MAP_SKIP, READ_ONCE(dom->endpoints), NULL))
		refiommu_tlb_cache_absent(dom, iova);
	else
		refiommu_inval_range(domain, iova, iova + size - 1);
out:
	REFIOMMU_SYNC_MAP_RETURN(0);
}

/* --- mapping ---------------------------------------------------------------------------------- */

static int refiommu_map_pages(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr,
			      size_t pgsize, size_t pgcount, int prot, gfp_t gfp, size_t *mapped)
{
	struct refiommu_domain *dom = to_refiommu_domain(domain);
	u64 *slot = pgsize * pgcount == SZ_4K ? refiommu_pt_slot_4k(dom, iova) : NULL;
	size_t done = 0;
	int ret = 0;

	if (likely(slot && !READ_ONCE(*slot))) {
		WRITE_ONCE(*slot, refiommu_pt_leaf(paddr, prot));
		done = SZ_4K;
	} else {
		ret = refiommu_pt_map(dom, iova, paddr, pgsize, pgcount, prot, gfp, &done);
	}
	*mapped += done;
	if (refbug_fire(REFBUG_PTE_LOST, READ_ONCE(dom->endpoints), NULL))
		refiommu_pt_lose(dom, iova, done);
	refiommu_count(dom, maps, 1);
	refiommu_count(dom, map_bytes, done);
	if (unlikely(ret))
		refiommu_count(dom, map_errors, 1);
	trace_refiommu_map(dom->id, iova, paddr, done);
	return ret;
}

/* Unmaps, with what its bugs need beside that. */
static noinline size_t unmap_wrongly(struct refiommu_domain *dom, unsigned long iova, size_t size,
				     struct iommu_iotlb_gather *gather)
{
	u64 *slot = refiommu_pt_slot_4k(dom, iova);
	u64 pte = slot ? READ_ONCE(*slot) : 0;

	size = refiommu_pt_unmap(dom, iova, size, gather);
	/* Only where the table is still in its place. */
	if (pte && refiommu_pt_slot_4k(dom, iova) == slot &&
	    refbug_fire(REFBUG_PTE_LEFT, READ_ONCE(dom->endpoints), NULL))
		WRITE_ONCE(*slot, pte | REFIOMMU_PTE_LEFT);
	if (size && iommu_iotlb_gather_queued(gather))
		refiommu_flush_note_unmap(dom, iova + size - 1);
	return size;
}

static size_t refiommu_unmap_pages(struct iommu_domain *domain, unsigned long iova, size_t pgsize,
				   size_t pgcount, struct iommu_iotlb_gather *gather)
{
	struct refiommu_domain *dom = to_refiommu_domain(domain);
	bool queued = iommu_iotlb_gather_queued(gather);
	size_t size = pgsize * pgcount;
	u64 *slot;

	if (!queued && iotlb_sync && iommu_iotlb_gather_is_disjoint(gather, iova, size)) {
		refiommu_count(dom, sync_in_unmap, 1);
		iommu_iotlb_sync(domain, gather);
	}

	slot = size == SZ_4K ? refiommu_pt_slot_4k(dom, iova) : NULL;
	if (unlikely(READ_ONCE(refbug_armed) & WRONG_UNMAPS))
		size = unmap_wrongly(dom, iova, size, gather);
	else if (likely(slot && READ_ONCE(*slot)))
		WRITE_ONCE(*slot, 0);
	else
		size = refiommu_pt_unmap(dom, iova, size, gather);
	refiommu_count(dom, unmaps, 1);
	refiommu_count(dom, unmap_bytes, size);
	trace_refiommu_unmap(dom->id, iova, size, queued);
	if (queued)
		WRITE_ONCE(dom->queued, true);
	if (queued || unlikely(!size))
		return size;
	if (iotlb_sync) {
		iommu_iotlb_gather_add_range(gather, iova, size);
	} else {
		refiommu_flush_range(dom, iova, iova + size - 1);
		refiommu_pt_free_gathered(dom, gather);
	}
	return size;
}

static phys_addr_t refiommu_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	struct refiommu_domain *dom = to_refiommu_domain(domain);
	u64 *slot = refiommu_pt_slot_4k(dom, iova), *leaf, pte;
	size_t size;

	if (likely(slot))
		return (READ_ONCE(*slot) & REFIOMMU_PTE_ADDR) + offset_in_page(iova);
	pte = refiommu_pt_walk(dom, iova, &leaf, &size);
	return pte ? (pte & REFIOMMU_PTE_ADDR) + (iova & (size - 1)) : 0;
}

/* --- attaching -------------------------------------------------------------------------------- */

static void dom_attach(struct device *dev, enum refiommu_mode mode, struct refiommu_domain *dom)
{
	struct refiommu_endpoint *ep = dev_iommu_priv_get(dev);
	struct refiommu_domain *old;
	unsigned long flags;

	spin_lock_irqsave(&refiommu.hw_lock, flags);
	old = ep->dom;
	ep->mode = mode;
	ep->dom = dom;
	if (dom) {
		dom->endpoints |= BIT_ULL(ep->id);
		dom->served |= BIT_ULL(ep->id);
	}
	if (old && old != dom)
		old->endpoints &= ~BIT_ULL(ep->id);
	spin_unlock_irqrestore(&refiommu.hw_lock, flags);

	if (!old || old == dom)
		return;
	/* Never dropped: the old domain's tables and pages may go as soon as we return. */
	refiommu_inval_range(&old->domain, 0, ULONG_MAX);
	if (flush_at_detach && old->domain.ops->flush_iotlb_all) {
		refiommu_count(old, flush_at_detach, 1);
		old->domain.ops->flush_iotlb_all(&old->domain);
	}
}

void refiommu_endpoint_detach(struct refiommu_endpoint *ep)
{
	dom_attach(ep->dev, REFIOMMU_BLOCKED, NULL);
}

static struct iommu_domain_ops unmanaged_ops;

static REFIOMMU_ATTACH(refiommu_paging_attach)
{
	/* Newer kernels tell the type only after allocation, so the table is chosen here. */
	if (domain->type == IOMMU_DOMAIN_UNMANAGED)
		domain->ops = &unmanaged_ops;
	dom_attach(dev, REFIOMMU_PAGING, to_refiommu_domain(domain));
	return 0;
}

static REFIOMMU_ATTACH(refiommu_identity_attach)
{
	dom_attach(dev, REFIOMMU_IDENTITY, NULL);
	return 0;
}

static REFIOMMU_ATTACH(refiommu_blocked_attach)
{
	dom_attach(dev, REFIOMMU_BLOCKED, NULL);
	return 0;
}

#if REFIOMMU_BUS_OPS
static void refiommu_detach(struct iommu_domain *domain, struct device *dev)
{
	dom_attach(dev, REFIOMMU_BLOCKED, NULL);
}
#endif

#if !REFIOMMU_BUS_OPS

/* Accesses with a PASID aren't emulated: all that they do is ask for pages. */
static int __maybe_unused refiommu_set_pasid(struct iommu_domain *domain, struct device *dev,
					     ioasid_t pasid)
{
	if (domain->type == IOMMU_DOMAIN_UNMANAGED)
		domain->ops = &unmanaged_ops;
	return 0;
}

static int __maybe_unused refiommu_replace_pasid(struct iommu_domain *domain, struct device *dev,
						 ioasid_t pasid, struct iommu_domain *old)
{
	if (domain->type == IOMMU_DOMAIN_UNMANAGED)
		domain->ops = &unmanaged_ops;
	return 0;
}

#endif

/* --- life ------------------------------------------------------------------------------------- */

static refiommu_probe_point void refiommu_domain_free(struct iommu_domain *domain)
{
	struct refiommu_domain *dom = to_refiommu_domain(domain);
	unsigned int i;
	int cpu;

	refiommu_domain_retire(dom);
	refiommu_count(dom, bytes_mapped_at_free, refiommu_pt_free(dom));
	refiommu_count(dom, domains_freed, 1);

	mutex_lock(&refiommu.lock);
	spin_lock_irq(&refiommu.hw_lock);
	list_del(&dom->node);
	spin_unlock_irq(&refiommu.hw_lock);
	for_each_possible_cpu(cpu)
		for (i = 0; i < REFIOMMU_NR_STATS; i++)
			refiommu.retired.v[i] += per_cpu_ptr(dom->stats, cpu)->v[i];
	mutex_unlock(&refiommu.lock);

	ida_free(&domain_ids, dom->id);
	free_percpu(dom->stats);
	kfree(dom);
}

static void refiommu_static_domain_free(struct iommu_domain *domain)
{
}

/* Filled by refiommu_domain_init(), because a missing operation is one that the core tests for. */
struct iommu_domain_ops refiommu_dma_ops = {
	.attach_dev = refiommu_paging_attach,
#if REFIOMMU_BUS_OPS
	.detach_dev = refiommu_detach,
#else
	.set_dev_pasid = REFIOMMU_SET_PASID(refiommu_set_pasid, refiommu_replace_pasid),
#endif
	.map_pages = refiommu_map_pages,
	.unmap_pages = refiommu_unmap_pages,
	.iova_to_phys = refiommu_iova_to_phys,
	.free = refiommu_domain_free,
};

static struct iommu_domain_ops unmanaged_ops;

static const struct iommu_domain_ops identity_ops = {
	.attach_dev = refiommu_identity_attach,
#if REFIOMMU_BUS_OPS
	.detach_dev = refiommu_detach,
#endif
	.free = refiommu_static_domain_free,
};

static const struct iommu_domain_ops blocked_ops = {
	.attach_dev = refiommu_blocked_attach,
#if REFIOMMU_BUS_OPS
	.detach_dev = refiommu_detach,
#else
	.set_dev_pasid = REFIOMMU_SET_PASID(refiommu_set_pasid, refiommu_replace_pasid),
#endif
	.free = refiommu_static_domain_free,
};

struct iommu_domain refiommu_identity_domain = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &identity_ops,
};

struct iommu_domain refiommu_blocked_domain = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &blocked_ops,
};

void refiommu_domain_init(void)
{
	if (iotlb_sync_map || refiommu_cache_nonpresent)
		refiommu_dma_ops.iotlb_sync_map = refiommu_iotlb_sync_map;
	unmanaged_ops = refiommu_dma_ops;
	if (iotlb_sync) {
		refiommu_dma_ops.iotlb_sync = refiommu_dma_iotlb_sync;
		unmanaged_ops.iotlb_sync = refiommu_unmanaged_iotlb_sync;
	}
	if (refiommu_flush_all) {
		refiommu_dma_ops.flush_iotlb_all = refiommu_dma_flush_iotlb_all;
		unmanaged_ops.flush_iotlb_all = refiommu_unmanaged_flush_iotlb_all;
	}
}

struct iommu_domain *refiommu_domain_alloc_paging(struct device *dev)
{
	struct refiommu_domain *dom = kzalloc(sizeof(*dom), GFP_KERNEL);
	int id;

	if (!dom)
		return NULL;
	dom->stats = alloc_percpu(struct refiommu_stats);
	if (!dom->stats)
		goto out_dom;
	id = ida_alloc_range(&domain_ids, 1, U16_MAX, GFP_KERNEL);
	if (id < 0)
		goto out_stats;
	dom->id = id;
	spin_lock_init(&dom->deferred_lock);
	INIT_LIST_HEAD(&dom->deferred);
	dom->domain.ops = &refiommu_dma_ops;
	dom->domain.pgsize_bitmap = PAGE_SIZES;
	dom->domain.geometry.aperture_end = BIT_ULL(REFIOMMU_IOVA_BITS) - 1;
	dom->domain.geometry.force_aperture = true;
	dom->root = refiommu_table_alloc(&dom->domain, GFP_KERNEL);
	if (!dom->root)
		goto out_id;
	refiommu_count(dom, domains_allocated, 1);
	mutex_lock(&refiommu.lock);
	spin_lock_irq(&refiommu.hw_lock);
	list_add_tail(&dom->node, &refiommu.domains);
	spin_unlock_irq(&refiommu.hw_lock);
	mutex_unlock(&refiommu.lock);
	return &dom->domain;

out_id:
	ida_free(&domain_ids, id);
out_stats:
	free_percpu(dom->stats);
out_dom:
	kfree(dom);
	return NULL;
}

#if REFIOMMU_BUS_OPS
struct iommu_domain *refiommu_domain_alloc(unsigned int type)
{
	switch (type) {
	case IOMMU_DOMAIN_BLOCKED:
		return &refiommu_blocked_domain;
	case IOMMU_DOMAIN_IDENTITY:
		return &refiommu_identity_domain;
	case IOMMU_DOMAIN_DMA_FQ:
		if (!refiommu_may_defer())
			return NULL;
		fallthrough;
	case IOMMU_DOMAIN_DMA:
	case IOMMU_DOMAIN_UNMANAGED:
		return refiommu_domain_alloc_paging(NULL);
	default:
		return NULL;
	}
}
#endif
