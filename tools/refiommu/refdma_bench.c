// SPDX-License-Identifier: GPL-2.0-only
/* Times the bare pair of dma_map_single() and dma_unmap_single(), nothing else in the loop. */
#include <linux/slab.h>

#include "refdma.h"

static int pairs_run(struct device *dev, void *mem, size_t size, unsigned int pairs, bool yield)
{
	unsigned int i;

	for (i = 0; i < pairs; i++) {
		dma_addr_t iova = dma_map_single(dev, mem, size, DMA_FROM_DEVICE);

		if (unlikely(dma_mapping_error(dev, iova)))
			return -ENOMEM;
		dma_unmap_single(dev, iova, size, DMA_FROM_DEVICE);
		/* Lets a tracer's consumer have this CPU, so that its share is in the time. */
		if (yield && !(i & 63))
			cond_resched();
	}
	return 0;
}

int refdma_bench(struct refdma_dev *rd, unsigned int loops, unsigned int pairs, size_t size,
		 bool yield)
{
	unsigned int order = get_order(size), i, done = 0;
	struct page *page = alloc_pages(GFP_KERNEL, order);
	u64 *ns = kcalloc(loops, sizeof(*ns), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!page || !ns)
		goto out;
	/* The first loop fills IOVA caches and page tables; it is not a sample. */
	for (i = 0; i <= loops; i++) {
		u64 start = ktime_get_ns();

		ret = pairs_run(rd->dev, page_address(page), size, pairs, yield);
		if (ret)
			goto out;
		if (i)
			ns[i - 1] = ktime_get_ns() - start;
		done += pairs;
	}
	kfree(rd->bench_ns);
	rd->bench_ns = ns;
	rd->bench_loops = loops;
	rd->bench_pairs = pairs;
	ns = NULL;
out:
	refdma_count(rd, api_maps, done);
	refdma_count(rd, api_unmaps, done);
	refdma_count(rd, api_map_bytes, (u64)done * size);
	refdma_count(rd, api_unmap_bytes, (u64)done * size);
	kfree(ns);
	if (page)
		__free_pages(page, order);
	return ret;
}
