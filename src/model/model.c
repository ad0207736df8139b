// SPDX-License-Identifier: GPL-2.0-only
#include "model/model.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/cells.h"
#include "model/dma.h"
#include "model/tables.h"
#include "util/parse.h"
#include "util/text.h"

#define HISTORY_DEFAULT 65536

int model__init(struct model *m, size_t history)
{
	int err;

	*m = (struct model){ .pool = ranges_pool__new(), .in_scope = true };
	if (!m->pool)
		return -ENOMEM;
	err = history__init(&m->history, history ? history : HISTORY_DEFAULT);
	if (!err)
		err = cells__init(m);
	if (err)
		model__free(m);
	return err;
}

void model__free(struct model *m)
{
	free(m->submits);
	requests__free(&m->requests);
	idtab__for_each (&m->devices, s)
		free(s->value);
	idtab__free(&m->devices);
	idtab__for_each (&m->domains, s) {
		struct model_domain *dom = s->value;

		pending__free(&dom->pending);
		free(dom->iovas);
		free(dom->devs);
		free(dom);
	}
	idtab__free(&m->domains);
	cells__free(m);
	tables__free(m);
	ranges_pool__free(m->pool);
	history__free(&m->history);
	free(m->pieces);
	free(m->watched);
}

struct model_device *model__device(struct model *m, __u32 nr)
{
	if (!nr)
		return NULL;
	if (!m->last_dev || m->last_dev->nr != nr) {
		struct model_device *dev = idtab__find(&m->devices, nr);

		if (!dev)
			return NULL;
		m->last_dev = dev;
	}
	return m->last_dev;
}

struct model_domain *model__domain(struct model *m, __u32 nr)
{
	if (!nr)
		return NULL;
	if (!m->last_dom || m->last_dom->nr != nr) {
		struct model_domain *dom = idtab__find(&m->domains, nr);

		if (!dom)
			return NULL;
		m->last_dom = dom;
	}
	return m->last_dom;
}

static struct model_device *make_device(struct model *m, __u32 nr)
{
	struct model_device *dev = model__device(m, nr);

	if (dev || !nr)
		return dev;
	if (m->devices.nr >= MODEL_DEVICES_MAX) {
		m->refused++;
		return NULL;
	}
	dev = calloc(1, sizeof(*dev));
	if (!dev || idtab__set(&m->devices, nr, dev)) {
		free(dev);
		m->error = -ENOMEM;
		return NULL;
	}
	dev->nr = nr;
	dev->origin = m->origin;
	dev->group = -1;
	return dev;
}

static struct model_domain *make_domain(struct model *m, __u32 nr, __u64 ts)
{
	struct model_domain *dom = model__domain(m, nr);

	if (dom || !nr)
		return dom;
	if (m->domains.nr >= MODEL_DOMAINS_MAX) {
		m->refused++;
		return NULL;
	}
	dom = calloc(1, sizeof(*dom));
	if (!dom || idtab__set(&m->domains, nr, dom)) {
		free(dom);
		m->error = -ENOMEM;
		return NULL;
	}
	dom->nr = nr;
	dom->origin = m->origin;
	dom->group = -1;
	dom->seen = ts;
	/* Unless an event says that it is new, it may have been there before. */
	dom->snapshot = true;
	ranges__init(&dom->live, m->pool);
	return dom;
}

static bool of_origin(const struct model *m, const struct model_device *dev)
{
	return m->origin == MODEL_ANY_ORIGIN || dev->origin == m->origin;
}

struct model_device *model__device_by_name(const struct model *m, const char *name)
{
	if (!*name)
		return NULL;
	idtab__for_each (&m->devices, s) {
		struct model_device *dev = s->value;

		if (of_origin(m, dev) && !strcmp(dev->name, name))
			return dev;
	}
	return NULL;
}

static struct model_device *device_by_rid(const struct model *m, __u32 rid)
{
	idtab__for_each (&m->devices, s) {
		struct model_device *dev = s->value;

		if (dev->rid_known && dev->rid == rid && of_origin(m, dev))
			return dev;
	}
	return NULL;
}

struct model_device *model__log_device(struct model *m, const char *name, const char *driver,
				       const __u32 *rid)
{
	struct model_device *dev = model__device_by_name(m, name);
	__u32 own;

	if (!rid && !parse__pci_rid(name, &own)) /* which an interface's name may stand for */
		rid = &own;
	if (!dev && rid)
		dev = device_by_rid(m, *rid);
	if (!dev && !*name && !rid)
		return NULL;
	if (!dev) {
		dev = make_device(m, MODEL_LOG_DEVICE + m->nr_log_devices);
		if (!dev)
			return NULL;
		m->nr_log_devices++;
	}
	if (!dev->name[0] && *name)
		text__copy(dev->name, sizeof(dev->name), name, sizeof(dev->name));
	else if (!dev->name[0])
		snprintf(dev->name, sizeof(dev->name), "%04x:%02x:%02x.%x", *rid >> 16,
			 *rid >> 8 & 0xff, *rid >> 3 & 0x1f, *rid & 7);
	if (!dev->driver[0])
		text__copy(dev->driver, sizeof(dev->driver), driver, sizeof(dev->driver));
	if (rid && !dev->rid_known) {
		dev->rid = *rid;
		dev->rid_known = true;
	}
	return dev;
}

int model__watch(struct model *m, struct dead *d)
{
	if (d->flushed)
		return 0;
	if (m->nr_watched == MODEL_WATCHED_MAX)
		return -ENOSPC;
	if (m->nr_watched == m->size_watched) {
		size_t size = m->size_watched ? m->size_watched * 2 : 16;
		struct dead **bigger = realloc(m->watched, size * sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		m->watched = bigger;
		m->size_watched = size;
	}
	m->watched[m->nr_watched++] = d;
	return 0;
}

static void on_device(struct model *m, const struct iot_device *ev)
{
	struct model_device *dev = make_device(m, ev->h.dev);
	__u32 rid;

	if (!dev)
		return;
	text__copy(dev->name, sizeof(dev->name), ev->name, sizeof(ev->name));
	text__copy(dev->driver, sizeof(dev->driver), ev->driver, sizeof(ev->driver));
	text__copy(dev->bus, sizeof(dev->bus), ev->bus, sizeof(ev->bus));
	text__copy(dev->iommu, sizeof(dev->iommu), ev->iommu, sizeof(ev->iommu));
	text__copy(dev->physfn, sizeof(dev->physfn), ev->physfn, sizeof(ev->physfn));
	if (ev->group >= 0)
		dev->group = ev->group;
	if (ev->dma_bits)
		dev->dma_bits = ev->dma_bits;
	if (ev->node_known) {
		dev->node = ev->node;
		dev->node_known = true;
	}
	if (ev->rid_known) {
		dev->rid = ev->rid;
		dev->rid_known = true;
	} else if (!dev->rid_known && !parse__pci_rid(dev->name, &rid)) {
		dev->rid = rid;
		dev->rid_known = true;
	}
}

static void leave(struct model *m, struct model_device *dev, __u64 ts)
{
	struct model_domain *dom = model__domain(m, dev->domain);

	if (dev->domain)
		dev->stays[dev->nr_stays++ % MODEL_STAYS] = (struct model_stay){
			.domain = dev->domain, .from = dev->attached, .to = ts
		};
	dev->domain = 0;
	if (!dom)
		return;
	for (size_t i = 0; i < dom->nr_devs; i++)
		if (dom->devs[i] == dev->nr) {
			dom->devs[i] = dom->devs[--dom->nr_devs];
			return;
		}
}

static void on_attach(struct model *m, const struct iot_attach *ev)
{
	struct model_device *dev = make_device(m, ev->h.dev);
	struct model_domain *dom = make_domain(m, ev->h.domain, ev->h.ts);

	if (ev->ret || !dev || !dom)
		return;
	if (ev->group >= 0)
		dom->group = dev->group = ev->group;
	if (dev->domain == dom->nr)
		return;
	leave(m, dev, ev->h.ts);
	if (dom->nr_devs == dom->size_devs) {
		size_t size = dom->size_devs ? dom->size_devs * 2 : 4;
		__u32 *bigger = realloc(dom->devs, size * sizeof(*bigger));

		if (!bigger) {
			m->error = -ENOMEM;
			return;
		}
		dom->devs = bigger;
		dom->size_devs = size;
	}
	dom->devs[dom->nr_devs++] = dev->nr;
	dev->domain = dom->nr;
	dev->attached = ev->h.flags & IOT_F_SNAPSHOT ? 0 : ev->h.ts;
}

static void on_detach(struct model *m, const struct iot_attach *ev)
{
	struct model_device *dev = model__device(m, ev->h.dev);

	if (dev && !ev->ret && (!ev->h.domain || dev->domain == ev->h.domain))
		leave(m, dev, ev->h.ts);
}

static void on_domain(struct model *m, const struct iot_domain *ev)
{
	struct model_domain *dom = make_domain(m, ev->h.domain, ev->h.ts);

	if (!dom)
		return;
	if (ev->what == IOT_DOMAIN_SEEN)
		dom->snapshot = ev->h.flags & IOT_F_SNAPSHOT;
	if (ev->what == IOT_DOMAIN_FREE) {
		dom->freed = ev->h.ts;
		dom->type = ev->type;
		dma__freed(m, dom);
		pending__free(&dom->pending);
		return;
	}
	dom->type = ev->type;
	dom->type_known = true;
	if (ev->user > dom->user)
		dom->user = ev->user;
	else if (!dom->user && (ev->type == IOT_TYPE_DMA || ev->type == IOT_TYPE_DMA_FQ))
		dom->user = IOT_USER_DMA_API;
	/* Without the table of operations, 0 says nothing. */
	if (ev->owner)
		dom->no_sync = !ev->sync;
	if (ev->group >= 0)
		dom->group = ev->group;
	if (ev->fq_known) {
		dom->fq_known = true;
		dom->fq_active = ev->fq_active;
	}
}

static void on_iova(struct model *m, struct pair *p, const struct iot_iova *ev)
{
	lists__end(&m->lists, &ev->h);
	if (p->dom && ev->begin && ev->begin < ev->h.ts)
		dma__load_alloc(p->dom, ev->h.ts, ev->h.ts - ev->begin);
	if (!m->in_scope)
		return;
	stats__iova(cells__stats(m, p, &ev->h), ev);
	if (!p->dom)
		return;
	if (!p->dom->iovas)
		p->dom->iovas = calloc(1, sizeof(*p->dom->iovas));
	if (!p->dom->iovas) {
		m->error = -ENOMEM;
		return;
	}
	series__add(p->dom->iovas, ev);
}

static void on_submit(struct model *m, const struct iot_submit *ev)
{
	if (!m->in_scope)
		return;
	if (!m->submits)
		m->submits = calloc(1, sizeof(*m->submits));
	if (m->submits)
		submits__add(m->submits, ev);
	else
		m->error = -ENOMEM;
}

static void note_time(struct model *m, const struct iot_event *ev)
{
	if (ev->id >= IOT_EV_DEVICE || ev->flags & IOT_F_SNAPSHOT)
		return;
	if (!m->first || ev->ts < m->first)
		m->first = ev->ts;
	if (ev->ts > m->last)
		m->last = ev->ts;
}

static void on_hot(struct model *m, const struct iot_event *ev)
{
	struct pair *p = cells__find(m, ev), made;
	const void *body = ev;

	m->has_mappings = true;
	if (!p) {
		made = (struct pair){ .dom = make_domain(m, ev->domain, ev->ts),
				      .dev = make_device(m, ev->dev) };
		p = cells__add(m, ev, &made);
	}
	if (!p) {
		made.shared = true;
		p = &made;
	}
	switch (ev->id) {
	case IOT_EV_MAP:
		dma__map(m, p, body);
		break;
	case IOT_EV_UNMAP:
		dma__unmap(m, p, body);
		break;
	case IOT_EV_FLUSH:
		dma__flush(m, p, body);
		break;
	default:
		on_iova(m, p, body);
	}
}

void model__add_up(struct model *m)
{
	cells__add_up(m);
}

void model__event(struct model *m, const struct iot_event *ev)
{
	const void *body = ev;

	m->origin = IOT_ORIGIN(ev->flags);
	if (m->origin)
		m->merged = true;
	note_time(m, ev);
	if (ev->id <= IOT_EV_IOVA_FREE) {
		on_hot(m, ev);
		return;
	}
	switch (ev->id) {
	case IOT_EV_DEVICE:
		on_device(m, body);
		break;
	case IOT_EV_ATTACH:
		on_attach(m, body);
		break;
	case IOT_EV_DETACH:
		on_detach(m, body);
		break;
	case IOT_EV_DOMAIN:
		on_domain(m, body);
		break;
	case IOT_EV_LOSS:
		tables__loss(m, body);
		break;
	case IOT_EV_COVERAGE:
		tables__check(m, body);
		break;
	case IOT_EV_CAPTURE: {
		const struct iot_capture *c = body;

		/* of several origins: from when to when all were being recorded */
		if (c->what == IOT_CAPTURE_BEGIN) {
			m->capture_begin = ev->ts;
			m->attach_begin = c->attach_begin;
		} else if (!m->capture_end || !m->merged) {
			m->capture_end =
				c->attach_begin > m->capture_begin ? c->attach_begin : ev->ts;
		}
		break;
	}
	case IOT_EV_STACK:
		tables__stack(m, body);
		break;
	case IOT_EV_SYMBOL:
		tables__symbol(m, body);
		break;
	case IOT_EV_ATTR:
		tables__attr(m, body);
		break;
	case IOT_EV_REGION:
		tables__region(m, body);
		break;
	case IOT_EV_CLOCK:
		if (!m->mono_to_real && !m->origin)
			m->mono_to_real = ((const struct iot_clock *)body)->real - ev->ts;
		break;
	case IOT_EV_SUBMIT:
		on_submit(m, body);
		break;
	case IOT_EV_PAGE_REQUEST:
		if (requests__add(&m->requests, body, m->in_scope))
			m->error = -ENOMEM;
		break;
	case IOT_EV_PAGE_RESPONSE:
		if (requests__answer(&m->requests, body, m->in_scope))
			m->error = -ENOMEM;
		break;
	case IOT_EV_FAULT:
	case IOT_EV_HANG:
	case IOT_EV_RESET:
	case IOT_EV_ERROR:
	case IOT_EV_LOG:
	case IOT_EV_MODULE:
	case IOT_EV_INVALIDATE:
	case IOT_EV_TABLE_ALLOC:
	case IOT_EV_TABLE_FREE:
	case IOT_EV_TEARDOWN:
	case IOT_EV_TALLY:
		break; /* state doesn't change; src/analyze and src/assert look at them */
	default:
		break; /* of a newer iommutop */
	}
}

void model__span(const struct model *m, __u64 *begin, __u64 *end)
{
	*begin = m->capture_begin ? m->capture_begin : m->first;
	*end = m->capture_end ? m->capture_end : m->last;
	if (*end > *begin)
		return;
	*begin = m->first;
	*end = m->last > m->first ? m->last : m->first;
}
