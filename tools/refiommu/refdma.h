/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of refdma.ko, the DMA master behind the reference IOMMU, share. */
#ifndef REFDMA_H
#define REFDMA_H

#include <linux/dma-mapping.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "refiommu.h"

/* --- ground truth ----------------------------------------------------------------------------- */

/* clang-format off */
#define REFDMA_STATS(X)                                                                            \
	X(api_maps) X(api_unmaps) X(api_map_bytes) X(api_unmap_bytes) X(api_allocs) X(api_frees)   \
	X(api_alloc_bytes) X(api_free_bytes) X(api_failures) X(ops) X(descriptors)                 \
	X(descriptor_faults) X(bytes_moved) X(bytes_withheld) X(data_errors) X(leaks)              \
	X(leaked_bytes) X(late_accesses) X(late_stale) X(late_faults) X(late_reused)               \
	X(late_cancelled) X(stray_accesses) X(stray_faults) X(hangs) X(stalls) X(resets)           \
	X(ops_reset)
/* clang-format on */

#define REFDMA_STAT_ID(name) REFDMA_STAT_##name,
enum refdma_stat { REFDMA_STATS(REFDMA_STAT_ID) REFDMA_NR_STATS };
#undef REFDMA_STAT_ID

struct refdma_stats {
	u64 v[REFDMA_NR_STATS];
};

#define refdma_count(dev, stat, n) this_cpu_add((dev)->stats->v[REFDMA_STAT_##stat], n)

/* --- what a run does -------------------------------------------------------------------------- */

enum refdma_workload { REFDMA_SINGLE, REFDMA_SG, REFDMA_COHERENT, REFDMA_UNMANAGED };
enum refdma_mode { REFDMA_MODE_DMA, REFDMA_MODE_MAP };

#define REFDMA_MAX_THREADS 32
#define REFDMA_MAX_DEPTH   16
#define REFDMA_MAX_NENTS   16
#define REFDMA_MAX_SIZE    SZ_2M
#define REFDMA_MAX_POOL    SZ_256M

struct refdma_cfg {
	enum refdma_workload workload;
	enum refdma_mode mode;
	enum dma_data_direction dir;
	unsigned int threads; /* queues, each with a driver and a device thread */
	unsigned int depth;   /* operations that a queue has under way at once */
	unsigned int nents;   /* segments of one sg operation */
	u64 rate;             /* operations per second of the device, 0 = flat out */
	u64 ops;              /* operations in all, 0 = until stopped */
	unsigned int hold_us; /* from a descriptor's posting to the device's access, at the least */
	unsigned int sync_every; /* unmanaged: unmaps that share a sync */
	size_t size_min;         /* bytes of one buffer: powers of two between these two */
	size_t size_max;
};

/* --- the ring, as the device reads it from memory --------------------------------------------- */

#define REFDMA_RING_SIZE 256U

#define REFDMA_DESC_READ  BIT(0) /* the device reads the buffer … */
#define REFDMA_DESC_WRITE BIT(1) /* … or writes it, or both in this order */

enum refdma_status { REFDMA_PENDING, REFDMA_OK, REFDMA_FAULT, REFDMA_RESET };

struct refdma_desc {
	u64 iova;
	u64 seq; /* what the device writes, in each 8 bytes */
	u64 sum; /* of what it read: the first plus the last 8 bytes */
	u32 len;
	u32 flags;
	u32 status;
	u32 reserved[7];
};
static_assert(sizeof(struct refdma_desc) == 64);

/* --- objects ---------------------------------------------------------------------------------- */

/* One operation under way: its memory, which the module owns, and its mapping. */
struct refdma_slot {
	struct page *pages[REFDMA_MAX_NENTS]; /* size_max bytes each; sg uses several */
	struct scatterlist sg[REFDMA_MAX_NENTS];
	void *coherent;
	dma_addr_t iova;
	size_t size;  /* of each buffer */
	size_t total; /* of the operation */
	unsigned int first, ndesc;
	u64 seq;
	u64 flushes; /* flushes started when it was posted */
};

struct refdma_late {
	struct list_head node;
	u64 iova;
	bool write;
	bool in_flush; /* due when an invalidation is under way, given up at due */
	ktime_t due;
};

/* Bug: a descriptor that the device has called done and will use again once it is unmapped. */
struct refdma_unfinished {
	bool there; /* the device sets it, the driver side clears it */
	bool write;
	u32 index;
	u64 iova;
};

struct refdma_queue {
	struct refdma_dev *dev;
	struct refdma_run *run;
	const struct refdma_cfg *cfg;
	unsigned int index;
	u64 ops; /* to do, U64_MAX = until stopped */
	u64 seq;
	u32 random;
	u64 iova_base; /* of what the queue maps itself, in an unmanaged domain */
	struct iommu_iotlb_gather gather; /* of its unmaps there that are not synced … */
	unsigned int unsynced;            /* … which are so many */

	struct refdma_desc *ring;
	dma_addr_t ring_iova;
	u32 tail; /* written by the driver side */
	u32 head; /* written by the device side */

	struct task_struct *task, *hw_task;
	wait_queue_head_t hw_wait, done_wait;
	struct mutex hw_lock; /* the device's state: head, hung; a reset excludes the device */
	bool hung;
	spinlock_t late_lock;
	struct list_head late;
	bool late_news; /* the next one due may be earlier than the device thought */
	struct refdma_unfinished unfinished;

	u32 watched_head; /* the watchdog's */
	ktime_t watched_since;
	unsigned int watched_times;

	struct refdma_slot *slots;
};

struct refdma_run {
	struct refdma_cfg cfg;
	struct iommu_domain *unmanaged; /* the device is attached to it; NULL: DMA API */
	u64 used_after; /* bug: the device uses it once the domain is gone; 0 = no */
	atomic_t active;
	unsigned int nr_queues;
	struct refdma_queue queues[];
};

struct refdma_dev {
	struct device *dev;
	u32 id;
	struct refdma_stats __percpu *stats;
	struct dentry *dir;
	struct list_head node;

	struct mutex lock; /* run, dead */
	struct refdma_run *run;
	bool dead;
	bool stop; /* asks the threads of the run to finish */
	wait_queue_head_t idle_wait;
	struct work_struct reap_work;
	struct delayed_work watchdog;

	struct mutex bench_lock;
	u64 *bench_ns;
	unsigned int bench_loops, bench_pairs;

	struct refdma_prq *prq; /* there is a handler of page requests; bench_lock */
};

/* --- refdma_run.c: from start to end of a run ------------------------------------------------- */

/* 0, -EBUSY if one is under way, -ENODEV if the device goes, -ENOMEM, -E2BIG. */
int refdma_start(struct refdma_dev *dev, const struct refdma_cfg *cfg);
void refdma_stop(struct refdma_dev *dev);
/* Waits for the end of the run; -ERESTARTSYS if a signal comes first. */
int refdma_wait(struct refdma_dev *dev);
void refdma_run_init(struct refdma_dev *dev);
/* Stops for good: nothing of a run is left, and none starts any more. */
void refdma_run_exit(struct refdma_dev *dev);

/* --- refdma_work.c: the driver side of a queue ------------------------------------------------ */

/* Maps or unmaps pages that refdma owns, in the run's unmanaged domain. 0 or -errno. */
int refdma_unmanaged_map(struct refdma_queue *q, u64 iova, void *mem, size_t size);
void refdma_unmanaged_unmap(struct refdma_queue *q, u64 iova, size_t size);
/* The same without the sync; and that, for all since the last one. */
void refdma_unmanaged_unmap_fast(struct refdma_queue *q, u64 iova, size_t size);
void refdma_unmanaged_sync(struct refdma_queue *q);
/* Unmaps what an operation had mapped, as it should be done. */
void refdma_unmap_slot(struct refdma_queue *q, struct refdma_slot *slot);
/* Pages that refdma_owns(), zeroed; NULL if there are none. */
struct page *refdma_pool_alloc(size_t size);
void refdma_pool_free(struct page *page, size_t size);
int refdma_slots_alloc(struct refdma_queue *q);
void refdma_slots_free(struct refdma_queue *q);
/* True if this page is memory that refdma owns, so that a stray write does no harm. */
bool refdma_owns(phys_addr_t phys);
/* Works through the queue's operations; returns when they are done or a stop is asked for. */
void refdma_work(struct refdma_queue *q);

static inline bool refdma_stopping(const struct refdma_queue *q)
{
	return READ_ONCE(q->dev->stop);
}

/* --- refdma_bugs.c: how an operation ends, rightly or wrongly --------------------------------- */

/* used: the device has done all of it. */
void refdma_finish(struct refdma_queue *q, struct refdma_slot *slot, bool used);
/*
 * What looks wrong and isn't: flushes a domain that no device was ever attached to, all of it or
 * what an unmap left to sync. 0 or -errno.
 */
int refdma_unused_domain(struct refdma_dev *rd, bool flush_all);

/* --- refdma_hw.c: the device side ------------------------------------------------------------- */

int refdma_hw_thread(void *queue);
/* Gives up on everything posted, revives the device; returns how many descriptors that were. */
unsigned int refdma_hw_reset(struct refdma_queue *q);
void refdma_hw_late(struct refdma_queue *q, u64 iova, bool write);
int refdma_hw_late_at(struct refdma_queue *q, u64 iova, bool write, u32 delay_us);
/* Makes the access while the next invalidation is under way, or cancels it when ms have passed. */
int refdma_hw_late_in_flush(struct refdma_queue *q, u64 iova, bool write, unsigned int ms);
void refdma_hw_late_cancel(struct refdma_queue *q);
/*
 * An access that should not be: moves bytes only if they are refdma's own. 0 or -EFAULT; *stale as
 * in struct refiommu_xlate.
 */
int refdma_hw_touch(struct refdma_dev *rd, u64 iova, bool write, bool *stale);

/* --- refdma_stray.c: accesses to wrong addresses ---------------------------------------------- */

/* Makes those that the bugs switched on ask for, beside a descriptor; true if one faulted. */
bool refdma_strays(struct refdma_queue *q, const struct refdma_desc *desc);
/* The device uses an IOVA without being asked to; true if that faulted. */
bool refdma_stray(struct refdma_dev *rd, u64 iova, bool write);
/* Tells other devices where this one's first ring is; 0 = gone. */
void refdma_stray_ring(const struct refdma_dev *rd, u64 iova);

/* --- refdma_prq.c: page requests ---------------------------------------------------------------
 */

enum refdma_prq_answer {
	REFDMA_PRQ_SUCCESS,
	REFDMA_PRQ_INVALID,
	REFDMA_PRQ_FAILURE,
	REFDMA_PRQ_NONE,      /* no answer until the handler goes */
	REFDMA_PRQ_ABORT,     /* the handler returns an error */
	REFDMA_PRQ_UNHANDLED, /* there is no handler */
};

struct refdma_prq_cfg {
	u64 iova;            /* of the first request; the others follow page by page */
	unsigned int groups; /* numbered from prgi on … */
	unsigned int pages;  /* … of so many requests each */
	unsigned int prgi;
	unsigned int pasid; /* if has_pasid */
	bool has_pasid;
	unsigned int perm; /* IOMMU_FAULT_PERM_* */
	enum refdma_prq_answer answer;
	unsigned int delay_us; /* from the last request of a group to its answer, at the least */
	unsigned int wait;     /* return when all have been answered */
};

/*
 * Makes page requests; the first call makes their handler, too, which stays. Both under bench_lock.
 * 0, -EBUSY: there is another handler (a PASID's), or one where none is wanted; -EOPNOTSUPP: this
 * kernel has no handler without a PASID; or the core's error.
 */
int refdma_prq_run(struct refdma_dev *rd, const struct refdma_prq_cfg *cfg);
/* Waits for the answers under way; those that never come, come now: invalid. */
void refdma_prq_off(struct refdma_dev *rd);

/* --- refdma_ctl.c, refdma_bench.c: control files ---------------------------------------------- */

void refdma_ctl_add(struct refdma_dev *dev, struct dentry *parent);
void refdma_ctl_remove(struct refdma_dev *dev);
/* Times loops of pairs in the calling thread; the result stays in the device. */
int refdma_bench(struct refdma_dev *dev, unsigned int loops, unsigned int pairs, size_t size,
		 bool yield);

/* --- refdma_main.c ---------------------------------------------------------------------------- */

extern unsigned int refdma_watchdog_ms;

void refdma_stats_sum(struct refdma_dev *dev, struct refdma_stats *sum);
extern const char *const refdma_stat_names[REFDMA_NR_STATS];

#endif
