// SPDX-License-Identifier: GPL-2.0-only
#include "export/names.h"

#include <stdio.h>
#include <string.h>

void names__forget(struct names *n)
{
	n->dev = n->domain = 0;
}

static void put_name(const struct names *n, const struct model_device *dev, char buf[48])
{
	if (n->redact && n->redact->what & REDACT_NAMES)
		redact__name(n->redact, "dev", dev->name, buf, 48);
	else if (n->redact)
		redact__text(n->redact, dev->name, strlen(dev->name), buf, 48);
	else
		snprintf(buf, 48, "%s", dev->name);
}

const char *names__device(struct names *n, __u32 nr)
{
	const struct model_device *dev;

	if (!nr)
		return NULL;
	if (n->dev != nr) {
		dev = model__device(n->model, nr);
		n->dev = nr;
		n->dev_name[0] = '\0';
		if (dev)
			put_name(n, dev, n->dev_name);
	}
	return n->dev_name[0] ? n->dev_name : NULL;
}

const char *names__domain(struct names *n, __u32 nr)
{
	const struct model_domain *dom;
	const struct model_device *dev;

	if (!nr)
		return NULL;
	if (n->domain != nr) {
		dom = model__domain(n->model, nr);
		n->domain = nr;
		n->domain_name[0] = '\0';
		dev = dom && dom->nr_devs == 1 ? model__device(n->model, dom->devs[0]) : NULL;
		if (dev && dev->name[0])
			put_name(n, dev, n->domain_name);
		else if (dom && dom->group >= 0)
			snprintf(n->domain_name, sizeof(n->domain_name), "group %d", dom->group);
	}
	return n->domain_name[0] ? n->domain_name : NULL;
}

void names__symbol(const struct names *n, __u64 addr, char *buf, size_t size)
{
	const struct model_symbol *s = model__symbol(n->model, addr);

	if (s)
		snprintf(buf, size, "%s", s->name);
	else
		snprintf(buf, size, "0x%llx", n->redact ? redact__address(n->redact, addr) : addr);
}
