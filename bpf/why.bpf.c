// SPDX-License-Identifier: GPL-2.0-only
/* What every chooser of a default domain's type left behind: the kernel's variables, the driver's
 * operations, the domain, the device. src/analyze/why.c draws the conclusions. */
#include "groups.h"

static __always_inline void *why__reserve(__u16 id, __u32 size)
{
	struct iot_event *e = rare__reserve(size);

	if (!e)
		return NULL;
	event__init(e, id, (__u16)size, 0, 0);
	return e;
}

static __always_inline int read_var(void *out, __u32 size, __u64 addr)
{
	return addr && !bpf_probe_read_kernel(out, size, (void *)addr);
}

static __always_inline void tell_core(const struct iot_why_vars *at)
{
	struct iot_raw_why_core *e = why__reserve(IOT_RAW_WHY_CORE, sizeof(*e));

	if (!e)
		return;
	e->known = 0;
	e->def_type = e->cmd_line = 0;
	e->strict = 0;
	e->pad[0] = e->pad[1] = 0;
	if (read_var(&e->def_type, sizeof(e->def_type), at->def_type))
		e->known |= IOT_WHY_DEF_TYPE;
	if (read_var(&e->strict, sizeof(e->strict), at->strict))
		e->known |= IOT_WHY_STRICTNESS;
	if (read_var(&e->cmd_line, sizeof(e->cmd_line), at->cmd_line))
		e->known |= IOT_WHY_CMD_LINE;
	e->asks = bpf_core_enum_value_exists(enum iommu_cap___why, IOMMU_CAP_DEFERRED_FLUSH___why);
	rare__submit(e);
}

/* The node's place in the tree, counted as in a heap: 1 is the root, 2n and 2n + 1 are below n. */
static __always_inline struct kernfs_node___why *child(struct rb_node___why *root, __u32 nr,
						       __u32 depth)
{
	struct rb_node___why *n = root;

	for (__u32 bit = depth; n && bit--;)
		n = nr >> bit & 1 ? BPF_CORE_READ(n, rb_right) : BPF_CORE_READ(n, rb_left);
	return n ? (void *)((__u64)n - bpf_core_field_offset(struct kernfs_node___why, rb)) : NULL;
}

/*
 * When the group's file "type" was last opened with O_TRUNC, as a shell's > does: sysfs keeps the
 * time of that and of nothing else (fs/kernfs/inode.c), a plain write leaves no trace. A group has
 * four files or so: three levels of the tree hold them. Returns 0 if the file wasn't found.
 */
static __noinline int type_written(struct iommu_group *g, __u64 *when)
{
	struct kobject___why *kobj = (void *)&g->kobj;
	struct kernfs_node___why *dir = BPF_CORE_READ(kobj, sd), *file;
	struct rb_node___why *root;
	struct kernfs_iattrs___why *attrs;
	char name[5];

	if (!when)
		return 0;
	*when = 0;
	if (!bpf_core_type_exists(struct kernfs_iattrs___why))
		return 0;
	root = BPF_CORE_READ(dir, dir.children.rb_node);
#pragma unroll
	for (__u32 nr = 1; nr < 8; nr++) {
		file = child(root, nr, nr < 2 ? 0 : nr < 4 ? 1 : 2);
		if (!file ||
		    bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, name)) != 5)
			continue;
		if (name[0] != 't' || name[1] != 'y' || name[2] != 'p' || name[3] != 'e')
			continue;
		attrs = BPF_CORE_READ(file, iattr);
		if (attrs)
			*when = BPF_CORE_READ(attrs, ia_mtime.tv_sec);
		return 1;
	}
	return 0;
}

static __always_inline void look_at_domain(struct iommu_domain *dom, struct iot_raw_why_group *e)
{
	struct iommu_dma_cookie *cookie = (void *)kernel__dma_cookie(dom);
	struct iommu_domain___why *d = (void *)dom;
	const struct iommu_domain_ops *ops;

	e->flags |= IOT_WHY_TYPE_KNOWN;
	e->type = BPF_CORE_READ(dom, type);
	ops = BPF_CORE_READ(dom, ops);
	e->flush_all = (__u64)BPF_CORE_READ(ops, flush_iotlb_all);
	if (cookie && bpf_core_field_exists(cookie->fq_domain)) {
		e->flags |= IOT_WHY_QUEUE_KNOWN;
		if (BPF_CORE_READ(cookie, fq_domain))
			e->flags |= IOT_WHY_QUEUE;
	}
	if (bpf_core_field_exists(d->is_iommupt) && BPF_CORE_READ(d, is_iommupt))
		e->flags |= IOT_WHY_GENERIC_PT;
}

static __always_inline void look_at_driver(struct device *dev, struct iot_raw_why_group *e)
{
	struct iommu_device___why *iommu = (void *)BPF_CORE_READ(dev, iommu, iommu_dev);
	struct iommu_ops___why *ops = BPF_CORE_READ(iommu, ops);
	struct iommu_domain *fixed;

	if (!ops)
		return;
	e->flags |= IOT_WHY_DRIVER_KNOWN;
	e->def_domain_type = (__u64)BPF_CORE_READ(ops, def_domain_type);
	e->capable = (__u64)BPF_CORE_READ(ops, capable);
	if (!bpf_core_field_exists(ops->default_domain))
		return;
	fixed = BPF_CORE_READ(ops, default_domain);
	if (!fixed)
		return;
	e->flags |= IOT_WHY_FIXED;
	e->fixed_type = BPF_CORE_READ(fixed, type);
}

static __noinline int tell_group(const struct walk *w)
{
	struct iot_raw_why_group *e;
	struct iommu_group *g;
	struct iommu_domain *dom;
	__u64 written = 0;
	int found;

	if (!w)
		return 0;
	g = (void *)w->group;
	found = type_written(g, &written);
	e = why__reserve(IOT_RAW_WHY_GROUP, sizeof(*e));
	if (!e)
		return 0;
	__builtin_memset((char *)e + sizeof(e->h), 0, sizeof(*e) - sizeof(e->h));
	e->group = BPF_CORE_READ(g, id);
	e->written = written;
	if (found)
		e->flags |= IOT_WHY_SYSFS_KNOWN;
	if (BPF_CORE_READ((struct iommu_group___why *)g, owner))
		e->flags |= IOT_WHY_OWNED;
	dom = BPF_CORE_READ(g, default_domain);
	if (dom)
		look_at_domain(dom, e);
	dom = BPF_CORE_READ(g, domain);
	e->now_type = dom ? BPF_CORE_READ(dom, type) : 0;
	/* all devices of a group are behind one IOMMU */
	if (w->next_dev && w->next_dev != w->devs_end) {
		struct group_device *gd =
			(void *)(w->next_dev - bpf_core_field_offset(struct group_device, list));

		look_at_driver(BPF_CORE_READ(gd, dev), e);
	}
	rare__submit(e);
	return 0;
}

static __noinline int tell_untrusted(const struct walk *w)
{
	struct iot_raw_why_dev *e;
	struct pci_dev___why *pdev;
	struct iommu_group *g;
	struct device *dev;
	char bus[4] = {};

	if (!w)
		return 0;
	dev = (void *)w->dev;
	g = (void *)w->group;
	bpf_probe_read_kernel_str(bus, sizeof(bus), BPF_CORE_READ(dev, bus, name));
	if (bus[0] != 'p' || bus[1] != 'c' || bus[2] != 'i' || bus[3])
		return 0;
	pdev = (void *)((__u64)dev - bpf_core_field_offset(struct pci_dev___why, dev));
	if (!bpf_core_field_exists(pdev->untrusted) ||
	    !BPF_CORE_READ_BITFIELD_PROBED(pdev, untrusted))
		return 0;
	e = why__reserve(IOT_RAW_WHY_DEV, sizeof(*e));
	if (!e)
		return 0;
	__builtin_memset((char *)e + sizeof(e->h), 0, sizeof(*e) - sizeof(e->h));
	e->group = BPF_CORE_READ(g, id);
	kernel__dev_name(dev, e->name, sizeof(e->name));
	rare__submit(e);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk);
} why_walk SEC(".maps");

static long why_step(__u32 i, void *ctx)
{
	__u32 zero = 0;
	struct walk *w = bpf_map_lookup_elem(&why_walk, &zero);

	if (!w)
		return 1;
	switch (walk__next(w)) {
	case WALK_GROUP:
		tell_group(w);
		return 0;
	case WALK_DEVICE:
		tell_untrusted(w);
		return 0;
	}
	return 1;
}

/* Run with struct iot_why_vars. 0, or 1: the kernel's list of groups can't be read, 2: it has no
 * end. */
SEC("?syscall")
int look_at_choosers(struct iot_why_vars *ctx)
{
	struct iot_why_vars at = *ctx;
	__u32 zero = 0;
	struct walk *w = bpf_map_lookup_elem(&why_walk, &zero);

	if (!w || !walk__begin(w))
		return 1;
	tell_core(&at);
	return bpf_loop(WALK_STEPS, why_step, NULL, 0) == WALK_STEPS ? 2 : 0;
}
