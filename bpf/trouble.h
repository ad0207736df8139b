/* SPDX-License-Identifier: GPL-2.0-only */
/* Hangs, resets and errors: the one event they share, and whose they are. */
#ifndef IOMMUTOP_BPF_TROUBLE_H
#define IOMMUTOP_BPF_TROUBLE_H

#include "device.h"

#define PARENTS 8

static __always_inline int dev__on_pci(struct device *dev)
{
	char bus[8] = {};

	text__copy(bus, sizeof(bus), BPF_CORE_READ(dev, bus, name));
	return bus[0] == 'p' && bus[1] == 'c' && bus[2] == 'i' && !bus[3];
}

/*
 * Number of the device that does the DMA: dev, or the nearest one above it that has an IOMMU group
 * or is a PCI function (of virtio0 the PCI function, of a SCSI host its controller). Where there is
 * none, dev itself is numbered, without a group. 0: no device.
 */
static __always_inline __u32 trouble__dev(struct device *dev)
{
	struct device *up = dev, *found = dev;

	for (int i = 0; up && i < PARENTS; i++) {
		if (BPF_CORE_READ(up, iommu_group) || dev__on_pci(up)) {
			found = up;
			break;
		}
		up = BPF_CORE_READ(up, parent);
	}
	return dev__number(kernel__number((__u64)found), 0);
}

/* The event, but for its text, begin and result; NULL: no room. The name of the device is told
 * before. */
static __always_inline struct iot_trouble *trouble__begin(__u16 id, struct device *dev)
{
	__u32 number = trouble__dev(dev);
	struct iot_trouble *e = rare__reserve(sizeof(*e));

	if (!e)
		return NULL;
	event__init(&e->h, id, sizeof(*e), 0, number);
	e->begin = 0;
	e->stalled = 0;
	e->queue = -1;
	e->ret = 0;
	e->source = IOT_SRC_HOOK;
	e->kind = 0;
	__builtin_memset(e->what, 0, sizeof(e->what));
	return e;
}

/* queue: -1 = the whole device, or not said; since: ns, when what hangs was begun, 0 = not known.
 */
static __always_inline void trouble__tell(__u16 id, struct device *dev, int queue, __u64 since,
					  const char *what, __u32 size)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_counts *n = NULL;
	struct iot_trouble *e;

	if (knobs.invariants && id == IOT_EV_HANG && hot__active(cpu__this(cpu)))
		n = counts__of(cpu, -1);
	if (n)
		count__add(&n->hangs, 1);
	e = trouble__begin(id, dev);
	if (!e)
		return;
	e->stalled = since && since < e->h.ts ? e->h.ts - since : 0;
	e->queue = queue;
	bpf_probe_read_kernel_str(e->what, size, what);
	rare__submit(e);
}

#endif
