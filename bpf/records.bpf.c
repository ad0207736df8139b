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
