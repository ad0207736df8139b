/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel log text to records: IOMMU faults, device hangs, resets, suppressed lines. What is
 * recognised is data, in klog_formats.c; this is the matcher. It takes any bytes: time is linear in
 * the text for each format, nothing backtracks.
 */
#ifndef IOMMUTOP_KLOG_KLOG_H
#define IOMMUTOP_KLOG_KLOG_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

enum klog_kind {
	KLOG_FAULT = 1,
	KLOG_HANG,
	KLOG_RESET,
	KLOG_RATELIMIT, /* the kernel dropped lines: suppressed of them, of function func */
	KLOG_ALIAS, /* dev is a name of the PCI device rid: "nvme nvme0: pci function 0000:00:04.0"
		     */
	KLOG_NAMES, /* nothing happened, but the head names the interface of a PCI device */
	KLOG_ERROR, /* neither fault, hang nor reset: see error */
	/* For src/klog/join.h: pieces of one SMMUv3 event, which the kernel prints as five records
	 * or more. */
	KLOG_SMMU_HEAD, /* reason: the event's id; dev: the SMMU */
	KLOG_SMMU_WORD, /* word: 64 of its bits */
};

/* What lines about VT-d are called that its records tell as well: func and signal below. */
#define KLOG_VTD_OVERFLOW  "DMAR fault records"
#define KLOG_VTD_INTERRUPT "interrupt blocked"

struct klog_record {
	enum klog_kind kind;
	const char *signal; /* short name, a constant */
	char dev[40];       /* device that the line is about, as the kernel names it; "" = the line
			       doesn't say */
	char driver[24];    /* its driver (or bus, when it has none) as in the line's head; "" = not
			       said */
	char ifname[16];    /* network interface that the head names behind the device; "" = none */
	char func[40];      /* KLOG_RATELIMIT */
	__u64 iova;         /* if iova_known */
	__u64 word;         /* KLOG_SMMU_WORD */
	__u64 stalled;      /* ns, 0 = not said */
	__u64 suppressed;
	__u32 rid;    /* PCI segment << 16 | bus << 8 | devfn, if rid_known */
	__u32 access; /* IOT_ACCESS_* */
	__u32 reason; /* the driver's own code, 0 = none */
	__u32 flags;  /* raw flags, 0 = none */
	__u32 error;  /* KLOG_ERROR: IOT_ERROR_* */
	__s32 queue;  /* -1 = not said */
	bool iova_known;
	bool rid_known;
};

/*
 * text: one record as printk stored it, perhaps of several lines; level, time and host in front of
 * a line (klog/stamp.h) are skipped. It needs no NUL. Returns true and fills *out if a format fits.
 * The first line that fits decides.
 */
bool klog__parse(const char *text, size_t len, struct klog_record *out);

#endif
