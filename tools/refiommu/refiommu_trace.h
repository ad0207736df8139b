/* SPDX-License-Identifier: GPL-2.0-only */
/* clang-format off */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM refiommu

#if !defined(REFIOMMU_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define REFIOMMU_TRACE_H

#include <linux/device.h>
#include <linux/tracepoint.h>

#include "compat.h"
#include "refiommu.h"

TRACE_EVENT(refiommu_map,
	TP_PROTO(u16 domain, u64 iova, u64 paddr, size_t size),
	TP_ARGS(domain, iova, paddr, size),
	TP_STRUCT__entry(
		__field(u64, iova)
		__field(u64, paddr)
		__field(u64, size)
		__field(u16, domain)
	),
	TP_fast_assign(
		__entry->iova = iova;
		__entry->paddr = paddr;
		__entry->size = size;
		__entry->domain = domain;
	),
	TP_printk("domain=%u iova=0x%llx paddr=0x%llx size=%llu", __entry->domain,
		  __entry->iova, __entry->paddr, __entry->size)
);

TRACE_EVENT(refiommu_unmap,
	TP_PROTO(u16 domain, u64 iova, size_t size, bool queued),
	TP_ARGS(domain, iova, size, queued),
	TP_STRUCT__entry(
		__field(u64, iova)
		__field(u64, size)
		__field(u16, domain)
		__field(u8, queued)
	),
	TP_fast_assign(
		__entry->iova = iova;
		__entry->size = size;
		__entry->domain = domain;
		__entry->queued = queued;
	),
	TP_printk("domain=%u iova=0x%llx size=%llu queued=%u", __entry->domain, __entry->iova,
		  __entry->size, __entry->queued)
);

TRACE_EVENT(refiommu_inval_submit,
	TP_PROTO(u16 domain, u64 seq, u64 start, u64 end),
	TP_ARGS(domain, seq, start, end),
	TP_STRUCT__entry(
		__field(u64, seq)
		__field(u64, start)
		__field(u64, end)
		__field(u16, domain)
	),
	TP_fast_assign(
		__entry->seq = seq;
		__entry->start = start;
		__entry->end = end;
		__entry->domain = domain;
	),
	TP_printk("domain=%u seq=%llu start=0x%llx end=0x%llx", __entry->domain, __entry->seq,
		  __entry->start, __entry->end)
);

TRACE_EVENT(refiommu_inval_complete,
	TP_PROTO(u16 domain, u64 seq, u64 latency_ns),
	TP_ARGS(domain, seq, latency_ns),
	TP_STRUCT__entry(
		__field(u64, seq)
		__field(u64, latency_ns)
		__field(u16, domain)
	),
	TP_fast_assign(
		__entry->seq = seq;
		__entry->latency_ns = latency_ns;
		__entry->domain = domain;
	),
	TP_printk("domain=%u seq=%llu latency_ns=%llu", __entry->domain, __entry->seq,
		  __entry->latency_ns)
);

TRACE_EVENT(refiommu_teardown,
	TP_PROTO(u16 domain, unsigned int tables, unsigned int offers, u64 longest_ns),
	TP_ARGS(domain, tables, offers, longest_ns),
	TP_STRUCT__entry(
		__field(u64, longest_ns)
		__field(u32, tables)
		__field(u32, offers)
		__field(u16, domain)
	),
	TP_fast_assign(
		__entry->longest_ns = longest_ns;
		__entry->tables = tables;
		__entry->offers = offers;
		__entry->domain = domain;
	),
	TP_printk("domain=%u tables=%u offers=%u longest_ns=%llu", __entry->domain,
		  __entry->tables, __entry->offers, __entry->longest_ns)
);

TRACE_EVENT(refiommu_fault,
	TP_PROTO(struct device *dev, u16 domain, u64 iova, bool write, const char *reason),
	TP_ARGS(dev, domain, iova, write, reason),
	TP_STRUCT__entry(
		__string(device, dev_name(dev))
		__string(reason, reason)
		__field(u64, iova)
		__field(u16, domain)
		__field(u8, write)
	),
	TP_fast_assign(
		refiommu_assign_str(device, dev_name(dev));
		refiommu_assign_str(reason, reason);
		__entry->iova = iova;
		__entry->domain = domain;
		__entry->write = write;
	),
	TP_printk("device=%s domain=%u iova=0x%llx %s reason=%s", __get_str(device),
		  __entry->domain, __entry->iova, __entry->write ? "write" : "read",
		  __get_str(reason))
);

TRACE_EVENT(refiommu_page_request,
	TP_PROTO(struct device *dev, const struct refiommu_page_request *req),
	TP_ARGS(dev, req),
	TP_STRUCT__entry(
		__string(device, dev_name(dev))
		__field(u64, iova)
		__field(u32, pasid)
		__field(u32, prgi)
		__field(u32, perm)
		__field(u8, has_pasid)
		__field(u8, last)
	),
	TP_fast_assign(
		refiommu_assign_str(device, dev_name(dev));
		__entry->iova = req->iova;
		__entry->pasid = req->has_pasid ? req->pasid : 0;
		__entry->prgi = req->prgi;
		__entry->perm = req->perm;
		__entry->has_pasid = req->has_pasid;
		__entry->last = req->last;
	),
	TP_printk("device=%s iova=0x%llx pasid=%u has_pasid=%u prgi=%u perm=%u last=%u",
		  __get_str(device), __entry->iova, __entry->pasid, __entry->has_pasid,
		  __entry->prgi, __entry->perm, __entry->last)
);

TRACE_EVENT(refiommu_page_response,
	TP_PROTO(struct device *dev, u32 prgi, u32 code),
	TP_ARGS(dev, prgi, code),
	TP_STRUCT__entry(
		__string(device, dev_name(dev))
		__field(u32, prgi)
		__field(u32, code)
	),
	TP_fast_assign(
		refiommu_assign_str(device, dev_name(dev));
		__entry->prgi = prgi;
		__entry->code = code;
	),
	TP_printk("device=%s prgi=%u code=%u", __get_str(device), __entry->prgi, __entry->code)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE refiommu_trace
#include <trace/define_trace.h>
