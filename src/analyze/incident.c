// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/incident.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/signals.h"
#include "util/text.h"

#define MS 1000000ULL
#define S  1000000000ULL

/* Faults this near each other are one burst; the log is rate limited in periods of 5 s, so there it
 * takes longer. */
#define BURST_GAP     (1 * S)
#define BURST_GAP_LOG (6 * S)
/* A hook and the log line of one fault are this near at the most. */
#define SAME_FAULT (1 * S)
/* A device that hangs keeps saying so every few seconds. */
#define HANG_AGAIN  (30 * S)
#define RESET_AFTER (60 * S)
/* Watchdogs look now and then, and the report of a fault comes after the fault. */
#define PROGRESS_SLACK (250 * MS)
/* How far back an incident is looked for: no signal comes later than this after its fault. */
#define LOOK_BACK (180 * S)

void incidents__free(struct incidents *in)
{
	for (__u32 i = 0; i < in->nr; i++) {
		for (__u32 n = 0; n < in->list[i]->nr_kept; n++)
			free(in->list[i]->faults[n]);
		free(in->list[i]);
	}
	free(in->list);
}

static struct incident *incident_new(struct incidents *in, __u64 ts, __u32 dev, int *err)
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
	in->list[in->nr++] = i;
	return i;
}

static __u64 since(__u64 then, __u64 now)
{
	return now > then ? now - then : 0;
}

/* Going back from the newest; NULL at the end of what may still matter. */
static struct incident *look_back(const struct incidents *in, __u32 *at, __u64 ts)
{
	struct incident *i;

	if (!*at)
		return NULL;
	i = in->list[--*at];
	return since(i->last, ts) <= LOOK_BACK ? i : NULL;
}

static bool same_culprit(const struct incident *i, const struct incident_fault *f)
{
	if (f->dev || i->dev)
		return f->dev == i->dev;
	return f->domain == i->faults[0]->domain;
}

static struct incident *burst_of(const struct incidents *in, const struct incident_fault *f,
				 __u32 source)
{
	__u64 gap = source == IOT_SRC_LOG ? BURST_GAP_LOG : BURST_GAP;
	__u32 at = in->nr;
	struct incident *i;

	while ((i = look_back(in, &at, f->first)) != NULL)
		if (i->nr_faults && !i->reset.count && since(i->last_fault, f->first) <= gap &&
		    same_culprit(i, f))
			return i;
	return NULL;
}

/* What the model knows about the address now: the next events will change it. */
static int keep_state(struct incident_fault *f, struct model *m)
{
	struct model_domain *dom = model__domain(m, f->domain);
	const struct dead *dead;
	const struct range *r;

	f->forgotten = history__since(&m->history);
	if (!dom || !f->iova_known)
		return 0;
	r = ranges__find(&dom->live, f->iova);
	if (r) {
		f->has_live = true;
		f->live = *r;
	}
	r = ranges__below(&dom->live, f->iova);
	if (r && !f->has_live) {
		f->has_below = true;
		f->below = *r;
	}
	r = ranges__above(&dom->live, f->iova);
	if (r) {
		f->has_above = true;
		f->above = *r;
	}
	if (dom->nr_flushes) {
		f->has_flush = true;
		f->flush = dom->recent[(dom->nr_flushes - 1) % MODEL_RECENT_FLUSHES];
	}
	dead = history__find(&m->history, dom->nr, f->iova);
	if (!dead)
		return 0;
	f->has_dead = true;
	f->dead = *dead;
	return model__watch(m, &f->dead);
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
	if (!k->rid_known && f->rid_known) {
		k->rid = f->rid;
		k->rid_known = true;
	}
	if (!(k->iova & 0xfff))
		k->iova = f->iova;
}

static int keep_fault(struct incident *i, struct model *m, const struct incident_fault *f)
{
	struct incident_fault *kept = malloc(sizeof(*kept));

	if (!kept)
		return -ENOMEM;
	*kept = *f;
	i->faults[i->nr_kept++] = kept;
	return keep_state(kept, m);
}

/* The same fault may be seen by several sources: what the one that saw most of them says is the
 * number of faults. */
static bool count_seen(__u64 *seen, __u64 *count, __u32 source)
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
	i = burst_of(in, &f, ev->source);
	if (!i) {
		i = incident_new(in, f.first, f.dev, &err);
		if (!i) {
			if (!err)
				count_fault(m, &f);
			return err;
		}
		i->first_fault = f.first;
		i->reported_by_log_only = true;
	}
	known = page_of(i, &f);
	if (!known && i->nr_kept < INCIDENT_FAULTS) {
		err = keep_fault(i, m, &f);
		if (err)
			return err;
		known = i->faults[i->nr_kept - 1];
	}
	if (known) {
		if (since(known->last, f.first) <= SAME_FAULT)
			complete(known, &f);
		known->last = f.first;
		is_new = count_seen(known->seen, &known->count, ev->source);
	} else {
		is_new = count_seen(i->other_seen, &i->nr_other, ev->source);
	}
	if (ev->source != IOT_SRC_LOG)
		i->reported_by_log_only = false;
	if (is_new) {
		i->nr_faults++;
		count_fault(m, &f);
	}
	i->last_fault = i->last = f.first;
	return 0;
}

static struct incident_trouble trouble_of(const struct iot_trouble *ev, struct relation relation)
{
	struct incident_trouble t = {
		.ts = ev->h.ts,
		.last = ev->h.ts,
		.begin = ev->begin,
		.stalled = ev->stalled,
		.dev = ev->h.dev,
		.source = ev->source,
		.queue = ev->queue,
		.ret = ev->ret,
		.relation = relation,
	};

	text__copy(t.what, sizeof(t.what), ev->what, sizeof(ev->what));
	return t;
}

/* Takes the event into *t. False: another source has told of this one already. */
static bool note_trouble(struct incident_trouble *t, const struct iot_trouble *ev,
			 struct relation relation)
{
	if (!t->count)
		*t = trouble_of(ev, relation);
	if (!t->stalled)
		t->stalled = ev->stalled;
	if (t->queue < 0)
		t->queue = ev->queue;
	t->last = ev->h.ts;
	return count_seen(t->seen, &t->count, ev->source);
}

static void count_hang(struct model *m, struct model_device *dev)
{
	m->total.hangs++;
	if (dev)
		dev->stats.hangs++;
}

static void count_reset(struct model *m, struct model_device *dev)
{
	m->total.resets++;
	if (dev)
		dev->stats.resets++;
}

/* A device says again that it hangs; after a reset it is a new hang, unless two sources tell it. */
static bool same_hang(const struct incident *i, const struct iot_trouble *ev)
{
	__u64 gap = since(i->hang.last, ev->h.ts);

	if (!i->hang.count || i->hang.dev != ev->h.dev || gap > HANG_AGAIN)
		return false;
	return !i->reset.count || i->reset.last < i->hang.last || gap <= SAME_FAULT;
}

/* The device did something useful after the fault: whatever stopped it came later. */
static bool went_on(const struct incident *i, const struct iot_trouble *ev,
		    const struct signal_kind *signal)
{
	return signal->since_progress && ev->stalled && ev->stalled < ev->h.ts &&
	       ev->h.ts - ev->stalled > i->last_fault + PROGRESS_SLACK;
}

int incidents__hang(struct incidents *in, struct model *m, const struct iot_trouble *ev)
{
	const struct signal_kind *signal = signals__find(ev->what);
	struct model_device *dev = model__device(m, ev->h.dev);
	struct relation relation;
	struct incident *i;
	bool progressed = false;
	__u64 earlier = 0;
	__u32 at = in->nr;
	int err;

	while ((i = look_back(in, &at, ev->h.ts)) != NULL) {
		if (same_hang(i, ev)) {
			if (note_trouble(&i->hang, ev, i->hang.relation))
				count_hang(m, dev);
			i->last = ev->h.ts;
			return 0;
		}
		relation = relate(model__device(m, i->dev), dev);
		if (!i->nr_faults || relation.kind == RELATION_NONE)
			continue;
		if (!i->hang.count && since(i->last_fault, ev->h.ts) <= signal->window &&
		    !went_on(i, ev, signal)) {
			note_trouble(&i->hang, ev, relation);
			count_hang(m, dev);
			i->last = ev->h.ts;
			return 0;
		}
		if (!earlier) {
			earlier = i->last_fault;
			progressed = went_on(i, ev, signal);
		}
	}
	count_hang(m, dev);
	i = incident_new(in, ev->h.ts, ev->h.dev, &err);
	if (!i)
		return err;
	note_trouble(&i->hang, ev, (struct relation){ .kind = RELATION_SAME });
	i->earlier_fault = earlier;
	i->progressed = progressed;
	return 0;
}

int incidents__reset(struct incidents *in, struct model *m, const struct iot_trouble *ev)
{
	struct model_device *dev = model__device(m, ev->h.dev);
	struct incident *i;
	__u32 at = in->nr;

	while ((i = look_back(in, &at, ev->h.ts)) != NULL) {
		struct relation relation = relate(model__device(m, i->dev), dev);

		if (since(i->last, ev->h.ts) > RESET_AFTER)
			continue;
		if (relation.kind == RELATION_NONE && i->hang.count)
			relation = relate(model__device(m, i->hang.dev), dev);
		if (relation.kind == RELATION_NONE)
			continue;
		if (note_trouble(&i->reset, ev, relation))
			count_reset(m, dev);
		i->last = ev->h.ts;
		return 0;
	}
	count_reset(m, dev);
	return 0;
}
