/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's list of IOMMU groups, and each group's devices: iommu_group_kset -> groups ->
 * devices, without locks, as the kernel's own debuggers walk them. Every pointer is read with a
 * fault-safe copy; a list that changes under it ends early.
 */
#ifndef IOMMUTOP_BPF_GROUPS_H
#define IOMMUTOP_BPF_GROUPS_H

#include "state.h"

/*
 * Where a walk is. It is in a map, not on the stack: 6.1 verifies the callback of bpf_loop() once,
 * with what the stack held before the first round, and removes every branch that this round doesn't
 * take.
 */
struct walk {
	__u64 groups_end, next_group;
	__u64 devs_end, next_dev;
	__u64 group, dev; /* those at hand: struct iommu_group *, struct device * */
};

#define WALK_STEPS (1 << 16)

#define WALK_END    0
#define WALK_GROUP  1 /* its devices follow */
#define WALK_DEVICE 2

static __always_inline __u64 list__next(__u64 list)
{
	struct list_head *l = (void *)list;

	return (__u64)BPF_CORE_READ(l, next);
}

/* 0: the kernel's list can't be read. */
static __always_inline int walk__begin(struct walk *w)
{
	__u64 kset = 0;

	if (!knobs.group_kset ||
	    bpf_probe_read_kernel(&kset, sizeof(kset), (void *)knobs.group_kset) || !kset)
		return 0;
	w->groups_end = kset + bpf_core_field_offset(struct kset, list);
	w->next_group = list__next(w->groups_end);
	w->next_dev = w->devs_end = 0;
	return 1;
}

/* WALK_*: what w->group and w->dev are now. */
static __always_inline int walk__next(struct walk *w)
{
	if (w->next_dev && w->next_dev != w->devs_end) {
		struct group_device *gd =
			(void *)(w->next_dev - bpf_core_field_offset(struct group_device, list));

		w->dev = (__u64)BPF_CORE_READ(gd, dev);
		w->next_dev = list__next(w->next_dev);
		return WALK_DEVICE;
	}
	if (w->next_group && w->next_group != w->groups_end) {
		w->group = w->next_group - bpf_core_field_offset(struct iommu_group, kobj) -
			   bpf_core_field_offset(struct kobject, entry);
		w->devs_end = w->group + bpf_core_field_offset(struct iommu_group, devices);
		w->next_dev = list__next(w->devs_end);
		w->next_group = list__next(w->next_group);
		return WALK_GROUP;
	}
	return WALK_END;
}

#endif
