// SPDX-License-Identifier: GPL-2.0-only
/* Domains and devices: what is attached to what, from a snapshot on, and how it changes. */
#define IOT_DEFINE_STATE
#include "device.h"
#include "ending.h"
#include "groups.h"
#include "inside.h"

static __always_inline void attach__tell(__u16 id, __u32 domain, __u32 dev, __s32 group, int ret,
					 __u16 flags)
{
	struct iot_attach *e = rare__reserve(sizeof(*e));

	if (!e)
		return;
	event__init(&e->h, id, sizeof(*e), domain, dev);
	e->h.flags |= flags;
	e->ret = ret;
	e->group = group;
	rare__submit(e);
}

__noinline int dev__leave(struct iot_dev *known)
{
	struct iot_dom *old;
	int place;

	if (!known || !known->domain)
		return 0;
	place = dom__place(known->domain);
	known->domain = 0;
	if (place < 0)
		return 0;
	old = dom__at(place);
	if (!old)
		return 0;
	old->dev_xor ^= known->id;
	old->nr_devs--;
	old->dev = old->nr_devs == 1 ? old->dev_xor : 0;
	attach__tell(IOT_EV_DETACH, old->id, known->id, known->group, 0, 0);
	return 0;
}

static __noinline int dev__enter(struct device *dev, __u64 dom, __u16 flags)
{
	__u64 key = (__u64)dev;
	__u32 id = dev__number(kernel__number(key), flags);
	struct iot_dev *known = bpf_map_lookup_elem(&devs, &key);
	struct iot_dom *d;
	int place;

	if (!known || !id || !dom)
		return 0;
	if (known->group < 0) /* numbered before it had one */
		known->group = BPF_CORE_READ(dev, iommu_group, id);
	if (known->domain == dom)
		return 0; /* seen by the snapshot and by the attach hook, or attached again after a
			     reset */
	dev__leave(known);
	place = dom__add(kernel__number(dom), known->group,
			 flags & IOT_F_SNAPSHOT ? IOT_SEEN_SNAPSHOT : IOT_SEEN_ATTACH);
	d = place >= 0 ? dom__at(place) : NULL;
	if (!d)
		return 0;
	if (!(d->life & IOT_DOM_CLAIMED) && kernel__is_claimed(dev)) {
		d->life |= IOT_DOM_CLAIMED;
		if (d->type == IOT_TYPE_UNMANAGED)
			dom__tell((struct iommu_domain *)dom, d, IOT_DOMAIN_STATE, 0);
	}
	known->domain = dom;
	d->group = known->group;
	d->dev_xor ^= id;
	d->nr_devs++;
	d->dev = d->nr_devs == 1 ? d->dev_xor : 0;
	attach__tell(IOT_EV_ATTACH, d->id, id, known->group, 0, flags);
	return 0;
}

static __always_inline int attach_exit(__u64 dom, struct device *dev, int ret)
{
	inside__leave(cpu__runner());
	if (!ret)
		return dev__enter(dev, dom, 0);
	attach__tell(IOT_EV_ATTACH, 0, dev__number(kernel__number((__u64)dev), 0), -1, ret, 0);
	return 0;
}

/* __iommu_attach_device: two arguments up to 6.12, three (the old domain) from 7.x on. */
SEC("?fexit")
int BPF_PROG(attach2_exit, struct iommu_domain *dom, struct device *dev, int ret)
{
	return attach_exit((__u64)dom, dev, ret);
}

SEC("?fexit")
int BPF_PROG(attach3_exit, struct iommu_domain *dom, struct device *dev, struct iommu_domain *old,
	     int ret)
{
	return attach_exit((__u64)dom, dev, ret);
}

/*
 * The type of a default domain may change in place (sysfs: DMA to DMA-FQ), and a cookie comes after
 * the allocation: read again what dom__add() found.
 */
static __always_inline void dom__refresh(__u64 ptr, __u32 what)
{
	struct iommu_domain *dom = (void *)ptr;
	int place = dom__place(ptr);
	struct iot_dom *d = place >= 0 ? dom__at(place) : NULL;

	if (!d)
		return;
	d->type = (__u16)BPF_CORE_READ(dom, type);
	if (!d->cookie) {
		d->cookie = kernel__dma_cookie(dom);
		dom__tell_allocator(d, ptr);
	}
	dom__tell(dom, d, what, 0);
}

SEC("?fexit")
int BPF_PROG(init_fq_exit, struct iommu_domain *dom, int ret)
{
	dom__refresh((__u64)dom, IOT_DOMAIN_STATE);
	return 0;
}

/* iommu_setup_dma_ops() runs once a device has its default domain, cookie and queue: (dev, …) on
 * every kernel. */
SEC("?fexit")
int BPF_PROG(setup_dma_exit, struct device *dev)
{
	struct iommu_domain *dom = BPF_CORE_READ(dev, iommu_group, default_domain);

	if (dom)
		dom__refresh((__u64)dom, IOT_DOMAIN_STATE);
	return 0;
}

static __always_inline int dom__free(struct iommu_domain *dom)
{
	return dom__end((__u64)dom, knobs.invariants && dom__free_is_hooked(dom));
}

/*
 * 6.12, 7.2: iommu_domain_free is complete; 6.1 inlines it in part, but passes every domain to
 * iommu_put_dma_cookie, as 6.12 does too (kernel sources: drivers/iommu/iommu.c, dma-iommu.c).
 * Whichever comes first takes the domain.
 */
SEC("?fentry")
int BPF_PROG(domain_free_entry, struct iommu_domain *dom)
{
	inside__enter(IOT_INSIDE_FREE, cpu__runner());
	return dom__free(dom);
}

SEC("?fentry")
int BPF_PROG(cookie_put_entry, struct iommu_domain *dom)
{
	return dom__free(dom);
}

SEC("?tp_btf/remove_device_from_group")
int BPF_PROG(group_remove, int group_id, struct device *dev)
{
	__u64 key = (__u64)dev;

	dev__leave(bpf_map_lookup_elem(&devs, &key));
	bpf_map_delete_elem(&devs, &key);
	return 0;
}

/* A device that isn't behind an IOMMU may have a number too, of a hang: see dev__number(). */
SEC("?fentry/device_del")
int BPF_PROG(device_gone, struct device *dev)
{
	__u64 key = (__u64)dev;
	struct iot_dev *known = bpf_map_lookup_elem(&devs, &key);

	if (known && known->group < 0)
		bpf_map_delete_elem(&devs, &key);
	return 0;
}

/* The driver is there and has set its DMA mask: time to look at the device again. */
SEC("?fentry/driver_bound")
int BPF_PROG(bound, struct device *dev)
{
	struct iot_event *e = rare__reserve(sizeof(*e));

	if (!e)
		return 0;
	event__init(e, IOT_RAW_BOUND, sizeof(*e), 0, 0);
	rare__submit(e);
	return 0;
}

static __always_inline int module__tell(struct module *mod, __u32 gone)
{
	struct iot_module *e = rare__reserve(sizeof(*e));

	if (!e)
		return 0;
	event__init(&e->h, IOT_EV_MODULE, sizeof(*e), 0, 0);
	e->gone = gone;
	e->pad = 0;
	__builtin_memset(e->name, 0, sizeof(e->name));
	bpf_probe_read_kernel_str(e->name, sizeof(e->name), mod->name);
	rare__submit(e);
	return 0;
}

SEC("?tp_btf/module_load")
int BPF_PROG(module_load, struct module *mod)
{
	return module__tell(mod, 0);
}

SEC("?tp_btf/module_free")
int BPF_PROG(module_free, struct module *mod)
{
	return module__tell(mod, 1);
}

/* The snapshot: what changes under the walk is seen by the attach hook, which is already active. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk);
} walk_state SEC(".maps");

static long walk_step(__u32 i, void *ctx)
{
	__u32 zero = 0;
	struct walk *w = bpf_map_lookup_elem(&walk_state, &zero);
	struct iommu_group *g;

	if (!w)
		return 1;
	switch (walk__next(w)) {
	case WALK_GROUP:
		return 0;
	case WALK_DEVICE:
		g = (void *)w->group;
		dev__enter((struct device *)w->dev, (__u64)BPF_CORE_READ(g, domain),
			   IOT_F_SNAPSHOT);
		return 0;
	}
	return 1;
}

SEC("?syscall")
int snapshot(void *ctx)
{
	__u32 zero = 0;
	struct walk *w = bpf_map_lookup_elem(&walk_state, &zero);

	if (!w || !walk__begin(w))
		return 1;
	return bpf_loop(WALK_STEPS, walk_step, NULL, 0) == WALK_STEPS ? 2 : 0;
}

static __always_inline __u64 fq__started(const struct iot_dom *d)
{
	struct iommu_dma_cookie *cookie = (void *)d->cookie;

	if (!cookie || !bpf_core_field_exists(cookie->fq_flush_start_cnt))
		return 0;
	return BPF_CORE_READ(cookie, fq_flush_start_cnt.counter);
}

/* The flush queues' own counters are the control of ours: both are read at one moment. */
static long tell_step(__u32 i, struct iot_tell *t)
{
	struct iot_dom *d = dom__at((int)i);
	struct iommu_domain *dom;

	if (i > knobs.dom_mask)
		return 1;
	if (d->ptr <= IOT_DOM_DEAD)
		return 0;
	dom = (void *)d->ptr;
	d->type = (__u16)BPF_CORE_READ(dom, type);
	if (t->end) {
		d->fq_ours = (__u32)(d->fq_seen - d->fq_base);
		d->fq_control = (__u32)(fq__started(d) - d->fq_base);
	} else {
		d->fq_base = d->fq_seen = fq__started(d);
	}
	dom__tell(dom, d, IOT_DOMAIN_STATE, 0);
	return 0;
}

SEC("?syscall")
int tell_domains(struct iot_tell *ctx)
{
	struct iot_tell t = { .end = ctx->end };

	bpf_loop(WALK_STEPS, tell_step, &t, 0);
	return 0;
}

static long cpu_step(__u32 cpu, void *ctx)
{
	if (cpu >= knobs.nr_cpus)
		return 1;
	cpu__this(cpu)->preempt_count = kernel__preempt_count_at(cpu);
	return 0;
}

/* Before anything is attached: see cpu__in_irq(). */
SEC("?syscall")
int look_at_cpus(void *ctx)
{
	bpf_loop(IOT_CPUS_MAX, cpu_step, NULL, 0);
	return 0;
}

static long look_step(void *map, __u64 *dev, struct iot_dev *known, void *ctx)
{
	dev__look((struct device *)*dev, known);
	return 0;
}

/* What a driver sets after the device was attached: user space reads it from the map then. */
SEC("?syscall")
int look_at_devices(void *ctx)
{
	bpf_for_each_map_elem(&devs, look_step, NULL, 0);
	return 0;
}
