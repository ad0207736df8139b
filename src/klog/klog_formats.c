// SPDX-License-Identifier: GPL-2.0-only
/* The text is the kernel's: each row names the source file that prints it. */
#include "klog/klog_formats.h"

#define TX_QUEUE "Tx Queue <{queue}>"

/* A pattern is never broken, so that it can be searched for. */
/* clang-format off */
const struct klog_format klog_formats[] = {
	/* drivers/iommu/intel/dmar.c; 7.2 adds the segment to the device */
	{ KLOG_FAULT, "DMAR fault",
	  "DMAR: [DMA {access}{*}] Request device [{rid}] fault addr {iova} [fault reason {reason}]",
	  NULL, true },

	/* drivers/iommu/amd/iommu.c: device known (in the head) and not known */
	{ KLOG_FAULT, "IO_PAGE_FAULT",
	  "AMD-Vi: Event logged [IO_PAGE_FAULT domain={hex} address={iova} flags={amdflags}]",
	  NULL, false },
	{ KLOG_FAULT, "IO_PAGE_FAULT",
	  "AMD-Vi: Event logged [IO_PAGE_FAULT device={rid} domain={hex} address={iova} flags={amdflags}]",
	  NULL, true },

	/* drivers/iommu/virtio-iommu.c; endpoint ids of PCI devices are requester ids */
	{ KLOG_FAULT, "virtio fault", "page fault from EP {ep} at {iova} [{rwx}]", NULL, true },
	{ KLOG_FAULT, "virtio fault", "page fault from EP {ep}", NULL, true },
	{ KLOG_FAULT, "virtio fault", "domain fault from EP {ep} at {iova} [{rwx}]", NULL, true },
	{ KLOG_FAULT, "virtio fault", "domain fault from EP {ep}", NULL, true },
	{ KLOG_FAULT, "virtio fault", "unknown fault from EP {ep} at {iova} [{rwx}]", NULL, true },
	{ KLOG_FAULT, "virtio fault", "unknown fault from EP {ep}", NULL, true },

	/* drivers/iommu/arm/arm-smmu-v3, 7.2 */
	{ KLOG_FAULT, "SMMUv3 event",
	  "event: {word} client: {dev} sid: {hex} ssid: {hex} iova: {iova} ipa:", NULL, true },

	/* tools/refiommu */
	{ KLOG_FAULT, "refiommu fault",
	  "fault: device {dev} domain {n} iova {iova} {access}:", NULL, true },
	{ KLOG_HANG, "refdma stall", "queue {queue} stalled for {ms} ms", NULL, false },
	{ KLOG_RESET, "refdma reset", "queue {queue} reset done", NULL, false },

	/* drivers/net/ethernet/intel: e1000e; then e1000, igb, igc, ixgbe, fm10k */
	{ KLOG_HANG, "Detected Hardware Unit Hang", "Detected Hardware Unit Hang", NULL, false },
	{ KLOG_HANG, "Detected Tx Unit Hang", "Detected Tx Unit Hang", TX_QUEUE, false },
	{ KLOG_RESET, "Reset adapter", "Reset adapter", NULL, false },
	{ KLOG_RESET, "Reset adapter", "initiating reset due to tx timeout", NULL, false },

	/* net/sched/sch_generic.c */
	{ KLOG_HANG, "NETDEV WATCHDOG",
	  "NETDEV WATCHDOG: CPU: {n}: transmit queue {queue} timed out {ms} ms", NULL, false },
	{ KLOG_HANG, "NETDEV WATCHDOG",
	  "NETDEV WATCHDOG: {word} ({word}): transmit queue {queue} timed out", NULL, false },

	/* drivers/nvme/host/pci.c. "polled": the data was there, the interrupt wasn't */
	{ KLOG_HANG, "nvme timeout, completion polled",
	  "I/O {*} QID {queue} timeout, completion polled", NULL, false },
	{ KLOG_HANG, "nvme timeout, reset controller",
	  "I/O {*} QID {queue} timeout, reset controller", NULL, false },
	{ KLOG_HANG, "nvme timeout, disable controller",
	  "I/O {*} QID {queue} timeout, disable controller", NULL, false },
	{ KLOG_HANG, "nvme timeout, aborting",
	  "I/O {*} QID {queue} timeout, aborting", NULL, false },
	{ KLOG_RESET, "nvme controller down",
	  "controller is down; will reset: CSTS={flags}", NULL, false },
	{ KLOG_ALIAS, "nvme", "pci function {rid}", NULL, false },

	/* lib/ratelimit.c */
	{ KLOG_RATELIMIT, "callbacks suppressed", "{func}: {n} callbacks suppressed", NULL, true },

	{ .kind = 0 },
};
/* clang-format on */
