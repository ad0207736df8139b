// SPDX-License-Identifier: GPL-2.0-only
/* The life of a run: queues with their rings and threads, the watchdog, and the clearing away. */
#include <linux/sched.h>
#include <linux/slab.h>

#include "refdma.h"

/* --- queues ----------------------------------------------------------------------------------- */

static int queue_thread(void *queue)
{
	struct refdma_queue *q = queue;
	struct refdma_dev *rd = q->dev;

	refdma_work(q);
	if (atomic_dec_and_test(&rd->run->active))
		schedule_work(&rd->reap_work);
	/* The reaper stops us; until then the task must not go away. */
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

#define RING_BYTES (REFDMA_RING_SIZE * sizeof(struct refdma_desc))

static int ring_alloc_unmanaged(struct refdma_queue *q)
{
	struct page *page = refdma_pool_alloc(RING_BYTES);
	int ret;

	if (!page)
		return -ENOMEM;
	/* Behind the slots; nothing else is in the domain. */
	q->ring_iova = q->iova_base + REFDMA_MAX_DEPTH * REFDMA_MAX_SIZE;
	ret = refdma_unmanaged_map(q, q->ring_iova, page_address(page), RING_BYTES);
	if (ret)
		refdma_pool_free(page, RING_BYTES);
	else
		q->ring = page_address(page);
	return ret;
}

static void ring_free_unmanaged(struct refdma_queue *q)
{
	u64 endpoint = BIT_ULL(q->dev->id);

	/* It stays mapped in a domain that is about to go, and the device about to use it or not.
	 */
	if (refbug_fire(REFBUG_USE_AFTER_DETACH, endpoint, NULL))
		q->run->used_after = q->ring_iova;
	else if (!refbug_fire(REFBUG_DETACH_FULL, endpoint, NULL))
		refdma_unmanaged_unmap(q, q->ring_iova, RING_BYTES);
	refdma_pool_free(virt_to_page(q->ring), RING_BYTES);
}

static int ring_alloc_api(struct refdma_queue *q)
{
	q->ring = dma_alloc_coherent(q->dev->dev, RING_BYTES, &q->ring_iova, GFP_KERNEL);
	if (!q->ring)
		return -ENOMEM;
	refdma_count(q->dev, api_allocs, 1);
	refdma_count(q->dev, api_alloc_bytes, RING_BYTES);
	return 0;
}

static int ring_alloc(struct refdma_queue *q)
{
	int ret = q->run->unmanaged ? ring_alloc_unmanaged(q) : ring_alloc_api(q);

	if (!ret && !q->index)
		refdma_stray_ring(q->dev, q->ring_iova);
	return ret;
}

static void ring_free(struct refdma_queue *q)
{
	if (!q->ring)
		return;
	if (!q->index)
		refdma_stray_ring(q->dev, 0);
	if (q->run->unmanaged) {
		ring_free_unmanaged(q);
		return;
	}
	dma_free_coherent(q->dev->dev, RING_BYTES, q->ring, q->ring_iova);
	refdma_count(q->dev, api_frees, 1);
	refdma_count(q->dev, api_free_bytes, RING_BYTES);
}

static struct task_struct *thread(int (*fn)(void *), struct refdma_queue *q, const char *side)
{
	struct task_struct *task =
		kthread_create(fn, q, "refdma%u/%u%s", q->dev->id, q->index, side);

	return IS_ERR(task) ? NULL : task;
}

static int queue_init(struct refdma_dev *rd, struct refdma_run *run, unsigned int index)
{
	struct refdma_queue *q = &run->queues[index];
	const struct refdma_cfg *cfg = &run->cfg;
	int ret;

	q->dev = rd;
	q->run = run;
	q->cfg = cfg;
	q->index = index;
	q->random = index + 1;
	q->iova_base = (u64)(index + 1) << 32;
	q->seq = (u64)(rd->id << 8 | index) << 40;
	q->ops = cfg->ops ? div_u64(cfg->ops, cfg->threads) + (index < cfg->ops % cfg->threads)
			  : U64_MAX;
	init_waitqueue_head(&q->hw_wait);
	init_waitqueue_head(&q->done_wait);
	mutex_init(&q->hw_lock);
	spin_lock_init(&q->late_lock);
	INIT_LIST_HEAD(&q->late);

	ret = refdma_slots_alloc(q);
	if (ret)
		return ret;
	if (cfg->mode == REFDMA_MODE_DMA) {
		ret = ring_alloc(q);
		if (ret)
			return ret;
		q->hw_task = thread(refdma_hw_thread, q, "-hw");
		if (!q->hw_task)
			return -ENOMEM;
	}
	q->task = thread(queue_thread, q, "");
	return q->task ? 0 : -ENOMEM;
}

/* Frees whatever queue_init() got to; the driver side must be done. */
static void queue_exit(struct refdma_queue *q)
{
	if (!q->dev)
		return;
	if (q->task)
		kthread_stop(q->task);
	if (q->hw_task)
		kthread_stop(q->hw_task);
	refdma_hw_late_cancel(q);
	ring_free(q);
	refdma_slots_free(q);
}

/* Puts the device into a domain of its own, which the queues map into by hand. */
static int run_attach(struct refdma_dev *rd, struct refdma_run *run)
{
	struct iommu_domain *domain;
	int ret;

	if (run->cfg.workload != REFDMA_UNMANAGED)
		return 0;
	domain = refiommu_unmanaged_alloc(rd->dev);
	if (IS_ERR(domain))
		return PTR_ERR(domain);
	ret = iommu_attach_device(domain, rd->dev);
	if (ret)
		iommu_domain_free(domain);
	else
		run->unmanaged = domain;
	return ret;
}

static void run_free(struct refdma_dev *rd, struct refdma_run *run)
{
	unsigned int i;

	for (i = 0; i < run->nr_queues; i++)
		queue_exit(&run->queues[i]);
	if (run->unmanaged) {
		iommu_detach_device(run->unmanaged, rd->dev);
		iommu_domain_free(run->unmanaged);
		if (run->used_after)
			refdma_stray(rd, run->used_after, true);
	}
	kvfree(run);
}

/* --- the watchdog ----------------------------------------------------------------------------- */

/* So often it must have seen nothing move: a machine that stood still itself is seen once. */
#define WATCHDOG_LOOKS 4

/* The two messages are what log readers go by; see README.md before changing them. */
static refiommu_truth_point void refdma_queue_stalled(struct refdma_queue *q, u64 ms)
{
	refdma_count(q->dev, stalls, 1);
	dev_err(q->dev->dev, "queue %u stalled for %llu ms, resetting\n", q->index, ms);
}

static refiommu_truth_point void refdma_queue_reset(struct refdma_queue *q)
{
	refdma_hw_reset(q);
	refdma_count(q->dev, resets, 1);
	dev_info(q->dev->dev, "queue %u reset done\n", q->index);
}

static void watch(struct refdma_queue *q, ktime_t now)
{
	u32 head = READ_ONCE(q->head);
	s64 ms;

	if (head == READ_ONCE(q->tail) || head != q->watched_head || !q->watched_since) {
		q->watched_head = head;
		q->watched_since = now;
		q->watched_times = 0;
		return;
	}
	ms = ktime_ms_delta(now, q->watched_since);
	if (++q->watched_times < WATCHDOG_LOOKS || ms < refdma_watchdog_ms)
		return;
	refdma_queue_stalled(q, ms);
	refdma_queue_reset(q);
	q->watched_since = 0;
}

static void watchdog(struct work_struct *work)
{
	struct refdma_dev *rd = container_of(to_delayed_work(work), struct refdma_dev, watchdog);
	unsigned int i;

	/* The reaper cancels this work before it frees the run. */
	for (i = 0; i < rd->run->nr_queues; i++)
		watch(&rd->run->queues[i], ktime_get());
	schedule_delayed_work(&rd->watchdog, msecs_to_jiffies(refdma_watchdog_ms / 8 + 1));
}

/* --- start and end ---------------------------------------------------------------------------- */

static void reap(struct work_struct *work)
{
	struct refdma_dev *rd = container_of(work, struct refdma_dev, reap_work);
	struct refdma_run *run = rd->run;

	cancel_delayed_work_sync(&rd->watchdog);
	run_free(rd, run);
	mutex_lock(&rd->lock);
	rd->run = NULL;
	mutex_unlock(&rd->lock);
	wake_up_all(&rd->idle_wait);
}

int refdma_start(struct refdma_dev *rd, const struct refdma_cfg *cfg)
{
	struct refdma_run *run;
	unsigned int i;
	int ret;

	if ((u64)cfg->threads * cfg->depth * cfg->size_max *
		    (cfg->workload == REFDMA_SG ? cfg->nents : 1) >
	    REFDMA_MAX_POOL)
		return -E2BIG;
	run = kvzalloc(struct_size(run, queues, cfg->threads), GFP_KERNEL);
	if (!run)
		return -ENOMEM;
	run->cfg = *cfg;
	run->nr_queues = cfg->threads;
	atomic_set(&run->active, cfg->threads);

	mutex_lock(&rd->lock);
	ret = rd->dead ? -ENODEV : rd->run ? -EBUSY : run_attach(rd, run);
	for (i = 0; !ret && i < cfg->threads; i++)
		ret = queue_init(rd, run, i);
	if (ret)
		goto out;
	WRITE_ONCE(rd->stop, false);
	rd->run = run;
	schedule_delayed_work(&rd->watchdog, msecs_to_jiffies(refdma_watchdog_ms / 8 + 1));
	for (i = 0; i < cfg->threads; i++) {
		if (run->queues[i].hw_task)
			wake_up_process(run->queues[i].hw_task);
	}
	for (i = 0; i < cfg->threads; i++)
		wake_up_process(run->queues[i].task);
out:
	mutex_unlock(&rd->lock);
	if (ret)
		run_free(rd, run);
	return ret;
}

void refdma_stop(struct refdma_dev *rd)
{
	unsigned int i;

	mutex_lock(&rd->lock);
	WRITE_ONCE(rd->stop, true);
	if (rd->run)
		for (i = 0; i < rd->run->nr_queues; i++)
			wake_up_all(&rd->run->queues[i].done_wait);
	mutex_unlock(&rd->lock);
}

int refdma_wait(struct refdma_dev *rd)
{
	return wait_event_interruptible(rd->idle_wait, !READ_ONCE(rd->run));
}

void refdma_run_init(struct refdma_dev *rd)
{
	mutex_init(&rd->lock);
	init_waitqueue_head(&rd->idle_wait);
	INIT_WORK(&rd->reap_work, reap);
	INIT_DELAYED_WORK(&rd->watchdog, watchdog);
}

void refdma_run_exit(struct refdma_dev *rd)
{
	mutex_lock(&rd->lock);
	rd->dead = true;
	mutex_unlock(&rd->lock);
	refdma_stop(rd);
	wait_event(rd->idle_wait, !READ_ONCE(rd->run));
	flush_work(&rd->reap_work);
}
