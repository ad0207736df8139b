// SPDX-License-Identifier: GPL-2.0-only
/* The end of an operation: its mapping goes, or one of the bugs of drivers and devices happens. */
#include <linux/delay.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "refdma.h"

/* How long a late access waits for the flush that it must come after. */
#define FLUSH_DEADLINE_MS 5000
/* How long a flush waits for the access that is to come within it; a CPU spins meanwhile. */
#define FLUSH_HELD_MS 5000

/* --- late accesses ---------------------------------------------------------------------------- */

/*
 * Waits until the flush that covers an unmap is over; false on a stop or when none comes. Who
 * flushes a queue has interrupts or softirqs off: what RCU waits for is that the operation has
 * returned, too, and with it whoever traces its end.
 */
static bool wait_flushed(struct refdma_queue *q, u64 started)
{
	ktime_t deadline = ktime_add_ms(ktime_get(), FLUSH_DEADLINE_MS);
	struct refiommu_flushes now;

	for (;;) {
		refiommu_flushes_of(q->dev->dev, &now);
		if (!now.lazy)
			return true;
		if (now.finished > started) {
			synchronize_rcu();
			return true;
		}
		if (refdma_stopping(q) || ktime_after(ktime_get(), deadline))
			return false;
		usleep_range(200, 500);
	}
}

/* Freeing coherent memory may sleep; all other unmaps leave IRQs off if they are. */
static bool unmaps_atomically(const struct refdma_queue *q)
{
	return q->cfg->workload != REFDMA_COHERENT;
}

/*
 * Unmaps, and lets the device use the IOVA once more. The access inside the window must find the
 * IOTLB as the operation left it, so the caller has seen that no flush began since; IRQs stay off
 * lest the flush queue's timer come between.
 */
static void unmap_and_use(struct refdma_queue *q, struct refdma_slot *slot,
			  const struct refbug_arg *arg)
{
	bool write = q->cfg->dir != DMA_TO_DEVICE;
	bool atomic = arg->when == REFBUG_WHEN_INSIDE && unmaps_atomically(q);
	struct refiommu_flushes flushes;
	unsigned long flags = 0;
	bool in_flush = false;

	/* The device must be waiting already when the flush comes, which is part of the unmap. */
	refiommu_flushes_of(q->dev->dev, &flushes);
	if (arg->when == REFBUG_WHEN_FLUSH && !flushes.lazy) {
		refiommu_hold_flushes(q->dev->dev, FLUSH_HELD_MS);
		in_flush = !refdma_hw_late_in_flush(q, slot->iova, write, FLUSH_DEADLINE_MS);
		if (!in_flush)
			refiommu_hold_flushes(q->dev->dev, 0);
	}
	if (atomic)
		local_irq_save(flags);
	refdma_unmap_slot(q, slot);
	refiommu_flushes_of(q->dev->dev, &flushes);
	if (arg->when == REFBUG_WHEN_INSIDE)
		refdma_hw_late(q, slot->iova, write);
	if (atomic)
		local_irq_restore(flags);

	if (arg->when == REFBUG_WHEN_FLUSH && !in_flush)
		refdma_count(q->dev, late_cancelled, 1);
	if (arg->when == REFBUG_WHEN_AFTER) {
		if (wait_flushed(q, flushes.started))
			refdma_hw_late(q, slot->iova, write);
		else
			refdma_count(q->dev, late_cancelled, 1);
	}
	if (arg->when == REFBUG_WHEN_DELAY &&
	    refdma_hw_late_at(q, slot->iova, write, arg->delay_us))
		refdma_count(q->dev, late_cancelled, 1);
}

static bool flushed_since_posted(struct refdma_queue *q, struct refdma_slot *slot)
{
	struct refiommu_flushes now;

	refiommu_flushes_of(q->dev->dev, &now);
	return now.lazy && now.started != slot->flushes;
}

/*
 * The device said that it was done with this operation, and was not. It begins now, while it may
 * still, and goes on when the mapping is gone.
 */
static void unmap_unfinished(struct refdma_queue *q, struct refdma_slot *slot)
{
	const struct refdma_unfinished u = q->unfinished;
	bool atomic = unmaps_atomically(q), stale;
	unsigned long flags = 0;

	smp_store_release(&q->unfinished.there, false);
	if (atomic)
		local_irq_save(flags);
	refdma_hw_touch(q->dev, u.iova, u.write, &stale);
	refdma_unmap_slot(q, slot);
	refdma_hw_late(q, u.iova, u.write);
	if (atomic)
		local_irq_restore(flags);
}

static bool unfinished(const struct refdma_queue *q, const struct refdma_slot *slot)
{
	return smp_load_acquire(&q->unfinished.there) &&
	       q->unfinished.index - slot->first < slot->ndesc;
}

/* --- wrong calls ------------------------------------------------------------------------------ */

/*
 * Half of a mapping, in whole pages. The kernel takes a driver's word for the size and frees so
 * much of the IOVA; the rest stays mapped for good. (A size beyond the mapping makes the kernel
 * WARN.)
 */
static bool unmap_half(struct refdma_queue *q, struct refdma_slot *slot, u64 endpoint)
{
	size_t all = PAGE_ALIGN(slot->size), half = PAGE_ALIGN(slot->size / 2);

	if (q->cfg->workload != REFDMA_SINGLE || half == all ||
	    !refbug_fire(REFBUG_UNMAP_SIZE, endpoint, NULL))
		return false;
	dma_unmap_single(q->dev->dev, slot->iova, half, q->cfg->dir);
	refdma_count(q->dev, api_unmaps, 1);
	refdma_count(q->dev, api_unmap_bytes, half);
	refdma_count(q->dev, leaked_bytes, all - half);
	return true;
}

/*
 * What dma-iommu would WARN of, or not do, can be done to an unmanaged domain: whoever has one is
 * alone responsible for it.
 */
static void misuse_domain(struct refdma_queue *q, struct refdma_slot *slot, u64 endpoint)
{
	void *mem = page_address(slot->pages[0]);

	if (refbug_fire(REFBUG_MAP_OVER, endpoint, NULL) &&
	    refdma_unmanaged_map(q, slot->iova, mem, PAGE_SIZE))
		refdma_count(q->dev, api_failures, 1);
	if (refbug_fire(REFBUG_IOVA_REUSE, endpoint, NULL)) {
		refdma_unmanaged_unmap_fast(q, slot->iova, slot->size);
		if (refdma_unmanaged_map(q, slot->iova, mem, slot->size)) {
			refdma_count(q->dev, api_failures, 1);
			return;
		}
		refdma_unmanaged_sync(q);
	}
	refdma_unmap_slot(q, slot);
	if (refbug_fire(REFBUG_DOUBLE_UNMAP, endpoint, NULL))
		refdma_unmap_slot(q, slot);
}

/* --- all together ----------------------------------------------------------------------------- */

void refdma_finish(struct refdma_queue *q, struct refdma_slot *slot, bool used)
{
	u64 endpoint = BIT_ULL(q->dev->id);
	struct refbug_arg arg;

	if (unlikely(unfinished(q, slot))) {
		unmap_unfinished(q, slot);
		return;
	}
	if (likely(!READ_ONCE(refbug_armed))) {
		refdma_unmap_slot(q, slot);
		return;
	}
	/* Coherent memory would be lost for good, and an unmanaged IOVA is needed again. */
	if (q->cfg->workload < REFDMA_COHERENT && refbug_fire(REFBUG_LEAK, endpoint, NULL)) {
		refdma_count(q->dev, leaks, 1);
		refdma_count(q->dev, leaked_bytes, slot->total);
		return;
	}
	if (unmap_half(q, slot, endpoint))
		return;
	if (used && READ_ONCE(refbug_armed) & BIT(REFBUG_USE_AFTER_UNMAP) &&
	    !flushed_since_posted(q, slot) && refbug_fire(REFBUG_USE_AFTER_UNMAP, endpoint, &arg))
		unmap_and_use(q, slot, &arg);
	else if (q->cfg->workload == REFDMA_UNMANAGED)
		misuse_domain(q, slot, endpoint);
	else
		refdma_unmap_slot(q, slot);
}

/* --- no defects ------------------------------------------------------------------------------- */

int refdma_unused_domain(struct refdma_dev *rd, bool flush_all)
{
	struct iommu_domain *domain = refiommu_unmanaged_alloc(rd->dev);
	struct page *page = refdma_pool_alloc(PAGE_SIZE);
	struct iommu_iotlb_gather gather;
	u64 iova = SZ_4G;
	int ret = -ENOMEM;

	if (IS_ERR(domain)) {
		ret = PTR_ERR(domain);
		domain = NULL;
	}
	if (!domain || !page)
		goto out;
	ret = refiommu_unmanaged_map(domain, iova, page_to_phys(page), PAGE_SIZE, IOMMU_READ);
	if (ret)
		goto out;
	if (flush_all) {
		iommu_iotlb_gather_init(&gather);
		iommu_unmap_fast(domain, iova, PAGE_SIZE, &gather);
		iommu_flush_iotlb_all(domain);
	} else {
		iommu_unmap(domain, iova, PAGE_SIZE);
	}
out:
	if (domain)
		iommu_domain_free(domain);
	if (page)
		refdma_pool_free(page, PAGE_SIZE);
	return ret;
}
