/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of refiommu.ko share; none of it is for other modules. */
#ifndef REFIOMMU_PRIV_H
#define REFIOMMU_PRIV_H

#include <linux/atomic.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>

#include "compat.h"
#include "refiommu.h"

/* --- ground truth ----------------------------------------------------------------------------- */

/* clang-format off */
#define REFIOMMU_STATS(X)                                                                          \
	X(maps) X(unmaps) X(map_bytes) X(unmap_bytes) X(map_errors) X(sync) X(sync_map)            \
	X(flush_all) X(inval_submitted) X(inval_completed) X(translations) X(iotlb_hits)           \
	X(iotlb_evictions) X(pwc_hits) X(walks) X(stale_hits) X(faults) X(tables_allocated)        \
	X(tables_freed) X(bytes_mapped_at_free) X(domains_allocated) X(domains_freed)              \
	X(sync_in_unmap) X(flush_at_detach) X(page_requests) X(page_groups) X(page_success)        \
	X(page_invalid) X(page_failure) X(page_refused)
/* clang-format on */

#define REFIOMMU_STAT_ID(name) REFIOMMU_STAT_##name,
enum refiommu_stat { REFIOMMU_STATS(REFIOMMU_STAT_ID) REFIOMMU_NR_STATS };
#undef REFIOMMU_STAT_ID

struct refiommu_stats {
	u64 v[REFIOMMU_NR_STATS];
};

/* --- objects ---------------------------------------------------------------------------------- */

#define REFIOMMU_LEVELS    4
#define REFIOMMU_IOVA_BITS 48

/* A page-table entry, of tables and pages alike. */
#define REFIOMMU_PTE_PRESENT BIT_ULL(0)
#define REFIOMMU_PTE_READ    BIT_ULL(1)
#define REFIOMMU_PTE_WRITE   BIT_ULL(2)
#define REFIOMMU_PTE_LEAF    BIT_ULL(3)
#define REFIOMMU_PTE_LEFT    BIT_ULL(4) /* of software: an unmap has left the entry behind */
#define REFIOMMU_PTE_ADDR    GENMASK_ULL(51, 12)

struct refiommu_domain {
	struct iommu_domain domain;
	u64 *root;
	u16 id;
	u64 endpoints; /* mask of those attached, under hw_lock */
	struct refiommu_stats __percpu *stats;
	atomic64_t flush_started, flush_finished;
	spinlock_t deferred_lock;
	struct list_head deferred; /* tables that wait for the next flush of everything */
	u64 unmapped_last;         /* bug: highest address unmapped since; deferred_lock */
	bool queued, in_timer;     /* lazy unmaps since the queue's timer; it is at work */
	u64 served;                /* mask of all endpoints it ever had, under hw_lock */
	bool retired;              /* it is about to be freed, under hw_lock */
	atomic_t pins;             /* who may use it although it isn't theirs */
	struct list_head node;
};

enum refiommu_mode { REFIOMMU_BLOCKED, REFIOMMU_IDENTITY, REFIOMMU_PAGING };

struct refiommu_endpoint {
	struct device *dev;
	u32 id;
	enum refiommu_mode mode;     /* both under hw_lock */
	struct refiommu_domain *dom; /* REFIOMMU_PAGING only */
	struct list_head node;
};

/* The one IOMMU that the module emulates. */
struct refiommu_unit {
	struct iommu_device iommu;
	struct platform_device *pdev;
	struct mutex lock; /* the two lists and the retired counters; domains: hw_lock too */
	struct list_head domains;
	struct list_head endpoints;
	struct refiommu_stats retired; /* of domains that are gone */
	spinlock_t hw_lock; /* all that the hardware would do on its own: caches, queue */
};

extern struct refiommu_unit refiommu;
DECLARE_PER_CPU(struct refiommu_stats, refiommu_unit_stats);

/* Of one domain, or of the IOMMU itself. */
#define refiommu_count(dom, stat, n) this_cpu_add((dom)->stats->v[REFIOMMU_STAT_##stat], n)
#define refiommu_count_unit(stat, n) this_cpu_add(refiommu_unit_stats.v[REFIOMMU_STAT_##stat], n)

static inline struct refiommu_domain *to_refiommu_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct refiommu_domain, domain);
}

/* --- page table (refiommu_pt.c) --------------------------------------------------------------- */

#define REFIOMMU_ENTRIES 512U

static inline unsigned int refiommu_pt_index(u64 iova, int level)
{
	return (iova >> (PAGE_SHIFT + 9 * level)) & (REFIOMMU_ENTRIES - 1);
}

static inline u64 *refiommu_pt_next(u64 pte)
{
	return phys_to_virt(pte & REFIOMMU_PTE_ADDR);
}

static inline bool refiommu_pt_is_table(u64 pte)
{
	return (pte & (REFIOMMU_PTE_PRESENT | REFIOMMU_PTE_LEAF)) == REFIOMMU_PTE_PRESENT;
}

/*
 * The slot of a 4 KiB page, NULL unless all tables above are there. The fast path of single pages,
 * unrolled: mapping and unmapping one costs three of these, and costs are what we are measured by.
 */
static __always_inline u64 *refiommu_pt_slot_4k(struct refiommu_domain *dom, u64 iova)
{
	u64 pte = READ_ONCE(dom->root[refiommu_pt_index(iova, 3)]);

	if (unlikely(!refiommu_pt_is_table(pte)))
		return NULL;
	pte = READ_ONCE(refiommu_pt_next(pte)[refiommu_pt_index(iova, 2)]);
	if (unlikely(!refiommu_pt_is_table(pte)))
		return NULL;
	pte = READ_ONCE(refiommu_pt_next(pte)[refiommu_pt_index(iova, 1)]);
	if (unlikely(!refiommu_pt_is_table(pte)))
		return NULL;
	return &refiommu_pt_next(pte)[refiommu_pt_index(iova, 0)];
}

static __always_inline u64 refiommu_pt_leaf(phys_addr_t paddr, int prot)
{
	BUILD_BUG_ON(IOMMU_READ << 1 != REFIOMMU_PTE_READ ||
		     IOMMU_WRITE << 1 != REFIOMMU_PTE_WRITE);
	return paddr | (prot & (IOMMU_READ | IOMMU_WRITE)) << 1 | REFIOMMU_PTE_PRESENT |
	       REFIOMMU_PTE_LEAF;
}

/* Maps @pgcount pages of @pgsize (4 KiB or 2 MiB); adds what was mapped, in bytes, to *mapped. */
int refiommu_pt_map(struct refiommu_domain *dom, u64 iova, phys_addr_t paddr, size_t pgsize,
		    size_t pgcount, int prot, gfp_t gfp, size_t *mapped);
/*
 * Clears up to @size bytes, stops at a hole. Tables that fall empty wait for the flush: on gather's
 * freelist, or in the domain if gather is queued.
 */
size_t refiommu_pt_unmap(struct refiommu_domain *dom, u64 iova, size_t size,
			 struct iommu_iotlb_gather *gather);
/* The entry that maps @iova or 0; *leaf is its 4 KiB-level table or NULL, *size what it covers. */
u64 refiommu_pt_walk(struct refiommu_domain *dom, u64 iova, u64 **leaf, size_t *size);
/* Bug: makes what was just mapped in [iova, iova + size) absent to the hardware, not to unmap. */
void refiommu_pt_lose(struct refiommu_domain *dom, u64 iova, size_t size);
/* Tables that wait for a flush: frees those of @gather, or moves the domain's to @out and back. */
void refiommu_pt_free_gathered(struct refiommu_domain *dom, struct iommu_iotlb_gather *gather);
void refiommu_pt_take_deferred(struct refiommu_domain *dom, struct list_head *out);
void refiommu_pt_free_list(struct refiommu_domain *dom, struct list_head *tables);
/* Every table comes from here (NULL: no memory) and goes here, whatever for; both count it. */
void *refiommu_table_alloc(struct iommu_domain *domain, gfp_t gfp);
void refiommu_table_free(struct iommu_domain *domain, void *table);
/* Frees every table; returns how many bytes were still mapped. May sleep. */
u64 refiommu_pt_free(struct refiommu_domain *dom);
/* Frees the tables that a bug has leaked. */
void refiommu_pt_exit(void);

/* --- caches and translation (refiommu_tlb.c); all but init/exit under hw_lock ----------------- */

extern bool refiommu_cache_nonpresent;

int refiommu_tlb_init(void);
void refiommu_tlb_exit(void);
/* Drops what is cached of a domain in [start, end]; the leaf entries only if @leaves. */
void refiommu_tlb_invalidate(u16 did, u64 start, u64 end, bool leaves);

/* Bug: the IOTLB caches that the page at @iova is absent. Takes hw_lock itself. */
void refiommu_tlb_cache_absent(struct refiommu_domain *dom, u64 iova);

/* --- flushes (refiommu_flush.c); any context -------------------------------------------------- */

int refiommu_flush_init(void);
void refiommu_flush_exit(void);
/* Flushes [start, last], unless a bug has it otherwise; 0 to U64_MAX is everything. */
void refiommu_flush_range(struct refiommu_domain *dom, u64 start, u64 last);
/* The same, then frees the tables that waited for it. */
void refiommu_flush_everything(struct refiommu_domain *dom);
void refiommu_flush_gathered(struct refiommu_domain *dom, struct iommu_iotlb_gather *gather);
/* For the bug flush-short: the last byte of a lazy unmap. */
void refiommu_flush_note_unmap(struct refiommu_domain *dom, u64 last);
/* Waits until nobody but its owner uses the domain any more. May sleep. */
void refiommu_domain_retire(struct refiommu_domain *dom);

/* --- invalidation queue (refiommu_invq.c) ----------------------------------------------------- */

/* Executes what the hardware would have executed by now. Under hw_lock. */
void refiommu_invq_advance(void);
/*
 * Invalidates [start, last] and waits until that has completed; 0 to ~0UL is everything. All
 * invalidations come through here. Any context.
 */
void refiommu_inval_range(struct iommu_domain *domain, unsigned long start, unsigned long last);
/* No invalidation of @dom completes before @until (ns, monotonic); 0 = as ever. Under hw_lock. */
void refiommu_invq_hold(const struct refiommu_domain *dom, u64 until);
/* Whether an invalidation of @dom is under way. Under hw_lock. */
bool refiommu_invq_busy(const struct refiommu_domain *dom);

/* --- domains (refiommu_domain.c) -------------------------------------------------------------- */

extern struct iommu_domain_ops refiommu_dma_ops;
extern struct iommu_domain refiommu_identity_domain;
extern struct iommu_domain refiommu_blocked_domain;

extern bool refiommu_flush_all;

/* Settles which operations the domains offer, from the module's parameters. */
void refiommu_domain_init(void);
struct iommu_domain *refiommu_domain_alloc_paging(struct device *dev);
#if REFIOMMU_BUS_OPS
struct iommu_domain *refiommu_domain_alloc(unsigned int type);
#endif
/* Blocks the endpoint, whatever it was attached to. */
void refiommu_endpoint_detach(struct refiommu_endpoint *ep);

/* --- page requests (refiommu_prq.c) ------------------------------------------------------------
 */

int refiommu_prq_init(void);
void refiommu_prq_exit(void);
REFIOMMU_PAGE_RESPONSE(refiommu_page_response);

/* --- the driver (refiommu_main.c) ------------------------------------------------------------- */

/* Whether flushes may be deferred: what IOMMU_CAP_DEFERRED_FLUSH says where that exists. */
bool refiommu_may_defer(void);

/* --- control files (refiommu_debugfs.c), bugs (refiommu_bug.c) -------------------------------- */

void refiommu_debugfs_init(void);
void refiommu_debugfs_exit(void);
void refbug_debugfs_init(struct dentry *dir);

#endif
