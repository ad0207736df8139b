// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/incident.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/lookup.h"
#include "analyze/pages.h"

#define S 1000000000ULL

/* Faults this near each other are one burst; the log is rate limited in periods of 5 s, so there it
 * takes longer. */
#define BURST_GAP     (1 * S)
#define BURST_GAP_LOG (6 * S)
/* A hook and the log line of one fault are this near at the most. */
#define SAME_FAULT (1 * S)

static void incident_free(struct incident *i)
{
	for (__u32 n = 0; n < i->nr_kept; n++)
		free(i->faults[n]);
	free(i);
}

void incidents__free(struct incidents *in)
{
	for (__u32 i = 0; i < in->nr; i++)
		incident_free(in->list[i]);
	free(in->list);
	idtab__free(&in->bursts);
}

void incidents__drop(struct incidents *in)
{
	__u32 kept = 0;

	for (__u32 i = 0; i < in->nr; i++) {
		if (in->list[i]->in_scope)
			in->list[kept++] = in->list[i];
		else
			incident_free(in->list[i]);
	}
	in->out_of_scope += in->nr - kept;
	in->nr = kept;
	idtab__free(&in->bursts);
}

struct incident *incidents__new(struct incidents *in, const struct model *m, __u64 ts, __u32 dev,
				int *err)
{
	struct incident *i;

	*err = 0;
	if (in->nr == INCIDENTS_MAX) {
		in->dropped++;
		return NULL;
	}
	if (in->nr == in->size) {
		__u32 size = in->size ? in->size * 2 : 16;
		struct incident **bigger = realloc(in->list, size * sizeof(struct incident *));

		if (!bigger) {
			*err = -ENOMEM;
			return NULL;
		}
		in->list = bigger;
		in->size = size;
	}
	i = calloc(1, sizeof(*i));
	if (!i) {
		*err = -ENOMEM;
		return NULL;
	}
	i->first = i->last = ts;
	i->dev = dev;
	i->in_scope = m->in_scope;
	in->list[in->nr++] = i;
	return i;
}

void incident__touch(struct incident *i, const struct model *m, __u64 ts)
{
	i->in_scope |= m->in_scope;
	if (ts > i->last)
		i->last = ts;
}

static __u64 burst_key(const struct incident_fault *f)
{
	return f->dev ? f->dev : 1ULL << 32 | f->domain;
}

/* Only the newest incident of a device can be one that goes on. */
static struct incident *burst_of(const struct incidents *in, const struct incident_fault *f,
				 __u32 source)
{
	__u64 gap = source == IOT_SRC_LOG ? BURST_GAP_LOG : BURST_GAP;
	struct incident *i = idtab__find(&in->bursts, burst_key(f));

	if (!i || i->reset.count || incident__since(i->last_fault, f->first) > gap)
		return NULL;
	return i;
}

static struct incident_fault *page_of(struct incident *i, const struct incident_fault *f)
{
	for (__u32 n = 0; n < i->nr_kept; n++) {
		struct incident_fault *k = i->faults[n];

		if (k->iova_known == f->iova_known &&
		    (!f->iova_known || k->iova >> 12 == f->iova >> 12))
			return k;
	}
	return NULL;
}

/* Another look at a fault that is known already may know more about it. */
static void complete(struct incident_fault *k, const struct incident_fault *f)
{
	if (!k->access)
		k->access = f->access;
	if (!k->reason)
		k->reason = f->reason;
	if (!k->stack)
		k->stack = f->stack;
	if (!k->iommu) {
		k->iommu = f->iommu;
		k->pasid = f->pasid;
		k->pasid_known = f->pasid_known;
	}
	if (!k->rid_known && f->rid_known) {
		k->rid = f->rid;
		k->rid_known = true;
	}
	if (!(k->iova & 0xfff))
		k->iova = f->iova;
}

/* Resets of the device that had just begun: while they last, its driver takes everything apart. */
#define RESET_BEFORE (1 * S)

static __u64 recent_reset(const struct incidents *in, const struct incident_fault *f)
{
	for (__u64 n = 1; n <= in->nr_recent && n <= INCIDENT_RECENT; n++) {
		const struct incident_recent *r =
			&in->recent[(in->nr_recent - n) % INCIDENT_RECENT];

		if (incident__since(r->trouble.ts, f->first) > RESET_BEFORE)
			return 0;
		if (r->id == IOT_EV_RESET && f->dev && r->trouble.dev == f->dev)
			return r->trouble.ts;
	}
	return 0;
}

static int keep_fault(struct incidents *in, struct incident *i, struct model *m,
		      const struct incident_fault *f)
{
	struct incident_fault *kept = malloc(sizeof(*kept));

	if (!kept)
		return -ENOMEM;
	*kept = *f;
	i->faults[i->nr_kept++] = kept;
	kept->reset_ts = recent_reset(in, kept);
	pages__fault(in, m, i, kept);
	return lookup__fault(kept, m, &in->work);
}

bool incidents__count(__u64 *seen, __u64 *count, __u32 source)
{
	source = source < INCIDENT_SOURCES ? source : 0;
	if (++seen[source] <= *count)
		return false;
	*count = seen[source];
	return true;
}

static void count_fault(struct model *m, const struct incident_fault *f)
{
	struct model_device *dev = model__device(m, f->dev);
	struct model_domain *dom = model__domain(m, f->domain);

	if (!m->in_scope)
		return;
	m->total.faults++;
	if (dev)
		dev->stats.faults++;
	if (dom)
		dom->stats.faults++;
}

static struct model_device *device_of(struct model *m, __u32 dev, bool rid_known, __u32 rid)
{
	struct model_device *d = model__device(m, dev);

	if (!d && rid_known)
		d = model__log_device(m, "", "", &rid);
	return d;
}

static __u32 sole_device(struct model *m, __u32 domain)
{
	const struct model_domain *dom = model__domain(m, domain);

	return dom && dom->nr_devs == 1 ? dom->devs[0] : 0;
}

int incidents__fault(struct incidents *in, struct model *m, const struct iot_fault *ev)
{
	struct model_device *dev = device_of(m, ev->h.dev, ev->rid_known, ev->rid);
	struct incident_fault f = {
		.first = ev->h.ts,
		.last = ev->h.ts,
		.iova = ev->iova,
		.iova_known = ev->iova_known,
		.access = ev->access,
		.reason = ev->reason,
		.rid = ev->rid,
		.rid_known = ev->rid_known,
		.dev = dev ? dev->nr : ev->h.dev,
		.domain = ev->h.domain,
		.pasid = ev->iommu ? IOT_VTD_PASID(ev->flags) : 0,
		.pasid_known = ev->iommu && ev->flags & IOT_VTD_PASID_VALID,
		.iommu = ev->iommu,
		.stack = ev->h.stack,
	};
	struct incident_fault *known = NULL;
	struct incident *i;
	bool is_new;
	int err = 0;

	if (!f.domain && dev && dev->domain) {
		f.domain = dev->domain;
		f.domain_by_attach = true;
	}
	if (!f.dev && f.domain && !f.rid_known)
		f.sole_dev = sole_device(m, f.domain);
	i = burst_of(in, &f, ev->source);
	if (!f.domain && dev && !dev->nr_stays) {
		f.domain = i ? i->faults[0]->domain : relate__alias_domain(m, dev);
		f.domain_by_attach = f.domain_by_alias = f.domain;
	}
	if (!i) {
		i = incidents__new(in, m, f.first, f.dev, &err);
		if (!i) {
			if (!err)
				count_fault(m, &f);
			return err;
		}
		err = idtab__set(&in->bursts, burst_key(&f), i);
		if (err)
			return err;
		i->first_fault = f.first;
		i->reported_by_log_only = true;
	}
	known = page_of(i, &f);
	if (!known && i->nr_kept < INCIDENT_FAULTS) {
		err = keep_fault(in, i, m, &f);
		if (err)
			return err;
		known = i->faults[i->nr_kept - 1];
	}
	if (known) {
		if (incident__since(known->last, f.first) <= SAME_FAULT)
			complete(known, &f);
		known->last = f.first;
		is_new = incidents__count(known->seen, &known->count, ev->source);
	} else {
		is_new = incidents__count(i->other_seen, &i->nr_other, ev->source);
	}
	if (ev->source != IOT_SRC_LOG)
		i->reported_by_log_only = false;
	if (is_new) {
		i->nr_faults++;
		count_fault(m, &f);
	}
	i->last_fault = f.first;
	incident__touch(i, m, f.first);
	return 0;
}
