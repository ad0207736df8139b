// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps and unmaps as counters that stay in the kernel (top). Programs of their own, for every
 * instruction counts: no knob is read that record needs, and maps are taken on entry, which costs a
 * third less than on exit.
 */
#include "slots.h"

SLOTS(inflight, IOT_INFLIGHT_BITS)

static __always_inline struct iot_live *live__this(struct iommu_domain *dom)
{
	__u32 cpu = bpf_get_smp_processor_id();
	int place = dom__find_or_add((__u64)dom);

	if (place < 0) {
		__sync_fetch_and_add(&cpu__this(cpu)->unknown_domain, 1);
		return NULL;
	}
	return live__of(cpu, (__u32)place);
}

/* A map that fails is counted like one that succeeds: the result is known only on exit. */
SEC("?fentry")
int BPF_PROG(map_live_entry, struct iommu_domain *dom, unsigned long iova, u64 paddr, u64 size)
{
	struct iot_live *l = live__this(dom);

	if (l) {
		l->maps++;
		l->map_bytes += size;
	}
	return 0;
}

/* On exit: the window begins when the entries are cleared, and a flush that began before that
 * doesn't cover it. */
SEC("?fexit")
int BPF_PROG(unmap_live_exit, struct iommu_domain *dom, unsigned long iova, u64 size,
	     struct iommu_iotlb_gather *gather, u64 unmapped)
{
	struct iot_live *l = live__this(dom);
	struct iot_inflight *f;
	__u64 ts, head, key;

	if (!l)
		return 0;
	l->unmap_bytes += unmapped;
	ts = bpf_ktime_get_ns();
	if (gather->queued) {
		head = l->pend_head;
		if (head - *(volatile __u64 *)&l->pend_tail < IOT_PENDING) {
			l->pend[head & (IOT_PENDING - 1)] = ts;
			*(volatile __u64 *)&l->pend_head = head + 1;
		} else {
			l->pend_overflow++;
		}
		return 0;
	}
	l->unmaps_strict++;
	key = (__u64)gather;
	if (inflight__find(&key) != SLOT_NONE)
		return 0;
	f = slot__at(&inflight, inflight__take(&key));
	if (f) {
		f->domain = 0;
		f->begin = 0;
		f->first_unmap = ts;
	}
	return 0;
}
