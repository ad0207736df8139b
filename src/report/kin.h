/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What devices have to do with each other: virtual functions and their physical function, and those
 * that share an IOMMU group. From the session's side tables (docs/events.md, DEVICE).
 */
#ifndef IOMMUTOP_REPORT_KIN_H
#define IOMMUTOP_REPORT_KIN_H

#include "report/jsonput.h"

/* Is b a virtual function of a, by what sysfs said? */
bool kin__is_vf_of(const struct model_device *b, const struct model_device *a);
/* Are they two devices of one group? */
bool kin__share_group(const struct model_device *a, const struct model_device *b);

/* Calls each() for every device b of the model that is_kin(b, d) says is one, by name. */
void kin__each(const struct model *m, const struct model_device *d,
	       bool (*is_kin)(const struct model_device *b, const struct model_device *d),
	       void (*each)(void *ctx, const struct model_device *b), void *ctx);

/* The names of these as a list. The caller's; NULL: no memory. */
json *kin__json(const struct model *m, const struct model_device *d,
		bool (*is_kin)(const struct model_device *b, const struct model_device *d));

/*
 * In words: "VF of 0000:01:00.0; PF of 0000:01:10.0 and 6 more; shares group 5 with 0000:02:02.0".
 * Empty if there is nothing to tell. Returns out.
 */
const char *kin__text(const struct model *m, const struct model_device *d, char *out, size_t size);

#endif
