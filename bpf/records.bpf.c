// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault records, one by one as the driver takes them from its IOMMU (--fault-records): what the
 * kernel's rate limit then keeps out of the log is here all the same.
 */
#include "state.h"

static __always_inline void record__tell(__u64 iova, int iova_known, __u32 access, __u32 reason,
					 __u32 flags, __u32 rid)
{
	struct iot_fault *e = rare__reserve(sizeof(*e));

	if (!e)
		return;
	event__init(&e->h, IOT_EV_FAULT, sizeof(*e), 0, 0); /* user space knows devices by rid */
	e->iova = iova;
	e->access = access;
	e->source = IOT_SRC_HOOK;
	e->reason = reason;
	e->flags = flags;
	e->rid = rid;
	e->iova_known = (__u8)iova_known;
	e->rid_known = 1;
	e->pad[0] = e->pad[1] = 0;
	rare__submit(e);
}

/* --- Intel: drivers/iommu/intel/iommu.h; VT-d specification 10.4 */

#define FSTS              0x34 /* fault status */
#define FSTS_OVERFLOW     1U   /* PFO: records were lost */
#define FSTS_INDEX(s)     ((s) >> 8 & 0xff)
#define RECORD_BYTES      16
#define RECORD_VALID      (1U << 31) /* in the highest 32 bits, as are … */
#define RECORD_READ       (1U << 30)
#define RECORD_REASON(w)  ((w)&0xff)
#define RECORD_REASONS    0xf0 /* a class of them, and: */
#define RECORD_INTERRUPTS 0x20 /* an interrupt was not remapped */
#define RECORDS(cap)      (((cap) >> 40 & 0xff) + 1)
#define RECORDS_AT(cap)   (((cap) >> 24 & 0x3ff) * 16)
/* How long an interrupt may wait until records beyond the first are lost to an overflow. */
#define OVERFLOW_NS   1000000000ULL
#define OVERFLOW_WHAT "DMAR fault records" /* as src/klog calls the same in a log */

/* What dmar_fault() is at, by CPU: it is an interrupt handler. */
struct reading {
	__u64 records; /* address of the first; 0 = not in there */
	__u32 segment;
	__u32 index, nr; /* which one the driver reads next, and how many there are */
	__u32 skip;      /* calls of ___ratelimit() before the next one that is about a record */
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, IOT_CPUS_MAX);
	__type(key, __u32);
	__type(value, struct reading);
} readings SEC(".maps");

static __always_inline struct reading *reading__here(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&readings, &cpu);
}

static __always_inline __u32 mmio__u32(__u64 at)
{
	__u32 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)at);
	return value;
}

static __always_inline void overflow__tell(void)
{
	struct iot_loss *e = rare__reserve(sizeof(*e));

	if (!e)
		return;
	event__init(&e->h, IOT_EV_LOSS, sizeof(*e), 0, 0);
	e->begin = e->h.ts - OVERFLOW_NS;
	e->end = e->h.ts;
	e->count = 1; /* or more, which nobody knows */
	e->cause = IOT_LOST_RATELIMIT;
	e->pad = 0;
	__builtin_memset(e->what, 0, sizeof(e->what));
	__builtin_memcpy(e->what, OVERFLOW_WHAT, sizeof(OVERFLOW_WHAT));
	rare__submit(e);
}

SEC("?fentry/dmar_fault")
int BPF_PROG(intel_fault_entry, int irq, void *dev_id)
{
	struct intel_iommu___own *iommu = dev_id;
	struct reading *r = reading__here();
	__u64 reg, cap;
	__u32 status;

	if (!r)
		return 0;
	reg = (__u64)BPF_CORE_READ(iommu, reg);
	cap = BPF_CORE_READ(iommu, cap);
	status = mmio__u32(reg + FSTS);
	r->segment = BPF_CORE_READ(iommu, segment);
	r->index = FSTS_INDEX(status);
	r->nr = RECORDS(cap);
	r->skip = status != 0; /* first it asks whether to print the status */
	r->records = reg + RECORDS_AT(cap);
	if (status & FSTS_OVERFLOW)
		overflow__tell();
	return 0;
}

/*
 * The driver asks before each record whether it may print it, and then reads it whatever the answer
 * is: here the hardware still holds it, and which one it is follows from how often it has asked.
 */
SEC("?fentry/___ratelimit")
int BPF_PROG(intel_fault_record, void *rs, const char *func)
{
	struct reading *r = reading__here();
	__u64 at, addr = 0;
	__u32 high, rid;
	char name[12];

	if (!r || !r->records)
		return 0;
	if (bpf_probe_read_kernel_str(name, sizeof(name), func) != sizeof("dmar_fault") ||
	    name[0] != 'd' || name[5] != 'f')
		return 0; /* printed from an interrupt that came in between */
	if (r->skip) {
		r->skip--;
		return 0;
	}
	at = r->records + (__u64)r->index * RECORD_BYTES;
	high = mmio__u32(at + 12);
	if (!(high & RECORD_VALID))
		return 0; /* it was the last */
	r->index = r->index + 1 >= r->nr ? 0 : r->index + 1;
	if ((high & RECORD_REASONS) == RECORD_INTERRUPTS)
		return 0; /* no DMA: its line in the log is an error, not a fault */
	bpf_probe_read_kernel(&addr, sizeof(addr), (void *)at);
	rid = r->segment << 16 | (mmio__u32(at + 8) & 0xffff);
	record__tell(addr & ~0xfffULL, 1, high & RECORD_READ ? IOT_ACCESS_READ : IOT_ACCESS_WRITE,
		     RECORD_REASON(high), high, rid);
	return 0;
}

SEC("?fexit/dmar_fault")
int BPF_PROG(intel_fault_exit, int irq, void *dev_id)
{
	struct reading *r = reading__here();

	if (r)
		r->records = 0;
	return 0;
}

/* --- virtio: include/uapi/linux/virtio_iommu.h */

#define VIRTIO_ID_IOMMU      23
#define VIRTIO_EVENT_QUEUE   1
#define VIRTIO_FAULT_READ    (1U << 0)
#define VIRTIO_FAULT_WRITE   (1U << 1)
#define VIRTIO_FAULT_ADDRESS (1U << 8)

struct virtio_fault {
	__u8 reason;
	__u8 pad[3];
	__u32 flags; /* this and the rest: little endian */
	__u32 endpoint;
	__u32 pad2;
	__u64 address;
};

/* Every buffer that any virtio driver gets back passes here. */
SEC("?fexit/virtqueue_get_buf")
int BPF_PROG(virtio_fault_buffer, struct virtqueue___own *vq, unsigned int *len, void *buf)
{
	struct virtio_fault f;
	__u32 access;

	if (!buf || BPF_CORE_READ(vq, index) != VIRTIO_EVENT_QUEUE ||
	    BPF_CORE_READ(vq, vdev, id.device) != VIRTIO_ID_IOMMU ||
	    bpf_probe_read_kernel(&f, sizeof(f), buf) || f.pad[0] || f.pad[1] || f.pad[2])
		return 0; /* the driver takes no notice of what these bytes say */
	access = f.flags & VIRTIO_FAULT_WRITE  ? IOT_ACCESS_WRITE
		 : f.flags & VIRTIO_FAULT_READ ? IOT_ACCESS_READ
					       : IOT_ACCESS_UNKNOWN;
	record__tell(f.address, (f.flags & VIRTIO_FAULT_ADDRESS) != 0, access, f.reason, f.flags,
		     f.endpoint);
	return 0;
}
