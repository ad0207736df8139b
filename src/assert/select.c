// SPDX-License-Identifier: GPL-2.0-only
#include "assert/rule.h"

#include "model/model.h"
#include "util/glob.h"

/* An empty text is one that isn't known. */
static bool text_matches(const char *pattern, const char *text)
{
	return !pattern || (text && *text && glob__match(pattern, text));
}

bool selector__match(const struct selector *s, const struct model_device *dev,
		     const struct model_domain *dom)
{
	if (!text_matches(s->device, dev ? dev->name : NULL) ||
	    !text_matches(s->driver, dev ? dev->driver : NULL) ||
	    !text_matches(s->iommu, dev ? dev->iommu : NULL))
		return false;
	if (s->group >= 0 && !(dev && dev->group == s->group) && !(dom && dom->group == s->group))
		return false;
	return s->type < 0 || (dom && dom->type_known && dom->type == (__u32)s->type);
}

const struct waiver *rule__waiver(const struct rule *rule, const struct model_device *dev,
				  const struct model_domain *dom, __s32 today,
				  const struct waiver **expired)
{
	*expired = NULL;
	for (size_t i = 0; i < rule->nr_waivers; i++) {
		const struct waiver *w = &rule->waivers[i];

		if (!selector__match(&w->selector, dev, dom))
			continue;
		if (w->expires < 0 || today <= w->expires) {
			*expired = NULL;
			return w;
		}
		if (!*expired)
			*expired = w;
	}
	return NULL;
}
