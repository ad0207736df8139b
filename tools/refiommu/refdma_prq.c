// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests: the device makes them, and its driver answers them after a while, as it is told.
 * 6.1: the driver has one handler for the device. Later: it attaches a domain of its own to a
 * PASID, which has the handler.
 */
#include <linux/delay.h>
#include <linux/slab.h>

#include "refdma.h"

struct refdma_prq {
	struct refdma_dev *rd;
	struct refdma_prq_cfg cfg;   /* of the last command */
	struct workqueue_struct *wq; /* answers under way */
#if REFIOMMU_BUS_OPS
	struct list_head kept; /* those that nobody answers, until the end */
#else
	struct iommu_attach_handle handle;
	struct iommu_domain *domain;
	struct page *page; /* mapped in it */
#endif
};

/* A group that is going to be answered. */
struct answer {
	struct refdma_prq *p;
	struct work_struct work;
	ktime_t due;
	u32 code;
#if REFIOMMU_BUS_OPS
	struct list_head node;
	struct iommu_page_response resp;
#else
	struct iopf_group *group;
#endif
};

static void answer_now(struct answer *a)
{
#if REFIOMMU_BUS_OPS
	a->resp.code = a->code;
	iommu_page_response(a->p->rd->dev, &a->resp);
#else
	iopf_group_response(a->group, a->code);
	iopf_free_group(a->group);
#endif
	kfree(a);
}

static void answer_work(struct work_struct *work)
{
	struct answer *a = container_of(work, struct answer, work);
	s64 us = ktime_us_delta(a->due, ktime_get());

	if (us > 0)
		fsleep(us + 1);
	answer_now(a);
}

static struct answer *answer_new(struct refdma_prq *p)
{
	struct answer *a = kzalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return NULL;
	a->p = p;
	a->due = ktime_add_us(ktime_get(), p->cfg.delay_us);
	switch (p->cfg.answer) {
	case REFDMA_PRQ_SUCCESS:
		a->code = IOMMU_PAGE_RESP_SUCCESS;
		break;
	case REFDMA_PRQ_FAILURE:
		a->code = IOMMU_PAGE_RESP_FAILURE;
		break;
	default:
		a->code = IOMMU_PAGE_RESP_INVALID;
	}
	INIT_WORK(&a->work, answer_work);
	return a;
}

#if REFIOMMU_BUS_OPS

static int handler(struct iommu_fault *fault, void *data)
{
	const struct iommu_fault_page_request *prm = &fault->prm;
	struct refdma_prq *p = data;
	struct answer *a;

	if (p->cfg.answer == REFDMA_PRQ_ABORT)
		return -EIO;
	if (!(prm->flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE))
		return 0;
	a = answer_new(p);
	if (!a)
		return -ENOMEM;
	a->resp.version = IOMMU_PAGE_RESP_VERSION_1;
	a->resp.grpid = prm->grpid;
	if (prm->flags & IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID) {
		a->resp.flags = IOMMU_PAGE_RESP_PASID_VALID;
		a->resp.pasid = prm->pasid;
	}
	if (p->cfg.answer == REFDMA_PRQ_NONE)
		list_add_tail(&a->node, &p->kept);
	else
		queue_work(p->wq, &a->work);
	return 0;
}

static int listen(struct refdma_prq *p)
{
	return iommu_register_device_fault_handler(p->rd->dev, handler, p);
}

static void unlisten(struct refdma_prq *p)
{
	struct answer *a, *next;

	list_for_each_entry_safe(a, next, &p->kept, node) {
		list_del(&a->node);
		answer_now(a);
	}
	iommu_unregister_device_fault_handler(p->rd->dev);
}

#else

/* An IOVA in the domain of the PASID. */
#define MAPPED SZ_1G

static int handler(struct iopf_group *group)
{
	struct refdma_prq *p = container_of(group->attach_handle, struct refdma_prq, handle);
	struct answer *a;

	if (p->cfg.answer == REFDMA_PRQ_ABORT)
		return -EIO;
	if (p->cfg.answer == REFDMA_PRQ_NONE)
		return 0; /* the core answers it when the device leaves the queue */
	a = answer_new(p);
	if (!a)
		return -ENOMEM;
	a->group = group;
	queue_work(p->wq, &a->work);
	return 0;
}

static int listen(struct refdma_prq *p)
{
	struct device *dev = p->rd->dev;
	int ret;

	if (!p->cfg.has_pasid)
		return -EOPNOTSUPP;
	p->domain = refiommu_unmanaged_alloc(dev);
	if (IS_ERR(p->domain))
		return PTR_ERR(p->domain);
	p->domain->iopf_handler = handler;
	ret = refiommu_page_requests_on(dev);
	if (ret)
		goto out_domain;
	ret = -ENOMEM;
	p->page = refdma_pool_alloc(PAGE_SIZE);
	if (!p->page)
		goto out_off;
	/* tracers come to know the domain by what is mapped there */
	ret = refiommu_unmanaged_map(p->domain, MAPPED, page_to_phys(p->page), PAGE_SIZE,
				     IOMMU_READ);
	if (ret)
		goto out_page;
	ret = iommu_attach_device_pasid(p->domain, dev, p->cfg.pasid, &p->handle);
	if (!ret)
		return 0;

	iommu_unmap(p->domain, MAPPED, PAGE_SIZE);
out_page:
	refdma_pool_free(p->page, PAGE_SIZE);
out_off:
	refiommu_page_requests_off(dev);
out_domain:
	iommu_domain_free(p->domain);
	return ret;
}

static void unlisten(struct refdma_prq *p)
{
	struct device *dev = p->rd->dev;

	refiommu_page_requests_off(dev);
	iommu_detach_device_pasid(p->domain, dev, p->cfg.pasid);
	iommu_unmap(p->domain, MAPPED, PAGE_SIZE);
	refdma_pool_free(p->page, PAGE_SIZE);
	iommu_domain_free(p->domain);
}

#endif

/* --- commands --------------------------------------------------------------------------------- */

static int switch_on(struct refdma_dev *rd, const struct refdma_prq_cfg *cfg)
{
	struct refdma_prq *p = kzalloc(sizeof(*p), GFP_KERNEL);
	int ret;

	if (!p)
		return -ENOMEM;
	p->rd = rd;
	p->cfg = *cfg;
	p->wq = alloc_workqueue("refdma_prq", WQ_UNBOUND, 0);
	if (!p->wq) {
		kfree(p);
		return -ENOMEM;
	}
#if REFIOMMU_BUS_OPS
	INIT_LIST_HEAD(&p->kept);
#endif
	ret = listen(p);
	if (ret) {
		destroy_workqueue(p->wq);
		kfree(p);
		return ret;
	}
	rd->prq = p;
	return 0;
}

/* Whether the handler there is serves this command. */
static bool fits(const struct refdma_prq *p, const struct refdma_prq_cfg *cfg)
{
	return REFIOMMU_BUS_OPS || (cfg->has_pasid && cfg->pasid == p->cfg.pasid);
}

static int request_all(struct refdma_dev *rd, const struct refdma_prq_cfg *cfg)
{
	struct refiommu_page_request req = {
		.iova = cfg->iova,
		.pasid = cfg->pasid,
		.has_pasid = cfg->has_pasid,
		.perm = cfg->perm,
	};
	bool fails = cfg->answer == REFDMA_PRQ_ABORT || cfg->answer == REFDMA_PRQ_UNHANDLED;
	unsigned int group, page;
	int ret;

	for (group = 0; group < cfg->groups; group++)
		for (page = 0; page < cfg->pages; page++) {
			req.prgi = cfg->prgi + group;
			req.last = page == cfg->pages - 1;
			ret = refiommu_page_request(rd->dev, &req);
			if (ret && !fails)
				return ret;
			req.iova += PAGE_SIZE;
		}
	return 0;
}

int refdma_prq_run(struct refdma_dev *rd, const struct refdma_prq_cfg *cfg)
{
	int ret;

	if (cfg->answer == REFDMA_PRQ_UNHANDLED)
		return rd->prq ? -EBUSY : request_all(rd, cfg);
	if (rd->prq && !fits(rd->prq, cfg))
		return -EBUSY;
	if (rd->prq)
		rd->prq->cfg = *cfg;
	ret = rd->prq ? 0 : switch_on(rd, cfg);
	if (!ret)
		ret = request_all(rd, cfg);
	if (!ret && cfg->wait)
		flush_workqueue(rd->prq->wq);
	return ret;
}

void refdma_prq_off(struct refdma_dev *rd)
{
	struct refdma_prq *p = rd->prq;

	if (!p)
		return;
	flush_workqueue(p->wq);
	unlisten(p);
	destroy_workqueue(p->wq);
	rd->prq = NULL;
	kfree(p);
}
