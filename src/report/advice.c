// SPDX-License-Identifier: GPL-2.0-only
/* Kernel parameters: Documentation/admin-guide/kernel-parameters.txt. */
#include "report/advice.h"

#include "report/words.h"

#define UNMAPPER                                                                             \
	"Look at the code that unmapped it: was the device told to stop, or its descriptor " \
	"taken back, before?"

/* NULL: whose it was isn't kept. What the report shows already, or what is so already, is no
 * advice. */
static const char *for_unmapped(const struct dead *d)
{
	bool strict = d && d->mode == IOT_UNMAP_STRICT;

	if (d && d->unmap_stack)
		return strict ? UNMAPPER
			      : UNMAPPER " Boot with iommu.strict=1 to have it fault closer to its "
					 "cause.";
	return strict ? UNMAPPER " Record with --stacks to see that code."
		      : UNMAPPER " Record with --stacks to see that code; boot with "
				 "iommu.strict=1 to have it fault closer to its cause.";
}

static const char *for_hang(const struct incident *i)
{
	if (i->cleared)
		return "Look elsewhere first: the driver's own state, its interrupts, firmware and "
		       "link. To be sure, boot once with iommu.passthrough=1: the hang should "
		       "stay.";
	if (i->share.known && i->share.flush_ns > i->share.window / 10)
		return "The IOMMU took a good part of that time: compare with a run with "
		       "iommu.strict=0, and look at the flush times of the domain below.";
	return "Record from before the device is used until after the hang, with the kernel log; "
	       "if there is no fault then either, look at the driver, interrupts and the link.";
}

const char *advice__next(const struct incident *i, const struct model *m)
{
	switch (i->judgement.verdict) {
	case VERDICT_UNMAPPED_WINDOW:
	case VERDICT_UNMAPPED_FLUSHING:
		if (i->nr_kept && i->faults[0]->dead.mode == IOT_UNMAP_STRICT)
			return UNMAPPER;
		return "Boot with iommu.strict=1: the flush then ends before the unmap returns, so "
		       "that each such access faults, close to its cause. Look at what unmaps the "
		       "buffer while the device still has it.";
	case VERDICT_UNMAPPED_FLUSHED:
	case VERDICT_UNMAPPED:
		return for_unmapped(i->nr_kept ? &i->faults[0]->dead : NULL);
	case VERDICT_NEVER_MAPPED:
		return "Look at what the driver writes into the device's descriptors: a physical "
		       "or virtual address instead of the one from the DMA API, a field not "
		       "filled in, or a descriptor read before it was written.";
	case VERDICT_PAST_END:
	case VERDICT_BEFORE_START:
		return "Compare the length and offset that the driver gives to the device with "
		       "those it maps. Devices that read ahead need the mapping to be longer.";
	case VERDICT_PERMISSION:
		return "Look at the direction that the driver maps with: DMA_TO_DEVICE allows the "
		       "device to read only, DMA_FROM_DEVICE to write only (some IOMMUs then let "
		       "it read as well).";
	case VERDICT_TRUNCATED:
		if (i->nr_kept && words__above_mask(i->faults[0], m))
			return "Look at how that mapping came to lie above the device's DMA mask: "
			       "the DMA API gives no such address. Was it mapped by other means, "
			       "for another device of the domain, or before the mask was set?";
		return "Boot with iommu.forcedac=1: addresses above 4 GiB are then used at once, "
		       "and the fault should come at once. If it does, the driver's "
		       "dma_set_mask_and_coherent() promises more bits than the device, its "
		       "firmware or a bridge can do.";
	case VERDICT_OTHER_DOMAIN:
		return "Look at which struct device the driver passes to the DMA API, and whether "
		       "it keeps addresses across a change of the domain.";
	case VERDICT_RESERVED:
		return "Compare the address with /sys/kernel/iommu_groups/*/reserved_regions. At "
		       "an interrupt window: was the device's MSI set up, and is what it writes "
		       "there an interrupt?";
	case VERDICT_MAPPED:
		return "Compare the IOMMU's page table with the map (Intel: "
		       "/sys/kernel/debug/iommu/intel). If the entry is there, the IOTLB keeps an "
		       "old one: does the IOMMU driver flush after map where the hardware caches "
		       "entries that aren't present?";
	case VERDICT_TORN_DOWN:
		return "The device has to be stopped before its buffers and its domain go: look at "
		       "the driver's remove, shutdown or reset path, and at bus mastering.";
	case VERDICT_NO_ADDRESS:
		return "Look for other lines of the IOMMU driver around it; the device's own error "
		       "registers may hold the address.";
	case VERDICT_CANNOT_KNOW:
		if (!m->has_mappings && !m->capture_begin)
			return "Record the run with --stacks, from before the device's driver "
			       "starts, so that its domain is watched from the beginning.";
		return "Record with --stacks from before the device's driver starts, so that its "
		       "domain is watched from the beginning; if events were lost, with a larger "
		       "--cpu-buffer.";
	case VERDICT_NO_FAULT:
		return for_hang(i);
	case VERDICT_INVALIDATION:
		return "Boot with pci=noats to see whether the device's own TLB (ATS) is what "
		       "doesn't answer. Look at its link, and at whether it is reset while "
		       "invalidations are under way.";
	case VERDICT_FLUSH_STALL:
		return "See whether other devices behind the same IOMMU stall too, and whether the "
		       "machine is virtual: then the host answers the flush.";
	case VERDICT_PAGE_REQUEST:
		return "Look at who answers the device's page requests (the process behind its "
		       "PASID, or iommufd's user), and why this one wasn't served; then at how the "
		       "driver deals with such an answer.";
	case VERDICT_NR:
		break;
	}
	return "";
}
