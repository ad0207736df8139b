// SPDX-License-Identifier: GPL-2.0-only
/* Maps and unmaps: the one pair of functions that every user of a paging domain goes through. */
#include "state.h"

static __always_inline int dom__find_or_add(__u64 dom)
{
	int place = dom__place(dom);

	return place >= 0 ? place : dom__add(dom, -1, 0);
}

static __always_inline void map_live(__u32 cpu, int place, __u64 size, int ret)
{
	struct iot_live *l = place >= 0 ? live__of(cpu, (__u32)place) : NULL;

	if (!l)
		return;
	if (ret) {
		l->map_errors++;
		return;
	}
	l->maps++;
	l->map_bytes += size;
}

/* 6.1, 6.12: __iommu_map; 7.2: iommu_map_nosync. Both complete (kernel sources: drivers/iommu/iommu.c). */
SEC("?fexit")
int BPF_PROG(map_exit, struct iommu_domain *dom, unsigned long iova, u64 paddr, u64 size, int prot, unsigned int gfp,
	     int ret)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	int place = dom__find_or_add(kernel__arg(ctx, 0));
	struct iot_dom *d = NULL;
	struct iot_map *e;
	__u64 ts;

	if (!c || !c->active)
		return 0;
	if (place < 0)
		__sync_fetch_and_add(&c->unknown_domain, 1);
	if (!ret)
		c->map_bytes += size;
	if (knobs.mode == IOT_MODE_LIVE) {
		map_live(cpu, place, size, ret);
		return 0;
	}
	if (place >= 0)
		d = dom__at(place);
	ts = bpf_ktime_get_ns();
	e = (void *)hot__reserve(c, cpu);
	if (!e)
		return 0;
	hot__fill(&e->h, IOT_EV_MAP, cpu, d);
	e->iova = iova;
	e->paddr = paddr;
	e->size = size;
	e->prot = (__u32)prot;
	e->ret = ret;
	hot__publish(&e->h, ts);
	return 0;
}

static __always_inline void unmap_live(__u32 cpu, int place, __u64 unmapped, int lazy, __u64 gather, __u64 ts)
{
	struct iot_live *l = place >= 0 ? live__of(cpu, (__u32)place) : NULL;
	struct iot_inflight *f;

	if (!l)
		return;
	l->unmap_bytes += unmapped;
	if (lazy) {
		l->unmaps_lazy++;
		if (l->pend_head - *(volatile __u64 *)&l->pend_tail < IOT_PENDING) {
			l->pend[l->pend_head & (IOT_PENDING - 1)] = ts;
			l->pend_head++;
		} else {
			l->pend_overflow++;
		}
		return;
	}
	l->unmaps_strict++;
	f = inflight__of(gather);
	if (f && (f->key != gather || !f->first_unmap)) {
		f->key = gather;
		f->begin = 0;
		f->first_unmap = ts;
	}
}

SEC("?fexit")
int BPF_PROG(unmap_exit, struct iommu_domain *dom, unsigned long iova, u64 size, struct iommu_iotlb_gather *gather,
	     u64 unmapped)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	int place = dom__find_or_add(kernel__arg(ctx, 0));
	struct iot_dom *d = NULL;
	struct iot_unmap *e;
	int lazy;
	__u64 ts;

	if (!c || !c->active)
		return 0;
	if (place < 0)
		__sync_fetch_and_add(&c->unknown_domain, 1);
	lazy = gather->queued;
	c->unmap_bytes += unmapped;
	c->unmaps++;
	ts = bpf_ktime_get_ns();
	if (knobs.mode == IOT_MODE_LIVE) {
		unmap_live(cpu, place, unmapped, lazy, kernel__arg(ctx, 3), ts);
		return 0;
	}
	if (place >= 0)
		d = dom__at(place);
	e = (void *)hot__reserve(c, cpu);
	if (!e)
		return 0;
	hot__fill(&e->h, IOT_EV_UNMAP, cpu, d);
	if (knobs.stacks) {
		long id = bpf_get_stackid(ctx, &stacks, BPF_F_FAST_STACK_CMP);

		/* a collision in the stack map loses the stack, not the event */
		e->h.stack = id < 0 ? 0 : (__u32)id + 1;
	}
	e->iova = iova;
	e->size = size;
	e->unmapped = unmapped;
	e->gather = (__u32)(kernel__arg(ctx, 3) >> 4);
	e->mode = lazy ? IOT_UNMAP_LAZY : IOT_UNMAP_STRICT;
	hot__publish(&e->h, ts);
	return 0;
}

/* The address range itself, only when asked for: it doubles the events. */
SEC("?fexit")
int BPF_PROG(iova_alloc_exit, struct iommu_domain *dom, u64 size, u64 limit, struct device *dev, u64 iova)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	int place = dom__find_or_add(kernel__arg(ctx, 0));
	struct iot_dev *known;
	__u64 key = (__u64)dev;
	struct iot_iova *e;
	__u64 ts;

	if (!c || !c->active)
		return 0;
	ts = bpf_ktime_get_ns();
	e = (void *)hot__reserve(c, cpu);
	if (!e)
		return 0;
	hot__fill(&e->h, IOT_EV_IOVA_ALLOC, cpu, place >= 0 ? dom__at(place) : NULL);
	known = bpf_map_lookup_elem(&devs, &key);
	if (known)
		e->h.dev = known->id;
	e->iova = iova;
	e->size = size;
	e->limit = limit;
	e->begin = 0;
	hot__publish(&e->h, ts);
	return 0;
}

SEC("?fentry")
int BPF_PROG(iova_free_entry, struct iova_domain *iovad, unsigned long pfn, unsigned long pages)
{
	__u64 cookie = kernel__arg(ctx, 0) - bpf_core_field_offset(struct iommu_dma_cookie, iovad);
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	struct iot_dom *d = NULL;
	struct iot_iova *e;
	__u64 ts, *dom;
	int place;

	if (!c || !c->active)
		return 0;
	ts = bpf_ktime_get_ns();
	dom = bpf_map_lookup_elem(&cookies, &cookie);
	if (dom) {
		place = dom__place(*dom);
		if (place >= 0)
			d = dom__at(place);
	}
	e = (void *)hot__reserve(c, cpu);
	if (!e)
		return 0;
	hot__fill(&e->h, IOT_EV_IOVA_FREE, cpu, d);
	e->iova = pfn * iovad->granule;
	e->size = pages * iovad->granule;
	e->limit = 0;
	e->begin = 0;
	hot__publish(&e->h, ts);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
