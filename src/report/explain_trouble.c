// SPDX-License-Identifier: GPL-2.0-only
#include "report/explain_trouble.h"

#include <string.h>

#include "report/words.h"

static __u64 gap(__u64 a, __u64 b)
{
	return a > b ? a - b : b - a;
}

/* Names the device of *t, unless it is the incident's own. */
static struct words whose(const struct incident *i, const struct incident_trouble *t,
			  const struct model *m, const char *own)
{
	struct words w;

	if (t->dev != i->dev || !t->dev)
		return words__device(m, t->dev);
	snprintf(w.s, sizeof(w.s), "%s", own);
	return w;
}

static void say_relation(FILE *out, const struct incident *i, const struct relation *r, __u32 dev,
			 const struct model *m)
{
	const struct model_device *pf = words__find_device(m, r->pf_dev);
	__u32 vf = r->pf_dev == dev ? i->dev : dev;
	const struct model_device *v = words__find_device(m, vf), *d = words__find_device(m, dev);

	switch (r->kind) {
	case RELATION_NONE:
	case RELATION_SAME:
		return;
	case RELATION_GROUP:
		fputs(" Both devices are in one IOMMU group.", out);
		return;
	case RELATION_PHYSFN:
		fprintf(out, " %s is a virtual function of %s.", words__device_name(m, vf).s,
			pf ? pf->name : "the other");
		return;
	case RELATION_VF_OFFSET:
		if (pf && v)
			fprintf(out,
				" They belong together by their requester ids: 0x%04x = 0x%04x + "
				"0x%x is where VF %u of %s %s has its id.",
				v->rid, pf->rid, r->offset, r->vf,
				strchr("aeiou", pf->driver[0]) ? "an" : "a", pf->driver);
		return;
	case RELATION_BRIDGE:
		fputs(" No device has the requester id of the fault; device 0 of a bus is what a "
		      "PCIe-to-PCI bridge puts in for what is behind it, so any device of that bus "
		      "may be meant.",
		      out);
		return;
	case RELATION_FUNCTION:
		fputs(" No device has the requester id of the fault; it is another function of "
		      "the same slot, and some devices use ids of functions that they don't have.",
		      out);
		return;
	case RELATION_IOMMU:
		if (d && d->iommu[0])
			fprintf(out, " Both wait for the same IOMMU (%s).", d->iommu);
		else
			fputs(" It came in the time of that flush.", out);
		return;
	case RELATION_UNSAID:
		fputs(" That they belong together is inferred from the time alone: one of them "
		      "names no device.",
		      out);
		return;
	}
}

static void say_stall(FILE *out, const struct incident *i, const struct model *m)
{
	const struct incident_stall *s = &i->stall;
	const char *lead = i->nr_faults || i->error.count ? " A" : "A";

	fprintf(out, "%s flush of the IOTLB (%s of domain %u", lead,
		s->kind == IOT_FLUSH_ALL ? "all" : "a range", s->domain);
	if (s->dev)
		fprintf(out, ", %s", words__device(m, s->dev).s);
	fprintf(out, "; %s) took %s", words__why(s->why), words__duration(s->end - s->begin).s);
	if (s->median)
		fprintf(out, ", where half of that domain's take less than %s",
			words__duration(s->median).s);
	fputs(".", out);
	if (s->count > 1)
		fprintf(out, " It was the longest of %llu that stalled.", s->count);
	if (i->judgement.verdict == VERDICT_FLUSH_STALL)
		fputs(" Whoever had to wait for it stood still.", out);
	if (i->nr_faults)
		say_relation(out, i, &s->relation, s->dev, m);
}

static void say_error(FILE *out, const struct incident *i, const struct model *m)
{
	const struct incident_trouble *e = &i->error;
	const char *what = e->what[0] ? e->what : "no details";

	if (!i->nr_faults && e->kind == IOT_ERROR_INVALIDATION) {
		fprintf(out,
			"The IOMMU driver reported that an invalidation failed or timed out (%s)",
			what);
		if (e->dev)
			fprintf(out, ", of %s", words__device(m, e->dev).s);
	} else {
		__u64 at = incident__zero(i);

		fprintf(out, " %s %s the %s, %s was reported (%s)",
			words__duration(gap(e->ts, at)).s, e->ts < at ? "before" : "after",
			i->nr_faults > 1                           ? "first fault"
			: i->nr_faults                             ? "fault"
			: i->judgement.verdict == VERDICT_NO_FAULT ? "hang"
								   : "incident's begin",
			e->kind == IOT_ERROR_AER            ? "a PCI Express error"
			: e->kind == IOT_ERROR_INVALIDATION ? "a failed IOTLB invalidation"
			: e->kind == IOT_ERROR_IOMMU        ? "an error of the IOMMU itself"
							    : "an error",
			what);
		if (e->dev && e->dev != i->dev)
			fprintf(out, " of %s", words__device(m, e->dev).s);
	}
	if (e->count > 1)
		fprintf(out, ", %llu times in %s", e->count, words__duration(e->last - e->ts).s);
	fputs(".", out);
	if (i->nr_faults || i->hang.count)
		say_relation(out, i, &e->relation, e->dev, m);
	if (!i->nr_faults && e->kind == IOT_ERROR_INVALIDATION)
		fputs(" Until it completes, everybody who waits for that IOMMU's queue stands "
		      "still, often with interrupts off.",
		      out);
}

static void say_before(FILE *out, const struct incident *i, const struct model *m)
{
	const struct incident_trouble *r = &i->before;

	fprintf(out, " %s was reset %s before (%s).",
		r->dev == i->dev && i->dev ? "The device" : words__device(m, r->dev).s,
		words__duration(gap(r->ts, incident__zero(i))).s,
		r->what[0] ? r->what : "no details");
	if (r->relation.kind == RELATION_UNSAID)
		fputs(" The error names no device; this is the only one that was reset in the "
		      "minute before.",
		      out);
	else
		say_relation(out, i, &r->relation, r->dev, m);
	if (i->judgement.verdict == VERDICT_INVALIDATION)
		fputs(" A device that is reset while an invalidation of its own TLB is under way "
		      "never answers it: look at this one first.",
		      out);
}

static void say_share(FILE *out, const struct incident *i)
{
	const struct incident_share *s = &i->share;

	if (!s->known)
		return;
	if (s->flushes)
		fprintf(out,
			" Flushes of its domain took %s of the %s before it (%u of them, the "
			"longest %s)",
			words__duration(s->flush_ns).s, words__duration(s->window).s, s->flushes,
			words__duration(s->flush_longest).s);
	else
		fprintf(out, " No flush of its domain was seen in the %s before it",
			words__duration(s->window).s);
	if (s->allocs)
		fprintf(out, "; IOVA allocations %s (%u, the longest %s)",
			words__duration(s->alloc_ns).s, s->allocs,
			words__duration(s->alloc_longest).s);
	fputs(".", out);
}

/* A name like "eth0" is no place on a bus, nor is no name at all. */
static void say_unsaid(FILE *out, const struct incident *i, const struct model *m)
{
	fprintf(out,
		" Whether it had an IOMMU fault isn't known: %s had one %s before, and nothing "
		"here "
		"says whether that is the same device.",
		i->unsaid_dev ? words__device(m, i->unsaid_dev).s : "a device without a name",
		words__duration(i->hang.ts - i->unsaid_fault).s);
}

static void say_no_fault(FILE *out, const struct incident *i, const struct model *m)
{
	if (i->unsaid_fault) {
		say_unsaid(out, i, m);
		return;
	}
	fprintf(out, " No IOMMU fault of this device was seen in the %s before",
		words__duration(i->searched).s);
	if (i->cleared)
		fputs(". By all that can be seen, the IOMMU is not the cause.", out);
	else
		fputs(", so nothing here says that the IOMMU is the cause.", out);
	say_share(out, i);
	fputs(" That excludes an access that the IOMMU refused and reported; it doesn't exclude a "
	      "fault that wasn't reported, a stale access that still hit the IOTLB, or a lost "
	      "interrupt.",
	      out);
}

static void say_hang(FILE *out, const struct incident *i, const struct model *m)
{
	const struct incident_trouble *h = &i->hang;
	bool from_page = i->judgement.verdict == VERDICT_PAGE_REQUEST;
	__u64 from = from_page ? i->page.answered : i->nr_faults ? i->last_fault : i->first;

	if (i->judgement.verdict == VERDICT_NO_FAULT)
		fprintf(out, "%s hung", words__device(m, h->dev).s);
	else if (from_page && i->page.fate == PAGE_UNANSWERED)
		fputs(" It hung", out);
	else if (h->ts >= from)
		fprintf(out, " %s %s %s hung", words__duration(h->ts - from).s,
			i->nr_faults || from_page ? "later" : "after its begin",
			whose(i, h, m, "the device").s);
	else
		fprintf(out, " %s before, %s hung", words__duration(from - h->ts).s,
			whose(i, h, m, "the device").s);
	fprintf(out, " (%s", h->what[0] ? h->what : "no details");
	if (h->queue >= 0)
		fprintf(out, ", queue %d", h->queue);
	if (h->stalled)
		fprintf(out, ", no progress for %s", words__duration(h->stalled).s);
	fputs(")", out);
	if (h->count > 1)
		fprintf(out, " and was reported hung %llu times", h->count);
	fputs(".", out);
	if (i->judgement.verdict == VERDICT_NO_FAULT) {
		say_no_fault(out, i, m);
		return;
	}
	say_relation(out, i, &h->relation, h->dev, m);
	if (i->nr_faults)
		fputs(" The fault fits as its cause; the order in time alone doesn't prove it.",
		      out);
}

static void say_reset(FILE *out, const struct incident *i, const struct model *m)
{
	const struct incident_trouble *r = &i->reset;
	__u64 from = i->hang.count ? i->hang.ts : i->nr_faults ? i->last_fault : i->first;

	fprintf(out, " %s was reset %s after the %s",
		r->dev == i->dev ? "The device" : words__device(m, r->dev).s,
		words__duration(r->ts > from ? r->ts - from : 0).s,
		i->hang.count  ? "hang"
		: i->nr_faults ? "fault"
			       : "begin");
	if (r->end > r->ts && r->count == 1)
		fprintf(out, ", which took %s", words__duration(r->end - r->ts).s);
	if (r->ret)
		fprintf(out, " and failed (%d)", r->ret);
	fputs(".", out);
	if (i->nr_faults && !i->hang.count)
		say_relation(out, i, &r->relation, r->dev, m);
}

void explain__trouble(FILE *out, const struct incident *i, const struct model *m)
{
	bool leads = i->judgement.verdict == VERDICT_INVALIDATION;

	/* First what the verdict is about. */
	if (i->error.count && leads)
		say_error(out, i, m);
	if (i->stall.count)
		say_stall(out, i, m);
	if (i->hang.count)
		say_hang(out, i, m);
	if (i->error.count && !leads)
		say_error(out, i, m);
	if (i->before.count)
		say_before(out, i, m);
	if (i->reset.count)
		say_reset(out, i, m);
}
