// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is inside of what, for the reason of the flushes that come of it (flush.bpf.c). What has a
 * program anyway notes it there (domain.bpf.c): each costs ftrace a pass. Unmaps are
 * looked at only once there are domains whose unmaps flush: programs of their own, attached then,
 * for each instruction counts where all of them are lazy.
 */
#include "inside.h"
#include "slots.h"

/* Argument 3 of __iommu_unmap on all kernels; the flush of a queued one comes from the queue. */
static __always_inline int unmap__is_strict(const __u64 *ctx)
{
	const struct iommu_iotlb_gather *gather = (void *)ctx[3];

	return !gather->queued;
}

SEC("?fentry")
int strict_unmap_entry(__u64 *ctx)
{
	return unmap__is_strict(ctx) ? inside__enter(IOT_INSIDE_UNMAP, kernel__runner()) : 0;
}

SEC("?fexit")
int strict_unmap_exit(__u64 *ctx)
{
	return unmap__is_strict(ctx) ? inside__leave(kernel__runner()) : 0;
}

SEC("?fentry")
int attach_entry(void *ctx)
{
	return inside__enter(IOT_INSIDE_ATTACH, cpu__runner());
}

SEC("?fexit")
int domain_free_end(void *ctx)
{
	return inside__leave(cpu__runner());
}
