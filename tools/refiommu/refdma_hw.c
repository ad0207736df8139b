// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device side of a queue: a thread that reads descriptors and moves bytes as a DMA master does,
 * knowing only IOVAs and reaching memory only through the IOMMU's translation.
 */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/io.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "refdma.h"

/* What a late access touches: one translation, so that truth counts are exact. */
#define LATE_BYTES 64

/* Ground truth: from here on the queue does nothing until it is reset. */
static refiommu_truth_point void refdma_queue_hang(struct refdma_queue *q)
{
	WRITE_ONCE(q->hung, true);
	refdma_count(q->dev, hangs, 1);
}

/*
 * What is translated by a stale entry, or after the unmap, may be memory that has a new owner by
 * now. Bytes go there only if that owner is this module, else the access has no other effect than
 * to be counted.
 */
static bool may_touch(const struct refiommu_xlate *x, size_t len, bool late)
{
	size_t off;

	if (!pfn_valid(PHYS_PFN(x->phys)))
		return false;
	if (!x->stale && !late)
		return true;
	for (off = 0; off < len; off += PAGE_SIZE)
		if (!refdma_owns(x->phys + off))
			return false;
	return true;
}

/*
 * Writes @seq all over, or reads every byte and puts first plus last word into *sum. *stale is for
 * late accesses, NULL for all others: whether a cache was wrong.
 */
static int hw_move(struct refdma_dev *rd, u64 iova, size_t len, bool write, u64 seq, u64 *sum,
		   bool *stale)
{
	static const size_t word = sizeof(u64);
	struct refiommu_xlate x;
	u64 first = 0, last = 0, end = iova + len, at;
	u64 bounce[64];
	int ret;

	for (at = iova; at < end;) {
		size_t n, off;
		u64 *mem;

		ret = refiommu_translate(rd->dev, at, write, &x);
		if (ret)
			return ret;
		if (stale)
			*stale = x.stale;
		n = min_t(u64, x.len, end - at);
		if (!may_touch(&x, n, stale)) {
			refdma_count(rd, bytes_withheld, n);
			at += n;
			continue;
		}
		mem = phys_to_virt(x.phys);
		if (write) {
			memset64(mem, seq, n / word);
		} else {
			for (off = 0; off < n; off += sizeof(bounce))
				memcpy(bounce, (void *)mem + off, min(n - off, sizeof(bounce)));
			if (at == iova)
				first = mem[0];
			last = mem[n / word - 1];
		}
		refdma_count(rd, bytes_moved, n);
		at += n;
	}
	if (sum && !write)
		*sum = first + last;
	return 0;
}

int refdma_hw_touch(struct refdma_dev *rd, u64 iova, bool write, bool *stale)
{
	return hw_move(rd, iova, LATE_BYTES, write, 0xdeadULL << 48 | rd->id, NULL, stale);
}

/* One 64-byte descriptor between ring memory and the device. */
static int hw_desc(struct refdma_queue *q, u32 index, struct refdma_desc *desc, bool write)
{
	struct refiommu_xlate x;
	u64 iova = q->ring_iova + (index % REFDMA_RING_SIZE) * sizeof(*desc);
	int ret;

	ret = refiommu_translate(q->dev->dev, iova, write, &x);
	if (ret)
		return ret;
	/* The ring is mapped while the queue lives, so a stale answer is never the right page. */
	if (x.stale || !pfn_valid(PHYS_PFN(x.phys)))
		return -EIO;
	if (write)
		memcpy(phys_to_virt(x.phys), desc, sizeof(*desc));
	else
		memcpy(desc, phys_to_virt(x.phys), sizeof(*desc));
	return 0;
}

static int hw_execute(struct refdma_queue *q, struct refdma_desc *desc)
{
	int ret = 0;

	if (desc->flags & REFDMA_DESC_READ)
		ret = hw_move(q->dev, desc->iova, desc->len, false, 0, &desc->sum, NULL);
	if (!ret && (desc->flags & REFDMA_DESC_WRITE))
		ret = hw_move(q->dev, desc->iova, desc->len, true, desc->seq, NULL, NULL);
	return ret;
}

/* Whether the device now calls done what it hasn't begun. One at a time. */
static bool spurious(struct refdma_queue *q, const struct refdma_desc *desc)
{
	if (likely(!READ_ONCE(refbug_armed)) || smp_load_acquire(&q->unfinished.there) ||
	    !refbug_fire(REFBUG_SPURIOUS_COMPLETION, BIT_ULL(q->dev->id), NULL))
		return false;
	q->unfinished.index = q->head;
	q->unfinished.iova = desc->iova;
	q->unfinished.write = desc->flags & REFDMA_DESC_WRITE;
	smp_store_release(&q->unfinished.there, true);
	return true;
}

/* Works on the next descriptor; the queue may hang over it. Under hw_lock. */
static void hw_step(struct refdma_queue *q)
{
	u64 endpoint = BIT_ULL(q->dev->id);
	struct refdma_desc desc;

	if (q->cfg->hold_us)
		usleep_range(q->cfg->hold_us, q->cfg->hold_us + 50);
	if (refbug_fire(REFBUG_HANG, endpoint, NULL) || hw_desc(q, q->head, &desc, false)) {
		refdma_queue_hang(q);
		return;
	}
	if (spurious(q, &desc)) {
		desc.status = REFDMA_OK;
	} else if (hw_execute(q, &desc)) {
		desc.status = REFDMA_FAULT;
		refdma_count(q->dev, descriptor_faults, 1);
		if (refbug_fire(REFBUG_HANG_AFTER_FAULT, endpoint, NULL)) {
			refdma_queue_hang(q);
			return;
		}
	} else {
		desc.status = REFDMA_OK;
	}
	if (refdma_strays(q, &desc) && refbug_fire(REFBUG_HANG_AFTER_FAULT, endpoint, NULL)) {
		refdma_queue_hang(q);
		return;
	}
	if (hw_desc(q, q->head, &desc, true)) {
		refdma_queue_hang(q);
		return;
	}
	refdma_count(q->dev, descriptors, 1);
	smp_store_release(&q->head, q->head + 1);
}

static bool hw_ready(struct refdma_queue *q)
{
	return !READ_ONCE(q->hung) && q->head != smp_load_acquire(&q->tail);
}

unsigned int refdma_hw_reset(struct refdma_queue *q)
{
	unsigned int n = 0;

	mutex_lock(&q->hw_lock);
	for (; q->head != q->tail; n++) {
		q->ring[q->head % REFDMA_RING_SIZE].status = REFDMA_RESET;
		smp_store_release(&q->head, q->head + 1);
	}
	q->hung = false;
	mutex_unlock(&q->hw_lock);
	wake_up(&q->done_wait);
	return n;
}

/* --- late accesses ---------------------------------------------------------------------------- */

void refdma_hw_late(struct refdma_queue *q, u64 iova, bool write)
{
	bool stale = false;
	int ret;

	refdma_count(q->dev, late_accesses, 1);
	ret = refdma_hw_touch(q->dev, iova, write, &stale);
	if (ret) {
		refdma_count(q->dev, late_faults, 1);
		if (refbug_fire(REFBUG_HANG_AFTER_FAULT, BIT_ULL(q->dev->id), NULL))
			refdma_queue_hang(q);
	} else if (stale) {
		refdma_count(q->dev, late_stale, 1);
	} else {
		refdma_count(q->dev, late_reused, 1);
	}
}

static int late_add(struct refdma_queue *q, u64 iova, bool write, bool in_flush, u64 delay_us)
{
	struct refdma_late *late = kmalloc(sizeof(*late), GFP_KERNEL);

	if (!late)
		return -ENOMEM;
	late->iova = iova;
	late->write = write;
	late->in_flush = in_flush;
	late->due = ktime_add_us(ktime_get(), delay_us);
	spin_lock(&q->late_lock);
	list_add_tail(&late->node, &q->late);
	q->late_news = true;
	spin_unlock(&q->late_lock);
	wake_up(&q->hw_wait);
	return 0;
}

int refdma_hw_late_at(struct refdma_queue *q, u64 iova, bool write, u32 delay_us)
{
	return late_add(q, iova, write, false, delay_us);
}

int refdma_hw_late_in_flush(struct refdma_queue *q, u64 iova, bool write, unsigned int ms)
{
	return late_add(q, iova, write, true, (u64)ms * USEC_PER_MSEC);
}

void refdma_hw_late_cancel(struct refdma_queue *q)
{
	struct refdma_late *late, *next;

	list_for_each_entry_safe(late, next, &q->late, node) {
		refdma_count(q->dev, late_cancelled, 1);
		kfree(late);
	}
	INIT_LIST_HEAD(&q->late);
}

/* How often an access that waits for a flush looks for it; the flush is held up for it. */
#define FLUSH_POLL_NS (200 * NSEC_PER_USEC)

/* Makes the accesses that are due; returns how long until the next one, KTIME_MAX if none. */
static ktime_t hw_late_due(struct refdma_queue *q)
{
	struct refdma_late *late, *due;
	struct refiommu_flushes flushes;
	ktime_t now, wait;

	do {
		due = NULL;
		refiommu_flushes_of(q->dev->dev, &flushes);
		wait = KTIME_MAX;
		now = ktime_get();
		spin_lock(&q->late_lock);
		q->late_news = false;
		list_for_each_entry(late, &q->late, node) {
			if (!ktime_after(late->due, now) || (late->in_flush && flushes.in_flight)) {
				due = late;
				break;
			}
			wait = min(wait, late->in_flush ? ns_to_ktime(FLUSH_POLL_NS)
							: ktime_sub(late->due, now));
		}
		spin_unlock(&q->late_lock);
		if (due) {
			if (due->in_flush && !flushes.in_flight)
				refdma_count(q->dev, late_cancelled, 1);
			else
				refdma_hw_late(q, due->iova, due->write);
			if (due->in_flush)
				refiommu_hold_flushes(q->dev->dev, 0);
			spin_lock(&q->late_lock);
			list_del(&due->node);
			spin_unlock(&q->late_lock);
			kfree(due);
			wake_up(&q->done_wait);
		}
	} while (due);
	return wait;
}

int refdma_hw_thread(void *queue)
{
	struct refdma_queue *q = queue;
	ktime_t wait = KTIME_MAX;

	while (!kthread_should_stop()) {
		wait_event_interruptible_hrtimeout(
			q->hw_wait, kthread_should_stop() || hw_ready(q) || READ_ONCE(q->late_news),
			wait);
		mutex_lock(&q->hw_lock);
		while (hw_ready(q)) {
			hw_step(q);
			cond_resched_tasks_rcu_qs();
		}
		mutex_unlock(&q->hw_lock);
		wake_up(&q->done_wait);
		wait = hw_late_due(q);
	}
	return 0;
}
