/* SPDX-License-Identifier: GPL-2.0-only */
/* Made by vmlinux/make.sh; don't edit. Offsets mean nothing here: every access is relocated at load time. */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef __u64 u64;
typedef __u8 u8;
typedef __u32 u32;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

/* include/uapi/linux/bpf.h */
enum bpf_map_type {
BPF_MAP_TYPE_HASH = 1,
BPF_MAP_TYPE_ARRAY = 2,
BPF_MAP_TYPE_STACK_TRACE = 7,
BPF_MAP_TYPE_LRU_HASH = 9,
BPF_MAP_TYPE_RINGBUF = 27,
};
enum {
BPF_ANY = 0,
BPF_NOEXIST = 1,
BPF_F_FAST_STACK_CMP = 512,
BPF_F_MMAPABLE = 1024,
BPF_RB_NO_WAKEUP = 1,
};


#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

typedef long long int __s64;

typedef long long unsigned int __u64;

typedef __s64 s64;

typedef __u64 u64;

typedef _Bool bool;

typedef struct {
	s64 counter;
} atomic64_t;

struct list_head {
	struct list_head *next;
};

struct module {
	char name[56];
};

struct pt_regs {
	long unsigned int ax;
	long unsigned int dx;
	long unsigned int si;
	long unsigned int di;
	long unsigned int ip;
	long unsigned int sp;
};

struct page {
};

struct work_struct {
};

struct delayed_work {
	struct work_struct work;
};

struct kobject {
	void *name;
	struct list_head entry;
};

struct kset {
	struct list_head list;
};

struct bus_type;

struct device_driver;

struct iommu_group;

struct dev_iommu;

struct device {
	struct kobject kobj;
	struct device *parent;
	void *init_name;
	struct bus_type *bus;
	struct device_driver *driver;
	void *driver_data;
	u64 *dma_mask;
	u64 coherent_dma_mask;
	u64 bus_dma_limit;
	int numa_node;
	struct iommu_group *iommu_group;
	struct dev_iommu *iommu;
};

struct bus_type {
	void *name;
};

struct device_driver {
	void *name;
};

struct net_device {
	struct device dev;
};

struct pci_dev {
	struct device dev;
};

struct blk_mq_hw_ctx;

struct request {
	struct blk_mq_hw_ctx *mq_hctx;
	u64 start_time_ns;
};

struct blk_mq_hw_ctx {
	void *driver_data;
	unsigned int queue_num;
};

struct iommu_device;

struct dev_iommu {
	struct iommu_device *iommu_dev;
};

struct iommu_dma_cookie;

struct iommu_domain {
	unsigned int type;
	void *ops;
	struct iommu_dma_cookie *iova_cookie;
};

struct iommu_domain_ops {
	void *flush_iotlb_all;
	void *iotlb_sync_map;
	void *iotlb_sync;
	void *free;
};

struct iommu_iotlb_gather {
	long unsigned int start;
	long unsigned int end;
	bool queued;
};

struct iommu_device {
	struct device *dev;
};

struct iova_domain {
	long unsigned int granule;
};

struct iommu_group {
	struct kobject kobj;
	struct list_head devices;
	int id;
	struct iommu_domain *default_domain;
	struct iommu_domain *domain;
};

struct group_device {
	struct list_head list;
	struct device *dev;
};

struct iommu_dma_cookie {
	union {
		struct {
			struct iova_domain iovad;
			atomic64_t fq_flush_start_cnt;
			atomic64_t fq_flush_finish_cnt;
		};
	};
	struct iommu_domain *fq_domain;
};

struct devlink {
	struct device *dev;
};

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
