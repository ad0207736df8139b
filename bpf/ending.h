/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of a domain: the core lets go of it, then the driver frees it, which may take long. Where
 * the driver's function is hooked, the domain keeps its place until that has ended, for it frees
 * page tables meanwhile.
 */
#ifndef IOMMUTOP_BPF_ENDING_H
#define IOMMUTOP_BPF_ENDING_H

#include "state.h"

static __always_inline int dom__free_is_hooked(struct iommu_domain *dom)
{
	const struct iommu_domain_ops *ops = BPF_CORE_READ(dom, ops);
	__u64 fn = (__u64)BPF_CORE_READ(ops, free);

	return bpf_map_lookup_elem(&free_fns, &fn) != NULL;
}

/* Whichever hook comes first takes the domain. waits: the driver's free is still to come. */
static __always_inline int dom__end(__u64 ptr, int waits)
{
	struct iommu_domain *dom = (void *)ptr;
	int place = dom__place(ptr);
	struct iot_dom *d = place >= 0 ? dom__at(place) : NULL;

	if (!d || d->life & IOT_DOM_GOING)
		return 0;
	if (!(d->life & IOT_DOM_TOLD))
		dom__look(dom, d);
	/* sysfs may have switched it in place since */
	d->type = (__u16)BPF_CORE_READ(dom, type);
	dom__tell(dom, d, IOT_DOMAIN_FREE, 0);
	if (d->cookie) {
		__u64 key = d->cookie + bpf_core_field_offset(struct iommu_dma_cookie, iovad);

		bpf_map_delete_elem(&allocators, &key);
	}
	if (waits)
		d->life |= IOT_DOM_GOING;
	else
		__sync_lock_test_and_set(&d->ptr, IOT_DOM_DEAD);
	return 0;
}

/* Does cond_resched() of this kernel lead to the function that is hooked? */
static __always_inline __u32 offers__seen(void)
{
	__u64 fn = 0;

	if (knobs.offers == IOT_OFFERS_KEY)
		return !bpf_probe_read_kernel(&fn, sizeof(fn), (void *)knobs.offers_key) &&
		       fn == knobs.offers_fn;
	return knobs.offers == IOT_OFFERS_SEEN;
}

static __always_inline void ending__stretch(struct iot_ending *t, __u64 now)
{
	if (now - t->mark > t->longest)
		t->longest = now - t->mark;
	t->mark = now;
}

#endif
