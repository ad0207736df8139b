// SPDX-License-Identifier: GPL-2.0-only
/* Maps, unmaps and IOVAs, every one of them as an event (record). */
#include "slots.h"

/* NULL, counted, if the table is full. */
static __always_inline struct iot_dom *stream__dom(struct iot_cpu *c, __u64 dom)
{
	int place = dom__find_or_add(dom);

	if (place < 0)
		__sync_fetch_and_add(&c->unknown_domain, 1);
	return dom__or_null(place);
}

/*
 * The two hot programs read their arguments where they store them: BPF_PROG() would load all of
 * them first and spill them to the stack, ten instructions.
 *
 * Arguments: 0 domain, 1 iova, 2 paddr, 3 size, 4 prot, 5 gfp, 6 the result. 6.1, 6.12:
 * __iommu_map; 7.2: iommu_map_nosync. Both complete (kernel sources: drivers/iommu/iommu.c).
 */
static __always_inline void map__fill(struct iot_map *e, __u32 cpu, const struct iot_dom *d,
				      const __u64 *ctx)
{
	hot__fill(&e->h, IOT_EV_MAP, cpu, d, 0);
	e->iova = ctx[1];
	e->paddr = ctx[2];
	e->size = ctx[3];
	e->prot = (__u32)ctx[4];
	e->ret = (__s32)ctx[6];
}

static __always_inline void map__check(struct iot_cpu *c, const __u64 *ctx)
{
	if (knobs.coverage && hot__active(c) && !(int)ctx[6]) {
		c->map_bytes += ctx[3];
		if (ctx[3] > c->map_max)
			c->map_max = ctx[3];
	}
}

SEC("?fexit")
int map_exit(__u64 *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	struct iot_map *e;
	__u64 ts;

	map__check(c, ctx);
	e = (void *)hot__reserve(c);
	if (!e)
		return 0;
	ts = bpf_ktime_get_ns();
	map__fill(e, cpu, stream__dom(c, ctx[0]), ctx);
	hot__publish(&e->h, ts);
	return 0;
}

static __always_inline void unmap__fill(struct iot_unmap *e, __u32 cpu, const struct iot_dom *d,
					__u32 stack, const __u64 *ctx)
{
	const struct iommu_iotlb_gather *gather;

	hot__fill(&e->h, IOT_EV_UNMAP, cpu, d, stack);
	e->iova = ctx[1];
	e->size = ctx[2];
	e->unmapped = ctx[4];
	e->gather = kernel__low32(ctx[3]);
	gather = (void *)ctx[3];
	e->mode = gather->queued ? IOT_UNMAP_LAZY : IOT_UNMAP_STRICT;
}

static __always_inline void unmap__check(struct iot_cpu *c, const __u64 *ctx)
{
	if (knobs.coverage && hot__active(c)) {
		c->unmap_bytes += ctx[4];
		c->unmaps++;
		if (ctx[4] > c->unmap_max)
			c->unmap_max = ctx[4];
	}
}

/* Arguments: 0 domain, 1 iova, 2 size, 3 gather, 4 the result: bytes removed. __iommu_unmap on all
 * kernels. */
SEC("?fexit")
int unmap_exit(__u64 *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	struct iot_unmap *e;
	__u32 stack = 0;
	__u64 ts;

	unmap__check(c, ctx);
	e = (void *)hot__reserve(c);
	if (!e)
		return 0;
	ts = bpf_ktime_get_ns();
	if (knobs.stacks)
		stack = stack__number(ctx);
	unmap__fill(e, cpu, stream__dom(c, ctx[0]), stack, ctx);
	hot__publish(&e->h, ts);
	return 0;
}

/*
 * The same two, which count by domain too: before the event, so that what finds no room in the ring
 * is counted. Programs of their own, for every instruction of the others counts.
 */
static __always_inline struct iot_dom *dom__or_unknown(struct iot_cpu *c, int place)
{
	if (place < 0)
		__sync_fetch_and_add(&c->unknown_domain, 1);
	return dom__or_null(place);
}

SEC("?fexit")
int map_exit_counted(__u64 *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	struct iot_counts *n;
	struct iot_map *e;
	int place;
	__u64 ts;

	if (!hot__active(c))
		return 0;
	e = (void *)hot__reserve(c);
	ts = bpf_ktime_get_ns();
	map__check(c, ctx);
	place = dom__find_or_add(ctx[0]);
	n = counts__of(cpu, place);
	if (n && (int)ctx[6]) {
		count__add(&n->map_errors, 1);
	} else if (n) {
		count__add(&n->maps, 1);
		count__add(&n->map_bytes, ctx[3]);
	}
	if (!e)
		return 0;
	map__fill(e, cpu, dom__or_unknown(c, place), ctx);
	hot__publish(&e->h, ts);
	return 0;
}

SEC("?fexit")
int unmap_exit_counted(__u64 *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	struct iot_counts *n;
	struct iot_unmap *e;
	__u32 stack = 0;
	int place;
	__u64 ts;

	if (!hot__active(c))
		return 0;
	e = (void *)hot__reserve(c);
	ts = bpf_ktime_get_ns();
	unmap__check(c, ctx);
	place = dom__find_or_add(ctx[0]);
	n = counts__of(cpu, place);
	if (n) {
		count__add(&n->unmaps, 1);
		count__add(&n->unmap_bytes, ctx[4]);
		if (ctx[4] < ctx[2])
			count__add(&n->short_unmaps, 1);
	}
	if (!e)
		return 0;
	if (knobs.stacks)
		stack = stack__number(ctx);
	unmap__fill(e, cpu, dom__or_unknown(c, place), stack, ctx);
	hot__publish(&e->h, ts);
	return 0;
}

/*
 * The address range itself, only when asked for: it doubles the events. Allocations under way wait
 * here, by who runs; one that found no slot has no begin, and whether it was slow isn't known.
 */
#define ALLOCS_BITS 13
struct alloc {
	__u64 key;   /* kernel__runner(); 0 = free */
	__u64 begin; /* ns */
	__u64 slow;  /* 1: alloc_iova() searched the tree */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << ALLOCS_BITS);
	__type(key, __u32);
	__type(value, struct alloc);
} allocs SEC(".maps");

SLOTS(allocs, ALLOCS_BITS)

SEC("?fentry")
int BPF_PROG(iova_alloc_entry)
{
	__u64 runner = kernel__runner();
	struct alloc *a = slot__at(&allocs, allocs__take(&runner));

	if (!a)
		return 0;
	a->slow = 0;
	a->begin = bpf_ktime_get_ns();
	return 0;
}

/* What alloc_iova_fast() turns to when the range caches have nothing of that size. */
SEC("?fentry")
int BPF_PROG(iova_slow_entry)
{
	__u64 runner = kernel__runner();
	struct alloc *a = slot__at(&allocs, allocs__find(&runner));

	if (a)
		a->slow = 1;
	return 0;
}

SEC("?fexit")
int BPF_PROG(iova_alloc_exit, struct iommu_domain *dom, u64 size, u64 limit, struct device *dev,
	     u64 iova)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	struct alloc *a;
	__u64 key = (__u64)dev, runner = kernel__runner(), begin = 0;
	struct iot_dev *known;
	struct iot_iova *e;
	__u32 slow = 0;
	__u64 ts;

	e = (void *)hot__reserve(c);
	ts = bpf_ktime_get_ns();
	a = slot__at(&allocs, allocs__find(&runner));
	if (a) {
		begin = a->begin;
		slow = a->slow != 0;
		slot__free(a);
	}
	if (!e)
		return 0;
	hot__fill(&e->h, IOT_EV_IOVA_ALLOC, cpu, stream__dom(c, (__u64)dom), 0);
	known = bpf_map_lookup_elem(&devs, &key);
	if (known)
		e->h.dev = known->id;
	e->h.flags |= (begin ? 0 : IOT_F_NO_BEGIN) | (slow ? IOT_F_SLOW : 0);
	e->iova = iova;
	e->size = size;
	e->limit = limit;
	e->begin = begin;
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

	e = (void *)hot__reserve(c);
	if (!e)
		return 0;
	ts = bpf_ktime_get_ns();
	dom = bpf_map_lookup_elem(&allocators, &key);
	if (dom)
		place = dom__place(*dom);
	hot__fill(&e->h, IOT_EV_IOVA_FREE, cpu, dom__or_null(place), 0);
	e->iova = pfn * iovad->granule;
	e->size = pages * iovad->granule;
	e->limit = 0;
	e->begin = 0;
	hot__publish(&e->h, ts);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
