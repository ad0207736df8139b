// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses to wrong addresses: what a device does whose driver gave it a wrong length, direction or
 * device, or that gets addresses wrong itself. Each is made beside a descriptor that is itself in
 * order, and only where it must fault.
 */
#include "refdma.h"

/* Where the first ring of each device is, 0 = it has none: mapped for as long as a run lasts. */
static u64 rings[REFIOMMU_MAX_ENDPOINTS];

void refdma_stray_ring(const struct refdma_dev *rd, u64 iova)
{
	WRITE_ONCE(rings[rd->id], iova);
}

bool refdma_stray(struct refdma_dev *rd, u64 iova, bool write)
{
	bool stale, fault;

	fault = refdma_hw_touch(rd, iova, write, &stale);
	refdma_count(rd, stray_accesses, 1);
	if (fault)
		refdma_count(rd, stray_faults, 1);
	return fault;
}

static bool mapped(struct refdma_dev *rd, u64 iova)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(rd->dev);

	/* Of a page's begin, because an absent one may be answered with the offset alone. */
	return domain && iommu_iova_to_phys(domain, iova & PAGE_MASK);
}

/* Where the bug leads to from this descriptor; false if it could not be told from a good access. */
static bool target(struct refdma_queue *q, const struct refdma_desc *desc, enum refbug bug,
		   u64 value, u64 *iova, bool *write)
{
	struct refdma_dev *rd = q->dev;
	u32 dirs = desc->flags & (REFDMA_DESC_READ | REFDMA_DESC_WRITE);

	*write = dirs & REFDMA_DESC_WRITE;
	switch (bug) {
	case REFBUG_PAST_END:
		*iova = PAGE_ALIGN(desc->iova + desc->len) + value;
		break;
	case REFBUG_BEFORE_START:
		*iova = (desc->iova & PAGE_MASK) - value;
		break;
	case REFBUG_TRUNCATE:
		*iova = desc->iova & (BIT_ULL(value) - 1);
		break;
	case REFBUG_OTHER_DEVICE:
		*iova = READ_ONCE(rings[value]);
		if (!*iova || value == rd->id)
			return false;
		break;
	case REFBUG_STRAY:
		*iova = value;
		break;
	case REFBUG_WRONG_ACCESS:
		*iova = desc->iova;
		*write = !*write;
		/* All others map for both. */
		return q->cfg->workload < REFDMA_COHERENT &&
		       (dirs == REFDMA_DESC_READ || dirs == REFDMA_DESC_WRITE);
	default:
		return false;
	}
	return !mapped(rd, *iova);
}

bool refdma_strays(struct refdma_queue *q, const struct refdma_desc *desc)
{
	static const enum refbug bugs[] = { REFBUG_PAST_END,     REFBUG_BEFORE_START,
					    REFBUG_WRONG_ACCESS, REFBUG_TRUNCATE,
					    REFBUG_OTHER_DEVICE, REFBUG_STRAY };
	u64 endpoint = BIT_ULL(q->dev->id);
	struct refbug_arg arg;
	bool write, fault = false;
	unsigned int i;
	u64 iova;

	if (likely(!READ_ONCE(refbug_armed)))
		return false;
	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (refbug_pending(bugs[i], endpoint, &arg) &&
		    target(q, desc, bugs[i], arg.value, &iova, &write) &&
		    refbug_fire(bugs[i], endpoint, NULL))
			fault |= refdma_stray(q->dev, iova, write);
	}
	return fault;
}
