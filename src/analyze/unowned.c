// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/unowned.h"

#include "analyze/judgement.h"
#include "analyze/lookup.h"

/* How long the domain has been watched without a gap before the fault. */
struct watch {
	__u64 since;
	__u64 lost_until; /* events are missing up to here, 0 = none */
	bool whole;       /* since the domain exists */
};

static struct watch watched(const struct incident_fault *f, const struct model *m,
			    const struct model_domain *dom)
{
	__u64 begin = m->capture_begin ? m->capture_begin : m->first;
	struct watch w = { .since = dom->seen, .whole = !dom->snapshot };

	if (dom->snapshot && begin > w.since)
		w.since = begin;
	if (f->forgotten > w.since) {
		w.since = f->forgotten;
		w.whole = false;
	}
	for (size_t n = 0; n < m->nr_losses; n++) {
		const struct model_loss *l = &m->losses[n];

		if (!judgement__loses_mappings(l) || l->begin > f->first || l->end < dom->seen)
			continue;
		if (l->end > w.lost_until)
			w.lost_until = l->end < f->first ? l->end : f->first;
	}
	if (w.lost_until > w.since)
		w.since = w.lost_until;
	w.whole &= !w.lost_until;
	return w;
}

bool unowned__neighbour(struct incident_fault *f, __u64 lost_until, enum verdict *verdict)
{
	if (f->has_below && f->iova - f->below.last <= LOOKUP_NEAR && f->below.ts >= lost_until)
		f->neighbour = lookup__as_dead(&f->below, f->domain);
	else if (f->has_above && f->above.start - f->iova <= LOOKUP_NEAR &&
		 f->above.ts >= lost_until)
		f->neighbour = lookup__as_dead(&f->above, f->domain);
	else if (f->has_dead_below && f->dead_below.unmap_ts >= lost_until)
		f->neighbour = f->dead_below;
	else if (f->has_dead_above && f->dead_above.unmap_ts >= lost_until)
		f->neighbour = f->dead_above;
	else
		return false;
	*verdict = f->neighbour.last < f->iova ? VERDICT_PAST_END : VERDICT_BEFORE_START;
	f->distance = f->neighbour.last < f->iova ? f->iova - f->neighbour.last
						  : f->neighbour.start - f->iova;
	return true;
}

static bool judge_reserved(struct incident_fault *f, struct model *m,
			   const struct model_domain *dom)
{
	const struct model_device *dev = model__device(m, f->dev);
	const struct model_region *r = model__region(
		m, dom->origin, dev && dev->group >= 0 ? dev->group : dom->group, f->iova);
	bool direct = r && (r->kind == IOT_REGION_DIRECT || r->kind == IOT_REGION_RELAXABLE);

	if (!r)
		return false;
	f->has_region = true;
	f->region = *r;
	if (direct && !watched(f, m, dom).whole)
		judgement__set(&f->judgement, VERDICT_RESERVED, CONFIDENCE_LIKELY,
			       "the kernel lists the region, which is to be mapped one to one; "
			       "whether it was mapped before isn't known");
	else
		judgement__set(&f->judgement, VERDICT_RESERVED, CONFIDENCE_CERTAIN,
			       "the kernel lists the region for the device's group, and no mapping "
			       "of the address was seen");
	return true;
}

static bool judge_former(struct incident_fault *f, const struct watch *w)
{
	if (!f->has_former)
		return false;
	judgement__set(
		&f->judgement, VERDICT_OTHER_DOMAIN,
		w->whole ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY,
		"the device was in domain %u until %.1f s before the fault and had the "
		"address there; in this one it %s",
		f->former.domain, (double)(f->first - f->former_left) / 1e9,
		w->whole ? "never had it"
			 : "didn't have it as far as can be seen, which isn't from the begin");
	return true;
}

static bool judge_cut(struct incident_fault *f, __u64 lost_until)
{
	if (!f->has_cut || f->cut.map_ts < lost_until ||
	    (f->cut.unmap_ts && f->cut.unmap_ts < lost_until))
		return false;
	judgement__set(&f->judgement, VERDICT_TRUNCATED, CONFIDENCE_LIKELY,
		       "a %s mapping has the same lowest %u bits, and of all addresses that short "
		       "only one in %llu would fit one by chance",
		       f->cut.unmap_ts ? "recent" : "live", f->cut_bits,
		       (1ULL << f->cut_bits) / (f->cut_bytes ? f->cut_bytes : 1));
	return true;
}

static bool judge_edge(struct incident_fault *f, const struct watch *w)
{
	enum verdict verdict;

	if (!unowned__neighbour(f, w->lost_until, &verdict))
		return false;
	if (w->whole)
		judgement__set(&f->judgement, verdict, CONFIDENCE_LIKELY,
			       "the address itself was never mapped, and the %s of a mapping is "
			       "within a page of it; a wrong address may also lie there by chance",
			       verdict == VERDICT_PAST_END ? "end" : "start");
	else
		judgement__set(
			&f->judgement, verdict, CONFIDENCE_LIKELY,
			"the address itself wasn't mapped in the %.1f s seen before, and the "
			"%s of a mapping is within a page of it; it may still be an older "
			"mapping's",
			(double)(f->first - w->since) / 1e9,
			verdict == VERDICT_PAST_END ? "end" : "start");
	return true;
}

static bool judge_other(struct incident_fault *f, const struct watch *w)
{
	/* Every DMA domain hands out addresses from the top down: the same ones are in use
	 * everywhere. */
	if (!w->whole || f->nr_others != 1 || f->other.map_ts < w->lost_until ||
	    !judgement__allows(f->other.prot, f->access) ||
	    f->other_bytes > (1ULL << 25) / LOOKUP_CHANCE)
		return false;
	judgement__set(
		&f->judgement, VERDICT_OTHER_DOMAIN, CONFIDENCE_LIKELY,
		"this domain never had the address, exactly one other has it mapped now, and "
		"little else around it; equal addresses in two domains may still be chance");
	return true;
}

void unowned__judge(struct incident_fault *f, struct model *m, const struct model_domain *dom)
{
	struct judgement *j = &f->judgement;
	struct watch w = watched(f, m, dom);

	if (judge_reserved(f, m, dom))
		return;
	if (w.whole || f->first - w.since >= LOOKUP_FRESH) {
		if (judge_former(f, &w) || judge_cut(f, w.lost_until) || judge_edge(f, &w) ||
		    judge_other(f, &w))
			return;
	}
	if (judgement__lost(j, m, dom->seen, f->first))
		return;
	if (f->forgotten > dom->seen)
		judgement__set(j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN,
			       "no mapping of the address is remembered, but unmaps from more than "
			       "%.3f ms before the fault have been forgotten (a longer --history "
			       "keeps more)",
			       judgement__ms(f->first - f->forgotten));
	else if (dom->snapshot && !m->has_mappings)
		judgement__set(j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN,
			       "the capture has no map and no unmap at all, and the domain is "
			       "older than the capture");
	else if (dom->snapshot)
		judgement__set(j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN,
			       "nothing happened to the address since the capture began, but the "
			       "domain is older than the capture: what was mapped or unmapped "
			       "before can't be seen");
	else
		judgement__set(j, VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN,
			       "the domain has been watched from its beginning, and no map of "
			       "it is missing");
}
