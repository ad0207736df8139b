// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault records, one by one as the driver takes them from its IOMMU (--fault-records): what the
 * kernel's rate limit then keeps out of the log is here all the same.
 */
#include "state.h"

/* All of the event but what kind of access it was; rid: what user space knows devices by. */
static __always_inline void record__fill(struct iot_fault *e, __u16 id, __u64 iova, __u32 reason,
					 __u32 flags, __u32 rid)
{
	event__init(&e->h, id, sizeof(*e), 0, 0);
	e->iova = iova;
	e->access = IOT_ACCESS_UNKNOWN;
	e->source = IOT_SRC_HOOK;
	e->reason = reason;
	e->flags = flags;
	e->rid = rid;
	e->iova_known = 1;
	e->rid_known = 1;
	e->iommu = 0;
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
	struct iot_fault *e;

	if (!buf || BPF_CORE_READ(vq, index) != VIRTIO_EVENT_QUEUE ||
	    BPF_CORE_READ(vq, vdev, id.device) != VIRTIO_ID_IOMMU ||
	    bpf_probe_read_kernel(&f, sizeof(f), buf) || f.pad[0] || f.pad[1] || f.pad[2])
		return 0; /* the driver takes no notice of what these bytes say */
	e = rare__reserve(sizeof(*e));
	if (!e)
		return 0;
	record__fill(e, IOT_EV_FAULT, f.address, f.reason, f.flags, f.endpoint);
	e->iova_known = (f.flags & VIRTIO_FAULT_ADDRESS) != 0;
	e->access = f.flags & VIRTIO_FAULT_WRITE  ? IOT_ACCESS_WRITE
		    : f.flags & VIRTIO_FAULT_READ ? IOT_ACCESS_READ
						  : IOT_ACCESS_UNKNOWN;
	rare__submit(e);
	return 0;
}

/*
 * --- Intel: VT-d specification, fault status register (FSTS) and fault recording registers (FRCD).
 *
 * dmar_fault() (drivers/iommu/intel/dmar.c) asks the rate limit of the log once for the fault
 * status, if there is any, then once before it looks at each record, and goes on until one is
 * empty. What it takes is printed or not, and freed for the next fault at once: with a single
 * recording register, a storm of faults passes through it within one call. So each is read just
 * before the driver reads it, at the call of the limit. Reading has no side effect. The registers
 * are mapped as device memory; 4 and 8 aligned bytes are read by a single load (mm/maccess.c), as
 * the specification wants.
 */

#define VTD_FSTS         0x34
#define VTD_FSTS_PFO     (1U << 0) /* a fault found no free record */
#define VTD_FSTS_PPF     (1U << 1) /* there are records */
#define VTD_FSTS_FRI(v)  ((v) >> 8 & 0xff)
#define VTD_RECORDS(cap) (((cap) >> 24 & 0x3ff) * 16) /* where they begin */
#define VTD_NR(cap)      (((cap) >> 40 & 0xff) + 1)
#define VTD_RECORD       16 /* bytes */
/* of a record's upper half */
#define VTD_F         (1ULL << 63) /* it is one: the rest is valid */
#define VTD_READ      (1ULL << 62)
#define VTD_PASID     (1ULL << 31) /* it has one, in bits 59:40 */
#define VTD_REASON(v) ((v) >> 32 & 0xff)
#define VTD_SID(v)    ((v)&0xffff)
/* Reasons of interrupt remapping: those of the scalable mode, from 0x30 on, are of DMA again. */
#define VTD_REASON_IRQ(reason) ((reason) >= 0x20 && (reason) < 0x30)

/* One call of dmar_fault(), as far as it has come. */
struct vtd_call {
	__u64 regs, records; /* addresses */
	__u32 nr;            /* of records */
	__u32 next;          /* the one that the driver looks at next */
	__u32 asked;         /* times that the rate limit was asked */
	__u32 status;        /* VTD_FSTS_*, of all looks at it */
	__u32 taken;         /* 1: the last look saw a record */
	__u16 iommu, segment;
};

/* By task: the interrupt's handler isn't interrupted, and each CPU's idle task is another one. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct vtd_call);
} vtd_calls SEC(".maps");

static __always_inline void vtd__count_lost(void)
{
	__sync_fetch_and_add(&cpu__this(bpf_get_smp_processor_id())->no_record, 1);
}

static __always_inline void vtd__look(struct vtd_call *call)
{
	struct iot_cpu *cpu = cpu__this(bpf_get_smp_processor_id());
	__u32 status = 0;

	bpf_probe_read_kernel(&status, sizeof(status), (void *)(call->regs + VTD_FSTS));
	if (status & ~call->status & VTD_FSTS_PFO)
		__sync_fetch_and_add(&cpu->record_overflows, 1);
	call->status |= status;
	if (call->asked <= 1)
		call->next = VTD_FSTS_FRI(status);
}

SEC("?fentry/dmar_fault")
int BPF_PROG(vtd_begin, int irq, void *dev_id)
{
	struct intel_iommu___own *iommu = dev_id;
	__u64 cap = BPF_CORE_READ(iommu, cap), task = bpf_get_current_task();
	struct vtd_call call = {};

	call.regs = (__u64)BPF_CORE_READ(iommu, reg);
	call.records = call.regs + VTD_RECORDS(cap);
	call.nr = VTD_NR(cap);
	call.iommu = (__u16)(BPF_CORE_READ(iommu, seq_id) + 1);
	call.segment = BPF_CORE_READ(iommu, segment);
	/* one that the driver makes by itself, outside of its interrupt, was interrupted, or the
	 * end of the last one wasn't seen */
	if (bpf_map_lookup_elem(&vtd_calls, &task))
		vtd__count_lost();
	vtd__look(&call);
	if (bpf_map_update_elem(&vtd_calls, &task, &call, BPF_ANY) && call.status & VTD_FSTS_PPF)
		vtd__count_lost();
	return 0;
}

/* include/uapi/linux/bpf.h */
#define RINGBUF_USED 0
#define RINGBUF_SIZE 1

/*
 * Room for an event, unless more than half of the ring is taken: a storm must leave room for what
 * else is rare. At a breakpoint, as in NMIs, the ring gives none while another CPU is about to take
 * some.
 */
static __always_inline struct iot_fault *vtd__reserve(void)
{
	struct iot_fault *e;

	if (bpf_ringbuf_query(&rare, RINGBUF_USED) > bpf_ringbuf_query(&rare, RINGBUF_SIZE) / 2)
		return NULL;
	e = bpf_ringbuf_reserve(&rare, sizeof(*e), 0);
	if (!e) /* no loop: 6.1 would take it for one that may keep what it got */
		e = bpf_ringbuf_reserve(&rare, sizeof(*e), 0);
	return e ? e : bpf_ringbuf_reserve(&rare, sizeof(*e), 0);
}

static __always_inline void vtd__tell(struct vtd_call *call, __u64 low, __u64 high)
{
	__u32 reason = VTD_REASON(high);
	int irq = VTD_REASON_IRQ(reason);
	struct iot_fault *e = vtd__reserve();

	if (!e) {
		vtd__count_lost();
		return;
	}
	record__fill(e, irq ? IOT_RAW_IRQ_FAULT : IOT_EV_FAULT, irq ? low >> 48 : low & ~0xfffULL,
		     reason,
		     /* its upper 32 bits; F, which is always set, stands for the bit that tells
		      * whether there is a PASID */
		     (__u32)(high >> 32 & 0x7fffffff) | (high & VTD_PASID ? 1U << 31 : 0),
		     (__u32)call->segment << 16 | VTD_SID(high));
	e->access = high & VTD_READ ? IOT_ACCESS_READ : IOT_ACCESS_WRITE;
	e->iommu = call->iommu;
	rare__submit(e);
}

/* Where dmar_fault() calls ___ratelimit(). */
SEC("?kprobe")
int vtd_asks(void *ctx)
{
	__u64 task = bpf_get_current_task(), low = 0, high = 0, at;
	struct vtd_call *call = bpf_map_lookup_elem(&vtd_calls, &task);

	if (!call)
		return 0;
	if (!call->asked++) {
		vtd__look(call); /* as the driver has, just before */
		return 0;
	}
	/* the driver comes again only behind a record: it came after our look */
	if (call->asked > 2 && !call->taken)
		vtd__count_lost();
	at = call->records + call->next * VTD_RECORD;
	call->next = call->next + 1 < call->nr ? call->next + 1 : 0;
	call->taken = !bpf_probe_read_kernel(&high, sizeof(high), (void *)(at + 8)) &&
		      high & VTD_F && !bpf_probe_read_kernel(&low, sizeof(low), (void *)at);
	if (call->taken)
		vtd__tell(call, low, high);
	else
		vtd__look(call); /* the driver is going to forget the overflow */
	return 0;
}

/* Run by user space: src/collect/calls.c. */
SEC("syscall")
int read_text(struct iot_text *text)
{
	__u64 words[IOT_TEXT_WORDS] = {};
	long rc = bpf_probe_read_kernel(words, sizeof(words), (void *)text->addr);

#pragma unroll
	for (__u32 i = 0; i < IOT_TEXT_WORDS; i++)
		text->words[i] = words[i];
	return rc != 0;
}

SEC("?fexit/dmar_fault")
int BPF_PROG(vtd_end, int irq, void *dev_id)
{
	__u64 task = bpf_get_current_task();
	struct vtd_call *call = bpf_map_lookup_elem(&vtd_calls, &task);

	if (!call)
		return 0;
	/* there was a record, and the program at the calls was skipped */
	if (!call->asked && call->status & VTD_FSTS_PPF)
		vtd__count_lost();
	bpf_map_delete_elem(&vtd_calls, &task);
	return 0;
}
