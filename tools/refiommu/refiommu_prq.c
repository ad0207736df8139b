// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests: the IOMMU hands what an endpoint asks for to the core, and takes the core's
 * answer. Nothing waits for it in earnest: refdma asks when it is told to.
 */
#include <linux/module.h>

#include "refiommu_priv.h"
#include "refiommu_trace.h"

static void answered(struct device *dev, u32 prgi, u32 code)
{
	switch (code) {
	case IOMMU_PAGE_RESP_SUCCESS:
		refiommu_count_unit(page_success, 1);
		break;
	case IOMMU_PAGE_RESP_INVALID:
		refiommu_count_unit(page_invalid, 1);
		break;
	default:
		refiommu_count_unit(page_failure, 1);
	}
	trace_refiommu_page_response(dev, prgi, code);
}

REFIOMMU_PAGE_RESPONSE(refiommu_page_response)
{
	answered(dev, resp->grpid, resp->code);
	REFIOMMU_PAGE_RESPONSE_RETURN;
}

int refiommu_page_request(struct device *dev, const struct refiommu_page_request *req)
{
	refiommu_page_event_t event = {
		.fault = {
			.type = IOMMU_FAULT_PAGE_REQ,
			.prm = {
				.addr = req->iova,
				.grpid = req->prgi,
				.perm = req->perm,
				.flags = req->last ? IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE : 0,
			},
		},
	};
	int ret;

	if (req->has_pasid) {
		event.fault.prm.pasid = req->pasid;
		event.fault.prm.flags |= IOMMU_FAULT_PAGE_REQUEST_PASID_VALID |
					 IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID;
	}
	refiommu_count_unit(page_requests, 1);
	if (req->last)
		refiommu_count_unit(page_groups, 1);
	trace_refiommu_page_request(dev, req);
	ret = iommu_report_device_fault(dev, &event);
	if (!ret)
		return 0;
	refiommu_count_unit(page_refused, 1);
	/* 6.1 leaves the answer to the driver, later kernels have given it. */
	if (REFIOMMU_BUS_OPS && req->last)
		answered(dev, req->prgi, IOMMU_PAGE_RESP_INVALID);
	return ret;
}
EXPORT_SYMBOL_GPL(refiommu_page_request);

/* --- who may ask: the core's queue of page faults ----------------------------------------------
 */

#if REFIOMMU_BUS_OPS

/* The queue is for the core's own handler, which refdma doesn't use. */
int refiommu_page_requests_on(struct device *dev)
{
	return 0;
}

void refiommu_page_requests_off(struct device *dev)
{
}

int refiommu_prq_init(void)
{
	return 0;
}

void refiommu_prq_exit(void)
{
}

#else

static struct iopf_queue *queue;

int refiommu_page_requests_on(struct device *dev)
{
	return iopf_queue_add_device(queue, dev);
}

void refiommu_page_requests_off(struct device *dev)
{
	iopf_queue_remove_device(queue, dev);
}

int refiommu_prq_init(void)
{
	queue = iopf_queue_alloc("refiommu");
	return queue ? 0 : -ENOMEM;
}

void refiommu_prq_exit(void)
{
	iopf_queue_free(queue);
}

#endif

EXPORT_SYMBOL_GPL(refiommu_page_requests_on);
EXPORT_SYMBOL_GPL(refiommu_page_requests_off);
