// SPDX-License-Identifier: GPL-2.0-only
#include "assert/invariant.h"

static const char *const no_yes[] = { "no", "yes", NULL };
static const char *const types[] = { "DMA-FQ", "DMA", "identity", "unmanaged", "blocked", NULL };

#define PERCENTILE(value)                                                                         \
	{                                                                                         \
		"percentile", PARAM_PERCENT, value, NULL,                                         \
			"how many of them must be below the limit, in per cent; 100: all of them" \
	}
#define AT_MOST(what)                                                                     \
	{                                                                                 \
		"max", PARAM_COUNT, "0", NULL, "so many " what " are not yet a violation" \
	}

const struct invariant invariants[INV_NR] = {
	[INV_NO_FAULT] = {
		.name = "no-fault",
		.holds = "No device made an access that the IOMMU refused.",
		.rule = "A device may only access what is mapped for it, in the direction it is "
			"mapped for. A fault is a driver that unmapped too early, handed out a "
			"wrong address or length, or a device that didn't stop; or an IOMMU "
			"driver that told the hardware too little.",
		.blind = "Intel and virtio (without --fault-records) and SMMUv3 tell of faults in "
			"the kernel log only, which is rate limited: the number is a lower "
			"limit, though one fault is enough to fail. An access that an old IOTLB entry lets through is no "
			"fault.",
		.needs = NEED_RARE | NEED_LOG,
		.counted = NEED_TALLY,
		.params = { AT_MOST("faults") },
	},
	[INV_NO_HANG] = {
		.name = "no-hang",
		.holds = "No device stopped answering.",
		.rule = "A device whose DMA is refused, or is waited for too long, often stops: "
			"its driver times out and resets it. Time-outs of network, NVMe, SCSI, "
			"graphics and devlink drivers, and what their drivers print, count.",
		.blind = "A driver that hangs in silence is not seen. Whether the IOMMU is the "
			"cause is for the incident to say: a hang counts here whatever its "
			"cause.",
		.needs = NEED_RARE | NEED_LOG,
		.counted = NEED_TALLY,
		.params = { AT_MOST("hangs") },
	},
	[INV_NO_STALE_ACCESS] = {
		.name = "no-stale-access",
		.holds = "No device was caught using an address after its unmap.",
		.rule = "Once dma_unmap_*() or iommu_unmap() is called, the buffer belongs to "
			"the CPU: a device that still uses it reads or overwrites somebody "
			"else's memory. A fault at an address that was unmapped last is that "
			"access, whether the flush had come or not.",
		.blind = "Until the flush, an old IOTLB entry lets the access through without a "
			"fault: in a lazy domain that is up to some milliseconds (see window), "
			"and nobody outside of the device can see it.",
		.needs = NEED_RARE | NEED_LOG | NEED_MAPS | NEED_FLUSHES,
	},
	[INV_FLUSH_BEFORE_REUSE] = {
		.name = "flush-before-reuse",
		.holds = "No address was handed out or mapped again before the flush that covers "
			"its unmap had ended.",
		.rule = "After an unmap, the IOTLB may hold the old entry until it is flushed. "
			"The DMA API frees the IOVA after its sync, or after the flush of the "
			"flush queue. If the address is given to somebody else before, the "
			"device reaches the old page at the new address. Who uses "
			"iommu_unmap_fast() (VFIO) may gather many unmaps for one sync: there it "
			"is one violation for each sync, and only maps count.",
		.blind = "A flush counts as ended when the driver's function returns; what the "
			"hardware was told is flush-covers-unmap's. Unmaps that are older than "
			"the capture are not known.",
		.needs = NEED_MAPS | NEED_FLUSHES | NEED_IOVAS,
	},
	[INV_STRICT_MEANS_STRICT] = {
		.name = "strict-means-strict",
		.holds = "Wherever unmaps are strict, the flush had ended before the unmap "
			"returned to the driver.",
		.rule = "In a domain of type DMA, and wherever the unmap isn't queued, the DMA "
			"API must sync before it frees the IOVA and returns: iommu.strict=1 "
			"promises that nothing is reachable after dma_unmap. Broken by a sync "
			"that comes late or never, by one that returns before the hardware is "
			"done, and by a queued unmap in a domain of type DMA.",
		.blind = "That a sync returned too early is seen only where the driver's "
			"invalidations are (attribute invalidate.PREFIX). Drivers without "
			"iotlb_sync flush inside of the unmap, where it isn't seen.",
		.needs = NEED_MAPS | NEED_FLUSHES,
	},
	[INV_WINDOW] = {
		.name = "window",
		.holds = "The time from an unmap to the end of the flush that covers it was "
			"below the limit.",
		.rule = "Until the flush has ended, the device can go on using what was "
			"unmapped. A strict domain has a window of microseconds; the flush queue "
			"flushes when it is full or after 10 ms, and later if its timer is late.",
		.blind = "Unmaps that no flush covered until the end of the capture have no "
			"window; flush-covers-unmap tells of them.",
		.needs = NEED_MAPS | NEED_FLUSHES,
		.params = { { "below", PARAM_DURATION, "50ms", NULL, "the limit" },
			    PERCENTILE("100") },
	},
	[INV_FLUSH_COVERS_UNMAP] = {
		.name = "flush-covers-unmap",
		.holds = "Each unmap was covered by a flush, and what the hardware was told "
			"covers it as well.",
		.rule = "An unmap must be followed by an iotlb_sync whose range holds it, or by "
			"a flush_iotlb_all that began after it. By the time that function "
			"returns, the hardware must have been told to forget at least these "
			"addresses, of that domain.",
		.blind = "What the hardware was told is seen only where the driver's "
			"invalidations are (attribute invalidate.PREFIX); elsewhere the flush "
			"function's word is taken. Whether the hardware obeyed can't be seen. "
			"Not judged: unmaps in the last second of the capture, domains without a "
			"device, and drivers without iotlb_sync, which flush inside of the "
			"unmap; nor is a flush during which the task that detaches the domain's "
			"last device tells the hardware to forget everything. In a strict "
			"domain, a flush that returned too early is strict-means-strict's.",
		.needs = NEED_MAPS | NEED_FLUSHES,
	},
	[INV_NO_MAP_OVER_MAP] = {
		.name = "no-map-over-map",
		.holds = "Nothing was mapped where something was mapped already.",
		.rule = "iommu_map() must not be called for an address that is mapped: the IOMMU "
			"drivers refuse it (-EEXIST), or one of both owners reaches the other's "
			"memory. It is also refused if an unmap left an entry behind.",
		.blind = "What was mapped before the capture isn't known. In the DMA API it "
			"doesn't matter, since the allocator hands out no address that is in "
			"use; elsewhere the result is then INCONCLUSIVE.",
		.needs = NEED_MAPS,
	},
	[INV_UNMAP_MATCHES_MAP] = {
		.name = "unmap-matches-map",
		.holds = "Each unmap removed exactly what had been mapped.",
		.rule = "dma_unmap_*() must be called with the address and the size of its "
			"dma_map_*(), once. An unmap that removes less than it was asked for hit "
			"a hole: unmapped twice, or too large. One that begins or ends within a "
			"mapping leaves a part of it behind or takes away too much. Outside of "
			"the DMA API parts may be unmapped, but not holes.",
		.blind = "Sizes are seen in pages of the IOMMU: what is wrong by less is not "
			"seen. Unmaps of what was mapped before the capture are judged only by "
			"what the kernel itself removed.",
		.needs = NEED_MAPS,
		.counted = NEED_TALLY,
	},
	[INV_NO_LEAK] = {
		.name = "no-leak",
		.holds = "What was mapped had been unmapped at the end.",
		.rule = "Each mapping is to be unmapped by its driver. What was mapped in the "
			"rule's phases and is still mapped at their end counts, by device and "
			"stack (or task). Many drivers keep buffers mapped while they run: "
			"either end the workload by unbinding them, or allow for growth.",
		.blind = "What was mapped before isn't judged. Addresses that the kernel maps "
			"one to one or for interrupts are left out. By bytes alone (growth, or "
			"events are missing) a leak may hide behind something older that was "
			"unmapped.",
		.needs = NEED_MAPS,
		.counted = NEED_TALLY,
		.params = { { "growth", PARAM_SIZE, "0", NULL,
			      "more than 0: what is mapped may grow by less than so many bytes, "
			      "whoever mapped it; 0: nothing may be left" } },
	},
	[INV_SYNC_MAP] = {
		.name = "sync-map",
		.holds = "Where the driver has iotlb_sync_map, no device faulted on what was "
			"mapped and should have worked.",
		.rule = "An IOMMU that caches entries that are not present must be told after "
			"each map, or the device faults on a good mapping. The kernel calls "
			"iotlb_sync_map for it; what it does is up to the driver.",
		.blind = "Without invalidates=yes only the consequence is looked for: nobody "
			"tells whether an IOMMU caches absent entries. With it, the driver's "
			"invalidations must be seen (attribute invalidate.PREFIX).",
		.needs = NEED_RARE | NEED_LOG | NEED_MAPS | NEED_FLUSHES,
		.params = { { "invalidates", PARAM_WORD, "no", no_yes,
			      "yes: this IOMMU caches absent entries, so each iotlb_sync_map must "
			      "tell it to forget the range" } },
	},
	[INV_DOMAIN_TYPE] = {
		.name = "domain-type",
		.holds = "The device was in a domain of the wanted type.",
		.rule = "What a device gets is decided by its IOMMU driver, the command line, "
			"the kernel's configuration, sysfs and what the IOMMU can do. A domain "
			"of type DMA-FQ whose flush queue isn't active is strict, whatever the "
			"type says: it counts as DMA. Looked at when the phase ends.",
		.blind = "The kernel keeps what came out, and not who wanted it. Who decided is "
			"told as `iommutop list --why` tells it, which may be inferred or not "
			"known; of a group of which nothing is known, type, flush queue, command "
			"line and lines of the kernel log are.",
		.needs = NEED_RARE,
		.params = { { "is", PARAM_WORD, NULL, types, "the type" } },
	},
	[INV_PT_FREED_AFTER_FLUSH] = {
		.name = "pt-freed-after-flush",
		.holds = "No page of a page table went back to the kernel before the flush of "
			"the unmap that emptied it.",
		.rule = "IOMMUs cache entries of upper levels too: until the flush, the hardware "
			"may still walk a table that was taken out. If its page is freed before, "
			"the IOMMU reads somebody else's data as a page table.",
		.blind = "Which table a page was isn't told. It is known by the map that it was "
			"allocated for, and held against the last unmap in the same 2 MiB before "
			"another table was allocated there: a lower limit. Tables for maps of "
			"more than 8 MiB at once, and those allocated before the capture, are "
			"not judged. A table that is freed inside of an unmap makes the result "
			"INCONCLUSIVE where the driver's invalidations aren't seen: it may have "
			"flushed there. Of a map that takes several tables, which is whose isn't "
			"known: only what would be wrong for each of them is told.",
		.needs = NEED_MAPS | NEED_FLUSHES | NEED_TABLES,
	},
	[INV_PT_BALANCE] = {
		.name = "pt-balance",
		.holds = "Domains that are gone had freed every page of their page tables.",
		.rule = "A page-table page that isn't freed with its domain is lost until the "
			"next boot: memory that nothing accounts for.",
		.blind = "Domains older than the capture had tables that nobody counted: they "
			"are not judged. Where the driver's function names no domain, a page "
			"belongs to the map that it was allocated for; pages that belong to none "
			"(root tables among them) are only told, not judged.",
		.needs = NEED_MAPS | NEED_RARE | NEED_TABLES,
		.counted = NEED_TALLY,
	},
	[INV_TEARDOWN_STALL] = {
		.name = "teardown-stall",
		.holds = "No domain's teardown kept its CPU for longer than the limit without a "
			"break.",
		.rule = "Freeing the page table of a large domain takes long. Done in one go it "
			"trips the kernel's stall detectors; a driver must offer to reschedule "
			"in between.",
		.blind = "A break is a sleep or an offer (cond_resched) of the task that frees. "
			"On a fully preemptible kernel other tasks get their turn without one.",
		.needs = NEED_TEARDOWN | NEED_RARE,
		.counted = NEED_TALLY,
		.params = { { "below", PARAM_DURATION, "20ms", NULL, "the limit" } },
	},
	[INV_FLUSH_LATENCY] = {
		.name = "flush-latency",
		.holds = "Flushes took less than the limit.",
		.rule = "Whoever flushes waits for the hardware, mostly spinning with interrupts "
			"off, and everybody else who needs the IOMMU's queue waits too.",
		.blind = "Flushes after map (iotlb_sync_map) are not among them, nor what a "
			"driver flushes inside of an unmap. A flush that never ends isn't seen: "
			"invalidation-timeout and no-hang tell.",
		.needs = NEED_FLUSHES,
		.counted = NEED_TALLY,
		.params = { { "below", PARAM_DURATION, "1ms", NULL, "the limit" },
			    PERCENTILE("99") },
	},
	[INV_INVALIDATION_TIMEOUT] = {
		.name = "invalidation-timeout",
		.holds = "No invalidation timed out or failed.",
		.rule = "After a time-out nobody knows what the IOTLB holds, and the driver has "
			"waited for a second with interrupts off. The usual cause is a device "
			"that doesn't answer an invalidation of its own TLB (ATS).",
		.blind = "Known from the driver's lines in the kernel log.",
		.needs = NEED_RARE | NEED_LOG,
		.params = { AT_MOST("of them") },
	},
	[INV_DETACH_EMPTY] = {
		.name = "detach-empty",
		.holds = "Nothing was mapped in a domain when it was freed.",
		.rule = "Who frees a domain with mappings in it has lost track of them: their "
			"pages stay pinned, or were freed while a device could reach them.",
		.blind = "What was mapped before the capture isn't known: domains older than it "
			"are judged by what is known of them. Addresses that the kernel maps one "
			"to one or for interrupts are left out.",
		.needs = NEED_MAPS | NEED_RARE,
		.counted = NEED_TALLY,
	},
	[INV_COVERAGE] = {
		.name = "coverage",
		.holds = "The hooks saw all that the kernel's own tracepoints and counters saw.",
		.rule = "Not a rule of the kernel but of iommutop: a function that is inlined "
			"somewhere, or a program that the kernel skipped, would make every other "
			"rule blind. Bytes and calls at the hooks are held against the "
			"tracepoints, and flushes against the flush queue's own count.",
		.blind = "What neither the hooks nor the tracepoints see: drivers that change "
			"their page tables on their own.",
		.needs = NEED_COVERAGE,
	},
};
