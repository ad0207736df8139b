/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the reference IOMMU offers to its DMA master: endpoints, translation, flush progress and
 * the table of bugs that both modules inject from.
 */
#ifndef REFIOMMU_H
#define REFIOMMU_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>

struct dentry;
struct device;
struct seq_file;

#define REFIOMMU_MAX_ENDPOINTS 64

/*
 * Something one can put a probe on: neither inlined nor cloned, so the symbol keeps its own name
 * and the arguments as declared. A truth point is there for tests alone; what a driver would have
 * anyway is a mere probe point.
 */
#define refiommu_probe_point noinline __attribute__((__noipa__))
#define refiommu_truth_point refiommu_probe_point

/* --- endpoints and translation ---------------------------------------------------------------- */

/**
 * struct refiommu_xlate - a translation that the IOMMU granted
 * @phys: physical address of the byte asked for
 * @len: bytes from @phys to the end of its page (4 KiB or 2 MiB)
 * @stale: a cache answered what the page table no longer says
 */
struct refiommu_xlate {
	phys_addr_t phys;
	size_t len;
	bool stale;
};

/*
 * Makes @dev, which must not be added yet, an endpoint with number @id (below
 * REFIOMMU_MAX_ENDPOINTS). 0, -EINVAL or -ENOMEM.
 */
int refiommu_endpoint_init(struct device *dev, u32 id);

/* Undoes refiommu_endpoint_init() of a device whose adding failed. */
void refiommu_endpoint_undo(struct device *dev);

/*
 * Translates one access of @dev at @iova through IOTLB, page-walk cache and page table. 0 and @out
 * filled, or -EFAULT: the fault is then counted and reported. Callable with IRQs off.
 */
int refiommu_translate(struct device *dev, u64 iova, bool write, struct refiommu_xlate *out);

/**
 * struct refiommu_flushes - whole-domain flushes of the domain that a device is attached to
 * @started: how many were asked for
 * @finished: how many of those have completed; a dropped one never does
 * @lazy: the domain defers its flushes (DMA-FQ)
 * @in_flight: an invalidation of the domain, whole or not, is submitted and not completed
 */
struct refiommu_flushes {
	u64 started;
	u64 finished;
	bool lazy;
	bool in_flight;
};

void refiommu_flushes_of(struct device *dev, struct refiommu_flushes *out);

/*
 * Lets no invalidation of the domain that @dev is attached to complete for @ms from now; 0 ends
 * that. One device at a time: the last one counts.
 */
void refiommu_hold_flushes(struct device *dev, unsigned int ms);

/* --- page requests ---------------------------------------------------------------------------- */

/* What a device asks for; requests with the same prgi are a group. */
struct refiommu_page_request {
	u64 iova;
	u32 pasid; /* if has_pasid */
	u32 prgi;
	u32 perm; /* IOMMU_FAULT_PERM_* */
	bool has_pasid;
	bool last; /* of its group */
};

/* Hands it to the core. What that returns; the request is answered then, by whomever. May sleep. */
int refiommu_page_request(struct device *dev, const struct refiommu_page_request *req);

/*
 * From 6.12 on a device may make them between these two only; the second one answers all that wait:
 * invalid. 0, -EBUSY or -ENOMEM.
 */
int refiommu_page_requests_on(struct device *dev);
void refiommu_page_requests_off(struct device *dev);

/* --- bugs ------------------------------------------------------------------------------------- */

enum refbug {
	REFBUG_FLUSH_DROP,
	REFBUG_FLUSH_SHORT,
	REFBUG_FLUSH_WRONG_DOMAIN,
	REFBUG_FLUSH_EARLY,
	REFBUG_QUEUE_FULL,
	REFBUG_INVAL_SLOW,
	REFBUG_INVAL_TIMEOUT,
	REFBUG_SYNC_MAP_SKIP,
	REFBUG_PTE_LOST,
	REFBUG_PTE_LEFT,
	REFBUG_PT_FREE_EARLY,
	REFBUG_PT_LEAK,
	REFBUG_FAULT_NO_ADDRESS,
	REFBUG_FAULT_NO_DEVICE,
	REFBUG_USE_AFTER_UNMAP,
	REFBUG_USE_AFTER_DETACH,
	REFBUG_PAST_END,
	REFBUG_BEFORE_START,
	REFBUG_WRONG_ACCESS,
	REFBUG_TRUNCATE,
	REFBUG_OTHER_DEVICE,
	REFBUG_STRAY,
	REFBUG_LEAK,
	REFBUG_UNMAP_SIZE,
	REFBUG_DOUBLE_UNMAP,
	REFBUG_IOVA_REUSE,
	REFBUG_MAP_OVER,
	REFBUG_DETACH_FULL,
	REFBUG_SPURIOUS_COMPLETION,
	REFBUG_HANG,
	REFBUG_HANG_AFTER_FAULT,
	REFBUG_NR,
};

/* Who misbehaves; decides in which module's truth file a bug is counted. */
enum refbug_side { REFBUG_IOMMU, REFBUG_DEVICE };

/* When a late access happens, counted from the moment that the unmap returned. */
enum refbug_when {
	REFBUG_WHEN_INSIDE, /* at once: inside the lazy window, if there is one */
	REFBUG_WHEN_DELAY,  /* after delay_us */
	REFBUG_WHEN_AFTER,  /* once a flush has completed that began after the unmap */
	REFBUG_WHEN_FLUSH,  /* while the unmap's own flush is under way: strict domains only */
};

struct refbug_arg {
	u32 delay_us;
	enum refbug_when when;
	u64 value; /* of the bug's own key: bytes, bits, a time … */
};

/* One bit per bug that is switched on: the only thing that a hot path looks at. */
extern unsigned long refbug_armed;

bool refbug_fire_armed(enum refbug bug, u64 endpoints, struct refbug_arg *arg);

/*
 * True if @bug may still happen to one of @endpoints; fills @arg, counts nothing. For bugs that
 * must look first whether their effect is possible now. Any context.
 */
bool refbug_pending(enum refbug bug, u64 endpoints, struct refbug_arg *arg);

/*
 * True if @bug is to happen now to one of @endpoints (a mask of endpoint numbers); counts it and
 * fills @arg unless NULL. Any context.
 */
static inline bool refbug_fire(enum refbug bug, u64 endpoints, struct refbug_arg *arg)
{
	return unlikely(READ_ONCE(refbug_armed) & BIT(bug)) &&
	       refbug_fire_armed(bug, endpoints, arg);
}

/* Prints 'injected_<bug> N' for each bug of @side. */
void refbug_show_truth(struct seq_file *m, enum refbug_side side);

#endif
