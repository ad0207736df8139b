/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between kernels that bpf/ knows, in one place. Flavours (___x) are resolved by
 * CO-RE at load time, by the fields a kernel has, never by its version.
 */
#ifndef IOMMUTOP_BPF_KERNEL_H
#define IOMMUTOP_BPF_KERNEL_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/*
 * preempt_count moved: a per-CPU variable of its own (6.1, and again 7.x), a member of pcpu_hot
 * (6.2 … 6.14). Where neither exists, interrupts can't be told from tasks and no event gets
 * IOT_F_IRQ.
 */
struct pcpu_hot___new {
	int preempt_count;
} __attribute__((preserve_access_index));

extern const int __preempt_count __ksym __weak;
extern const struct pcpu_hot___new pcpu_hot __ksym __weak;

/* Soft and hard interrupt and NMI bits of preempt_count (include/linux/preempt.h); SOFTIRQ_OFFSET
 * only, not "BH off". */
#define PREEMPT_SOFTIRQ_BIT  0x00000100
#define PREEMPT_HARDIRQ_BITS 0x000f0000
#define PREEMPT_NMI_BITS     0x00f00000
#define PREEMPT_IRQ_BITS     (PREEMPT_SOFTIRQ_BIT | PREEMPT_HARDIRQ_BITS | PREEMPT_NMI_BITS)

/*
 * For hot programs alone: for each mention of such a variable the verifier walks through all of the
 * kernel's types, several million instructions at load time. Others read it by its address, which
 * is in the state: cpu__in_irq().
 */
static __always_inline int kernel__preempt_count(void)
{
	int count = 0;

	if (bpf_core_type_exists(struct pcpu_hot___new)) {
		const struct pcpu_hot___new *hot = bpf_this_cpu_ptr(&pcpu_hot);

		count = hot->preempt_count;
	} else if (&__preempt_count) {
		count = *(const int *)bpf_this_cpu_ptr(&__preempt_count);
	}
	return count;
}

static __always_inline int kernel__in_irq(void)
{
	return (kernel__preempt_count() & PREEMPT_IRQ_BITS) != 0;
}

/* Where preempt_count of a CPU is; 0: not known on this kernel. */
static __always_inline __u64 kernel__preempt_count_at(__u32 cpu)
{
	if (bpf_core_type_exists(struct pcpu_hot___new)) {
		const struct pcpu_hot___new *hot = bpf_per_cpu_ptr(&pcpu_hot, cpu);

		return hot ? (__u64)&hot->preempt_count : 0;
	}
	return &__preempt_count ? (__u64)bpf_per_cpu_ptr(&__preempt_count, cpu) : 0;
}

/*
 * The DMA cookie: a plain member up to 6.12; 7.x keeps it in a union that cookie_type
 * discriminates. Types without the DMA API bit never have one (6.1 keeps MSI cookies in the same
 * member: type UNMANAGED).
 */
enum iommu_domain_cookie_type___new {
	IOMMU_COOKIE_DMA_IOVA___new = 1,
};
struct iommu_domain___new {
	enum iommu_domain_cookie_type___new cookie_type;
} __attribute__((preserve_access_index));

/* Who maps in a domain that isn't the DMA API's. IOMMU_COOKIE_IOMMUFD: 7.x. */
enum iommu_domain_cookie_type___fd {
	IOMMU_COOKIE_IOMMUFD___fd = 5,
};

static __always_inline int kernel__by_iommufd(struct iommu_domain *dom)
{
	struct iommu_domain___new *d = (void *)dom;

	return bpf_core_field_exists(d->cookie_type) &&
	       bpf_core_enum_value_exists(enum iommu_domain_cookie_type___fd,
					  IOMMU_COOKIE_IOMMUFD___fd) &&
	       (__u64)BPF_CORE_READ(d, cookie_type) ==
		       bpf_core_enum_value(enum iommu_domain_cookie_type___fd,
					   IOMMU_COOKIE_IOMMUFD___fd);
}

/* Set while VFIO or iommufd have the group (iommu_group_claim_dma_owner()). */
struct iommu_group___own {
	void *owner;
} __attribute__((preserve_access_index));

static __always_inline int kernel__is_claimed(struct device *dev)
{
	struct iommu_group___own *g = (void *)BPF_CORE_READ(dev, iommu_group);

	return g && bpf_core_field_exists(g->owner) && BPF_CORE_READ(g, owner) != NULL;
}

#define DOMAIN_DMA_API_BIT 2 /* __IOMMU_DOMAIN_DMA_API, the same on 6.1 … 7.2 */

static __always_inline __u64 kernel__dma_cookie(struct iommu_domain *dom)
{
	struct iommu_domain___new *d = (void *)dom;

	if (!(BPF_CORE_READ(dom, type) & DOMAIN_DMA_API_BIT))
		return 0;
	if (bpf_core_field_exists(d->cookie_type) &&
	    BPF_CORE_READ(d, cookie_type) != IOMMU_COOKIE_DMA_IOVA___new)
		return 0;
	return (__u64)BPF_CORE_READ(dom, iova_cookie);
}

/*
 * What decides about the type of a group's default domain. Members are read where the kernel has
 * them: a driver's one default domain from 6.7 on, generic page tables on 7.x; the capability's
 * enumerator since the core asks for it.
 */
enum iommu_cap___why {
	IOMMU_CAP_DEFERRED_FLUSH___why = 4,
};
struct iommu_ops___why {
	void *capable;
	void *def_domain_type;
	struct iommu_domain *default_domain;
} __attribute__((preserve_access_index));
struct iommu_device___why {
	struct iommu_ops___why *ops;
} __attribute__((preserve_access_index));
struct iommu_group___why {
	void *owner;
} __attribute__((preserve_access_index));
struct iommu_domain___why {
	_Bool is_iommupt;
} __attribute__((preserve_access_index));
struct pci_dev___why {
	struct device dev;
	unsigned int untrusted : 1;
} __attribute__((preserve_access_index));

/* sysfs: a directory's files are a red-black tree; times are kept of those that were changed. */
struct rb_node___why {
	struct rb_node___why *rb_right, *rb_left;
} __attribute__((preserve_access_index));
struct rb_root___why {
	struct rb_node___why *rb_node;
} __attribute__((preserve_access_index));
struct kernfs_elem_dir___why {
	struct rb_root___why children;
} __attribute__((preserve_access_index));
struct timespec64___why {
	__s64 tv_sec;
} __attribute__((preserve_access_index));
struct kernfs_iattrs___why {
	struct timespec64___why ia_mtime;
} __attribute__((preserve_access_index));
struct kernfs_node___why {
	const char *name;
	struct rb_node___why rb;
	struct kernfs_elem_dir___why dir;
	struct kernfs_iattrs___why *iattr;
} __attribute__((preserve_access_index));
struct kobject___why {
	struct kernfs_node___why *sd;
} __attribute__((preserve_access_index));

/*
 * The lower half of a pointer as a plain number. The verifier types arguments of fentry and fexit
 * programs as pointers and lets nobody calculate with one; a 32-bit copy is a number for it (with
 * CAP_PERFMON). Written in assembler, because the compiler would do the 64-bit arithmetic first and
 * cut the result.
 */
static __always_inline __u32 kernel__low32(__u64 ptr)
{
	__u32 low;

	asm volatile("%0 = %1" : "=w"(low) : "w"((__u32)ptr));
	return low;
}

/* All of a pointer as a plain number: read back from memory, which the verifier doesn't follow. Not
 * for hot paths. */
static __always_inline __u64 kernel__number(__u64 ptr)
{
	__u64 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), &ptr);
	return number;
}

/*
 * Who runs here, for tables of what is under way: the task, and by what it was interrupted, for a
 * soft interrupt is interrupted in turn; never 0. Not the thread id, for every idle CPU has number
 * 0.
 */
static __always_inline __u64 runner__at(int count)
{
	__u64 level = 0;

	if (count & PREEMPT_NMI_BITS)
		level = 3;
	else if (count & PREEMPT_HARDIRQ_BITS)
		level = 2;
	else if (count & PREEMPT_SOFTIRQ_BIT)
		level = 1;
	return bpf_get_current_task() | level;
}

/* Name of a device: kobj.name once it is registered, init_name before. */
static __always_inline void kernel__dev_name(struct device *dev, char *out, __u32 size)
{
	const char *name = BPF_CORE_READ(dev, kobj.name);

	if (!name)
		name = BPF_CORE_READ(dev, init_name);
	bpf_probe_read_kernel_str(out, size, name);
}

/*
 * Structures of modules, of which only these members are read. Their layout is taken from the
 * module's BTF when a program that reads them is loaded.
 */
struct nvme_dev___mod {
	struct device *dev;
} __attribute__((preserve_access_index));

struct nvme_queue___mod {
	struct nvme_dev___mod *dev;
	__u16 qid;
} __attribute__((preserve_access_index));

enum nvme_ctrl_state___mod {
	NVME_CTRL_NEW___mod,
	NVME_CTRL_RESETTING___mod,
};

struct nvme_ctrl___mod {
	enum nvme_ctrl_state___mod state;
	struct device *dev;
} __attribute__((preserve_access_index));

struct Scsi_Host___mod {
	struct device shost_gendev;
} __attribute__((preserve_access_index));

struct scsi_device___mod {
	struct Scsi_Host___mod *host;
} __attribute__((preserve_access_index));

struct scsi_cmnd___mod {
	struct scsi_device___mod *device;
} __attribute__((preserve_access_index));

struct drm_gpu_scheduler___mod {
	struct delayed_work work_tdr;
	struct device *dev;
} __attribute__((preserve_access_index));

/* What vmlinux.h hasn't got: private to their drivers, or to parts that not every kernel has. */
struct pci_dev___own {
	__u8 reset_methods[8];
} __attribute__((preserve_access_index));

struct virtio_device_id___own {
	__u32 device;
} __attribute__((preserve_access_index));

struct virtio_device___own {
	struct virtio_device_id___own id;
} __attribute__((preserve_access_index));

struct virtqueue___own {
	struct virtio_device___own *vdev;
	unsigned int index;
} __attribute__((preserve_access_index));

struct intel_iommu___own {
	void *reg;
	__u64 cap;
	int seq_id;
	__u16 segment;
} __attribute__((preserve_access_index));

/*
 * Page requests. On 6.1 struct iommu_fault_event has them, and has other faults, too; each device
 * has one handler, whose answer names the group. On 6.12 and 7.2 it is struct iopf_fault, and the
 * groups are objects that know the domain that has the handler.
 */
struct iommu_fault_page_request___own {
	__u32 flags, pasid, grpid, perm;
	__u64 addr;
} __attribute__((preserve_access_index));

enum iommu_fault_type___own {
	IOMMU_FAULT_PAGE_REQ___own = 2,
};

struct iommu_fault___own {
	__u32 type;
	struct iommu_fault_page_request___own prm;
} __attribute__((preserve_access_index));

struct iommu_fault_event___own {
	struct iommu_fault___own fault;
} __attribute__((preserve_access_index));

struct iopf_fault___own {
	struct iommu_fault___own fault;
} __attribute__((preserve_access_index));

struct iommu_page_response___own {
	__u32 flags, pasid, grpid, code;
} __attribute__((preserve_access_index));

struct iommu_attach_handle___own {
	struct iommu_domain *domain;
} __attribute__((preserve_access_index));

struct iommu_fault_param___own {
	struct device *dev;
	struct list_head faults;
} __attribute__((preserve_access_index));

struct iopf_group___own {
	struct iopf_fault___own last_fault;
	struct list_head pending_node;
	struct iommu_attach_handle___own *attach_handle;
	struct iommu_fault_param___own *fault_param;
} __attribute__((preserve_access_index));

struct dev_iommu___own {
	struct iommu_fault_param___own *fault_param;
} __attribute__((preserve_access_index));

/* include/uapi/linux/iommu.h of 6.1, include/linux/iommu.h later */
#define PAGE_REQ_PASID_VALID      (1U << 0)
#define PAGE_REQ_LAST             (1U << 1)
#define PAGE_REQ_OLD_ANSWER_PASID (1U << 3)
#define PAGE_RESP_PASID_VALID     (1U << 0)

struct page_req {
	__u64 iova;
	__u32 pasid, prgi, perm;
	__u8 pasid_valid, last;
	__u8 answer_has_pasid; /* the kernel finds the group by its PASID, too */
};

static __always_inline void kernel__read_page_req(struct iommu_fault_page_request___own *prm,
						  int old, struct page_req *out)
{
	__u32 flags = BPF_CORE_READ(prm, flags);

	out->iova = BPF_CORE_READ(prm, addr);
	out->prgi = BPF_CORE_READ(prm, grpid);
	out->perm = BPF_CORE_READ(prm, perm);
	out->pasid_valid = (flags & PAGE_REQ_PASID_VALID) != 0;
	out->pasid = out->pasid_valid ? BPF_CORE_READ(prm, pasid) : 0;
	out->last = (flags & PAGE_REQ_LAST) != 0;
	out->answer_has_pasid =
		out->pasid_valid && (!old || (flags & PAGE_REQ_OLD_ANSWER_PASID) != 0);
}

/* evt: what iommu_report_device_fault() is given. 0: it is no page request. */
static __always_inline int kernel__page_req(void *evt, struct page_req *out)
{
	int old = bpf_core_type_exists(struct iommu_fault_event___own);
	__u32 at = old ? bpf_core_field_offset(struct iommu_fault_event___own, fault)
		       : bpf_core_field_offset(struct iopf_fault___own, fault);
	struct iommu_fault___own *fault = evt + at;

	if (BPF_CORE_READ(fault, type) !=
	    bpf_core_enum_value(enum iommu_fault_type___own, IOMMU_FAULT_PAGE_REQ___own))
		return 0;
	kernel__read_page_req((void *)fault + bpf_core_field_offset(struct iommu_fault___own, prm),
			      old, out);
	return 1;
}

/* The last request of the group. */
static __always_inline void kernel__group_req(struct iopf_group___own *group, struct page_req *out)
{
	kernel__read_page_req((void *)group + bpf_core_field_offset(struct iopf_group___own,
								    last_fault.fault.prm),
			      0, out);
}

static __always_inline __u64 kernel__group_dev(struct iopf_group___own *group)
{
	return (__u64)BPF_CORE_READ(group, fault_param, dev);
}

static __always_inline __u64 kernel__group_domain(struct iopf_group___own *group)
{
	if (!bpf_core_field_exists(group->attach_handle))
		return 0;
	return (__u64)BPF_CORE_READ(group, attach_handle, domain);
}

/* Whether iommu_report_device_fault(), which returned ret, has answered by itself. */
static __always_inline int kernel__core_answers(int ret)
{
	return bpf_core_field_exists(struct iopf_group___own, attach_handle) && ret == -22;
}

/* The list of the device's groups that wait for an answer; NULL: the kernel has none. */
static __always_inline struct list_head *kernel__groups_of(struct device *dev)
{
	struct dev_iommu___own *param = (void *)BPF_CORE_READ(dev, iommu);
	__u64 fault_param;

	if (!bpf_core_field_exists(struct iopf_group___own, pending_node) || !param)
		return NULL;
	fault_param = (__u64)BPF_CORE_READ(param, fault_param);
	if (!fault_param)
		return NULL;
	return (void *)(fault_param +
			bpf_core_field_offset(struct iommu_fault_param___own, faults));
}

static __always_inline struct iopf_group___own *kernel__group_of(__u64 pending_node)
{
	return (void *)(pending_node -
			bpf_core_field_offset(struct iopf_group___own, pending_node));
}

#endif
