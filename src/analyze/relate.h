/* SPDX-License-Identifier: GPL-2.0-only */
/* Do two devices belong together, so that a fault of one can make the other hang? */
#ifndef IOMMUTOP_ANALYZE_RELATE_H
#define IOMMUTOP_ANALYZE_RELATE_H

#include "model/model.h"

enum relation_kind {
	RELATION_NONE,
	RELATION_SAME,
	RELATION_GROUP,     /* one IOMMU group: they may share a requester id */
	RELATION_PHYSFN,    /* PF and VF, the device table says so */
	RELATION_VF_OFFSET, /* PF and VF, by the distance of their requester ids */
};

struct relation {
	enum relation_kind kind;
	__u32 offset; /* RELATION_VF_OFFSET: rid of the VF minus rid of the PF */
	__u32 vf;     /* … and which VF that is, 0 = first */
	__u32 pf_dev; /* number of the PF, for PHYSFN and VF_OFFSET */
};

/* Either may be NULL: RELATION_NONE. */
struct relation relate(const struct model_device *a, const struct model_device *b);

#endif
