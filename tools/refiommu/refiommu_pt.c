// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page table: four levels of 512 entries, pages of 4 KiB and 2 MiB.
 *
 * No lock: tables are installed with cmpxchg, and whoever maps or unmaps a range owns it (the same
 * contract that the core has with every driver), so a table is only ever taken out by the owner of
 * all 2 MiB below it. The emulated hardware reads tables under hw_lock; a table is freed only after
 * an invalidation that took that lock.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/processor.h>
#include <linux/sched.h>

#include "refiommu_priv.h"
#include "refiommu_trace.h"

/* Levels count from 0 (entries of 4 KiB); level 1 has the 2 MiB entries. */
#define LEVEL_4K   0
#define LEVEL_2M   1
#define LEVEL_ROOT (REFIOMMU_LEVELS - 1)

refiommu_probe_point void *refiommu_table_alloc(struct iommu_domain *domain, gfp_t gfp)
{
	void *table = refiommu_page_alloc(gfp);

	if (table)
		refiommu_count(to_refiommu_domain(domain), tables_allocated, 1);
	return table;
}

refiommu_probe_point void refiommu_table_free(struct iommu_domain *domain, void *table)
{
	refiommu_page_free(table);
	refiommu_count(to_refiommu_domain(domain), tables_freed, 1);
}

/* Puts a new table into an empty slot; a CPU that lost the race uses the winner's. */
static noinline u64 pt_install(struct refiommu_domain *dom, u64 *slot, gfp_t gfp)
{
	u64 *table = refiommu_table_alloc(&dom->domain, gfp);
	u64 pte, old;

	if (!table)
		return 0;
	pte = virt_to_phys(table) | REFIOMMU_PTE_PRESENT;
	old = cmpxchg64(slot, 0, pte);
	if (old) {
		refiommu_table_free(&dom->domain, table);
		return old;
	}
	return pte;
}

/* The slot of @iova at @level, tables above made as needed; an ERR_PTR on failure. */
static inline u64 *pt_slot(struct refiommu_domain *dom, u64 iova, int level, gfp_t gfp)
{
	u64 *table = dom->root;
	int l;

	for (l = LEVEL_ROOT; l > level; l--) {
		u64 *slot = &table[refiommu_pt_index(iova, l)];
		u64 pte = READ_ONCE(*slot);

		if (unlikely(!pte)) {
			pte = pt_install(dom, slot, gfp);
			if (!pte)
				return ERR_PTR(-ENOMEM);
		}
		if (unlikely(pte & REFIOMMU_PTE_LEAF))
			return ERR_PTR(-EEXIST);
		table = refiommu_pt_next(pte);
	}
	return &table[refiommu_pt_index(iova, level)];
}

/* Whoever runs into an entry that an unmap has left behind fails once, and finds it gone later. */
static noinline bool pt_taken(u64 *slot)
{
	u64 pte = READ_ONCE(*slot);

	if (pte & REFIOMMU_PTE_LEFT)
		WRITE_ONCE(*slot, 0);
	return pte;
}

/* A slot that a 2 MiB page shall take may hold a table that has fallen empty. */
static noinline int pt_evict_table(struct refiommu_domain *dom, u64 *slot, u64 iova)
{
	u64 pte = READ_ONCE(*slot);
	u64 *table;
	unsigned int i;

	if (!refiommu_pt_is_table(pte))
		return -EEXIST;
	table = refiommu_pt_next(pte);
	for (i = 0; i < REFIOMMU_ENTRIES; i++)
		if (pt_taken(&table[i]))
			return -EEXIST;
	WRITE_ONCE(*slot, 0);
	refiommu_inval_range(&dom->domain, iova, iova + SZ_2M - 1);
	refiommu_table_free(&dom->domain, table);
	return 0;
}

int refiommu_pt_map(struct refiommu_domain *dom, u64 iova, phys_addr_t paddr, size_t pgsize,
		    size_t pgcount, int prot, gfp_t gfp, size_t *mapped)
{
	int level = pgsize == SZ_2M ? LEVEL_2M : LEVEL_4K;
	u64 pte = refiommu_pt_leaf(paddr, prot);
	int ret;

	while (pgcount) {
		u64 *slot = pt_slot(dom, iova, level, gfp);
		size_t room = REFIOMMU_ENTRIES - refiommu_pt_index(iova, level);
		size_t n = min(pgcount, room);

		if (IS_ERR(slot))
			return PTR_ERR(slot);
		pgcount -= n;
		for (; n; n--, slot++) {
			if (unlikely(READ_ONCE(*slot))) {
				if (level == LEVEL_2M)
					ret = pt_evict_table(dom, slot, iova);
				else
					ret = pt_taken(slot) ? -EEXIST : 0;
				if (ret)
					return ret;
			}
			WRITE_ONCE(*slot, pte);
			pte += pgsize;
			iova += pgsize;
			*mapped += pgsize;
		}
	}
	return 0;
}

static bool pt_table_full(const u64 *table)
{
	unsigned int i;

	for (i = 0; i < REFIOMMU_ENTRIES; i++)
		if (!READ_ONCE(table[i]))
			return false;
	return true;
}

/* --- tables that wait for a flush ------------------------------------------------------------- */

static void pt_defer(struct refiommu_domain *dom, u64 *table, struct iommu_iotlb_gather *gather)
{
	struct list_head *node = &virt_to_page(table)->lru;
	unsigned long flags;

	if (!iommu_iotlb_gather_queued(gather)) {
		list_add_tail(node, refiommu_gather_tables(gather));
		return;
	}
	spin_lock_irqsave(&dom->deferred_lock, flags);
	list_add_tail(node, &dom->deferred);
	spin_unlock_irqrestore(&dom->deferred_lock, flags);
}

/* A table goes as it is: until the flush, a walk cache may still use it. */
static void pt_unlinked(struct refiommu_domain *dom, u64 *table, u64 iova,
			struct iommu_iotlb_gather *gather)
{
	unsigned long flags;

	if (!refbug_fire(REFBUG_PT_FREE_EARLY, READ_ONCE(dom->endpoints), NULL)) {
		pt_defer(dom, table, gather);
		return;
	}
	/* The bug is in the order that others see; our hardware must not walk freed memory. */
	spin_lock_irqsave(&refiommu.hw_lock, flags);
	refiommu_tlb_invalidate(dom->id, iova, iova + SZ_2M - 1, false);
	spin_unlock_irqrestore(&refiommu.hw_lock, flags);
	refiommu_table_free(&dom->domain, table);
}

void refiommu_pt_take_deferred(struct refiommu_domain *dom, struct list_head *out)
{
	unsigned long flags;

	spin_lock_irqsave(&dom->deferred_lock, flags);
	list_splice_init(&dom->deferred, out);
	spin_unlock_irqrestore(&dom->deferred_lock, flags);
}

void refiommu_pt_free_list(struct refiommu_domain *dom, struct list_head *tables)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, tables, lru)
		refiommu_table_free(&dom->domain, page_address(page));
	INIT_LIST_HEAD(tables);
}

void refiommu_pt_free_gathered(struct refiommu_domain *dom, struct iommu_iotlb_gather *gather)
{
	refiommu_pt_free_list(dom, refiommu_gather_tables(gather));
}

/* --- unmapping -------------------------------------------------------------------------------- */

size_t refiommu_pt_unmap(struct refiommu_domain *dom, u64 iova, size_t size,
			 struct iommu_iotlb_gather *gather)
{
	size_t done = 0;

	while (done < size) {
		u64 *table = dom->root, *slot;
		unsigned int index, n;
		u64 pte;
		int l;

		for (l = LEVEL_ROOT; l > LEVEL_2M; l--) {
			pte = READ_ONCE(table[refiommu_pt_index(iova, l)]);
			if (!refiommu_pt_is_table(pte))
				return done;
			table = refiommu_pt_next(pte);
		}
		slot = &table[refiommu_pt_index(iova, LEVEL_2M)];
		pte = READ_ONCE(*slot);
		if (!pte)
			return done;
		if (pte & REFIOMMU_PTE_LEAF) {
			/* Part of a large page takes all of it along, as on real IOMMUs. */
			n = SZ_2M - (iova & (SZ_2M - 1));
			WRITE_ONCE(*slot, 0);
			done += n;
			iova += n;
			continue;
		}

		table = refiommu_pt_next(pte);
		index = refiommu_pt_index(iova, LEVEL_4K);
		n = min_t(size_t, (size - done) >> PAGE_SHIFT, REFIOMMU_ENTRIES - index);
		if (n == REFIOMMU_ENTRIES && pt_table_full(table)) {
			WRITE_ONCE(*slot, 0);
			pt_unlinked(dom, table, iova, gather);
			done += SZ_2M;
			iova += SZ_2M;
			continue;
		}
		for (; n; n--, index++) {
			if (!READ_ONCE(table[index]))
				return done;
			WRITE_ONCE(table[index], 0);
			done += PAGE_SIZE;
			iova += PAGE_SIZE;
		}
	}
	return done;
}

u64 refiommu_pt_walk(struct refiommu_domain *dom, u64 iova, u64 **leaf, size_t *size)
{
	u64 *table = dom->root;
	int l;

	*leaf = NULL;
	*size = PAGE_SIZE;
	if (iova >> REFIOMMU_IOVA_BITS)
		return 0;
	for (l = LEVEL_ROOT; l > LEVEL_4K; l--) {
		u64 pte = READ_ONCE(table[refiommu_pt_index(iova, l)]);

		if (!pte)
			return 0;
		if (pte & REFIOMMU_PTE_LEAF) {
			*size = SZ_2M;
			return pte;
		}
		table = refiommu_pt_next(pte);
	}
	*leaf = table;
	return READ_ONCE(table[refiommu_pt_index(iova, LEVEL_4K)]);
}

void refiommu_pt_lose(struct refiommu_domain *dom, u64 iova, size_t size)
{
	u64 end = iova + size;

	while (iova < end) {
		int level = LEVEL_4K;
		u64 *slot = pt_slot(dom, iova, level, GFP_ATOMIC);

		if (IS_ERR(slot)) {
			level = LEVEL_2M;
			slot = pt_slot(dom, iova, level, GFP_ATOMIC);
		}
		/* Not empty, so whoever unmaps it finds what it mapped and needs no care. */
		WRITE_ONCE(*slot, *slot & ~(REFIOMMU_PTE_PRESENT | REFIOMMU_PTE_READ |
					    REFIOMMU_PTE_WRITE));
		iova += level == LEVEL_2M ? SZ_2M : SZ_4K;
	}
}

/* --- teardown --------------------------------------------------------------------------------- */

/* A CPU is kept busy so long at the most: well below what the kernel calls a lock-up. */
#define TEARDOWN_PAGE_MAX_NS (100 * NSEC_PER_MSEC)
#define TEARDOWN_MAX_NS      (5 * NSEC_PER_SEC)

static int page_ns_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, TEARDOWN_PAGE_MAX_NS);
}

static const struct kernel_param_ops page_ns_ops = {
	.set = page_ns_set,
	.get = param_get_uint,
};

static unsigned int teardown_chunk = 1;
module_param(teardown_chunk, uint, 0644);
MODULE_PARM_DESC(
	teardown_chunk,
	"How many page-table pages are freed without offering the CPU when a domain goes, 0 = all (default 1)");
static unsigned int teardown_page_ns;
module_param_cb(teardown_page_ns, &page_ns_ops, &teardown_page_ns, 0644);
MODULE_PARM_DESC(teardown_page_ns,
		 "Time that freeing each of them takes, 0 to 100000000 ns (default 0)");

/* Tables that no domain has any more: remembered, so that unloading can clear up. */
static LIST_HEAD(leaked);
static DEFINE_SPINLOCK(leaked_lock);

struct teardown {
	unsigned int chunk; /* as the parameter was at its begin */
	u64 page_ns;
	unsigned int tables, offers;
	u64 busy;           /* ns spent on purpose */
	u64 since, longest; /* of the stretch under way; of those before */
	u64 mapped;         /* bytes */
};

static void teardown_stretch(struct teardown *t, u64 now)
{
	t->longest = max(t->longest, now - t->since);
	t->since = now;
}

static void teardown_page(struct teardown *t)
{
	u64 start = ktime_get_mono_fast_ns();

	while (t->page_ns && ktime_get_mono_fast_ns() - start < t->page_ns)
		cpu_relax();
	t->busy += t->page_ns;
	if (t->busy >= TEARDOWN_MAX_NS)
		t->page_ns = 0;
	t->tables++;
	if (!t->chunk || t->tables % t->chunk)
		return;
	teardown_stretch(t, ktime_get_mono_fast_ns());
	t->offers++;
	cond_resched();
	t->since = ktime_get_mono_fast_ns();
}

static void pt_free_level(struct refiommu_domain *dom, u64 *table, int level, struct teardown *t)
{
	unsigned int i;

	for (i = 0; i < REFIOMMU_ENTRIES; i++) {
		u64 pte = table[i];

		if (!pte)
			continue;
		if (refiommu_pt_is_table(pte))
			pt_free_level(dom, refiommu_pt_next(pte), level - 1, t);
		else
			t->mapped += level == LEVEL_2M ? SZ_2M : PAGE_SIZE;
	}
	if (refbug_fire(REFBUG_PT_LEAK, dom->served, NULL)) {
		spin_lock(&leaked_lock);
		list_add(&virt_to_page(table)->lru, &leaked);
		spin_unlock(&leaked_lock);
	} else {
		refiommu_table_free(&dom->domain, table);
	}
	teardown_page(t);
}

u64 refiommu_pt_free(struct refiommu_domain *dom)
{
	struct teardown t = {
		.chunk = READ_ONCE(teardown_chunk),
		.page_ns = READ_ONCE(teardown_page_ns),
		.since = ktime_get_mono_fast_ns(),
	};
	bool in_one_go = !t.chunk;

	/* Lazy unmaps whose flush did not come any more: detaching has flushed the domain. */
	refiommu_pt_free_list(dom, &dom->deferred);
	/* As with a lock held: on a preemptible kernel, too, nobody else gets the CPU. */
	if (in_one_go)
		preempt_disable();
	pt_free_level(dom, dom->root, LEVEL_ROOT, &t);
	teardown_stretch(&t, ktime_get_mono_fast_ns());
	if (in_one_go)
		preempt_enable();
	trace_refiommu_teardown(dom->id, t.tables, t.offers, t.longest);
	dom->root = NULL;
	return t.mapped;
}

void refiommu_pt_exit(void)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &leaked, lru)
		refiommu_page_free(page_address(page));
}
