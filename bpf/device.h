/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices: their numbers, and what is told of them. */
#ifndef IOMMUTOP_BPF_DEVICE_H
#define IOMMUTOP_BPF_DEVICE_H

#include "state.h"

static __always_inline void text__copy(char *out, __u32 size, const char *from)
{
	if (from)
		bpf_probe_read_kernel_str(out, size, from);
}

/*
 * What a driver may change at any time: the DMA mask, which dma-iommu limits by that of the bus
 * (drivers/iommu/dma-iommu.c), and what hardly ever changes, the NUMA node.
 */
static __always_inline void dev__look(struct device *dev, struct iot_dev *out)
{
	__u64 *maskp = BPF_CORE_READ(dev, dma_mask), mask = 0,
	      bus = BPF_CORE_READ(dev, bus_dma_limit);
	int node = -1;

	if (!maskp || bpf_probe_read_kernel(&mask, sizeof(mask), maskp))
		mask = BPF_CORE_READ(dev, coherent_dma_mask);
	if (bus && bus < mask)
		mask = bus;
	out->dma_bits = (__u8)number__bits(mask);
	if (bpf_core_field_exists(dev->numa_node)) /* only kernels with NUMA */
		node = BPF_CORE_READ(dev, numa_node);
	out->node_known = node >= 0;
	out->node = node >= 0 ? (__u32)node : 0;
}

/* Number of the device at the address key; the first time it gets one and the stream is told its
 * names. 0: the table is full. Global as dom__add() is. */
__weak __noinline __u32 dev__number(__u64 key, __u16 flags)
{
	struct iot_dev *known, fresh = {};
	struct device *dev = (void *)key;
	struct iot_device *e;

	if (!dev)
		return 0;
	known = bpf_map_lookup_elem(&devs, &key);
	if (known)
		return known->id;
	fresh.id = number__next(NUMBER_DEVICE);
	fresh.group = BPF_CORE_READ(dev, iommu_group) ? BPF_CORE_READ(dev, iommu_group, id) : -1;
	dev__look(dev, &fresh);
	/* two CPUs may be here for one device: the first in the map wins, the other's number stays
	 * unused */
	if (bpf_map_update_elem(&devs, &key, &fresh, BPF_NOEXIST)) {
		known = bpf_map_lookup_elem(&devs, &key);
		if (!known)
			__sync_fetch_and_add(&cpu__this(bpf_get_smp_processor_id())->no_device, 1);
		return known ? known->id : 0;
	}
	e = rare__reserve(sizeof(*e));
	if (!e)
		return fresh.id;
	__builtin_memset(e, 0, sizeof(*e));
	event__init(&e->h, IOT_EV_DEVICE, sizeof(*e), 0, fresh.id);
	e->h.flags |= flags;
	e->group = fresh.group;
	e->dma_bits = fresh.dma_bits;
	e->node_known = fresh.node_known;
	e->node = fresh.node;
	kernel__dev_name(dev, e->name, sizeof(e->name));
	text__copy(e->driver, sizeof(e->driver), BPF_CORE_READ(dev, driver, name));
	text__copy(e->bus, sizeof(e->bus), BPF_CORE_READ(dev, bus, name));
	text__copy(e->iommu, sizeof(e->iommu),
		   BPF_CORE_READ(dev, iommu, iommu_dev, dev, kobj.name));
	rare__submit(e);
	return fresh.id;
}

#endif
