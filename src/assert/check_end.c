// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is decided at the end: invariants that rest on incidents (no-fault, no-hang,
 * no-stale-access, invalidation-timeout, sync-map), on the state of devices (domain-type) and on
 * the self-checks (coverage).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/lookup.h"
#include "analyze/why.h"
#include "assert/internal.h"

/* Who a failed invalidation was for: log lines name the IOMMU at the most; the flush that took so
 * long, if one was seen, has a domain and perhaps a device. */
static struct place waited(struct checks *c, const struct incident *i)
{
	__u32 dev = i->stall.count && i->stall.dev ? i->stall.dev
		    : i->error.dev                 ? i->error.dev
						   : i->dev;

	return checks__place(c, dev, i->stall.count ? i->stall.domain : 0);
}

static void fault(struct checks *c, __u32 n, const struct incident *i)
{
	const struct incident_fault *f = i->nr_kept ? i->faults[0] : NULL;

	checks__violation(c,
			  &(struct violation){ .id = INV_NO_FAULT,
					       .where = checks__place(c, i->dev, f ? f->domain : 0),
					       .ts = i->first_fault,
					       .times = i->nr_faults,
					       .incident = n + 1 },
			  f && f->iova_known ? "%s%llu fault%s, the first at 0x%llx"
					     : "%s%llu fault%s, address not known",
			  i->floor || i->suppressed ? "at least " : "", i->nr_faults,
			  i->nr_faults == 1 ? "" : "s", f ? f->iova : 0);
}

static bool is_stale(enum verdict v)
{
	return v == VERDICT_UNMAPPED_WINDOW || v == VERDICT_UNMAPPED_FLUSHING ||
	       v == VERDICT_UNMAPPED_FLUSHED || v == VERDICT_UNMAPPED;
}

/* That the address had been unmapped is certain; that it was meant is, unless it is an old one, or
 * the device may have run over the end of the page before. */
static bool surely_stale(const struct incident_fault *f)
{
	return f->judgement.confidence == CONFIDENCE_CERTAIN ||
	       (f->first - f->dead.unmap_ts <= LOOKUP_FRESH &&
		!(f->has_below && f->iova - f->below.last <= LOOKUP_NEAR));
}

static void stale(struct checks *c, __u32 n, const struct incident *i)
{
	const struct incident_fault *first = NULL;
	struct place where = checks__place(c, i->dev, 0);
	__u64 times = 0;

	for (__u32 k = 0; k < i->nr_kept; k++) {
		const struct incident_fault *f = i->faults[k];

		if (is_stale(f->judgement.verdict) && surely_stale(f)) {
			first = first ? first : f;
			times += f->count;
		} else if (is_stale(f->judgement.verdict)) {
			checks__doubt(c, INV_NO_STALE_ACCESS, where,
				      "%s: a fault at 0x%llx may be a use after unmap: %s",
				      place__name(c, where).s, f->iova, f->judgement.reason);
		} else if (f->judgement.verdict == VERDICT_CANNOT_KNOW ||
			   f->judgement.verdict == VERDICT_NO_ADDRESS) {
			checks__doubt(c, INV_NO_STALE_ACCESS, where,
				      "%s: what a fault was can't be known: %s",
				      place__name(c, where).s, f->judgement.reason);
		}
	}
	if (i->nr_other)
		checks__doubt(c, INV_NO_STALE_ACCESS, where,
			      "%s: %llu more faults of an incident were counted, not judged",
			      place__name(c, where).s, i->nr_other);
	if (!first)
		return;
	checks__violation(c,
			  &(struct violation){ .id = INV_NO_STALE_ACCESS,
					       .where = checks__place(c, first->dev, first->domain),
					       .ts = first->first,
					       .times = times,
					       .incident = n + 1,
					       .stack = first->dead.unmap_stack },
			  "0x%llx was used %.1f us after its unmap (%s)", first->iova,
			  (double)(first->first - first->dead.unmap_ts) / 1e3,
			  first->judgement.verdict == VERDICT_UNMAPPED_WINDOW ? "before the flush"
			  : first->judgement.verdict == VERDICT_UNMAPPED_FLUSHING
				  ? "during the flush"
			  : first->judgement.verdict == VERDICT_UNMAPPED_FLUSHED
				  ? "after the flush"
				  : "whether it had been flushed isn't known");
}

static void not_synced(struct checks *c, __u32 n, const struct incident *i)
{
	for (__u32 k = 0; k < i->nr_kept; k++) {
		const struct incident_fault *f = i->faults[k];
		struct watched *w = f->domain ? checks__domain(c, f->domain) : NULL;

		if (!w || !w->has_sync_map)
			continue;
		if (f->judgement.verdict == VERDICT_MAPPED)
			checks__violation(
				c,
				&(struct violation){ .id = INV_SYNC_MAP,
						     .where = checks__place(c, f->dev, f->domain),
						     .ts = f->first,
						     .times = f->count,
						     .incident = n + 1,
						     .stack = f->live.stack },
				"0x%llx faulted although it had been mapped for %.1f us", f->iova,
				(double)(f->first - f->live.ts) / 1e3);
		else if (f->judgement.verdict == VERDICT_CANNOT_KNOW)
			checks__doubt(c, INV_SYNC_MAP, checks__place(c, f->dev, f->domain),
				      "%s: what a fault was can't be known: %s",
				      place__name(c, checks__place(c, f->dev, f->domain)).s,
				      f->judgement.reason);
	}
}

void ends__incidents(struct checks *c)
{
	const struct incidents *in = &c->a->incidents;

	for (__u32 n = 0; n < in->nr; n++) {
		const struct incident *i = in->list[n];
		const struct incident_trouble *t = &i->hang, *e = &i->error;

		if (i->nr_faults) {
			fault(c, n, i);
			stale(c, n, i);
			not_synced(c, n, i);
		}
		if (t->count)
			checks__violation(c,
					  &(struct violation){ .id = INV_NO_HANG,
							       .where = checks__place(c, t->dev, 0),
							       .ts = t->ts,
							       .times = t->count,
							       .incident = n + 1 },
					  "%s%s", t->what, t->count > 1 ? ", more than once" : "");
		if (e->count && e->kind == IOT_ERROR_INVALIDATION)
			checks__violation(c,
					  &(struct violation){ .id = INV_INVALIDATION_TIMEOUT,
							       .where = waited(c, i),
							       .ts = e->ts,
							       .times = e->count,
							       .incident = n + 1 },
					  "%s", e->what);
	}
}

/* --- domain-type
 * ------------------------------------------------------------------------------- */

/* In the order of the words of the parameter. */
enum wanted { WANT_DMA_FQ, WANT_DMA, WANT_IDENTITY, WANT_UNMANAGED, WANT_BLOCKED, WANT_OTHER };

static enum wanted effective(const struct model_domain *dom)
{
	switch (dom->type) {
	case IOT_TYPE_DMA_FQ:
		return dom->fq_known && !dom->fq_active ? WANT_DMA : WANT_DMA_FQ;
	case IOT_TYPE_DMA:
		return dom->fq_known && dom->fq_active ? WANT_DMA_FQ : WANT_DMA;
	case IOT_TYPE_IDENTITY:
		return WANT_IDENTITY;
	case IOT_TYPE_UNMANAGED:
		return WANT_UNMANAGED;
	case IOT_TYPE_BLOCKED:
		return WANT_BLOCKED;
	default:
		return WANT_OTHER;
	}
}

/* Its domain, or the last one that it had in the segment. */
static struct model_domain *domain_of(struct checks *c, const struct model_device *dev, __u64 from)
{
	const struct model_stay *stay;

	if (dev->domain || !dev->nr_stays)
		return model__domain(&c->a->model, dev->domain);
	stay = &dev->stays[(dev->nr_stays - 1) % MODEL_STAYS];
	return stay->to >= from ? model__domain(&c->a->model, stay->domain) : NULL;
}

/* Who decided, as far as that is known, and because of what; false: the recording doesn't say, or
 * the domain is neither the group's default one nor its owner's. */
static bool decided(struct checks *c, const struct model_device *dev,
		    const struct model_domain *dom, bool because, char *out, size_t size)
{
	struct why_group group;
	struct why_core core;
	struct why why;
	char by[80];

	if (!why__group(&group, &c->a->model, dev->origin, dev->group))
		return false;
	why__core(&core, &c->a->model, dev->origin);
	why__decide(&why, &core, &group);
	if ((int)dom->type != (group.owned ? group.now_type : why.type) || !why.because[0])
		return false;
	why__deciders(&why, by, sizeof(by));
	snprintf(out, size, "decided by: %s, %s%s%s", by, why__sure_name(why.sure),
		 because ? ": " : "", because ? why.because : "");
	return true;
}

/* What was seen of it, for who wants to find out. */
static void facts(struct checks *c, const struct model_domain *dom, char *out, size_t size)
{
	const char *options = model__attr(&c->a->model, "iommu_options");
	int n;

	n = snprintf(out, size, "type %u, flush queue %s", dom->type,
		     !dom->fq_known   ? "not known"
		     : dom->fq_active ? "active"
				      : "not active");
	if (options && *options && n >= 0 && (size_t)n < size)
		n += snprintf(out + n, size - (size_t)n, "; command line: %s", options);
	for (int i = 0; i < 2; i++)
		if (c->policy[i][0] && n >= 0 && (size_t)n < size)
			n += snprintf(out + n, size - (size_t)n, "; log: %s", c->policy[i]);
}

/* Whether the rule hasn't judged the device as that yet: one that stays what it is counts once,
 * in however many phases. */
static bool is_news(struct checks *c, struct rule_state *rule, struct segment *seg, __u32 dev,
		    struct typed_as as)
{
	struct typed_as *t = idtab__find(&rule->types, dev);

	if (!t) {
		t = calloc(1, sizeof(*t));
		if (!t || idtab__set(&rule->types, dev, t)) {
			free(t);
			c->error = -ENOMEM;
			return true;
		}
		seg->looked++;
	} else if (t->domain == as.domain && t->is == as.is) {
		return false;
	}
	*t = as;
	return true;
}

static void check_type(struct checks *c, struct rule_state *rule, struct model_device *dev,
		       __u32 segment)
{
	const char *const *names = rule->rule->invariant->params[0].words;
	struct model_domain *dom = domain_of(c, dev, c->began[segment]);
	struct segment *seg = &rule->seg[segment];
	struct place where = { dev, dom };
	enum wanted is;
	char why[360];

	if (!rule__concerns(rule, c, where))
		return;
	if (!dom || !dom->type_known) {
		/* a device without an IOMMU has none, nor one that had left before */
		if ((dev->group >= 0 && !dev->nr_stays) || dom)
			segment__doubt(seg, "%s: its domain's type isn't known", dev->name);
		return;
	}
	is = effective(dom);
	if (!is_news(c, rule, seg, dev->nr, (struct typed_as){ dom->nr, (__u32)is }))
		return;
	if (!decided(c, dev, dom, is != rule->rule->params[0], why, sizeof(why)))
		facts(c, dom, why, sizeof(why));
	if (is != rule->rule->params[0])
		checks__violation(
			c,
			&(struct violation){ .id = INV_DOMAIN_TYPE, .where = where, .only = rule },
			"the domain is %s, not %s (%s)",
			is == WANT_OTHER ? "of another type" : names[is],
			names[rule->rule->params[0]], why);
	else if (!rule->result.says[0])
		snprintf(rule->result.says, sizeof(rule->result.says), "%s: %s", dev->name, why);
}

void ends__types(struct checks *c, __u32 segment)
{
	__u32 phase = checks__phase(c, segment);

	for (__u32 i = 0; i < c->nr_by_id[INV_DOMAIN_TYPE]; i++) {
		struct rule_state *rule = c->by_id[INV_DOMAIN_TYPE][i];

		if (!(rule->rule->phases & phase))
			continue;
		idtab__for_each (&c->a->model.devices, s)
			check_type(c, rule, s->value, segment);
	}
}

/* --- coverage
 * ---------------------------------------------------------------------------------- */

static const char *check_name(__u32 check)
{
	static const char *const names[] = {
		[IOT_CHECK_MAP_BYTES] = "bytes mapped",
		[IOT_CHECK_UNMAP_BYTES] = "bytes unmapped",
		[IOT_CHECK_UNMAP_COUNT] = "unmaps",
		[IOT_CHECK_FQ_FLUSHES] = "flushes of the flush queue",
		[IOT_CHECK_DOMAIN_KNOWN] = "events with a known domain",
	};

	return check < sizeof(names) / sizeof(names[0]) && names[check] ? names[check] : "events";
}

void ends__coverage(struct checks *c)
{
	const struct model *m = &c->a->model;

	for (size_t n = 0; n < m->nr_checks; n++) {
		const struct iot_coverage *k = &m->checks[n];
		__u64 off = k->ours > k->control ? k->ours - k->control : k->control - k->ours;
		struct place where = checks__place(c, 0, k->h.domain);

		for (__u32 i = 0; i < c->nr_by_id[INV_COVERAGE]; i++) {
			struct rule_state *rule = c->by_id[INV_COVERAGE][i];
			__u32 from = checks__segment_of(c, k->begin),
			      to = checks__segment_of(c, k->h.ts);

			if (!rule__concerns(rule, c, where))
				continue;
			/* it is about every phase that it lasted through */
			for (__u32 seg = from; seg <= to; seg++) {
				__u64 ts = seg == to     ? k->h.ts
					   : seg == from ? k->begin
							 : c->began[seg];

				if (seg && !c->began[seg])
					continue;
				rule->seg[seg].looked++;
				if (off > k->slack)
					checks__violation(c,
							  &(struct violation){ .id = INV_COVERAGE,
									       .where = where,
									       .only = rule,
									       .ts = ts },
							  "%s: the hooks saw %llu, the kernel's "
							  "own count is %llu; "
							  "%u may be under way",
							  check_name(k->check), k->ours, k->control,
							  k->slack);
			}
		}
	}
}
