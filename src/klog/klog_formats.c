// SPDX-License-Identifier: GPL-2.0-only
/* The text is the kernel's: each row names the source file that prints it. */
#include "event.h"
#include "klog/klog_formats.h"

#define TX_QUEUE "Tx Queue <{queue}>"

/* A pattern is never broken, so that it can be searched for. */
/* clang-format off */
const struct klog_format klog_formats[] = {
	/* drivers/iommu/intel/dmar.c; 7.2 adds the segment to the device */
	{ KLOG_FAULT, "DMAR fault",
	  "DMAR: [DMA {access}{*}] Request device [{rid}] fault addr {iova} [fault reason {reason}]",
	  NULL, true, 0 },

	/* … the hardware keeps few records: those beyond are lost, and bit 0 (PFO) says so */
	{ KLOG_RATELIMIT, "fault records overflow", "DMAR: DRHD: handling fault status reg {dmarstatus}",
	  NULL, true, 0 },
	{ KLOG_ERROR, KLOG_VTD_INTERRUPT,
	  "DMAR: [INTR-REMAP] Request device [{rid}] fault index {hex} [fault reason {reason}]",
	  NULL, true, IOT_ERROR_IOMMU },
	{ KLOG_ERROR, "Invalidation Time-out",
	  "DMAR: VT-d detected Invalidation Time-out Error: SID {sid}", NULL, true, IOT_ERROR_INVALIDATION },
	{ KLOG_ERROR, "Invalidation Completion Error",
	  "DMAR: VT-d detected Invalidation Completion Error: SID {sid}", NULL, true, IOT_ERROR_INVALIDATION },
	{ KLOG_ERROR, "Invalidation Queue Error",
	  "DMAR: VT-d detected Invalidation Queue Error: Reason {reason}", NULL, true, IOT_ERROR_INVALIDATION },

	/* drivers/iommu/intel/svm.c, prq.c; drivers/iommu/amd/init.c; drivers/iommu/io-pgfault.c: page requests */
	{ KLOG_ERROR, "page requests overflow", "DMAR: IOMMU: {word}: PRQ overflow detected", NULL, true, IOT_ERROR_IOMMU },
	{ KLOG_ERROR, "page requests overflow", "AMD-Vi: IOMMU PPR log restarting", NULL, true, IOT_ERROR_IOMMU },
	{ KLOG_ERROR, "invalid page request", "DMAR: {word}: Invalid page request:", NULL, true, IOT_ERROR_IOMMU },
	{ KLOG_ERROR, "page request aborted", "iopf with pasid {n} aborted", NULL, false, IOT_ERROR_OTHER },

	/* drivers/iommu/amd/iommu.c: device known (in the head) and not known */
	{ KLOG_FAULT, "IO_PAGE_FAULT",
	  "AMD-Vi: Event logged [IO_PAGE_FAULT domain={hex} address={iova} flags={amdflags}]",
	  NULL, false, 0 },
	{ KLOG_FAULT, "IO_PAGE_FAULT",
	  "AMD-Vi: Event logged [IO_PAGE_FAULT device={rid} domain={hex} address={iova} flags={amdflags}]",
	  NULL, true, 0 },

	/* … of a device whose domain the driver doesn't know: the address isn't printed, and the device on
	 * the second of two lines */
	{ KLOG_FAULT, "IO_PAGE_FAULT, not attached", "AMD-Vi: device={rid} domain={hex}", NULL, true, 0 },
	/* … of memory that isn't this guest's (SEV-SNP) */
	{ KLOG_FAULT, "RMP_PAGE_FAULT",
	  "AMD-Vi: Event logged [RMP_PAGE_FAULT vmg_tag={hex}, gpa={iova}, flags_rmp={hex}, flags={amdflags}]",
	  NULL, false, 0 },
	{ KLOG_FAULT, "RMP_PAGE_FAULT",
	  "AMD-Vi: Event logged [RMP_PAGE_FAULT device={rid}, vmg_tag={hex}, gpa={iova}, flags_rmp={hex}, flags={amdflags}]",
	  NULL, true, 0 },

	{ KLOG_ERROR, "RMP_HW_ERROR",
	  "AMD-Vi: Event logged [RMP_HW_ERROR device={rid}", NULL, true, IOT_ERROR_IOMMU },
	{ KLOG_ERROR, "RMP_HW_ERROR", "AMD-Vi: Event logged [RMP_HW_ERROR", NULL, false, IOT_ERROR_IOMMU },
	{ KLOG_ERROR, "INVALID_PPR_REQUEST",
	  "AMD-Vi: Event logged [INVALID_PPR_REQUEST device={rid}", NULL, true, IOT_ERROR_IOMMU },
	{ KLOG_ERROR, "ILLEGAL_COMMAND_ERROR", "AMD-Vi: Event logged [ILLEGAL_COMMAND_ERROR", NULL, true, IOT_ERROR_IOMMU },
	{ KLOG_ERROR, "COMMAND_HARDWARE_ERROR", "AMD-Vi: Event logged [COMMAND_HARDWARE_ERROR", NULL, true, IOT_ERROR_IOMMU },
	{ KLOG_ERROR, "unknown event", "AMD-Vi: Event logged [UNKNOWN event", NULL, true, IOT_ERROR_IOMMU },
	{ KLOG_ERROR, "Command buffer timeout", "AMD-Vi: Command buffer timeout", NULL, true, IOT_ERROR_INVALIDATION },
	{ KLOG_ERROR, "IOTLB_INV_TIMEOUT",
	  "AMD-Vi: Event logged [IOTLB_INV_TIMEOUT device={rid} address={hex}]", NULL, true, IOT_ERROR_INVALIDATION },
	{ KLOG_ERROR, "Completion-Wait timed out",
	  "AMD-Vi: Completion-Wait loop timed out", NULL, true, IOT_ERROR_INVALIDATION },
	{ KLOG_ERROR, "Completion-Wait timed out",
	  "AMD-Vi: IOMMU {*}: Completion-Wait loop timed out", NULL, true, IOT_ERROR_INVALIDATION },
	{ KLOG_ERROR, "ILLEGAL_DEV_TABLE_ENTRY",
	  "AMD-Vi: Event logged [ILLEGAL_DEV_TABLE_ENTRY device={rid}", NULL, true, IOT_ERROR_IOMMU },
	{ KLOG_ERROR, "DEV_TAB_HARDWARE_ERROR",
	  "AMD-Vi: Event logged [DEV_TAB_HARDWARE_ERROR device={rid}", NULL, true, IOT_ERROR_IOMMU },
	{ KLOG_ERROR, "PAGE_TAB_HARDWARE_ERROR",
	  "AMD-Vi: Event logged [PAGE_TAB_HARDWARE_ERROR device={rid}", NULL, true, IOT_ERROR_IOMMU },
	{ KLOG_ERROR, "INVALID_DEVICE_REQUEST",
	  "AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device={rid}", NULL, true, IOT_ERROR_IOMMU },
	{ KLOG_ERROR, "event log overflow", "AMD-Vi: IOMMU event log overflow", NULL, true, IOT_ERROR_IOMMU },
	{ KLOG_ERROR, "event log overflow", "AMD-Vi: IOMMU Event log restarting", NULL, true, IOT_ERROR_IOMMU },

	/* drivers/iommu/virtio-iommu.c; endpoint ids of PCI devices are requester ids */
	{ KLOG_FAULT, "virtio fault", "page fault from EP {ep} at {iova} [{rwx}]", NULL, true, 0 },
	{ KLOG_FAULT, "virtio fault", "page fault from EP {ep}", NULL, true, 0 },
	{ KLOG_FAULT, "virtio fault", "domain fault from EP {ep} at {iova} [{rwx}]", NULL, true, 0 },
	{ KLOG_FAULT, "virtio fault", "domain fault from EP {ep}", NULL, true, 0 },
	{ KLOG_FAULT, "virtio fault", "unknown fault from EP {ep} at {iova} [{rwx}]", NULL, true, 0 },
	{ KLOG_FAULT, "virtio fault", "unknown fault from EP {ep}", NULL, true, 0 },

	/* drivers/iommu/arm/arm-smmu-v3; the line with the client and the one with the access since 7.x */
	{ KLOG_FAULT, "SMMUv3 event",
	  "event: {word} client: {dev} sid: {hex} ssid: {hex} iova: {iova} ipa:", NULL, true, 0 },
	{ KLOG_SMMU_HEAD, "SMMUv3 event", "event {reason} received:", NULL, false, 0 },
	{ KLOG_ERROR, "CMD_SYNC timeout", "CMD_SYNC timeout at", NULL, true, IOT_ERROR_INVALIDATION },
	{ KLOG_ERROR, "CMDQ timeout", "CMDQ timeout", NULL, true, IOT_ERROR_INVALIDATION },
	{ KLOG_ERROR, "event log overflow", "EVTQ overflow detected", NULL, true, IOT_ERROR_IOMMU },
	/* drivers/iommu/arm/arm-smmu */
	{ KLOG_FAULT, "SMMUv2 fault", "Unhandled context fault: fsr={hex}, iova={iova}, fsynr={flags}", NULL, true, 0 },

	/* arch/s390/pci/pci_event.c: the address isn't printed */
	{ KLOG_FAULT, "zpci error event",
	  "zpci: {rid}: Event {reason} reports an error for PCI function", NULL, true, 0 },
	{ KLOG_FAULT, "zpci error event",
	  "zpci: n/a: Event {reason} reports an error for PCI function", NULL, true, 0 },
	{ KLOG_RESET, "zpci reset", "zpci: {rid}: Initiating reset", NULL, true, 0 },

	/* tools/refiommu */
	{ KLOG_FAULT, "refiommu fault",
	  "fault: device {dev} domain {n} iova {iova} {access}:", NULL, true, 0 },
	{ KLOG_FAULT, "refiommu fault",
	  "fault: device {dev} domain {n}, address not recorded", NULL, true, 0 },
	{ KLOG_ERROR, "invalidation timed out", "invalidation timed out after {ms} ms", NULL, true,
	  IOT_ERROR_INVALIDATION },
	{ KLOG_HANG, "refdma stall", "queue {queue} stalled for {ms} ms", NULL, false, 0 },
	{ KLOG_RESET, "refdma reset", "queue {queue} reset done", NULL, false, 0 },

	/* drivers/net/ethernet/intel: e1000e; then e1000, igb, igc, ixgbe, fm10k */
	{ KLOG_HANG, "Detected Hardware Unit Hang", "Detected Hardware Unit Hang", NULL, false, 0 },
	{ KLOG_HANG, "Detected Tx Unit Hang", "Detected Tx Unit Hang", TX_QUEUE, false, 0 },
	{ KLOG_RESET, "Reset adapter", "Reset adapter", NULL, false, 0 },
	{ KLOG_RESET, "Reset adapter", "initiating reset due to tx timeout", NULL, false, 0 },

	/* net/sched/sch_generic.c */
	{ KLOG_HANG, "NETDEV WATCHDOG",
	  "NETDEV WATCHDOG: CPU: {n}: transmit queue {queue} timed out {ms} ms", NULL, false, 0 },
	{ KLOG_HANG, "NETDEV WATCHDOG",
	  "NETDEV WATCHDOG: {dev} ({driver}): transmit queue {queue} timed out", NULL, false, 0 },

	/* net/core/dev.c; drivers: lines that name an interface behind its device */
	{ KLOG_NAMES, "interface", "renamed from {word}", NULL, false, 0 },
	{ KLOG_NAMES, "interface", "NIC Link is", NULL, false, 0 },
	{ KLOG_NAMES, "interface", "igb: {word} NIC Link is", NULL, false, 0 },

	/* drivers/nvme/host/pci.c. "polled": the data was there, the interrupt wasn't */
	{ KLOG_HANG, "nvme timeout, completion polled",
	  "I/O {*} QID {queue} timeout, completion polled", NULL, false, 0 },
	{ KLOG_HANG, "nvme timeout, reset controller",
	  "I/O {*} QID {queue} timeout, reset controller", NULL, false, 0 },
	{ KLOG_HANG, "nvme timeout, disable controller",
	  "I/O {*} QID {queue} timeout, disable controller", NULL, false, 0 },
	{ KLOG_HANG, "nvme timeout, aborting",
	  "I/O {*} QID {queue} timeout, aborting", NULL, false, 0 },
	{ KLOG_RESET, "nvme controller down",
	  "controller is down; will reset: CSTS={flags}", NULL, false, 0 },
	{ KLOG_ALIAS, "nvme", "pci function {rid}", NULL, false, 0 },

	/* drivers/gpu/drm: amdgpu, i915 */
	{ KLOG_HANG, "GPU ring timeout", "amdgpu: ring {word} timeout,", NULL, false, 0 },
	{ KLOG_HANG, "GPU ring timeout", "ring {word} timeout, signaled seq=", NULL, false, 0 },
	{ KLOG_HANG, "GPU ring timeout", "[drm:amdgpu_job_timedout [amdgpu]] *ERROR* ring {word} timeout,", NULL, true, 0 },
	{ KLOG_HANG, "GPU HANG", "[drm] GPU HANG:", NULL, false, 0 },
	{ KLOG_RESET, "GPU reset", "amdgpu: GPU reset begin", NULL, false, 0 },
	{ KLOG_RESET, "GPU reset", "[drm] Resetting chip for", NULL, false, 0 },

	/* drivers/vfio/pci (through drivers/pci/pci.c), drivers/pci/pci.c */
	{ KLOG_RESET, "reset", "reset done", NULL, false, 0 },
	{ KLOG_HANG, "not ready after reset", "not ready {ms}ms after {word}; giving up", NULL, false, 0 },

	/* drivers/pci/pcie/aer.c; corrected errors harm nobody */
	{ KLOG_ERROR, "AER uncorrected, fatal",
	  "PCIe Bus Error: severity=Uncorrected (Fatal)", NULL, false, IOT_ERROR_AER },
	{ KLOG_ERROR, "AER uncorrected, non-fatal",
	  "PCIe Bus Error: severity=Uncorrected (Non-Fatal)", NULL, false, IOT_ERROR_AER },

	/* lib/ratelimit.c */
	{ KLOG_RATELIMIT, "callbacks suppressed", "{func}: {n} callbacks suppressed", NULL, true, 0 },

	/* a word of an SMMUv3 event: matches much, so it comes last */
	{ KLOG_SMMU_WORD, "SMMUv3 event", " 0x{word64}", NULL, false, 0 },

	{ .kind = 0 },
};
/* clang-format on */
