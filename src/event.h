/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The vocabulary of iommutop: every event, as the BPF programs write it, as the collector passes it
 * on and as a session holds it on disk. One layout for all three, so no copy is ever translated;
 * docs/events.md explains each.
 *
 * Rules: fixed-width fields, explicit padding, no bool, no enum, no pointer. Every event starts
 * with struct iot_event and its size is a multiple of 8. A reader skips ids it doesn't know with
 * the help of len. Ids are never reused.
 *
 * ts is CLOCK_MONOTONIC in ns, taken when the operation ENDS; operations that take time carry their
 * begin.
 */
#ifndef IOMMUTOP_EVENT_H
#define IOMMUTOP_EVENT_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define IOT_FORMAT_VERSION 1
#define IOT_EVENT_MAX      1024 /* bytes, header included: the longest event there is */
/* bytes: ids 1 to 15 have exactly this size */
#define IOT_HOT_SIZE 64

struct iot_event {
	__u64 ts;  /* CLOCK_MONOTONIC, ns, end of the operation */
	__u16 id;  /* IOT_EV_* */
	__u16 len; /* bytes, this header included */
	__u16 cpu;
	__u16 flags; /* IOT_F_* */
	__u32 tid; /* the current task: for work in interrupts, whoever was interrupted (IOT_F_IRQ)
		    */
	__u32 domain; /* number of the domain, unique in a session, never reused; 0 = not known */
	__u32 dev;    /* number of the device, unique in a session; 0 = none, not known, or several
			 (see domain) */
	__u32 stack;  /* number of the kernel stack (IOT_EV_STACK); 0 = none */
};

#define IOT_F_IRQ      0x0001 /* ran in hard or soft interrupt: tid is not the cause */
#define IOT_F_SNAPSHOT 0x0002 /* state found when tracing began, not an event at ts */
/* made by user space from a log line (the line itself is in the stream too) */
#define IOT_F_DERIVED  0x0004
#define IOT_F_NO_BEGIN 0x0008 /* the begin of the operation was not seen; begin = 0 */
/* IOVA_ALLOC: the range caches had none, the allocator's tree was searched */
#define IOT_F_SLOW 0x0010
/* Merged sessions: which of them the event, and every name and log line in it, comes from; 0 = the
 * first. The attribute "origin.<n>" names it. */
#define IOT_F_ORIGIN_SHIFT 12
#define IOT_ORIGINS        16
#define IOT_ORIGIN(flags)  ((flags) >> IOT_F_ORIGIN_SHIFT)

/* Stream class 0: what happened. Hot events are 1..15. */
#define IOT_EV_MAP        1
#define IOT_EV_UNMAP      2
#define IOT_EV_FLUSH      3
#define IOT_EV_IOVA_ALLOC 4
#define IOT_EV_IOVA_FREE  5
/* only when what the invariants need is captured (assert, record --invariants) */
#define IOT_EV_INVALIDATE    6
#define IOT_EV_TABLE_ALLOC   7
#define IOT_EV_TABLE_FREE    8
#define IOT_EV_SUBMIT        9 /* only when asked for (record --hw) */
#define IOT_EV_HOT_LAST      IOT_EV_SUBMIT
#define IOT_EV_FAULT         16
#define IOT_EV_HANG          17
#define IOT_EV_RESET         18
#define IOT_EV_LOG           19
#define IOT_EV_DOMAIN        20
#define IOT_EV_ATTACH        21
#define IOT_EV_DETACH        22
#define IOT_EV_MODULE        23
#define IOT_EV_LOSS          24
#define IOT_EV_COVERAGE      25
#define IOT_EV_CAPTURE       26
#define IOT_EV_ERROR         27
#define IOT_EV_TEARDOWN      28 /* with --invariants, and so TALLY */
#define IOT_EV_TALLY         29
#define IOT_EV_PAGE_REQUEST  30
#define IOT_EV_PAGE_RESPONSE 31
/* Stream class 1: side tables. */
#define IOT_EV_DEVICE 64
#define IOT_EV_STACK  65
#define IOT_EV_SYMBOL 66
#define IOT_EV_ATTR   67
#define IOT_EV_CLOCK  68
#define IOT_EV_REGION 69

/* PTEs were written (iommu_map and friends; one event a physically contiguous run). */
struct iot_map {
	struct iot_event h;
	__u64 iova;
	__u64 paddr;
	__u64 size; /* bytes asked for; mapped only if ret == 0 */
	__u32 prot; /* IOMMU_READ 1, IOMMU_WRITE 2, IOMMU_CACHE 4, IOMMU_NOEXEC 8, IOMMU_MMIO 16 …
		     */
	__s32 ret;  /* 0 or negative errno */
};

/* PTEs were cleared. The device may go on using them until the flush that covers them has ended. */
#define IOT_UNMAP_UNKNOWN 0
#define IOT_UNMAP_STRICT  1 /* the caller flushes before it goes on */
#define IOT_UNMAP_LAZY    2 /* gather->queued: the flush queue flushes later */
struct iot_unmap {
	struct iot_event h;
	__u64 iova;
	__u64 size;     /* bytes asked for */
	__u64 unmapped; /* bytes removed: may be less (a hole) or more (a huge page) than size */
	__u32 gather; /* token of the iommu_iotlb_gather; the FLUSH of kind SYNC with the same token
			 covers it */
	__u32 mode;   /* IOT_UNMAP_* */
};

/* An IOTLB invalidation through the domain's ops, from begin to h.ts, when the hardware has done
 * it. */
#define IOT_FLUSH_ALL  1 /* ops->flush_iotlb_all: the whole domain */
#define IOT_FLUSH_SYNC 2 /* ops->iotlb_sync: the ranges gathered */
/* ops->iotlb_sync_map: after map, for IOMMUs that cache non-present entries */
#define IOT_FLUSH_SYNC_MAP 3
#define IOT_WHY_UNKNOWN    0
#define IOT_WHY_STRICT     1 /* unmap in a strict domain */
#define IOT_WHY_QUEUE_FULL 2 /* a CPU's flush queue was full */
#define IOT_WHY_TIMER      3 /* the flush queue's timer */
#define IOT_WHY_MAP        4 /* kind SYNC_MAP */
/* flush_iotlb_all called by none of these: the driver, direct mappings */
#define IOT_WHY_OTHER 5
/* inside of an unmap: what it removed doesn't fit to what its gather has (another range, or another
 * page size), which is flushed first */
#define IOT_WHY_RANGE  6
#define IOT_WHY_DETACH 7 /* while a device is moved to another domain, or the domain is freed */
#define IOT_WHY_NR     8
struct iot_flush {
	struct iot_event h;
	__u64 begin; /* ns; covers unmaps that ended before it */
	__u64 iova;  /* first byte; 0 and size 0: the range is not known or empty; kind ALL:
			everything */
	__u64 size;
	__u32 gather; /* kind SYNC: as in iot_unmap; else 0 */
	__u8 kind;    /* IOT_FLUSH_* */
	__u8 why;     /* IOT_WHY_* */
	__u16 fn;     /* which function did it: index of the attribute "flush_fn.<fn>" */
};

struct iot_iova { /* IOVA_ALLOC, IOVA_FREE: the address range itself, in the DMA API's allocator */
	struct iot_event h;
	__u64 iova;  /* 0 in IOVA_ALLOC: the allocation failed */
	__u64 size;  /* bytes */
	__u64 limit; /* IOVA_ALLOC: highest address asked for; else 0 */
	__u64 begin; /* IOVA_ALLOC: ns, when it began, 0 = not measured */
};

/*
 * What a driver told its IOMMU to forget, seen at the function that does it, from begin to h.ts,
 * when it returns. Inside of the FLUSH that asked for it, by the same task, unless the driver puts
 * it off. Only of drivers that have such a function: the attribute "invalidate.<prefix>" names it,
 * <prefix> being that of their flush functions' names.
 */
struct iot_invalidate {
	struct iot_event h; /* domain: that the hardware was told */
	__u64 begin;
	__u64 iova; /* first byte */
	__u64 last; /* last byte; 0 .. 2^64-1 is everything */
	__u64 pad;
};

/*
 * A page of a page table was allocated, or goes back to the kernel: the hardware must not walk it
 * any more. The attribute "tables.<prefix>" names the functions, as above.
 */
struct iot_table {          /* TABLE_ALLOC, TABLE_FREE */
	struct iot_event h; /* domain: 0 = the function doesn't say */
	__u64 page;         /* tells pages apart, and is good for nothing else */
	__u64 bytes;
	__u64 pad[2];
};

/*
 * A driver gave commands to its IOMMU, or waited until it had done them, seen at the function that
 * does it, from begin to h.ts, when it returns. Inside of the FLUSH that asked for it, by the same
 * task, if one did.
 */
#define IOT_SUBMIT_OTHER   0
#define IOT_SUBMIT_IOTLB   1 /* invalidate entries of the IOTLB */
#define IOT_SUBMIT_DEV_TLB 2 /* … of a device's own (ATS) */
#define IOT_SUBMIT_CONTEXT 3 /* … of the tables of devices and PASIDs */
#define IOT_SUBMIT_IRQ     4 /* … of interrupt remapping, which has nothing to do with DMA */
#define IOT_SUBMIT_WAIT    5 /* nothing but to wait for those before */
#define IOT_SUBMIT_NR      6
/* The functions that are known (src/collect/drivers.c); numbers are never reused. */
#define IOT_BY_QI_SUBMIT 1 /* Intel: qi_submit_sync */
#define IOT_BY_CACHE_TAGS                                                                         \
	2                    /* Intel: cache_tag_flush_range, cache_tag_flush_all; has the domain \
			      */
#define IOT_BY_AMD_COMMAND 3 /* AMD: __iommu_queue_command_sync, a command; doesn't wait */
#define IOT_BY_AMD_WAIT    4 /* AMD: iommu_completion_wait */
#define IOT_BY_AMD_PAGES   5 /* AMD: amd_iommu_domain_flush_pages; has the domain, and waits */
#define IOT_BY_VIRTIO_SYNC 6 /* virtio: __viommu_sync_req */
#define IOT_BY_REFIOMMU    7 /* reference driver: refiommu_inval_range; has the domain */
#define IOT_BY_NR          8
struct iot_submit {
	struct iot_event h; /* domain: 0 = the function doesn't say */
	__u64 begin;
	__u64 iommu;    /* tells IOMMUs apart, and is good for nothing else; 0 = not said */
	__u32 commands; /* how many, without the one that waits; 0 = not said */
	__s32 ret;      /* 0 or negative errno; 0 if the function returns nothing */
	__u8 kind;      /* IOT_SUBMIT_*: of the first command, if there are several */
	__u8 by;        /* IOT_BY_* */
	__u8 pad[6];
};

/* A translation fault. */
#define IOT_SRC_REPORT     1 /* report_iommu_fault() */
#define IOT_SRC_LOG        2 /* a kernel log line; h.flags has IOT_F_DERIVED */
#define IOT_SRC_TRACEPOINT 3
#define IOT_SRC_HOOK       4 /* a function of the driver or the core */
#define IOT_ACCESS_UNKNOWN 0
#define IOT_ACCESS_READ    1
#define IOT_ACCESS_WRITE   2
struct iot_fault {
	struct iot_event h;
	__u64 iova;   /* valid if iova_known */
	__u32 access; /* IOT_ACCESS_* */
	__u32 source; /* IOT_SRC_* */
	__u32 reason; /* driver's own reason code, 0 = none */
	__u32 flags;  /* raw flags of the source */
	__u32 rid;    /* PCI segment << 16 | bus << 8 | devfn of the requester, if rid_known */
	__u8 iova_known;
	__u8 rid_known;
	__u16 iommu; /* of VT-d's records: 1 and the IOMMU's number, N of "dmarN"; else 0 */
};
/* flags of VT-d's records: bits 127:96 of the record as the hardware wrote it, but for bit 31 */
#define IOT_VTD_PASID_VALID  0x80000000U /* it has a PASID */
#define IOT_VTD_PASID(flags) ((flags) >> 8 & 0xfffff)

/*
 * A device stopped answering (HANG), was reset (RESET), or something went wrong that is neither of
 * them nor a translation fault (ERROR).
 */
#define IOT_ERROR_OTHER        0
#define IOT_ERROR_AER          1 /* PCI Express Advanced Error Reporting */
#define IOT_ERROR_INVALIDATION 2 /* an IOTLB or device TLB invalidation timed out or failed */
#define IOT_ERROR_IOMMU        3 /* the IOMMU itself: queue error, event log overflow */
struct iot_trouble {
	struct iot_event h;
	/* RESET: 0, or: it ends the reset of this device that was told at begin, and is no other
	 * one; HANG: 0 */
	__u64 begin;
	__u64 stalled; /* HANG: ns since the last progress as the driver says, 0 = not said */
	__s32 queue;   /* -1 = the whole device, or not said */
	__s32 ret;     /* RESET that ends: result, 0 or negative errno; else 0 */
	__u32 source;  /* IOT_SRC_* */
	__u32 kind;    /* ERROR: IOT_ERROR_*; else 0 */
	char what[40]; /* short name of the signal: "net_dev_xmit_timeout", "Detected Tx Unit Hang"
			*/
};

/* One piece of kernel log text as printk stored it: no level, no time, perhaps several lines. NUL
 * padded to 8. */
struct iot_log {
	struct iot_event h;
	__u32 full_len; /* bytes before it was cut to fit */
	__u32 text_len; /* bytes of text[], a multiple of 8 */
	char text[];    /* IOT_TEXT_MAX at the most */
};
#define IOT_TEXT_MAX (IOT_EVENT_MAX - 40)

/* A domain came, changed or went. h.domain is its number. */
#define IOT_DOMAIN_SEEN    1 /* first seen (IOT_F_SNAPSHOT: it was there already) */
#define IOT_DOMAIN_STATE   2 /* state at the end of the capture, or after a type change */
#define IOT_DOMAIN_FREE    3
#define IOT_TYPE_BLOCKED   0 /* the kernel's own values of iommu_domain.type */
#define IOT_TYPE_UNMANAGED 1
#define IOT_TYPE_DMA       3
#define IOT_TYPE_IDENTITY  4
#define IOT_TYPE_DMA_FQ    11
#define IOT_TYPE_SVA       16
#define IOT_TYPE_PLATFORM  32
#define IOT_TYPE_NESTED    64
/* Who maps in it. Type 1 of VFIO and, before kernels that say so in the domain, iommufd claim the
 * group for user space. */
#define IOT_USER_UNKNOWN   0 /* nobody: identity and the like; or the kernel doesn't say */
#define IOT_USER_DMA_API   1
#define IOT_USER_UNMANAGED 2 /* a driver, by itself */
#define IOT_USER_VFIO      3 /* … while the group is claimed */
#define IOT_USER_IOMMUFD   4
struct iot_domain {
	struct iot_event h;
	__u32 what;     /* IOT_DOMAIN_* */
	__u32 type;     /* IOT_TYPE_* */
	__s32 group;    /* -1 = not known */
	__u8 fq_active; /* 1: unmaps are really queued (the cookie has a flush queue domain) */
	__u8 fq_known;  /* 0: fq_* could not be read */
	__u8 user;      /* IOT_USER_*: whose maps and unmaps */
	__u8 pad[1];
	__u64 fq_started; /* flush queue flushes begun and ended since the domain exists, the
			     kernel's own count */
	__u64 fq_finished;
	__u64 flush_all; /* addresses of the ops' functions, 0 = none */
	__u64 sync;
	__u64 sync_map;
	__u64 owner; /* address of the domain's ops table */
};

/* h.dev was attached to h.domain; its former domain, if any, loses it. */
struct iot_attach { /* ATTACH, DETACH */
	struct iot_event h;
	__s32 ret;
	__s32 group; /* -1 = not known */
};

struct iot_module {
	struct iot_event h;
	__u32 gone; /* 0 loaded, 1 going away */
	__u32 pad;
	char name[56];
};

/* Events that are missing. Everything that depends on them is a floor from here on back to begin.
 */
#define IOT_LOST_RING 1 /* the CPU's ring of hot events was full */
#define IOT_LOST_RARE 2 /* the ring of rare events was full */
/* the kernel skipped a program that was already running on this CPU */
#define IOT_LOST_RECURSION    3
#define IOT_LOST_DOMAIN_TABLE 4 /* no room for a new domain */
#define IOT_LOST_DEVICE_TABLE 5
#define IOT_LOST_BEGIN        6 /* begin of a flush forgotten: its length is not known */
/* arrived after its time had been written: ts was moved forward, nothing is missing */
#define IOT_LOST_LATE      7
#define IOT_LOST_RATELIMIT 8 /* the kernel itself suppressed log lines */
#define IOT_LOST_WRITER    9 /* the disk was too slow or full */
/* a flush function was not hooked until now (count 0: nobody knows how many) */
#define IOT_LOST_UNHOOKED 10
/* a flight recorder or a rotation kept only the newest events, as it was told to */
#define IOT_LOST_OVERWRITTEN 11
#define IOT_LOST_DAMAGE      12 /* the session on disk is damaged or torn here */
/* a flush had begun, and not ended when the capture did, or its end was not seen; what: whose */
#define IOT_LOST_UNENDED 13
/* calls of a driver's own functions that no event tells of, for the kernel skipped a program or
 * their begin was forgotten; maps, unmaps, flushes and faults are all there. what: "invalidation",
 * "page table", "submission" */
#define IOT_LOST_CALL 14
/* faults that the IOMMU had no free record for, or whose record was not read; count: at least */
#define IOT_LOST_RECORD 15
#define IOT_LOST_CAUSES 16
struct iot_loss {
	struct iot_event h; /* cpu: where, 0xffff = not known */
	__u64 begin;        /* ns: they are missing between begin and end */
	__u64 end;          /* ns; 0 = h.ts */
	__u64 count;        /* how many */
	__u32 cause;        /* IOT_LOST_* */
	__u32 pad;
	char what[40]; /* which program, ring or function */
};

/* One self-check: what our hooks saw against what somebody else counted. */
#define IOT_CHECK_MAP_BYTES   1 /* bytes at the map hook == bytes of the tracepoint iommu:map */
#define IOT_CHECK_UNMAP_BYTES 2
#define IOT_CHECK_UNMAP_COUNT 3
/* flushes seen == growth of the kernel's own flush queue counter; per domain */
#define IOT_CHECK_FQ_FLUSHES   4
#define IOT_CHECK_DOMAIN_KNOWN 5 /* ours: events whose domain was known; control: all */
struct iot_coverage {
	struct iot_event h; /* ts: when the check ended */
	__u64 begin;
	__u64 ours;
	__u64 control;
	__u32 check; /* IOT_CHECK_* */
	__u32 slack; /* difference that operations in flight at begin and end explain */
};

#define IOT_CAPTURE_BEGIN 1 /* every program is attached and the snapshot is taken */
#define IOT_CAPTURE_END   2
struct iot_capture {
	struct iot_event h;
	__u32 what; /* IOT_CAPTURE_* */
	__u32 pad;
	/* ns. BEGIN: when the first program was attached; between it and h.ts coverage is partial.
	 * END: from when on nothing was seen any more; until h.ts programs were detached. Earlier
	 * than BEGIN in sessions that don't tell it. */
	__u64 attach_begin;
};

/* A driver's domain free, from begin to h.ts. */
struct iot_teardown {
	struct iot_event h;
	__u64 begin;
	__u64 longest; /* ns: longest stretch of it in which the task neither slept nor offered to
			  (cond_resched); 0: offers can't be seen (attribute "offers") */
	__u64 tables;  /* TABLE_FREE within it; 0 also if the driver's are not seen */
	__u64 offers;  /* how often it slept or offered to */
};

/*
 * What the kernel side counted itself for a domain since the capture began, lost events or not.
 * Told when the domain is freed and at the end of the capture; domain 0: whatever has none.
 */
/* the domain is older than the capture, or may be: it began with something mapped and some tables
 */
#define IOT_TALLY_OLDER 1
/* its driver's functions were hooked after its first table was allocated */
#define IOT_TALLY_TABLES_OLDER 2
/* it is gone, and what its driver freed with it was not, or not all, counted */
#define IOT_TALLY_FREE_UNSEEN 4
#define IOT_TALLY_LOG2        32 /* [0]: below 512 ns; [n]: below 512 << n ns; the last: the rest */
struct iot_tally {
	struct iot_event h;
	__u64 begin;               /* ns: it counts from here */
	__u64 maps, map_bytes;     /* that succeeded */
	__u64 unmaps, unmap_bytes; /* bytes removed */
	__u64 short_unmaps;        /* removed less than asked for */
	__u64 map_errors;          /* maps that failed */
	__u64 faults, hangs;       /* seen by hooks; log lines are not counted here. hangs: domain 0
				    */
	__u64 tables_allocated, tables_freed;
	__u64 teardown_longest;      /* ns, as in struct iot_teardown */
	__u64 flushes;               /* whose length is known: those of flush[] */
	__u64 flush_longest;         /* ns */
	__u64 flush[IOT_TALLY_LOG2]; /* flushes but those after map, by length */
	__u32 last;                  /* 1: the domain is gone, or the capture ends */
	__u32 snapshot; /* IOT_TALLY_*: why the counts needn't balance; 0 = they must */
};

/*
 * A device asked for a page, by PRI or a stall, and waits for the answer. Requests with the same
 * number make a group, which gets one answer. ts: when the IOMMU's driver handed it to the core.
 */
#define IOT_PAGE_READ  1U
#define IOT_PAGE_WRITE 2U
#define IOT_PAGE_EXEC  4U
#define IOT_PAGE_PRIV  8U /* in privileged mode */
struct iot_page_request {
	struct iot_event h; /* domain: 0 with a PASID, whose domain isn't known yet */
	__u64 iova;
	__u32 pasid; /* if pasid_valid, else 0 */
	__u32 prgi;  /* page request group index: the group's number */
	__u32 perm;  /* IOT_PAGE_*: what the access needs */
	__u8 pasid_valid;
	__u8 last; /* of its group: the answer comes after it */
	__u8 pad[2];
};

/* … and what the kernel answered. */
#define IOT_PAGE_SUCCESS 0 /* the page is there: the device may try again */
#define IOT_PAGE_INVALID 1 /* this access can't be */
#define IOT_PAGE_FAILURE 2 /* and no other of the device either */
/* the core didn't take the request (ret says why); what its driver then answered isn't seen */
#define IOT_PAGE_REFUSED 3
#define IOT_PAGE_CODES   4
struct iot_page_response {
	struct iot_event h;
	__u64 latency; /* ns since the last request of the group; 0 = that wasn't seen */
	__u32 pasid;   /* if pasid_valid, else 0 */
	__u32 prgi;
	__u32 code; /* IOT_PAGE_* */
	__s32 ret;  /* 0 or negative errno: of giving the answer; REFUSED: of the request */
	__u8 pasid_valid;
	__u8 pad[7];
};

/* Side tables */
struct iot_device {
	struct iot_event h; /* h.dev is its number */
	__s32 group;
	__u32 rid; /* PCI segment << 16 | bus << 8 | devfn, if rid_known */
	__u8 rid_known;
	__u8 dma_bits; /* addresses of so many bits can be mapped for it (its DMA mask); 0 = not
			  known */
	__u8 node_known;
	__u8 pad;
	__u32 node;      /* NUMA node it is on, if node_known */
	char name[40];   /* "0000:00:03.0", "refdma.0" */
	char driver[24]; /* "" = none */
	char bus[16];    /* "pci", "platform" */
	char iommu[24];  /* name of its IOMMU: "dmar0", "" = not known */
	char physfn[16]; /* VF: name of its PF; else "" */
};

struct iot_stack {
	struct iot_event h; /* h.stack is its number */
	__u32 nr;
	__u32 pad;
	__u64 ip[]; /* nr kernel addresses, innermost first */
};
#define IOT_STACK_MAX 32

struct iot_symbol {
	struct iot_event h;
	__u64 addr;     /* an address of a stack */
	__u32 offset;   /* into the symbol */
	__u32 text_len; /* a multiple of 8 */
	char text[];    /* "name" or "name [module]", NUL padded */
};

struct iot_attr { /* "key=value" */
	struct iot_event h;
	__u32 pad;
	__u32 text_len; /* a multiple of 8 */
	char text[];    /* NUL padded */
};

struct iot_clock { /* h.ts (CLOCK_MONOTONIC) and, at the same moment, */
	struct iot_event h;
	__u64 real; /* CLOCK_REALTIME, ns since 1970 */
	__u64 boot; /* CLOCK_BOOTTIME, ns */
};

/* Addresses that the kernel keeps free in every domain of a group, or maps one to one. */
#define IOT_REGION_DIRECT    1 /* mapped one to one, always (RMRR, unity map) */
#define IOT_REGION_RELAXABLE 2 /* the same, but a guest may do without */
#define IOT_REGION_RESERVED  3 /* never mapped: accesses don't reach the IOMMU, or fault */
#define IOT_REGION_MSI       4 /* interrupts are written here: the architecture's window */
#define IOT_REGION_SW_MSI    5 /* interrupts: the kernel maps its own page here */
struct iot_region {
	struct iot_event h; /* h.dev: 0, the group says whose */
	__u64 first, last;  /* addresses, both included */
	__s32 group;
	__u32 kind; /* IOT_REGION_* */
};

#define IOT_ASSERT_SIZE(type, bytes) \
	_Static_assert(sizeof(struct type) == (bytes), #type " must have " #bytes " bytes")
IOT_ASSERT_SIZE(iot_event, 32);
IOT_ASSERT_SIZE(iot_map, IOT_HOT_SIZE);
IOT_ASSERT_SIZE(iot_unmap, IOT_HOT_SIZE);
IOT_ASSERT_SIZE(iot_flush, IOT_HOT_SIZE);
IOT_ASSERT_SIZE(iot_iova, IOT_HOT_SIZE);
IOT_ASSERT_SIZE(iot_invalidate, IOT_HOT_SIZE);
IOT_ASSERT_SIZE(iot_table, IOT_HOT_SIZE);
IOT_ASSERT_SIZE(iot_submit, IOT_HOT_SIZE);
IOT_ASSERT_SIZE(iot_fault, 64);
IOT_ASSERT_SIZE(iot_trouble, 104);
IOT_ASSERT_SIZE(iot_log, 40);
IOT_ASSERT_SIZE(iot_domain, 96);
IOT_ASSERT_SIZE(iot_attach, 40);
IOT_ASSERT_SIZE(iot_module, 96);
IOT_ASSERT_SIZE(iot_loss, 104);
IOT_ASSERT_SIZE(iot_coverage, 64);
IOT_ASSERT_SIZE(iot_capture, 48);
IOT_ASSERT_SIZE(iot_teardown, 64);
IOT_ASSERT_SIZE(iot_tally, 408);
IOT_ASSERT_SIZE(iot_page_request, 56);
IOT_ASSERT_SIZE(iot_page_response, 64);
IOT_ASSERT_SIZE(iot_device, 168);
IOT_ASSERT_SIZE(iot_stack, 40);
IOT_ASSERT_SIZE(iot_symbol, 48);
IOT_ASSERT_SIZE(iot_attr, 40);
IOT_ASSERT_SIZE(iot_clock, 48);
IOT_ASSERT_SIZE(iot_region, 56);

#endif
