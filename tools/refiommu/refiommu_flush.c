// SPDX-License-Identifier: GPL-2.0-only
/* What flushes do: as they should, and as the bugs of drivers have it. */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "refiommu_priv.h"

#define WRONG_FLUSHES                                                                        \
	(BIT(REFBUG_FLUSH_DROP) | BIT(REFBUG_FLUSH_SHORT) | BIT(REFBUG_FLUSH_WRONG_DOMAIN) | \
	 BIT(REFBUG_FLUSH_EARLY))

/* Of its own, so that unloading can wait for the last of what it does. */
static struct workqueue_struct *early_queue;

/* A flush whose operation has returned already. */
struct early_flush {
	struct delayed_work work;
	struct refiommu_domain *dom; /* pinned */
	u64 start, last;
};

/* --- flushes that are wrong ------------------------------------------------------------------- */

/*
 * The tables that a wrong flush should have covered are freed all the same, as any driver would, so
 * the hardware must not walk them any more: leaves are all that stays cached.
 */
static void forget_tables(struct refiommu_domain *dom, u64 start, u64 last)
{
	unsigned long flags;

	spin_lock_irqsave(&refiommu.hw_lock, flags);
	refiommu_tlb_invalidate(dom->id, start, last, false);
	spin_unlock_irqrestore(&refiommu.hw_lock, flags);
}

static void unpin(struct refiommu_domain *dom)
{
	if (atomic_dec_and_test(&dom->pins))
		wake_up_var(&dom->pins);
}

void refiommu_domain_retire(struct refiommu_domain *dom)
{
	unsigned long flags;

	spin_lock_irqsave(&refiommu.hw_lock, flags);
	dom->retired = true;
	spin_unlock_irqrestore(&refiommu.hw_lock, flags);
	wait_var_event(&dom->pins, !atomic_read(&dom->pins));
}

/* A domain other than @dom that devices use, pinned; NULL if there is none. */
static struct refiommu_domain *pin_other(const struct refiommu_domain *dom)
{
	struct refiommu_domain *other, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&refiommu.hw_lock, flags);
	list_for_each_entry(other, &refiommu.domains, node) {
		if (other == dom || other->retired || !other->endpoints)
			continue;
		atomic_inc(&other->pins);
		found = other;
		break;
	}
	spin_unlock_irqrestore(&refiommu.hw_lock, flags);
	return found;
}

static bool flush_wrong_domain(struct refiommu_domain *dom)
{
	struct refiommu_domain *other = pin_other(dom);
	bool fire = other && refbug_fire(REFBUG_FLUSH_WRONG_DOMAIN, dom->endpoints, NULL);

	if (fire)
		refiommu_inval_range(&other->domain, 0, ULONG_MAX);
	if (other)
		unpin(other);
	return fire;
}

void refiommu_flush_note_unmap(struct refiommu_domain *dom, u64 last)
{
	unsigned long flags;

	spin_lock_irqsave(&dom->deferred_lock, flags);
	dom->unmapped_last = max(dom->unmapped_last, last);
	spin_unlock_irqrestore(&dom->deferred_lock, flags);
}

/*
 * A flush of everything that only missed the end of the address space would miss nothing, so it
 * ends before the last page that was unmapped since the one before it.
 */
static bool flush_short(struct refiommu_domain *dom, u64 start, u64 last)
{
	unsigned long flags;

	if (last == U64_MAX) {
		spin_lock_irqsave(&dom->deferred_lock, flags);
		last = dom->unmapped_last;
		dom->unmapped_last = 0;
		spin_unlock_irqrestore(&dom->deferred_lock, flags);
	}
	if (last < start + PAGE_SIZE || !refbug_fire(REFBUG_FLUSH_SHORT, dom->endpoints, NULL))
		return false;
	refiommu_inval_range(&dom->domain, start, last - PAGE_SIZE);
	return true;
}

static void early_work(struct work_struct *work)
{
	struct early_flush *early = container_of(work, struct early_flush, work.work);

	refiommu_inval_range(&early->dom->domain, early->start, early->last);
	if (early->last == U64_MAX)
		atomic64_inc(&early->dom->flush_finished);
	unpin(early->dom);
	kfree(early);
}

static bool flush_early(struct refiommu_domain *dom, u64 start, u64 last)
{
	struct early_flush *early;
	struct refbug_arg arg;

	if (!refbug_pending(REFBUG_FLUSH_EARLY, dom->endpoints, &arg))
		return false;
	early = kmalloc(sizeof(*early), GFP_ATOMIC);
	if (!early)
		return false;
	if (!refbug_fire(REFBUG_FLUSH_EARLY, dom->endpoints, &arg)) {
		kfree(early);
		return false;
	}
	early->dom = dom;
	early->start = start;
	early->last = last;
	atomic_inc(&dom->pins);
	INIT_DELAYED_WORK(&early->work, early_work);
	queue_delayed_work(early_queue, &early->work, msecs_to_jiffies(arg.value));
	return true;
}

static bool flush_wrongly(struct refiommu_domain *dom, u64 start, u64 last)
{
	bool wrong = refbug_fire(REFBUG_FLUSH_DROP, dom->endpoints, NULL) ||
		     flush_wrong_domain(dom) || flush_short(dom, start, last) ||
		     flush_early(dom, start, last);

	if (wrong)
		forget_tables(dom, start, last);
	return wrong;
}

/* --- flushes ---------------------------------------------------------------------------------- */

/*
 * A domain that no device uses has nothing cached: detaching has flushed it, or it was never
 * attached and knows no invalidation queue yet. The core flushes such domains too.
 */
void refiommu_flush_range(struct refiommu_domain *dom, u64 start, u64 last)
{
	if (READ_ONCE(dom->endpoints)) {
		if (unlikely(READ_ONCE(refbug_armed) & WRONG_FLUSHES) &&
		    flush_wrongly(dom, start, last))
			return;
		refiommu_inval_range(&dom->domain, start, last);
	}
	if (last == U64_MAX)
		atomic64_inc(&dom->flush_finished);
}

void refiommu_flush_everything(struct refiommu_domain *dom)
{
	/* A full queue is flushed by who fills it; only the timer leaves nothing behind. */
	bool timer = in_serving_softirq();
	LIST_HEAD(tables);

	if (timer) {
		WRITE_ONCE(dom->in_timer, true);
		WRITE_ONCE(dom->queued, false);
	}
	refiommu_count(dom, flush_all, 1);
	atomic64_inc(&dom->flush_started);
	/* Only what was unlinked before the flush began is covered by it. */
	refiommu_pt_take_deferred(dom, &tables);
	refiommu_flush_range(dom, 0, U64_MAX);
	refiommu_pt_free_list(dom, &tables);
	if (timer)
		WRITE_ONCE(dom->in_timer, false);
}

void refiommu_flush_gathered(struct refiommu_domain *dom, struct iommu_iotlb_gather *gather)
{
	refiommu_count(dom, sync, 1);
	if (gather->start <= gather->end)
		refiommu_flush_range(dom, gather->start, gather->end);
	refiommu_pt_free_gathered(dom, gather);
}

int refiommu_flush_init(void)
{
	early_queue = alloc_workqueue("refiommu", WQ_UNBOUND, 0);
	return early_queue ? 0 : -ENOMEM;
}

void refiommu_flush_exit(void)
{
	destroy_workqueue(early_queue);
}
