// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/trouble.h"

#include <errno.h>
#include <string.h>

#include "analyze/pages.h"
#include "analyze/signals.h"
#include "util/text.h"

#define MS 1000000ULL
#define S  1000000000ULL

/* Two sources of one thing are this near at the most. */
#define SAME_TROUBLE (1 * S)
/* A device that hangs keeps saying so every few seconds; so does an IOMMU that doesn't answer. */
#define AGAIN       (30 * S)
#define RESET_AFTER (60 * S)
/* An invalidation that never completes is noticed when the next one has to wait for it. */
#define RESET_BEFORE (60 * S)
/* Watchdogs look now and then, and the report of a fault comes after the fault. */
#define PROGRESS_SLACK (250 * MS)
/* A driver that waits for an invalidation tells of the time-out while it waits, or right after. */
#define STALL_SLACK (1 * S)
/* How far back an incident is looked for: no signal comes later than this after its fault. */
#define LOOK_BACK (180 * S)
/* Fewer flushes have no median worth the name. */
#define MEDIAN_OF 16

/* Going back from the newest; NULL at the end of what may still matter. */
static struct incident *look_back(const struct incidents *in, __u32 *at, __u64 ts)
{
	struct incident *i;

	if (!*at)
		return NULL;
	i = in->list[--*at];
	return incident__since(i->last, ts) <= LOOK_BACK ? i : NULL;
}

static struct incident_trouble trouble_of(const struct iot_trouble *ev, struct relation relation)
{
	struct incident_trouble t = {
		.ts = ev->h.ts,
		.last = ev->h.ts,
		.stalled = ev->stalled,
		.dev = ev->h.dev,
		.source = ev->source,
		.queue = ev->queue,
		.ret = ev->ret,
		.kind = ev->h.id == IOT_EV_ERROR ? ev->kind : 0,
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
	if (!t->dev)
		t->dev = ev->h.dev;
	t->last = ev->h.ts;
	return incidents__count(t->seen, &t->count, ev->source);
}

static void remember(struct incidents *in, const struct iot_trouble *ev)
{
	struct incident_trouble t = trouble_of(ev, (struct relation){ 0 });

	incidents__count(t.seen, &t.count, ev->source);
	in->recent[in->nr_recent++ % INCIDENT_RECENT] =
		(struct incident_recent){ .id = ev->h.id, .trouble = t };
}

static void count(const struct model *m, __u64 *total, __u64 *of_dev)
{
	if (!m->in_scope)
		return;
	++*total;
	if (of_dev)
		++*of_dev;
}

/* The last reset before ts of a device that has to do with dev. If nobody says whom it was about, a
 * reset says something only if no other device was reset. */
static void find_reset(struct incident *i, const struct incidents *in, struct model *m, __u64 ts)
{
	struct model_device *dev = model__device(m, i->dev);
	bool whole = dev && dev->nr < MODEL_LOG_DEVICE && dev->domain;

	for (__u64 n = 1; n <= in->nr_recent && n <= INCIDENT_RECENT; n++) {
		const struct incident_recent *r =
			&in->recent[(in->nr_recent - n) % INCIDENT_RECENT];
		struct relation relation;

		if (r->id != IOT_EV_RESET || r->trouble.ts > ts)
			continue;
		if (incident__since(r->trouble.ts, ts) > RESET_BEFORE)
			return;
		relation = relate(dev, model__device(m, r->trouble.dev));
		if (relation.kind == RELATION_NONE && !whole && i->error.count)
			relation.kind = RELATION_UNSAID;
		if (relation.kind == RELATION_NONE || !r->trouble.dev)
			continue;
		if (i->before.count && i->before.dev != r->trouble.dev &&
		    relation.kind == RELATION_UNSAID) {
			i->before.count = 0;
			return;
		}
		if (i->before.count)
			continue;
		i->before = r->trouble;
		i->before.relation = relation;
	}
}

/* Errors that came shortly before a hang, of its device or of the IOMMU. */
static void find_error(struct incident *i, const struct incidents *in, struct model *m,
		       __u64 window)
{
	struct model_device *dev = model__device(m, i->dev);

	for (__u64 n = 1; n <= in->nr_recent && n <= INCIDENT_RECENT; n++) {
		const struct incident_recent *r =
			&in->recent[(in->nr_recent - n) % INCIDENT_RECENT];
		struct model_device *who = model__device(m, r->trouble.dev);
		struct relation relation;

		if (r->id != IOT_EV_ERROR)
			continue;
		if (incident__since(r->trouble.ts, i->first) > window)
			return;
		relation = r->trouble.kind == IOT_ERROR_IOMMU ? relate__by_iommu(dev, who)
							      : relate(dev, who);
		if (relation.kind == RELATION_NONE)
			continue;
		i->error = r->trouble;
		i->error.relation = relation;
		return;
	}
}

/* A device says again that it hangs; after a reset it is a new hang, unless two sources tell it. */
static bool same_hang(const struct incident *i, const struct iot_trouble *ev)
{
	__u64 gap = incident__since(i->hang.last, ev->h.ts);

	if (!i->hang.count || i->hang.dev != ev->h.dev || gap > AGAIN)
		return false;
	return !i->reset.count || i->reset.last < i->hang.last || gap <= SAME_TROUBLE;
}

/* The device did something useful after the fault: whatever stopped it came later. */
static bool went_on(const struct incident *i, const struct iot_trouble *ev,
		    const struct signal_kind *signal)
{
	return signal->since_progress && ev->stalled && ev->stalled < ev->h.ts &&
	       ev->h.ts - ev->stalled > i->last_fault + PROGRESS_SLACK;
}

/* A failed invalidation or a stalled flush holds up whoever waits for that IOMMU. */
static struct relation held_up(const struct incident *i, struct model *m, struct model_device *dev)
{
	struct relation none = { 0 };
	const struct model_domain *dom = model__domain(m, i->stall.domain);

	if (i->nr_faults || (!i->stall.count && !i->error.count))
		return none;
	for (size_t n = 0; dev && dom && n < dom->nr_devs; n++)
		if (dom->devs[n] == dev->nr)
			return (struct relation){ .kind = RELATION_SAME };
	return relate__by_iommu(model__device(m, i->dev), dev);
}

/* Nothing says that its fault is this device's, nor that it isn't. */
static bool may_be_its(const struct incident *i, struct model *m, const struct model_device *dev)
{
	const struct model_device *of = model__device(m, incident__suspect(i));
	__u32 domain = i->nr_kept ? i->faults[0]->domain : 0;

	if (!of && domain && dev && dev->domain)
		return dev->domain == domain;
	return !relate__differ(of, dev);
}

int trouble__hang(struct incidents *in, struct model *m, const struct iot_trouble *ev)
{
	const struct signal_kind *signal = signals__find(ev->what);
	struct model_device *dev = model__device(m, ev->h.dev);
	struct relation relation;
	struct incident *i;
	bool progressed = false;
	__u64 earlier = 0, unsaid = 0;
	__u32 at = in->nr, unsaid_dev = 0;
	int err;

	while ((i = look_back(in, &at, ev->h.ts)) != NULL) {
		if (same_hang(i, ev)) {
			if (note_trouble(&i->hang, ev, i->hang.relation))
				count(m, &m->total.hangs, dev ? &dev->stats.hangs : NULL);
			incident__touch(i, m, ev->h.ts);
			return 0;
		}
		relation = held_up(i, m, dev);
		if (!i->hang.count && relation.kind != RELATION_NONE &&
		    incident__since(i->last, ev->h.ts) <= signal->window)
			goto join;
		relation = relate(model__device(m, incident__suspect(i)), dev);
		if (!i->nr_faults)
			continue;
		if (relation.kind == RELATION_NONE) {
			if (!unsaid && may_be_its(i, m, dev) &&
			    incident__since(i->last_fault, ev->h.ts) <= signal->window) {
				unsaid = i->last_fault;
				unsaid_dev = i->dev;
			}
			continue;
		}
		if (!i->hang.count && incident__since(i->last_fault, ev->h.ts) <= signal->window &&
		    !went_on(i, ev, signal))
			goto join;
		if (!earlier) {
			earlier = i->last_fault;
			progressed = went_on(i, ev, signal);
		}
	}
	count(m, &m->total.hangs, dev ? &dev->stats.hangs : NULL);
	i = incidents__new(in, m, ev->h.ts, ev->h.dev, &err);
	if (!i)
		return err;
	note_trouble(&i->hang, ev, (struct relation){ .kind = RELATION_SAME });
	i->earlier_fault = earlier;
	i->progressed = progressed;
	i->unsaid_fault = unsaid;
	i->unsaid_dev = unsaid_dev;
	find_error(i, in, m, signal->window);
	find_reset(i, in, m, ev->h.ts);
	pages__hang(in, m, i, ev, signal);
	return 0;

join:
	note_trouble(&i->hang, ev, relation);
	pages__hang(in, m, i, ev, signal);
	count(m, &m->total.hangs, dev ? &dev->stats.hangs : NULL);
	incident__touch(i, m, ev->h.ts);
	return 0;
}

static void end_reset(struct incident_trouble *t, const struct iot_trouble *ev)
{
	t->end = ev->h.ts;
	t->ret = ev->ret;
	text__copy(t->what, sizeof(t->what), ev->what, sizeof(ev->what));
}

/* The end of a reset that is known: it says how it was done. False: nobody told its begin. */
static bool ends_reset(struct incidents *in, const struct model *m, const struct iot_trouble *ev)
{
	bool found = false;
	struct incident *i;
	__u32 at = in->nr;

	if (!ev->begin)
		return false;
	for (__u64 n = 1; n <= in->nr_recent && n <= INCIDENT_RECENT; n++) {
		struct incident_recent *r = &in->recent[(in->nr_recent - n) % INCIDENT_RECENT];

		if (r->id != IOT_EV_RESET || r->trouble.ts != ev->begin ||
		    r->trouble.dev != ev->h.dev)
			continue;
		end_reset(&r->trouble, ev);
		found = true;
	}
	while ((i = look_back(in, &at, ev->begin)) != NULL) {
		if (i->before.count && i->before.ts == ev->begin && i->before.dev == ev->h.dev)
			end_reset(&i->before, ev);
		if (!i->reset.count || i->reset.dev != ev->h.dev || i->reset.ts > ev->begin ||
		    i->reset.last < ev->begin)
			continue;
		end_reset(&i->reset, ev);
		incident__touch(i, m, ev->h.ts);
		found = true;
	}
	return found;
}

/* Log and hook of one reset are this near at the most: drivers print when it is over. */
static bool told_already(struct incidents *in, const struct iot_trouble *ev)
{
	for (__u64 n = 1; n <= in->nr_recent && n <= INCIDENT_RECENT; n++) {
		struct incident_recent *r = &in->recent[(in->nr_recent - n) % INCIDENT_RECENT];
		struct incident_trouble *t = &r->trouble;

		if (r->id != IOT_EV_RESET || t->dev != ev->h.dev || !ev->h.dev)
			continue;
		if (incident__since(t->end ? t->end : t->ts, ev->h.ts) > SAME_TROUBLE)
			return false;
		return t->source != ev->source && !incidents__count(t->seen, &t->count, ev->source);
	}
	return false;
}

int trouble__reset(struct incidents *in, struct model *m, const struct iot_trouble *ev)
{
	struct model_device *dev = model__device(m, ev->h.dev);
	struct incident *i;
	__u32 at = in->nr;
	bool known;

	if (ends_reset(in, m, ev))
		return 0;
	known = told_already(in, ev);
	if (!known)
		remember(in, ev);
	while ((i = look_back(in, &at, ev->h.ts)) != NULL) {
		struct relation relation = relate(model__device(m, incident__suspect(i)), dev);

		if (incident__since(i->last, ev->h.ts) > RESET_AFTER)
			continue;
		if (relation.kind == RELATION_NONE && i->hang.count)
			relation = relate(model__device(m, i->hang.dev), dev);
		if (relation.kind == RELATION_NONE)
			continue;
		if (note_trouble(&i->reset, ev, relation))
			count(m, &m->total.resets, dev ? &dev->stats.resets : NULL);
		incident__touch(i, m, ev->h.ts);
		return 0;
	}
	if (!known)
		count(m, &m->total.resets, dev ? &dev->stats.resets : NULL);
	return 0;
}

/* Does the error belong to the incident? Of AER: the device's own, up to the end of the reset. */
static struct relation error_of(const struct incident *i, struct model *m,
				const struct iot_trouble *ev)
{
	struct model_device *dev = model__device(m, ev->h.dev), *mine = model__device(m, i->dev);
	__u64 gap = incident__since(i->last, ev->h.ts);

	if (i->error.count && i->error.kind == ev->kind && gap <= AGAIN &&
	    (i->error.dev == ev->h.dev || !ev->h.dev || !i->error.dev))
		return i->error.relation;
	/* The flush in whose time it came waited for it, whatever device it names. */
	if (ev->kind == IOT_ERROR_INVALIDATION && i->stall.count && ev->h.ts >= i->stall.begin &&
	    ev->h.ts <= i->stall.end + STALL_SLACK)
		return (struct relation){ .kind = dev ? RELATION_IOMMU : RELATION_UNSAID };
	if (gap > RESET_AFTER || (!i->nr_faults && !i->hang.count))
		return (struct relation){ 0 };
	return ev->kind == IOT_ERROR_AER || ev->kind == IOT_ERROR_OTHER
		       ? relate(mine, dev)
		       : (dev ? relate__by_iommu(mine, dev) : (struct relation){ 0 });
}

int trouble__error(struct incidents *in, struct model *m, const struct iot_trouble *ev)
{
	struct model_device *dev = model__device(m, ev->h.dev);
	struct incident *i;
	__u32 at = in->nr;
	int err;

	remember(in, ev);
	while ((i = look_back(in, &at, ev->h.ts)) != NULL) {
		struct relation relation = error_of(i, m, ev);

		if (relation.kind == RELATION_NONE || (i->error.count && i->error.kind != ev->kind))
			continue;
		if (note_trouble(&i->error, ev, relation))
			count(m, &m->total.errors, dev ? &dev->stats.errors : NULL);
		incident__touch(i, m, ev->h.ts);
		if (!i->before.count && ev->kind == IOT_ERROR_INVALIDATION)
			find_reset(i, in, m, ev->h.ts);
		return 0;
	}
	count(m, &m->total.errors, dev ? &dev->stats.errors : NULL);
	if (ev->kind != IOT_ERROR_INVALIDATION)
		return 0;
	i = incidents__new(in, m, ev->h.ts, ev->h.dev, &err);
	if (!i)
		return err;
	note_trouble(&i->error, ev, (struct relation){ .kind = RELATION_SAME });
	find_reset(i, in, m, ev->h.ts);
	in->open_error = ev->h.ts;
	return 0;
}

/* An invalidation failed while the flush was under way: whoever called it waited for that. */
static bool failed_in(const struct incident *i, const struct iot_flush *ev)
{
	return !i->nr_faults && i->error.count && i->error.kind == IOT_ERROR_INVALIDATION &&
	       i->error.last >= ev->begin && i->error.ts <= ev->h.ts;
}

/* Whether the incident is one that the flush, which may have begun long ago, has a part in. */
static struct relation stall_of(const struct incident *i, struct model *m,
				const struct iot_flush *ev, struct model_device *dev)
{
	struct relation none = { 0 };
	bool in_its_time = i->last >= ev->begin;

	if (failed_in(i, ev))
		return (struct relation){ .kind = RELATION_IOMMU };
	if (i->stall.count)
		return i->stall.domain == ev->h.domain &&
				       (in_its_time || ev->begin - i->last <= AGAIN)
			       ? i->stall.relation
			       : none;
	if (!in_its_time)
		return none;
	if (!i->hang.count && !i->nr_faults)
		return none;
	return dev ? relate__by_iommu(model__device(m, i->dev), dev) : none;
}

static void take_stall(struct incident *i, const struct model *m, const struct iot_flush *ev,
		       __u64 median, __u32 dev, struct relation relation)
{
	__u64 times = i->stall.count + 1;

	if (!i->dev && !i->before.count)
		i->dev = dev;
	incident__touch(i, m, ev->h.ts);
	if (ev->begin < i->first && !i->nr_faults)
		i->first = ev->begin;
	if (times == 1 || ev->h.ts - ev->begin > i->stall.end - i->stall.begin)
		i->stall = (struct incident_stall){ .begin = ev->begin,
						    .end = ev->h.ts,
						    .median = times == 1 ? median : i->stall.median,
						    .domain = ev->h.domain,
						    .dev = dev,
						    .kind = ev->kind,
						    .why = ev->why,
						    .relation = relation };
	i->stall.count = times;
}

int trouble__flush(struct incidents *in, struct model *m, const struct iot_flush *ev)
{
	const struct model_domain *dom = model__domain(m, ev->h.domain);
	__u64 median =
		dom && dom->flush_times.nr >= MEDIAN_OF ? hist__value(&dom->flush_times, 0.5) : 0;
	__u32 dev = ev->h.dev ? ev->h.dev : dom && dom->nr_devs == 1 ? dom->devs[0] : 0;
	struct incident *i;
	__u32 at = in->nr;
	int err;

	bool is_long = ev->h.ts - ev->begin >= TROUBLE_STALL &&
		       (ev->h.ts - ev->begin) / TROUBLE_STALL_TIMES >= median;

	if (!dom)
		return 0;
	while ((i = look_back(in, &at, ev->h.ts)) != NULL) {
		struct relation relation = stall_of(i, m, ev, model__device(m, dev));

		if (relation.kind == RELATION_NONE || (!is_long && !failed_in(i, ev)))
			continue;
		take_stall(i, m, ev, median, dev, relation);
		return 0;
	}
	if (!is_long)
		return 0;
	i = incidents__new(in, m, ev->begin, dev, &err);
	if (!i)
		return err;
	take_stall(i, m, ev, median, dev, (struct relation){ .kind = RELATION_SAME });
	find_reset(i, in, m, ev->h.ts);
	return 0;
}
