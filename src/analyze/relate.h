/* SPDX-License-Identifier: GPL-2.0-only */
/* Do two devices belong together, so that a fault of one can make the other hang? */
#ifndef IOMMUTOP_ANALYZE_RELATE_H
#define IOMMUTOP_ANALYZE_RELATE_H

#include <stdbool.h>

#include "model/model.h"

enum relation_kind {
	RELATION_NONE,
	RELATION_SAME,
	RELATION_GROUP,     /* one IOMMU group: they may share a requester id */
	RELATION_PHYSFN,    /* PF and VF, the device table says so */
	RELATION_VF_OFFSET, /* PF and VF, by the distance of their requester ids */
	RELATION_BRIDGE,   /* the requester id that a PCIe-to-PCI bridge puts in for a device behind
			    * it
			    */
	RELATION_FUNCTION, /* a requester id of the device's slot that is no device of its own */
	RELATION_IOMMU,    /* one IOMMU: they wait for the same invalidation queue */
	RELATION_UNSAID,   /* one of both events doesn't name its device */
};

struct relation {
	enum relation_kind kind;
	__u32 offset; /* RELATION_VF_OFFSET: rid of the VF minus rid of the PF */
	__u32 vf;     /* … and which VF that is, 0 = first */
	__u32 pf_dev; /* number of the PF, for PHYSFN and VF_OFFSET */
};

/* Either may be NULL: RELATION_NONE. Never IOMMU or UNSAID. */
struct relation relate(const struct model_device *a, const struct model_device *b);

/* Whether both are surely different if relate() knows no relation: a log may call one by its place
 * on the bus and the other by a name alone ("eth0"), and only the boot's first lines say which is
 * which.
 */
bool relate__differ(const struct model_device *a, const struct model_device *b);

/* The domain of the devices that this one's requester id may stand for (BRIDGE, FUNCTION); 0 =
 * none, or several. Takes a look at every device. */
__u32 relate__alias_domain(const struct model *m, const struct model_device *alias);

/* For what stops everybody behind an IOMMU, such as a flush that doesn't end: also IOMMU, and
 * UNSAID where one is NULL. */
struct relation relate__by_iommu(const struct model_device *a, const struct model_device *b);

#endif
