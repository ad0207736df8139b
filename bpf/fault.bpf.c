// SPDX-License-Identifier: GPL-2.0-only
/* Faults and the kernel log: rare and precious, in a ring of their own. */
#include "state.h"

static __always_inline __u32 dev__known(struct device *dev)
{
	__u64 key = (__u64)dev;
	struct iot_dev *known = bpf_map_lookup_elem(&devs, &key);

	return known ? known->id : 0;
}

/* AMD, SMMUv2, the reference driver and others; never Intel, virtio, SMMUv3. dev may be NULL
 * (SMMUv2). */
SEC("?fentry/report_iommu_fault")
int BPF_PROG(fault_report, struct iommu_domain *dom, struct device *dev, unsigned long iova,
	     int flags)
{
	int place = dom__place((__u64)dom);
	struct iot_dom *d = place >= 0 ? dom__at(place) : NULL;
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_counts *n = NULL;
	struct iot_fault *e;

	if (knobs.invariants && hot__active(cpu__this(cpu)))
		n = counts__of(cpu, place);
	if (n)
		count__add(&n->faults, 1);
	e = rare__reserve(sizeof(*e));
	if (!e)
		return 0;
	event__init(&e->h, IOT_EV_FAULT, sizeof(*e), d ? d->id : 0, dev__known(dev));
	if (knobs.stacks)
		e->h.stack = stack__number(ctx);
	e->iova = iova;
	/* IOMMU_FAULT_READ 0, IOMMU_FAULT_WRITE 1: include/linux/iommu.h */
	e->access = flags & 1 ? IOT_ACCESS_WRITE : IOT_ACCESS_READ;
	e->source = IOT_SRC_REPORT;
	e->reason = 0;
	e->flags = (__u32)flags;
	e->rid = 0;
	e->iova_known = 1;
	e->rid_known = 0;
	e->iommu = 0;
	rare__submit(e);
	return 0;
}

/*
 * Every printk, at store time, whatever its level. Drivers say "Tx Unit Hang" and Intel and virtio
 * IOMMUs say "fault" in no other way. User space keeps the lines that mean something; here nothing
 * is judged.
 */
SEC("?tp_btf/console")
int BPF_PROG(console_line, const char *text, unsigned long len)
{
	struct iot_log *e;
	__u32 n;

	if (!len)
		return 0;
	e = rare__reserve(IOT_EVENT_MAX);
	if (!e)
		return 0;
	event__init(&e->h, IOT_EV_LOG, IOT_EVENT_MAX, 0, 0);
	e->full_len = (__u32)len;
	/* the last byte stays NUL; user space cuts the event to its text */
	n = len < IOT_TEXT_MAX - 1 ? (__u32)len : IOT_TEXT_MAX - 1;
	e->text_len = IOT_TEXT_MAX;
	n &= IOT_EVENT_MAX - 1; /* the verifier's bound; no change: IOT_TEXT_MAX < IOT_EVENT_MAX */
	if (n > IOT_TEXT_MAX - 1 || bpf_probe_read_kernel(e->text, n, text))
		n = 0;
	if (n <= IOT_TEXT_MAX - 1)
		e->text[n] = 0;
	rare__submit(e);
	return 0;
}
