// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/pages.h"

#include "analyze/judgement.h"
#include "analyze/signals.h"

#define MS 1000000ULL
#define S  1000000000ULL

/* From the end of a request to a fault at the same address, and to one at another: that is joined
 * by nothing but the device. */
#define SAME_PAGE  (10 * S)
#define OTHER_PAGE (1 * S)
/* As with faults: watchdogs look now and then. */
#define PROGRESS_SLACK (250 * MS)
/* Fewer answers have no median worth the name. */
#define MEDIAN_OF 16
/* Requests that wait and are looked at, in all: with more, what waits isn't used as evidence. */
#define WORK (1ULL << 24)

static bool is_late(const struct model *m, const struct iot_page_response *ev)
{
	const struct requests_dev *d = idtab__find(&m->requests.devs, ev->h.dev);
	__u64 median = d && d->latency.nr >= MEDIAN_OF ? hist__value(&d->latency, 0.5) : 0;

	return ev->latency >= PAGES_LATE && ev->latency / PAGES_LATE_TIMES >= median;
}

static enum page_fate fate_of(const struct model *m, const struct iot_page_response *ev)
{
	if (ev->code == IOT_PAGE_REFUSED)
		return PAGE_REFUSED;
	if (ev->ret)
		return PAGE_NOT_GIVEN;
	switch (ev->code) {
	case IOT_PAGE_INVALID:
		return PAGE_INVALID;
	case IOT_PAGE_FAILURE:
		return PAGE_FAILURE;
	case IOT_PAGE_SUCCESS:
		return is_late(m, ev) ? PAGE_LATE : PAGE_SERVED;
	default:
		return PAGE_SERVED; /* a code that isn't known says nothing */
	}
}

static void take_answer(struct incident_page *p, const struct iot_page_response *ev)
{
	p->answered = ev->h.ts;
	p->latency = ev->latency;
	p->code = ev->code;
	p->ret = ev->ret;
	p->tid = ev->h.tid;
	p->in_irq = ev->h.flags & IOT_F_IRQ;
}

/* The answer to what was evidence for having none. */
static void answer_late(struct incidents *in, const struct model *m,
			const struct iot_page_response *ev)
{
	for (__u32 n = 0; in->open_pages && n < in->nr; n++) {
		struct incident_page *p = &in->list[n]->page;

		if (!p->count || p->fate != PAGE_UNANSWERED || p->answered || p->dev != ev->h.dev ||
		    p->prgi != ev->prgi || p->pasid != ev->pasid ||
		    p->pasid_valid != ev->pasid_valid ||
		    p->group.since != m->requests.answered.since)
			continue;
		take_answer(p, ev);
		in->open_pages--;
	}
}

void pages__answer(struct incidents *in, const struct model *m, const struct iot_page_response *ev)
{
	struct incident_page p = { .count = 1, .dev = ev->h.dev };

	if (m->requests.has_answered)
		answer_late(in, m, ev);
	p.fate = fate_of(m, ev);
	if (p.fate == PAGE_SERVED || !ev->h.dev)
		return;
	p.pasid = ev->pasid;
	p.pasid_valid = ev->pasid_valid;
	p.prgi = ev->prgi;
	p.asked = m->requests.has_answered;
	if (p.asked)
		p.group = m->requests.answered;
	take_answer(&p, ev);
	in->pages[in->nr_pages++ % INCIDENT_PAGES] = p;
}

/* Is the address's page among those that are known of the group? *iova: as it was asked for. */
static bool has_page(const struct requests_group *g, __u64 addr, __u64 *iova)
{
	for (__u32 n = 0; n < g->nr && n < REQUESTS_PAGES; n++)
		if (g->iovas[n] >> 12 == addr >> 12) {
			*iova = g->iovas[n];
			return true;
		}
	return false;
}

static struct incident_page waiting(__u32 dev, const struct idtab_slot *s)
{
	return (struct incident_page){
		.count = 1,
		.fate = PAGE_UNANSWERED,
		.dev = dev,
		.asked = true,
		.group = *(const struct requests_group *)s->value,
		.prgi = requests__prgi(s->key),
		.pasid = requests__pasid(s->key),
		.pasid_valid = requests__has_pasid(s->key),
	};
}

/* The device's requests that wait; NULL: there are none, or too many to look at. */
static const struct idtab *open_of(struct incidents *in, const struct model *m, __u32 dev)
{
	const struct requests_dev *d = idtab__find(&m->requests.devs, dev);

	if (!d || !d->open.nr || in->pages_work + d->open.size > WORK)
		return NULL;
	in->pages_work += d->open.size;
	return &d->open;
}

/* Of the device's requests that came to such an end, up to when. */
static __u64 how_many(const struct incidents *in, const struct incident_page *p, __u64 from)
{
	__u64 nr = 0;

	for (__u64 n = 1; n <= in->nr_pages && n <= INCIDENT_PAGES; n++) {
		const struct incident_page *o = &in->pages[(in->nr_pages - n) % INCIDENT_PAGES];

		if (o->answered < from)
			break;
		nr += o->dev == p->dev && o->fate == p->fate;
	}
	return nr ? nr : 1;
}

static void take(struct incidents *in, struct incident *i, const struct incident_page *p, __u64 at,
		 __u64 from)
{
	__u64 begin = p->asked ? p->group.first : p->answered;

	if (i->page.count && i->page.fate == PAGE_UNANSWERED && !i->page.answered)
		in->open_pages--;
	i->page = *p;
	i->page.at = at;
	if (p->fate == PAGE_UNANSWERED)
		in->open_pages++;
	else
		i->page.count = how_many(in, p, from);
	if (!i->nr_faults && begin < i->first)
		i->first = begin;
}

void pages__fault(struct incidents *in, const struct model *m, struct incident *i,
		  const struct incident_fault *f)
{
	__u32 dev = f->dev ? f->dev : f->sole_dev;
	const struct incident_page *other = NULL;
	struct incident_page p;
	const struct idtab *open;
	__u64 iova;

	if (!dev || i->page.same_page)
		return;
	for (__u64 n = 1; n <= in->nr_pages && n <= INCIDENT_PAGES; n++) {
		const struct incident_page *o = &in->pages[(in->nr_pages - n) % INCIDENT_PAGES];
		__u64 gap = incident__since(o->answered, f->first);

		if (gap > SAME_PAGE)
			break;
		if (o->dev != dev)
			continue;
		if (f->iova_known && o->asked && has_page(&o->group, f->iova, &iova)) {
			p = *o;
			p.same_page = true;
			p.iova = iova;
			take(in, i, &p, f->first, f->first - SAME_PAGE);
			return;
		}
		if (!other && o->fate != PAGE_LATE && gap <= OTHER_PAGE)
			other = o;
	}
	open = f->iova_known ? open_of(in, m, dev) : NULL;
	if (open)
		idtab__for_each (open, s) {
			p = waiting(dev, s);
			if (!has_page(&p.group, f->iova, &iova))
				continue;
			p.same_page = true;
			p.iova = iova;
			take(in, i, &p, f->first, f->first);
			return;
		}
	if (other && !i->page.count)
		take(in, i, other, f->first, f->first - OTHER_PAGE);
}

/* The device did something useful after the answer: whatever stopped it came later. */
static bool went_on(const struct incident_page *p, const struct iot_trouble *ev,
		    const struct signal_kind *signal)
{
	return signal->since_progress && ev->stalled && ev->stalled < ev->h.ts &&
	       ev->h.ts - ev->stalled > p->answered + PROGRESS_SLACK;
}

void pages__hang(struct incidents *in, const struct model *m, struct incident *i,
		 const struct iot_trouble *ev, const struct signal_kind *signal)
{
	const struct idtab *open = i->page.count ? NULL : open_of(in, m, ev->h.dev);
	const struct idtab_slot *oldest = NULL;

	if (i->page.count || !ev->h.dev)
		return;
	/* what waits still holds up more than what was answered */
	if (open)
		idtab__for_each (open, s) {
			const struct requests_group *g = s->value,
						    *o = oldest ? oldest->value : NULL;
			__u64 waited = incident__since(g->since, ev->h.ts);

			if (waited >= PAGES_LATE && waited <= signal->window &&
			    (!o || g->since < o->since))
				oldest = s;
		}
	if (oldest) {
		struct incident_page p = waiting(ev->h.dev, oldest);

		take(in, i, &p, ev->h.ts, ev->h.ts);
		return;
	}
	for (__u64 n = 1; n <= in->nr_pages && n <= INCIDENT_PAGES; n++) {
		const struct incident_page *o = &in->pages[(in->nr_pages - n) % INCIDENT_PAGES];

		if (incident__since(o->answered, ev->h.ts) > signal->window)
			return;
		if (o->dev != ev->h.dev || went_on(o, ev, signal))
			continue;
		take(in, i, o, ev->h.ts, ev->h.ts - signal->window);
		return;
	}
}

void pages__judge(struct incident *i, const struct model *m)
{
	struct incident_page *p = &i->page;
	const struct requests_dev *d = idtab__find(&m->requests.devs, p->dev);
	const struct model_device *dev = idtab__find(&m->devices, p->dev);
	const struct requests_group *g;

	p->doubt = false;
	if (!p->count)
		return;
	if (p->pasid_valid && i->nr_faults)
		incident__note(i,
			       "The fault doesn't say its PASID: whether it was made with that of "
			       "the page request (%u) isn't known.",
			       p->pasid);
	if (p->fate != PAGE_UNANSWERED)
		return;
	g = d ? idtab__find(&d->open, requests__key(p->prgi, p->pasid, p->pasid_valid)) : NULL;
	p->doubt = true;
	if (!judgement__sees_answers(m, dev ? dev->origin : 0))
		incident__note(i,
			       "A page request of the device for 0x%llx waited, as far as is seen; "
			       "but answers to page requests aren't seen on this kernel.",
			       p->group.iovas[0]);
	else if (model__lost(m, p->group.first, p->at, JUDGEMENT_LOSES_ANSWERS))
		incident__note(i,
			       "A page request of the device for 0x%llx waited, as far as is seen; "
			       "but events are missing since, and its answer may be among them.",
			       p->group.iovas[0]);
	else if (!p->answered && (!g || g->since != p->group.since))
		incident__note(i,
			       "A page request of the device for 0x%llx waited, as far as is seen; "
			       "but its number was used again, so its answer was missed.",
			       p->group.iovas[0]);
	else
		p->doubt = false;
}
