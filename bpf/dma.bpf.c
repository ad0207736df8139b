// SPDX-License-Identifier: GPL-2.0-only
/* Maps, unmaps and IOVAs, every one of them as an event (record). */
#include "state.h"

/* Place of the domain; -1, counted, if the table is full. */
static __always_inline int stream__place(struct iot_cpu *c, struct iommu_domain *dom)
{
	int place = dom__find_or_add((__u64)dom);

	if (place < 0)
		__sync_fetch_and_add(&c->unknown_domain, 1);
	return place;
}

/* 6.1, 6.12: __iommu_map; 7.2: iommu_map_nosync. Both complete (kernel sources: drivers/iommu/iommu.c). */
SEC("?fexit")
int BPF_PROG(map_exit, struct iommu_domain *dom, unsigned long iova, u64 paddr, u64 size, int prot, unsigned int gfp,
	     int ret)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	struct iot_map *e;
	__u64 ts;

	if (!c->active)
		return 0;
	if (knobs.coverage && !ret)
		c->map_bytes += size;
	ts = bpf_ktime_get_ns();
	e = (void *)hot__reserve(c, cpu);
	if (!e)
		return 0;
	hot__fill(&e->h, IOT_EV_MAP, cpu, stream__place(c, dom));
	e->iova = iova;
	e->paddr = paddr;
	e->size = size;
	e->prot = (__u32)prot;
	e->ret = ret;
	hot__publish(&e->h, ts);
	return 0;
}

SEC("?fexit")
int BPF_PROG(unmap_exit, struct iommu_domain *dom, unsigned long iova, u64 size, struct iommu_iotlb_gather *gather,
	     u64 unmapped)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	struct iot_unmap *e;
	__u64 ts;

	if (!c->active)
		return 0;
	ts = bpf_ktime_get_ns();
	if (knobs.coverage) {
		c->unmap_bytes += unmapped;
		c->unmaps++;
	}
	e = (void *)hot__reserve(c, cpu);
	if (!e)
		return 0;
	hot__fill(&e->h, IOT_EV_UNMAP, cpu, stream__place(c, dom));
	if (knobs.stacks) {
		long id = bpf_get_stackid(ctx, &stacks, BPF_F_FAST_STACK_CMP);

		/* a collision in the stack map loses the stack, not the event */
		e->h.stack = id < 0 ? 0 : (__u32)id + 1;
	}
	e->iova = iova;
	e->size = size;
	e->unmapped = unmapped;
	e->gather = kernel__low32((__u64)gather);
	e->mode = gather->queued ? IOT_UNMAP_LAZY : IOT_UNMAP_STRICT;
	hot__publish(&e->h, ts);
	return 0;
}

/* The address range itself, only when asked for: it doubles the events. */
SEC("?fexit")
int BPF_PROG(iova_alloc_exit, struct iommu_domain *dom, u64 size, u64 limit, struct device *dev, u64 iova)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	__u64 key = (__u64)dev;
	struct iot_dev *known;
	struct iot_iova *e;
	int place;
	__u64 ts;

	if (!c->active)
		return 0;
	place = stream__place(c, dom);
	ts = bpf_ktime_get_ns();
	e = (void *)hot__reserve(c, cpu);
	if (!e)
		return 0;
	hot__fill(&e->h, IOT_EV_IOVA_ALLOC, cpu, place);
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
	__u64 key = (__u64)iovad;
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	struct iot_iova *e;
	__u64 ts, *dom;
	int place = -1;

	if (!c->active)
		return 0;
	ts = bpf_ktime_get_ns();
	dom = bpf_map_lookup_elem(&allocators, &key);
	if (dom)
		place = dom__place(*dom);
	e = (void *)hot__reserve(c, cpu);
	if (!e)
		return 0;
	hot__fill(&e->h, IOT_EV_IOVA_FREE, cpu, place);
	e->iova = pfn * iovad->granule;
	e->size = pages * iovad->granule;
	e->limit = 0;
	e->begin = 0;
	hot__publish(&e->h, ts);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
