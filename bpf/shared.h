/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What bpf/ and src/collect share beside the events: the layout of the maps. Not a wire format,
 * never on disk.
 *
 * On the hot path global data costs about five instructions, an array look-up, which the verifier
 * inlines, about twelve, a hash look-up about ninety, and a ring-buffer reserve + commit more than
 * two hundred: hence global data for what has a fixed size, arrays for what is sized at load time,
 * and a ring per CPU in an mmap-able array.
 */
#ifndef IOMMUTOP_BPF_SHARED_H
#define IOMMUTOP_BPF_SHARED_H

#include "event.h"
#include "util/hist.h"

#define IOT_MODE_LIVE   0 /* counters and windows only; hot events don't leave the kernel */
#define IOT_MODE_STREAM 1 /* every event */

/* Read-only after load; the verifier removes what a knob switches off. */
struct iot_knobs {
	__u32 mode;       /* IOT_MODE_* */
	__u32 nr_cpus;    /* possible CPUs */
	__u32 ring_mask;  /* slots of a CPU's ring, a power of two, less 1 */
	__u32 dom_mask;   /* places of the domain table in use, a power of two, less 1 */
	__u32 stacks;     /* 1: a kernel stack on every unmap and fault */
	__u32 coverage;   /* 1: add up what the control is held against */
	__u32 invariants; /* 1: count by domain (struct iot_counts), time the ends of domains */
	__u32 pad;
	__u64 group_kset; /* address of the kernel's variable iommu_group_kset, 0 = not known */
	/* cond_resched(): IOT_OFFERS_*; the addresses of its static call's key and of the function
	 * that this calls where it does something, for IOT_OFFERS_KEY */
	__u32 offers;
	__u32 pad2;
	__u64 offers_key, offers_fn;
};

#define IOT_OFFERS_UNSEEN   0 /* whether it does anything can't be known */
#define IOT_OFFERS_SEEN     1 /* each is a call of a function that is hooked */
#define IOT_OFFERS_KEY      2 /* … as long as the static call leads there */
#define IOT_OFFERS_ANYWHERE 3 /* none: the kernel may be preempted anywhere */

/* A full ring keeps this many slots back for programs of interrupts that nest between test and
 * reserve. */
#define IOT_RING_SLACK 16

/* Calls of drivers' functions whose begin is not known, by what they do: no event tells of them. */
#define IOT_CALL_INVALIDATE 0
#define IOT_CALL_TABLE      1
#define IOT_CALL_SUBMIT     2
#define IOT_CALL_NR         3

/* One per CPU. The writer's and the reader's fields lie in cache lines of their own. */
struct iot_cpu {
	__u64 head;           /* slots ever reserved; atomic: interrupts nest */
	__u64 lost;           /* hot events that found the ring full */
	__u64 rare_lost;      /* rare events that found their ring full */
	__u64 unknown_domain; /* hot events whose domain had no place in the table */
	__u64 no_begin;       /* flushes whose begin is not known */
	__u64 no_device;      /* devices that found no room in their table */
	__u32 in_fq_timer;    /* this CPU is inside fq_flush_timeout() */
	__u32 ring_first;     /* index of this CPU's first slot */
	/* control: what the kernel's own tracepoints said */
	__u64 tp_map_bytes;
	__u64 tp_unmap_bytes;
	__u64 tp_unmaps;
	/* and what our hooks saw */
	__u64 map_bytes;
	__u64 unmap_bytes;
	__u64 unmaps;
	__u64 map_max; /* largest single one: what an operation under way can make the sums differ
			  by */
	__u64 unmap_max;
	__u64 preempt_count; /* address of this CPU's, 0 = not known; set before anything is
				attached */
	/*
	 * Only user space writes these. limit: the first slot that may not be reserved yet, so head
	 * == limit is a full ring; 0: the capture is off, and nothing is taken, counted or lost.
	 * One number for both, for it is read at every event. All CPUs are switched within
	 * microseconds.
	 */
	__u64 limit;
	__u64 tail;                 /* slots ever consumed */
	__u64 no_call[IOT_CALL_NR]; /* written by programs, but hardly ever */
	/* VT-d's fault records that were not told, and how often it had no room for more */
	__u64 no_record, record_overflows;
	__u64 pad2;
};
_Static_assert(sizeof(struct iot_cpu) == 192, "struct iot_cpu fills whole cache lines");

/* Domain table: open addressing, IOT_DOM_PROBES places from the hash on. */
#define IOT_DOM_PROBES 4
#define IOT_DOM_FREE   0 /* values of ptr that are no pointer */
#define IOT_DOM_BUSY   1 /* being filled */
#define IOT_DOM_DEAD \
	2 /* freed; user space reads its last counters, clears them and sets IOT_DOM_FREE */
/* How a domain was seen first */
#define IOT_SEEN_SNAPSHOT 1
#define IOT_SEEN_ATTACH   2
#define IOT_SEEN_TABLE    3 /* its first page-table page was allocated */
#define IOT_SEEN_EVENT    4 /* a map, an unmap or a flush */
/* Bits of life. A domain that is seen by its first table has no type yet: it is told later. */
#define IOT_DOM_TOLD  1
#define IOT_DOM_GOING 2 /* its end was told, the driver's free is still to come */
/* … and the group of its devices is claimed for user space */
#define IOT_DOM_CLAIMED 4
struct iot_dom {
	__u64 ptr;     /* struct iommu_domain *, or IOT_DOM_* */
	__u64 cookie;  /* struct iommu_dma_cookie *, 0 = none */
	__u64 fq_seen; /* flush-queue flushes recognised, in the kernel's own count
			  (fq_flush_start_cnt) */
	__u32 id;      /* the number that events carry */
	__u32 dev;     /* of its one device; 0 = none, or several */
	__u32 dev_xor; /* XOR of the numbers of the devices attached: with one device, its number */
	__u32 nr_devs;
	__u16 type;
	__u8 seen_by; /* IOT_SEEN_* */
	__u8 life;    /* IOT_DOM_TOLD, …_GOING, …_CLAIMED */
	__s32 group;
	__u32 fq_ours; /* at the end of the capture: flush-queue flushes recognised since fq_base,
			  and … */
	__u32 fq_control; /* … the kernel's own count of them */
	__u64 fq_base;    /* fq_seen when every flush function was attached */
};
_Static_assert(sizeof(struct iot_dom) == 64, "a shift finds a domain's place");

/* The global data, the same memory for every BPF object. */
#define IOT_CPUS_MAX 1024
#define IOT_DOMS_MAX 4096
struct iot_state {
	struct iot_cpu cpus[IOT_CPUS_MAX];
	struct iot_dom doms[IOT_DOMS_MAX]; /* knobs.dom_mask + 1 of them are used */
	__u64 endings;                     /* tasks inside of a driver's domain free */
	/* 1: strict unmaps are told from flushes outside of them; only user space writes it */
	__u64 unmaps_told;
	/* where nvme_sysfs_reset() and nvme_reset_ctrl_sync() begin; 0 = not called yet */
	__u64 nvme_sysfs_fn, nvme_sync_fn;
	/* live mode: ns; flushes are seen from here on, so the windows of unmaps before aren't
	 * known. The same */
	__u64 flushes_since;
	/* live mode, 1: a driver's call whose begin is not known is a lost one; the same */
	__u64 calls_count;
};

/* What whoever runs is inside of, for the reason of the flushes that come of it. */
#define IOT_INSIDE_UNMAP  1 /* of a strict one */
#define IOT_INSIDE_ATTACH 2 /* a device gets another domain */
#define IOT_INSIDE_FREE   3 /* the core frees a domain */

/* What the program tell_domains is run with. */
struct iot_tell {
	__u32 end; /* 0: the flush functions are attached now, begin to count; 1: the capture ends
		    */
	__u32 pad;
};

struct iot_dev {
	__u32 id;
	__s32 group;
	__u64 domain; /* pointer of the domain it is attached to, 0 = none */
	/* as in struct iot_device; look_at_devices reads them again */
	__u32 node;
	__u8 node_known;
	__u8 dma_bits;
	__u8 pad[2];
};

/*
 * What the programs tell the collector alone: it makes an event of the vocabulary out of it, or
 * acts on it. These ids are never delivered.
 */
#define IOT_RAW_AER   0xff00
#define IOT_RAW_BOUND 0xff01 /* a driver was bound to a device: just the header */
#define IOT_RAW_FREE  0xff02 /* the function that frees a domain, of its ops */
struct iot_raw_free {
	struct iot_event h;
	__u64 fn; /* its address */
};
/*
 * Why domains have the type that they have: what the program look_at_choosers reads. It is run with
 * the addresses of these variables of drivers/iommu/iommu.c, 0 = not among the symbols.
 */
struct iot_why_vars {
	__u64 def_type; /* iommu_def_domain_type: unsigned int */
	__u64 strict;   /* iommu_dma_strict: bool */
	__u64 cmd_line; /* iommu_cmd_line: u32 */
};
#define IOT_RAW_WHY_CORE  0xff03
#define IOT_RAW_WHY_GROUP 0xff04
#define IOT_RAW_WHY_DEV   0xff05 /* a device of a group that the kernel doesn't trust */

/* Bits of known in struct iot_raw_why_core, and of flags in struct iot_raw_why_group. */
#define IOT_WHY_DEF_TYPE   0x01
#define IOT_WHY_STRICTNESS 0x02
#define IOT_WHY_CMD_LINE   0x04
struct iot_raw_why_core {
	struct iot_event h;
	__u32 known;
	__u32 def_type; /* IOT_TYPE_* */
	__u32 cmd_line; /* bit 0: the type is the command line's, bit 1: so is strictness */
	__u8 strict;
	__u8 asks; /* the kernel knows IOMMU_CAP_DEFERRED_FLUSH, and asks for it */
	__u8 pad[2];
};

#define IOT_WHY_QUEUE_KNOWN  0x01 /* it has a DMA cookie */
#define IOT_WHY_QUEUE        0x02 /* and a flush queue, so unmaps are queued */
#define IOT_WHY_GENERIC_PT   0x04 /* of the kernel's generic page table: capability not asked */
#define IOT_WHY_OWNED        0x08 /* somebody took the group from the DMA API (VFIO, iommufd) */
#define IOT_WHY_FIXED        0x10 /* the driver names one default domain for all: fixed_type */
#define IOT_WHY_SYSFS_KNOWN  0x20 /* the file "type" was found */
#define IOT_WHY_TYPE_KNOWN   0x40 /* the group has a default domain */
#define IOT_WHY_DRIVER_KNOWN 0x80 /* it has a device, with its IOMMU's operations */
struct iot_raw_why_group {
	struct iot_event h;
	__s32 group;
	__u32 flags;
	__u32 type;     /* of its default domain */
	__u32 now_type; /* of the domain it is attached to */
	__u32 fixed_type;
	__u32 pad;
	__u64 def_domain_type, capable; /* functions of its IOMMU's driver, 0 = none */
	__u64 flush_all;                /* of the default domain's operations */
	__u64 written; /* s since 1970: the file "type" was opened to be written, and cut; 0: not */
};

struct iot_raw_why_dev {
	struct iot_event h;
	__s32 group;
	__u32 pad;
	char name[40];
};

/* struct iot_fault: VT-d refused an interrupt; iova: index into the table of interrupts */
#define IOT_RAW_IRQ_FAULT 0xff06

/* What the program read_text is run with: it reads the kernel's code at addr. */
#define IOT_TEXT_WORDS 16
struct iot_text {
	__u64 addr;
	__u64 words[IOT_TEXT_WORDS];
};

struct iot_raw_aer { /* the tracepoint knows the device by its name only */
	struct iot_event h;
	__u32 status;   /* of the error register that severity names */
	__u32 severity; /* IOT_AER_* */
	char name[40];
};
#define IOT_AER_NONFATAL  0 /* include/linux/aer.h */
#define IOT_AER_FATAL     1
#define IOT_AER_CORRECTED 2

/* Flushes (and, live, strict unmaps) under way: slots of bpf/slots.h. */
#define IOT_INFLIGHT_BITS 13
#define IOT_INFLIGHT      (1 << IOT_INFLIGHT_BITS)
struct iot_inflight {
	__u64 key;         /* 0 = free */
	__u64 domain;      /* struct iommu_domain *; 0 with a gather */
	__u64 begin;       /* ns, the flush's; 0 = not begun */
	__u64 first_unmap; /* ns, end of the first unmap that this flush covers; 0 = none (live
			      mode) */
};

/*
 * What struct iot_tally tells, per CPU and domain; index: cpu * (places + 1) + place, the last one
 * for what has no place. Interrupts nest and tasks are preempted, so each is added to atomically.
 */
struct iot_counts {
	__u64 begin; /* ns, when the domain was first seen, on the CPU that saw it; else 0 */
	__u64 maps, map_bytes, map_errors;
	__u64 unmaps, unmap_bytes, short_unmaps;
	__u64 faults, hangs;
	__u64 tables_allocated, tables_freed;
	__u64 teardown_longest;
	__u64 flushes, flush_longest;
	__u64 flush[IOT_TALLY_LOG2];
};

/* A driver's domain free under way, by its task. */
struct iot_ending {
	__u64 ptr; /* the domain */
	__u64 begin;
	__u64 mark; /* ns: the last offer, or when the task came back */
	__u64 longest, offers, tables;
	__u32 place, domain, dev;
	__u32 seen; /* 1: offers are seen */
};

/* How a function of a driver is read: chosen by src/collect/drivers.c for each copy of
 * driver.bpf.c. */
struct iot_driver_fn {
	__u32 domain; /* 1: argument 0 points to what holds the domain, domain_at bytes from it */
	__u32 domain_at;
	__u32 range; /* IOT_RANGE_* */
	__u32 bytes; /* of a page; 0: argument 2 says */
	__u32 page;  /* IOT_PAGE_*: what a free is given */
	__u32 inner; /* 1: drivers' own functions call it, which have told of the page then */
	/* submissions: IOT_BY_*; IOT_SUBMIT_*, or where to find it; 1: argument 0 is the IOMMU */
	__u32 by, submit, told, iommu;
	/* addresses of these variables, for IOT_PAGE_STRUCT */
	__u64 vmemmap_base, page_offset_base;
};
#define IOT_RANGE_LAST 0 /* arguments 1 and 2: first and last byte */
#define IOT_RANGE_SIZE 1 /* first byte and size */
#define IOT_RANGE_ALL  2 /* everything */
/* How a submission says what it is of */
#define IOT_TOLD_FIXED  0 /* always the same */
#define IOT_TOLD_VTD    1 /* argument 1: VT-d descriptors, argument 2: how many */
#define IOT_TOLD_AMDVI  2 /* argument 1: an AMD-Vi command */
#define IOT_PAGE_ARG1   0 /* its address, argument 1 */
#define IOT_PAGE_STRUCT 1 /* argument 0: its struct page */

/* Live counters per CPU and domain; index: cpu * places + place in the domain table. One writer per
 * field. */
#define IOT_PENDING 256 /* a flush queue has 255 usable entries */
struct iot_live {
	__u64 maps, map_bytes;
	__u64 unmaps_strict, unmap_bytes; /* lazy ones: pend_head + pend_overflow */
	__u64 flushes[IOT_WHY_NR];
	__u64 flush_ns;
	__u64 pend_head;         /* lazy unmaps: written by this CPU's unmap program */
	__u64 pend_tail;         /* taken by flushes on any CPU with compare-and-exchange */
	__u64 pend_overflow;     /* windows not measured: the list was full */
	__u64 pend_dropped;      /* … or older than the hooks of the flushes; atomic */
	__u64 window_max[2];     /* [0] strict, [1] lazy */
	__u64 pend[IOT_PENDING]; /* ns, end of the unmap */
	__u64 window[2][HIST_BUCKETS];
};

/*
 * Live: submissions to the hardware, per CPU, function and kind; index: (cpu * IOT_BY_NR + by) *
 * IOT_SUBMIT_NR + kind. Interrupts nest and tasks are preempted, so each is added to atomically.
 */
struct iot_live_submit {
	__u64 commands, failed;
	__u64 ns; /* how long they took, in all */
	__u64 longest;
	__u64 shortest; /* ~ns, so that 0 is none yet */
	__u64 time[HIST_BUCKETS];
};

#endif
