// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOTLB (sets x ways, tagged by domain) and the page-walk cache. They answer translations as
 * hardware would: what was cached stays true for the device until an invalidation removes it.
 * Each answer is compared with the page table, which is how stale hits are known exactly.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hash.h>
#include <linux/io.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "refiommu_priv.h"
#include "refiommu_trace.h"

static unsigned int iotlb_sets = 64;
module_param(iotlb_sets, uint, 0444);
MODULE_PARM_DESC(iotlb_sets, "Sets of the IOTLB, a power of two (default 64)");
static unsigned int iotlb_ways = 4;
module_param(iotlb_ways, uint, 0444);
MODULE_PARM_DESC(iotlb_ways, "Ways of each IOTLB set (default 4)");
static unsigned int pwc_entries = 16;
module_param(pwc_entries, uint, 0444);
MODULE_PARM_DESC(pwc_entries, "Entries of the page-walk cache, a power of two (default 16)");
bool refiommu_cache_nonpresent;
module_param_named(cache_nonpresent, refiommu_cache_nonpresent, bool, 0444);
MODULE_PARM_DESC(
	cache_nonpresent,
	"Cache entries that are not present too, so that mapping needs iotlb_sync_map (default N)");

/* The key is all that a lookup compares: page number, domain, page size, valid. 0 = empty. */
struct tlb_entry {
	u64 key;
	u64 pte;
};

struct pwc_entry {
	u64 key;
	u64 *table;
};

static struct tlb_entry *tlb;
static u8 *tlb_victim;
static struct pwc_entry *pwc;

#define KEY_VALID     BIT_ULL(0)
#define KEY_2M        BIT_ULL(1)
#define KEY_IOVA(key) (((key) >> 20) << PAGE_SHIFT)
#define KEY_DID(key)  ((u16)((key) >> 4))

/* Beyond so many pages looking at every entry is cheaper than probing for each page. */
#define PROBE_PAGES 16

static inline u64 tlb_key(u16 did, u64 iova, u64 size)
{
	return ((iova & ~(size - 1)) >> PAGE_SHIFT) << 20 | (u64)did << 4 |
	       (size == SZ_2M ? KEY_2M : 0) | KEY_VALID;
}

static inline struct tlb_entry *tlb_set(u64 key)
{
	return &tlb[(hash_64(key, 32) & (iotlb_sets - 1)) * iotlb_ways];
}

static struct tlb_entry *tlb_find(u64 key)
{
	struct tlb_entry *set = tlb_set(key);
	unsigned int way;

	for (way = 0; way < iotlb_ways; way++)
		if (set[way].key == key)
			return &set[way];
	return NULL;
}

static void tlb_fill(struct refiommu_domain *dom, u64 key, u64 pte)
{
	struct tlb_entry *set = tlb_set(key);
	u8 *victim = &tlb_victim[(set - tlb) / iotlb_ways];
	unsigned int way;

	for (way = 0; way < iotlb_ways && set[way].key; way++)
		;
	if (way == iotlb_ways) {
		way = *victim;
		*victim = (way + 1) % iotlb_ways;
		refiommu_count(dom, iotlb_evictions, 1);
	}
	set[way].key = key;
	set[way].pte = pte;
}

static struct pwc_entry *pwc_slot(u64 key)
{
	return &pwc[hash_64(key, 32) & (pwc_entries - 1)];
}

static bool overlaps(u64 key, u64 size, u64 start, u64 end)
{
	u64 iova = KEY_IOVA(key);

	return iova <= end && iova + size - 1 >= start;
}

static void tlb_drop(u64 key)
{
	struct tlb_entry *e = tlb_find(key);

	if (e)
		e->key = 0;
}

static void tlb_invalidate_leaves(u16 did, u64 start, u64 end)
{
	u64 iova;
	unsigned int i;

	if ((end - start) >> PAGE_SHIFT < PROBE_PAGES) {
		for (iova = start & PAGE_MASK; iova <= end; iova += PAGE_SIZE)
			tlb_drop(tlb_key(did, iova, PAGE_SIZE));
		for (iova = start & ~(u64)(SZ_2M - 1); iova <= end; iova += SZ_2M)
			tlb_drop(tlb_key(did, iova, SZ_2M));
		return;
	}
	for (i = 0; i < iotlb_sets * iotlb_ways; i++) {
		u64 key = tlb[i].key;

		if (key && KEY_DID(key) == did &&
		    overlaps(key, key & KEY_2M ? SZ_2M : PAGE_SIZE, start, end))
			tlb[i].key = 0;
	}
}

void refiommu_tlb_cache_absent(struct refiommu_domain *dom, u64 iova)
{
	u64 key = tlb_key(dom->id, iova, PAGE_SIZE);
	unsigned long flags;

	spin_lock_irqsave(&refiommu.hw_lock, flags);
	tlb_drop(key);
	tlb_fill(dom, key, 0);
	spin_unlock_irqrestore(&refiommu.hw_lock, flags);
}

void refiommu_tlb_invalidate(u16 did, u64 start, u64 end, bool leaves)
{
	unsigned int i;

	lockdep_assert_held(&refiommu.hw_lock);
	if (leaves)
		tlb_invalidate_leaves(did, start, end);
	for (i = 0; i < pwc_entries; i++)
		if (pwc[i].key && KEY_DID(pwc[i].key) == did &&
		    overlaps(pwc[i].key, SZ_2M, start, end))
			pwc[i].key = 0;
}

/* Ground truth: an access was answered with what the page table no longer says. */
static refiommu_truth_point void refiommu_stale_hit(struct refiommu_domain *dom, struct device *dev,
						    u64 iova, u64 pte)
{
	refiommu_count(dom, stale_hits, 1);
}

/* What the page-walk cache or else the table says; *truth is always the table. */
static u64 tlb_miss(struct refiommu_domain *dom, u64 iova, u64 truth, u64 *leaf, size_t *size)
{
	u64 key = tlb_key(dom->id, iova, SZ_2M);
	struct pwc_entry *e = pwc_slot(key);

	if (e->key == key) {
		refiommu_count(dom, pwc_hits, 1);
		*size = PAGE_SIZE;
		return READ_ONCE(e->table[(iova >> PAGE_SHIFT) & 511]);
	}
	refiommu_count(dom, walks, 1);
	if (leaf) {
		e->key = key;
		e->table = leaf;
	}
	return truth;
}

/* The entry that the hardware uses for @iova, from the nearest cache that has one. */
static u64 tlb_lookup(struct refiommu_domain *dom, struct device *dev, u64 iova, size_t *size,
		      bool *stale)
{
	size_t true_size;
	u64 *leaf, pte, truth = refiommu_pt_walk(dom, iova, &leaf, &true_size);
	struct tlb_entry *e;

	*size = PAGE_SIZE;
	e = tlb_find(tlb_key(dom->id, iova, PAGE_SIZE));
	if (!e) {
		e = tlb_find(tlb_key(dom->id, iova, SZ_2M));
		if (e)
			*size = SZ_2M;
	}
	if (e) {
		pte = e->pte;
		refiommu_count(dom, iotlb_hits, 1);
	} else {
		*size = true_size;
		pte = tlb_miss(dom, iova, truth, leaf, size);
		if (pte & REFIOMMU_PTE_PRESENT || refiommu_cache_nonpresent)
			tlb_fill(dom, tlb_key(dom->id, iova, *size), pte);
	}
	*stale = pte != truth;
	if (*stale)
		refiommu_stale_hit(dom, dev, iova, pte);
	return pte;
}

/* Ground truth: an access was refused. Reported as real drivers do, outside any lock. */
static refiommu_truth_point void refiommu_true_fault(struct iommu_domain *domain, u16 did,
						     struct device *dev, u64 iova, bool write,
						     const char *reason)
{
	struct refiommu_endpoint *ep = dev_iommu_priv_get(dev);
	int flags = write ? IOMMU_FAULT_WRITE : IOMMU_FAULT_READ;

	trace_refiommu_fault(dev, did, iova, write, reason);
	if (refbug_fire(REFBUG_FAULT_NO_ADDRESS, BIT_ULL(ep->id), NULL)) {
		dev_err_ratelimited(&refiommu.pdev->dev,
				    "fault: device %s domain %u, address not recorded\n",
				    dev_name(dev), did);
		return;
	}
	if (refbug_fire(REFBUG_FAULT_NO_DEVICE, BIT_ULL(ep->id), NULL)) {
		report_iommu_fault(domain, NULL, iova, flags);
		return;
	}
	report_iommu_fault(domain, dev, iova, flags);
	dev_err_ratelimited(&refiommu.pdev->dev, "fault: device %s domain %u iova 0x%llx %s: %s\n",
			    dev_name(dev), did, iova, write ? "write" : "read", reason);
}

int refiommu_translate(struct device *dev, u64 iova, bool write, struct refiommu_xlate *out)
{
	struct refiommu_endpoint *ep = dev_iommu_priv_get(dev);
	struct iommu_domain *domain = &refiommu_blocked_domain;
	const char *reason = "blocked";
	struct refiommu_domain *dom;
	unsigned long flags;
	size_t size;
	u64 pte;
	u16 did = 0;

	spin_lock_irqsave(&refiommu.hw_lock, flags);
	refiommu_invq_advance();
	if (ep->mode == REFIOMMU_IDENTITY) {
		out->phys = iova;
		out->len = PAGE_SIZE - offset_in_page(iova);
		out->stale = false;
		refiommu_count_unit(translations, 1);
		spin_unlock_irqrestore(&refiommu.hw_lock, flags);
		return 0;
	}
	if (ep->mode == REFIOMMU_PAGING) {
		dom = ep->dom;
		domain = &dom->domain;
		did = dom->id;
		refiommu_count(dom, translations, 1);
		pte = tlb_lookup(dom, dev, iova, &size, &out->stale);
		if (pte & (write ? REFIOMMU_PTE_WRITE : REFIOMMU_PTE_READ)) {
			out->phys = (pte & REFIOMMU_PTE_ADDR) + (iova & (size - 1));
			out->len = size - (iova & (size - 1));
			spin_unlock_irqrestore(&refiommu.hw_lock, flags);
			return 0;
		}
		reason = pte & REFIOMMU_PTE_PRESENT ? "no permission" : "not present";
		refiommu_count(dom, faults, 1);
	} else {
		refiommu_count_unit(faults, 1);
	}
	spin_unlock_irqrestore(&refiommu.hw_lock, flags);

	refiommu_true_fault(domain, did, dev, iova, write, reason);
	return -EFAULT;
}
EXPORT_SYMBOL_GPL(refiommu_translate);

int refiommu_tlb_init(void)
{
	if (!is_power_of_2(iotlb_sets) || iotlb_sets > 65536 || !iotlb_ways || iotlb_ways > 64 ||
	    !is_power_of_2(pwc_entries) || pwc_entries > 4096) {
		pr_err("iotlb_sets=%u iotlb_ways=%u pwc_entries=%u: sets and pwc_entries must be powers of two up to 65536 and 4096, ways 1 to 64\n",
		       iotlb_sets, iotlb_ways, pwc_entries);
		return -EINVAL;
	}
	tlb = kvcalloc(iotlb_sets * iotlb_ways, sizeof(*tlb), GFP_KERNEL);
	tlb_victim = kvcalloc(iotlb_sets, sizeof(*tlb_victim), GFP_KERNEL);
	pwc = kvcalloc(pwc_entries, sizeof(*pwc), GFP_KERNEL);
	if (tlb && tlb_victim && pwc)
		return 0;
	refiommu_tlb_exit();
	return -ENOMEM;
}

void refiommu_tlb_exit(void)
{
	kvfree(tlb);
	kvfree(tlb_victim);
	kvfree(pwc);
	tlb = NULL;
	tlb_victim = NULL;
	pwc = NULL;
}
