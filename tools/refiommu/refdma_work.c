// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver side of a queue: maps buffers through the DMA API, posts them to the device, waits for
 * them, checks and unmaps them.
 */
#include <linux/hrtimer.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "refdma.h"

/* --- memory ----------------------------------------------------------------------------------- */

/* Owned pages carry this address; no other owner of a page would write it there. */
static const char owner_mark;

bool refdma_owns(phys_addr_t phys)
{
	return page_private(pfn_to_page(PHYS_PFN(phys))) == (unsigned long)&owner_mark;
}

struct page *refdma_pool_alloc(size_t size)
{
	unsigned int i, order = get_order(size);
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN, order);

	if (!page)
		return NULL;
	split_page(page, order);
	for (i = 0; i < 1U << order; i++)
		set_page_private(page + i, (unsigned long)&owner_mark);
	return page;
}

void refdma_pool_free(struct page *page, size_t size)
{
	unsigned int i;

	for (i = 0; i < 1U << get_order(size); i++) {
		set_page_private(page + i, 0);
		__free_page(page + i);
	}
}

static unsigned int buffers(const struct refdma_cfg *cfg)
{
	switch (cfg->workload) {
	case REFDMA_SG:
		return cfg->nents;
	case REFDMA_COHERENT:
		return 0;
	default:
		return 1;
	}
}

int refdma_slots_alloc(struct refdma_queue *q)
{
	unsigned int i, j;

	q->slots = kvcalloc(q->cfg->depth, sizeof(*q->slots), GFP_KERNEL);
	if (!q->slots)
		return -ENOMEM;
	for (i = 0; i < q->cfg->depth; i++) {
		for (j = 0; j < buffers(q->cfg); j++) {
			q->slots[i].pages[j] = refdma_pool_alloc(q->cfg->size_max);
			if (!q->slots[i].pages[j])
				return -ENOMEM;
		}
	}
	return 0;
}

void refdma_slots_free(struct refdma_queue *q)
{
	unsigned int i, j;

	if (!q->slots)
		return;
	for (i = 0; i < q->cfg->depth; i++)
		for (j = 0; j < buffers(q->cfg); j++)
			if (q->slots[i].pages[j])
				refdma_pool_free(q->slots[i].pages[j], q->cfg->size_max);
	kvfree(q->slots);
	q->slots = NULL;
}

/* A power of two between the two sizes; the same sequence in every run. */
static size_t next_size(struct refdma_queue *q)
{
	unsigned int steps = ilog2(q->cfg->size_max) - ilog2(q->cfg->size_min);

	if (!steps)
		return q->cfg->size_min;
	q->random = q->random * 1664525 + 1013904223;
	return min(q->cfg->size_min << ((q->random >> 16) % (steps + 1)), q->cfg->size_max);
}

/* --- mapping ---------------------------------------------------------------------------------- */

int refdma_unmanaged_map(struct refdma_queue *q, u64 iova, void *mem, size_t size)
{
	int ret = refiommu_unmanaged_map(q->run->unmanaged, iova, virt_to_phys(mem),
					 PAGE_ALIGN(size), IOMMU_READ | IOMMU_WRITE);

	if (ret)
		return ret;
	refdma_count(q->dev, api_maps, 1);
	refdma_count(q->dev, api_map_bytes, PAGE_ALIGN(size));
	return 0;
}

void refdma_unmanaged_sync(struct refdma_queue *q)
{
	if (!q->unsynced)
		return;
	iommu_iotlb_sync(q->run->unmanaged, &q->gather);
	q->unsynced = 0;
}

void refdma_unmanaged_unmap_fast(struct refdma_queue *q, u64 iova, size_t size)
{
	if (!q->unsynced++)
		iommu_iotlb_gather_init(&q->gather);
	iommu_unmap_fast(q->run->unmanaged, iova, PAGE_ALIGN(size), &q->gather);
	refdma_count(q->dev, api_unmaps, 1);
	refdma_count(q->dev, api_unmap_bytes, PAGE_ALIGN(size));
}

void refdma_unmanaged_unmap(struct refdma_queue *q, u64 iova, size_t size)
{
	iommu_unmap(q->run->unmanaged, iova, PAGE_ALIGN(size));
	refdma_count(q->dev, api_unmaps, 1);
	refdma_count(q->dev, api_unmap_bytes, PAGE_ALIGN(size));
}

static int map_slot(struct refdma_queue *q, struct refdma_slot *slot)
{
	const struct refdma_cfg *cfg = q->cfg;
	struct refdma_dev *rd = q->dev;
	unsigned int i;

	slot->size = next_size(q);
	slot->total = slot->size;
	slot->ndesc = 1;
	switch (cfg->workload) {
	case REFDMA_SINGLE:
		slot->iova =
			dma_map_single(rd->dev, page_address(slot->pages[0]), slot->size, cfg->dir);
		if (dma_mapping_error(rd->dev, slot->iova))
			goto failed;
		break;
	case REFDMA_SG:
		slot->total = slot->size * cfg->nents;
		sg_init_table(slot->sg, cfg->nents);
		for (i = 0; i < cfg->nents; i++)
			sg_set_page(&slot->sg[i], slot->pages[i], slot->size, 0);
		slot->ndesc = dma_map_sg(rd->dev, slot->sg, cfg->nents, cfg->dir);
		if (!slot->ndesc)
			goto failed;
		slot->iova = sg_dma_address(slot->sg);
		break;
	case REFDMA_COHERENT:
		slot->coherent = dma_alloc_coherent(rd->dev, slot->size, &slot->iova, GFP_KERNEL);
		if (!slot->coherent)
			goto failed;
		refdma_count(rd, api_allocs, 1);
		refdma_count(rd, api_alloc_bytes, slot->total);
		return 0;
	case REFDMA_UNMANAGED:
		/* Each slot keeps its place, so every operation uses an IOVA again. What shares a
		 * sync must lie side by side, or the driver syncs between. */
		slot->iova = q->iova_base + (slot - q->slots) * (cfg->sync_every > 1
									 ? PAGE_ALIGN(cfg->size_max)
									 : REFDMA_MAX_SIZE);
		if (refdma_unmanaged_map(q, slot->iova, page_address(slot->pages[0]), slot->size))
			goto failed;
		return 0;
	}
	refdma_count(rd, api_maps, 1);
	refdma_count(rd, api_map_bytes, slot->total);
	return 0;

failed:
	refdma_count(rd, api_failures, 1);
	return -ENOMEM;
}

void refdma_unmap_slot(struct refdma_queue *q, struct refdma_slot *slot)
{
	const struct refdma_cfg *cfg = q->cfg;
	struct refdma_dev *rd = q->dev;

	switch (cfg->workload) {
	case REFDMA_SINGLE:
		dma_unmap_single(rd->dev, slot->iova, slot->size, cfg->dir);
		break;
	case REFDMA_SG:
		dma_unmap_sg(rd->dev, slot->sg, cfg->nents, cfg->dir);
		break;
	case REFDMA_COHERENT:
		dma_free_coherent(rd->dev, slot->size, slot->coherent, slot->iova);
		refdma_count(rd, api_frees, 1);
		refdma_count(rd, api_free_bytes, slot->total);
		return;
	case REFDMA_UNMANAGED:
		if (cfg->sync_every == 1) {
			refdma_unmanaged_unmap(q, slot->iova, slot->size);
			return;
		}
		refdma_unmanaged_unmap_fast(q, slot->iova, slot->size);
		if (q->unsynced == cfg->sync_every)
			refdma_unmanaged_sync(q);
		return;
	}
	refdma_count(rd, api_unmaps, 1);
	refdma_count(rd, api_unmap_bytes, slot->total);
}

/* --- posting and completing ------------------------------------------------------------------- */

static void *slot_memory(struct refdma_queue *q, struct refdma_slot *slot, unsigned int i)
{
	return q->cfg->workload == REFDMA_COHERENT ? slot->coherent : page_address(slot->pages[i]);
}

static u64 *slot_first(struct refdma_queue *q, struct refdma_slot *slot)
{
	return slot_memory(q, slot, 0);
}

static u64 *slot_last(struct refdma_queue *q, struct refdma_slot *slot)
{
	unsigned int n = q->cfg->workload == REFDMA_SG ? q->cfg->nents : 1;

	return slot_memory(q, slot, n - 1) + slot->size - sizeof(u64);
}

static void post(struct refdma_queue *q, struct refdma_slot *slot)
{
	u32 flags = (q->cfg->dir != DMA_FROM_DEVICE ? REFDMA_DESC_READ : 0) |
		    (q->cfg->dir != DMA_TO_DEVICE ? REFDMA_DESC_WRITE : 0);
	struct refiommu_flushes flushes;
	struct scatterlist *sg = slot->sg;
	unsigned int i;

	refiommu_flushes_of(q->dev->dev, &flushes);
	slot->flushes = flushes.started;
	slot->seq = ++q->seq;
	slot->first = q->tail;
	if (flags & REFDMA_DESC_READ) {
		*slot_first(q, slot) = slot->seq;
		*slot_last(q, slot) = slot->seq;
	}
	for (i = 0; i < slot->ndesc; i++) {
		struct refdma_desc *desc = &q->ring[(q->tail + i) % REFDMA_RING_SIZE];

		desc->iova = slot->iova;
		desc->len = slot->total;
		if (q->cfg->workload == REFDMA_SG) {
			desc->iova = sg_dma_address(sg);
			desc->len = sg_dma_len(sg);
			sg = sg_next(sg);
		}
		/* What it writes differs from what it read, so that both can be checked. */
		desc->seq = ~slot->seq;
		desc->sum = 0;
		desc->flags = flags;
		desc->status = REFDMA_PENDING;
	}
	smp_store_release(&q->tail, q->tail + slot->ndesc);
	wake_up(&q->hw_wait);
}

/* True if the device has done all of it; then the bytes must be where they belong. */
static bool complete_slot(struct refdma_queue *q, struct refdma_slot *slot)
{
	unsigned int i;

	for (i = 0; i < slot->ndesc; i++) {
		u32 status = q->ring[(slot->first + i) % REFDMA_RING_SIZE].status;

		if (status == REFDMA_RESET)
			refdma_count(q->dev, ops_reset, 1);
		if (status != REFDMA_OK)
			return false;
	}
	if (q->cfg->dir != DMA_TO_DEVICE) {
		if (q->cfg->workload == REFDMA_SINGLE)
			dma_sync_single_for_cpu(q->dev->dev, slot->iova, slot->size, q->cfg->dir);
		else if (q->cfg->workload == REFDMA_SG)
			dma_sync_sg_for_cpu(q->dev->dev, slot->sg, q->cfg->nents, q->cfg->dir);
		if (*slot_first(q, slot) != ~slot->seq || *slot_last(q, slot) != ~slot->seq)
			refdma_count(q->dev, data_errors, 1);
	}
	if (q->cfg->dir != DMA_FROM_DEVICE && slot->ndesc == 1 &&
	    q->ring[slot->first % REFDMA_RING_SIZE].sum != 2 * slot->seq)
		refdma_count(q->dev, data_errors, 1);
	return true;
}

static void wait_batch(struct refdma_queue *q)
{
	wait_event_interruptible(q->done_wait,
				 smp_load_acquire(&q->head) == q->tail || refdma_stopping(q));
	/* A stop must not find the device at work on what is about to be unmapped. */
	if (smp_load_acquire(&q->head) != q->tail)
		refdma_hw_reset(q);
}

static void batch(struct refdma_queue *q, unsigned int n)
{
	bool dma = q->cfg->mode == REFDMA_MODE_DMA;
	unsigned int i, mapped = 0;

	for (i = 0; i < n; i++) {
		if (map_slot(q, &q->slots[i]))
			break;
		mapped++;
		if (dma)
			post(q, &q->slots[i]);
	}
	if (dma)
		wait_batch(q);
	for (i = 0; i < mapped; i++) {
		bool used = dma && complete_slot(q, &q->slots[i]);

		refdma_finish(q, &q->slots[i], used);
	}
	/* Their IOVAs are used again at once. */
	refdma_unmanaged_sync(q);
	refdma_count(q->dev, ops, n);
}

/* Sleeps until the time of the next operations has come, as the rate says. */
static void pace(struct refdma_queue *q, ktime_t *due, u64 ns)
{
	*due = ktime_add_ns(*due, ns);
	while (!refdma_stopping(q) && ktime_before(ktime_get(), *due)) {
		ktime_t until = min(*due, ktime_add_ms(ktime_get(), 50));

		set_current_state(TASK_INTERRUPTIBLE);
		schedule_hrtimeout(&until, HRTIMER_MODE_ABS);
	}
}

static bool late_done(struct refdma_queue *q)
{
	return list_empty_careful(&q->late) || refdma_stopping(q);
}

void refdma_work(struct refdma_queue *q)
{
	const struct refdma_cfg *cfg = q->cfg;
	u64 interval = cfg->rate ? div64_u64(NSEC_PER_SEC * cfg->threads, cfg->rate) : 0;
	unsigned int depth = interval > NSEC_PER_MSEC ? 1 : cfg->depth;
	ktime_t due = ktime_get();

	while (q->ops && !refdma_stopping(q)) {
		unsigned int n = min_t(u64, depth, q->ops);

		batch(q, n);
		if (q->ops != U64_MAX)
			q->ops -= n;
		if (interval)
			pace(q, &due, interval * n);
		/* flat out we never sleep: detaching a tracer waits until every task has said that
		 * it is outside */
		cond_resched_tasks_rcu_qs();
	}
	wait_event_interruptible(q->done_wait, late_done(q));
}
