// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/relate.h"

#include <string.h>

/* Where NICs put their VFs: routing id offset and stride of the SR-IOV capability, as these chips
 * hard-wire them. */
static const struct {
	const char *pf_driver;
	__u32 offset, stride, vfs;
} vf_layouts[] = {
	{ "ixgbe", 0x180, 2, 64 }, /* 82599, X540, X550 */
	{ "igb", 0x180, 2, 16 }, /* 82576: stride 2; I350: stride 4, so every second one of these */
};

static struct relation by_offset(const struct model_device *pf, const struct model_device *vf)
{
	__u32 offset = vf->rid - pf->rid;

	if (!pf->rid_known || !vf->rid_known || vf->rid < pf->rid)
		return (struct relation){ 0 };
	for (size_t i = 0; i < sizeof(vf_layouts) / sizeof(vf_layouts[0]); i++) {
		if (strcmp(pf->driver, vf_layouts[i].pf_driver) || offset < vf_layouts[i].offset)
			continue;
		if ((offset - vf_layouts[i].offset) % vf_layouts[i].stride ||
		    (offset - vf_layouts[i].offset) / vf_layouts[i].stride >= vf_layouts[i].vfs)
			continue;
		return (struct relation){ .kind = RELATION_VF_OFFSET,
					  .offset = offset,
					  .pf_dev = pf->nr,
					  .vf = (offset - vf_layouts[i].offset) /
						vf_layouts[i].stride };
	}
	return (struct relation){ 0 };
}

/*
 * Requester ids that belong to no device that the stream names, though it names others: a bridge
 * from PCI Express to PCI sends what comes from behind it as device 0, function 0 of that bus; some
 * devices use functions that they don't have.
 */
static enum relation_kind by_alias(const struct model_device *alias, const struct model_device *dev)
{
	if (alias->nr < MODEL_LOG_DEVICE || dev->nr >= MODEL_LOG_DEVICE || alias->driver[0] ||
	    !alias->rid_known || !dev->rid_known || alias->rid >> 8 != dev->rid >> 8)
		return RELATION_NONE;
	if (alias->rid >> 3 == dev->rid >> 3)
		return RELATION_FUNCTION;
	/* On a link of PCI Express there is only device 0; the root bus has no bridge above it. */
	return alias->rid & 0xff || !(alias->rid >> 8 & 0xff) ? RELATION_NONE : RELATION_BRIDGE;
}

/* It is of the device table, or its requester id is known. */
static bool has_place(const struct model_device *dev)
{
	return dev && (dev->nr < MODEL_LOG_DEVICE || dev->rid_known);
}

bool relate__differ(const struct model_device *a, const struct model_device *b)
{
	return has_place(a) && has_place(b);
}

struct relation relate(const struct model_device *a, const struct model_device *b)
{
	struct relation r = { 0 };

	if (!a || !b || a->origin != b->origin)
		return r;
	if (a == b || (a->name[0] && !strcmp(a->name, b->name)) ||
	    (a->rid_known && b->rid_known && a->rid == b->rid))
		return (struct relation){ .kind = RELATION_SAME };
	if (a->physfn[0] && !strcmp(a->physfn, b->name))
		return (struct relation){ .kind = RELATION_PHYSFN, .pf_dev = b->nr };
	if (b->physfn[0] && !strcmp(b->physfn, a->name))
		return (struct relation){ .kind = RELATION_PHYSFN, .pf_dev = a->nr };
	if (a->group >= 0 && a->group == b->group)
		return (struct relation){ .kind = RELATION_GROUP };
	r.kind = by_alias(a, b);
	if (!r.kind)
		r.kind = by_alias(b, a);
	if (r.kind)
		return r;
	/* The table knows of both whether they are VFs: then distance proves nothing more. */
	if (a->physfn[0] || b->physfn[0])
		return r;
	r = by_offset(a, b);
	return r.kind ? r : by_offset(b, a);
}

__u32 relate__alias_domain(const struct model *m, const struct model_device *alias)
{
	__u32 domain = 0;

	idtab__for_each (&m->devices, s) {
		const struct model_device *dev = s->value;

		if (by_alias(alias, dev) == RELATION_NONE || !dev->domain)
			continue;
		if (domain && domain != dev->domain)
			return 0;
		domain = dev->domain;
	}
	return domain;
}

struct relation relate__by_iommu(const struct model_device *a, const struct model_device *b)
{
	struct relation r = relate(a, b);

	if (r.kind != RELATION_NONE)
		return r;
	if (!a || !b)
		r.kind = RELATION_UNSAID;
	else if (a->iommu[0] && !strcmp(a->iommu, b->iommu))
		r.kind = RELATION_IOMMU;
	return r;
}
