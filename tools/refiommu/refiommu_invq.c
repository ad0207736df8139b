// SPDX-License-Identifier: GPL-2.0-only
/*
 * The invalidation queue. A descriptor is submitted, and the hardware executes it when its latency
 * has passed: nothing runs in the background, but whoever looks at the hardware (a waiter, a
 * translation, the next submitter) first lets it catch up with the clock. So waiting needs neither
 * an interrupt nor another CPU and works with IRQs off.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/processor.h>

#include "refiommu_priv.h"
#define CREATE_TRACE_POINTS
#include "refiommu_trace.h"

#define QUEUE_SIZE     256
#define LATENCY_MAX_NS (100 * NSEC_PER_MSEC)

static int latency_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, LATENCY_MAX_NS);
}

static const struct kernel_param_ops latency_ops = {
	.set = latency_set,
	.get = param_get_uint,
};

static unsigned int inval_latency_ns = 1000;
module_param_cb(inval_latency_ns, &latency_ops, &inval_latency_ns, 0644);
MODULE_PARM_DESC(
	inval_latency_ns,
	"Time from submitting an invalidation to its completion, 0 to 100000000 ns (default 1000)");

struct inv_desc {
	struct refiommu_domain *dom;
	u64 start, end;
	u64 submitted, due; /* ns, monotonic */
};

/* Both count since load; the descriptor of number n is ring[n % QUEUE_SIZE]. Under hw_lock. */
static struct inv_desc ring[QUEUE_SIZE];
static u64 submitted, completed;
static const struct refiommu_domain *held; /* not looked into: it may be gone */
static u64 held_until;
static u64 full_until; /* bug: nothing more fits in before this time */

/* Ground truth: from here on no cache knows anything of the range. */
static refiommu_truth_point void refiommu_true_flush(struct refiommu_domain *dom, u64 start,
						     u64 end)
{
	refiommu_tlb_invalidate(dom->id, start, end, true);
	refiommu_count(dom, inval_completed, 1);
}

void refiommu_invq_advance(void)
{
	u64 now;

	lockdep_assert_held(&refiommu.hw_lock);
	if (completed == submitted)
		return;
	now = ktime_get_mono_fast_ns();
	while (completed != submitted) {
		struct inv_desc *desc = &ring[completed % QUEUE_SIZE];

		if (desc->due > now || (desc->dom == held && held_until > now))
			break;
		refiommu_true_flush(desc->dom, desc->start, desc->end);
		completed++;
		trace_refiommu_inval_complete(desc->dom->id, completed, now - desc->submitted);
	}
}

void refiommu_invq_hold(const struct refiommu_domain *dom, u64 until)
{
	lockdep_assert_held(&refiommu.hw_lock);
	held = dom;
	held_until = until;
}

bool refiommu_invq_busy(const struct refiommu_domain *dom)
{
	u64 i;

	lockdep_assert_held(&refiommu.hw_lock);
	for (i = completed; i != submitted; i++)
		if (ring[i % QUEUE_SIZE].dom == dom)
			return true;
	return false;
}

/* Submits one invalidation, which takes @ms longer than usual, and returns its number. */
static u64 invq_submit(struct refiommu_domain *dom, u64 start, u64 end, u64 ms)
{
	struct refbug_arg full;
	struct inv_desc *desc;
	unsigned long flags;
	u64 seq;

	if (refbug_fire(REFBUG_QUEUE_FULL, READ_ONCE(dom->endpoints), &full)) {
		spin_lock_irqsave(&refiommu.hw_lock, flags);
		full_until = ktime_get_mono_fast_ns() + full.value * NSEC_PER_MSEC;
		spin_unlock_irqrestore(&refiommu.hw_lock, flags);
	}
	for (;;) {
		spin_lock_irqsave(&refiommu.hw_lock, flags);
		refiommu_invq_advance();
		if (submitted - completed < QUEUE_SIZE &&
		    (likely(!full_until) || ktime_get_mono_fast_ns() >= full_until))
			break;
		spin_unlock_irqrestore(&refiommu.hw_lock, flags);
		cpu_relax();
	}
	full_until = 0;
	desc = &ring[submitted % QUEUE_SIZE];
	desc->dom = dom;
	desc->start = start;
	desc->end = end;
	desc->submitted = ktime_get_mono_fast_ns();
	desc->due = desc->submitted + READ_ONCE(inval_latency_ns) + ms * NSEC_PER_MSEC;
	seq = ++submitted;
	refiommu_count(dom, inval_submitted, 1);
	trace_refiommu_inval_submit(dom->id, seq, start, end);
	spin_unlock_irqrestore(&refiommu.hw_lock, flags);
	return seq;
}

static void invq_wait(u64 seq)
{
	unsigned long flags;
	bool done;

	for (;;) {
		spin_lock_irqsave(&refiommu.hw_lock, flags);
		refiommu_invq_advance();
		done = completed >= seq;
		spin_unlock_irqrestore(&refiommu.hw_lock, flags);
		if (done)
			return;
		cpu_relax();
	}
}

refiommu_probe_point void refiommu_inval_range(struct iommu_domain *domain, unsigned long start,
					       unsigned long last)
{
	struct refiommu_domain *dom = to_refiommu_domain(domain);
	u64 endpoints = READ_ONCE(dom->endpoints);
	struct refbug_arg late = {};
	bool timeout;

	timeout = refbug_fire(REFBUG_INVAL_TIMEOUT, endpoints, &late);
	if (!timeout)
		refbug_fire(REFBUG_INVAL_SLOW, endpoints, &late);
	invq_wait(invq_submit(dom, start, last, late.value));
	/* It has come to its end all the same: what is freed now must not be cached. */
	if (timeout)
		dev_err(&refiommu.pdev->dev, "invalidation timed out after %llu ms\n", late.value);
}
