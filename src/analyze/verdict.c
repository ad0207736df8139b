// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/verdict.h"

#include "analyze/judgement.h"
#include "analyze/lookup.h"
#include "analyze/pages.h"
#include "analyze/unowned.h"
#include "model/skipped.h"

#define MS 1000000ULL
#define S  1000000000ULL

/* From the access to the record of it: hooks run in the fault's interrupt or thread, log lines
 * after that. */
#define REPORT_DELAY_HOOK (1 * MS)
#define REPORT_DELAY_LOG  (20 * MS)
/* A domain is taken apart within so long: unmaps, detach, free. */
#define TEARDOWN (100 * MS)
/* A device that lost its domain goes on for so long with what it had in hand. */
#define AFTERMATH (1 * S)
/* At the top of a mapping's page, an access that runs over its end begins. */
#define RIGHT_BEHIND 64

static __u64 report_delay(const struct incident_fault *f)
{
	for (__u32 s = 0; s < INCIDENT_SOURCES; s++)
		if (s != IOT_SRC_LOG && f->seen[s])
			return REPORT_DELAY_HOOK;
	return REPORT_DELAY_LOG;
}

/* "no … missing": where no map and no unmap is, other events may be. */
static const char *missing_none(const struct model *m, __u64 from, __u64 to)
{
	return judgement__skipped(m, from, to, ~0U) ? "map or unmap is" : "event is";
}

/* --- mapped
 * ------------------------------------------------------------------------------------ */

/* The mapping that was there at the first fault still was at the last one, long after. */
static bool faulted_on(const struct incident_fault *f, struct model *m)
{
	struct model_domain *dom = model__domain(m, f->domain);
	const struct range *r = dom ? ranges__find(&dom->live, f->iova) : NULL;

	return r && r->ts == f->live.ts && f->last - f->live.ts >= report_delay(f);
}

static void judge_permission(struct incident_fault *f)
{
	struct judgement *j = &f->judgement;
	const char *access = f->access == IOT_ACCESS_WRITE ? "write" : "read";

	if (!f->access)
		judgement__set(j, VERDICT_PERMISSION, CONFIDENCE_LIKELY,
			       "it was mapped for one direction only; whether this was a read or a "
			       "write the record doesn't say");
	else if (f->has_dead && f->live.ts - f->dead.unmap_ts < LOOKUP_FRESH &&
		 judgement__allows(f->dead.prot, f->access))
		judgement__set(j, VERDICT_PERMISSION, CONFIDENCE_LIKELY,
			       "it was mapped without the right to %s, but the mapping before it, "
			       "unmapped %.3f ms before the fault, had that right: this may be a "
			       "late use of that one",
			       access, judgement__ms(f->first - f->dead.unmap_ts));
	else
		judgement__set(j, VERDICT_PERMISSION, CONFIDENCE_CERTAIN,
			       "it was mapped without the right to %s, and this was a %s", access,
			       access);
}

static void judge_mapped(struct incident_fault *f, struct model *m)
{
	struct judgement *j = &f->judgement;
	__u64 age = f->first - f->live.ts;

	if (judgement__lost(j, m, f->live.ts, f->first))
		return;
	if (!judgement__allows(f->live.prot, f->access))
		judge_permission(f);
	else if (age < report_delay(f) && f->has_dead && !faulted_on(f, m))
		judgement__set(j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN,
			       "it was mapped only %.3f ms before the fault was reported, so this "
			       "may be a late use of the mapping before, which was unmapped "
			       "%.3f ms before the fault",
			       judgement__ms(age), judgement__ms(f->first - f->dead.unmap_ts));
	else if (age < report_delay(f) && !faulted_on(f, m))
		judgement__set(j, VERDICT_MAPPED, CONFIDENCE_LIKELY,
			       "it was mapped only %.3f ms before the fault was reported, but "
			       "before that nobody is known to have had the address",
			       judgement__ms(age));
	else
		judgement__set(j, VERDICT_MAPPED, CONFIDENCE_LIKELY,
			       "no unmap of it was seen and no %s missing since, yet what "
			       "changes page tables past the kernel's map and unmap functions "
			       "isn't seen",
			       missing_none(m, f->live.ts, f->first));
}

/* --- unmapped
 * ---------------------------------------------------------------------------------- */

/* A flush that would cover the unmap may have been done by a function that wasn't traced (yet, or
 * at all), or by the driver's own unmap function, or its end isn't in the recording. */
static bool flush_may_be_unseen(const struct incident_fault *f, struct model *m)
{
	const struct model_domain *dom = model__domain(m, f->domain);
	__u64 from = dom && dom->nr_flushes ? f->dead.unmap_ts : 0;

	if (dom && dom->no_sync && f->dead.mode == IOT_UNMAP_STRICT)
		return true;
	return f->unwatched ||
	       model__lost(m, from, f->first, 1U << IOT_LOST_UNHOOKED | 1U << IOT_LOST_UNENDED);
}

static enum verdict flush_state(const struct incident_fault *f, struct model *m)
{
	const struct dead *d = &f->dead;

	if (d->flushed && d->flush_end <= f->first)
		return VERDICT_UNMAPPED_FLUSHED;
	if (judgement__skipped(m, d->unmap_ts, f->first, SKIPPED_FLUSHES))
		return VERDICT_UNMAPPED;
	if (d->flushed && d->flush_begin <= f->first)
		return VERDICT_UNMAPPED_FLUSHING;
	if (flush_may_be_unseen(f, m))
		return VERDICT_UNMAPPED;
	if (d->flushed || d->mode == IOT_UNMAP_LAZY || d->mode == IOT_UNMAP_STRICT)
		return VERDICT_UNMAPPED_WINDOW;
	return VERDICT_UNMAPPED;
}

static void judge_unmapped(struct incident_fault *f, struct model *m)
{
	struct judgement *j = &f->judgement;
	const struct dead *d = &f->dead;
	enum verdict verdict = flush_state(f, m), edge;
	__u64 age = f->first - d->unmap_ts;

	if (judgement__lost(j, m, d->unmap_ts, f->first))
		return;
	if (age > LOOKUP_FRESH && unowned__neighbour(f, 0, &edge) && edge == VERDICT_PAST_END &&
	    !f->neighbour.unmap_ts && f->distance <= RIGHT_BEHIND)
		judgement__set(j, edge, CONFIDENCE_LIKELY,
			       "the address itself was last unmapped %.1f s earlier, and it lies "
			       "right behind a mapping: running over that end is likelier than "
			       "using so old an address",
			       (double)age / 1e9);
	else if (f->has_below && f->iova - f->below.last <= LOOKUP_NEAR)
		judgement__set(j, verdict, CONFIDENCE_LIKELY,
			       "that the address had been unmapped is certain, but the page before "
			       "it is mapped: the device may also have run past the end of that "
			       "buffer");
	else if (age > LOOKUP_FRESH)
		judgement__set(j, verdict, CONFIDENCE_LIKELY,
			       "the unmap was %.1f s earlier: that long after, the address may "
			       "also be a wrong one by accident",
			       (double)age / 1e9);
	else if (verdict == VERDICT_UNMAPPED_FLUSHED && f->first - d->flush_end < report_delay(f))
		judgement__set(j, verdict, CONFIDENCE_LIKELY,
			       "that it was unmapped is certain, but the flush had ended only "
			       "%.3f ms before the fault was reported, so the access itself may "
			       "have come before its end",
			       judgement__ms(f->first - d->flush_end));
	else
		judgement__set(j, verdict, CONFIDENCE_CERTAIN,
			       "the unmap was seen, no map of the address was seen since, and no "
			       "%s missing in between",
			       missing_none(m, d->unmap_ts, f->first));
}

/* --- taken apart
 * ------------------------------------------------------------------------------- */

/* When the device left the domain, or the domain was freed; 0 = neither. */
static __u64 left_at(const struct incident_fault *f, struct model *m,
		     const struct model_domain *dom)
{
	const struct model_device *dev = model__device(m, f->dev);
	__u64 left = 0;

	for (__u32 n = 0; dev && n < dev->nr_stays && n < MODEL_STAYS; n++) {
		const struct model_stay *s = &dev->stays[n];

		if (s->domain != dom->nr)
			continue;
		if (s->from <= f->first && f->first <= s->to)
			return s->to;
		if (s->to < f->first && s->to > left)
			left = s->to;
	}
	/* It may have come back since. */
	if (dev && dev->domain == dom->nr && dev->attached <= f->first)
		return dom->freed;
	return left ? left : dom->freed;
}

/* The owner, if there was one, lost the address when the domain or the device's part in it ended.
 */
static bool went_with_domain(const struct incident_fault *f, __u64 left)
{
	__u64 gone = f->has_live ? left : f->dead.unmap_ts;

	return f->has_live || (f->has_dead && gone + TEARDOWN >= left && gone <= left + TEARDOWN);
}

/* Accesses that no mapping could have helped, because the domain was going or the device was being
 * reset. */
static bool judge_torn_down(struct incident_fault *f, struct model *m,
			    const struct model_domain *dom)
{
	struct judgement *j = &f->judgement;
	const struct model_device *dev = model__device(m, f->dev);
	__u64 left = left_at(f, m, dom);

	if (left && left <= f->first + TEARDOWN && f->first <= left + AFTERMATH &&
	    went_with_domain(f, left) && !model__lost(m, left, f->first, JUDGEMENT_LOSES_FAULTS)) {
		f->has_left = true;
		f->left = left;
		judgement__set(j, VERDICT_TORN_DOWN, CONFIDENCE_CERTAIN,
			       "the end of the domain, or of the device's part in it, was seen "
			       "%.3f ms %s the fault",
			       judgement__ms(left < f->first ? f->first - left : left - f->first),
			       left <= f->first ? "before" : "after");
		return true;
	}
	if (f->has_dead && !f->has_live && f->reset_ts && f->dead.unmap_ts >= f->reset_ts) {
		judgement__set(j, VERDICT_TORN_DOWN, CONFIDENCE_LIKELY,
			       "the address was unmapped while the device was being reset: the "
			       "reset had begun %.3f ms before the fault",
			       judgement__ms(f->first - f->reset_ts));
		return true;
	}
	if (f->has_live || f->has_dead)
		return false;
	if (f->has_former && f->first - f->former_left <= AFTERMATH &&
	    !model__lost(m, f->former_left, f->first, JUDGEMENT_LOSES_FAULTS)) {
		f->has_left = true;
		f->left = f->former_left;
		judgement__set(j, VERDICT_TORN_DOWN, CONFIDENCE_CERTAIN,
			       "it had the address in domain %u, and left that one %.3f ms before "
			       "the fault",
			       f->former.domain, judgement__ms(f->first - f->former_left));
		return true;
	}
	if (dom->type_known && dom->type == IOT_TYPE_BLOCKED) {
		judgement__set(j, VERDICT_TORN_DOWN, CONFIDENCE_CERTAIN,
			       "the device is in a domain that blocks every access, as while it is "
			       "reset or given to somebody else");
		return true;
	}
	/* What the former domain had mapped isn't known: it may well have been this. */
	if (dev && dev->domain == dom->nr && dev->nr_stays && dev->attached <= f->first &&
	    f->first - dev->attached <= TEARDOWN) {
		const struct model_stay *s = &dev->stays[(dev->nr_stays - 1) % MODEL_STAYS];
		const struct model_domain *old = model__domain(m, s->domain);

		if (!old || dev->attached - s->to > TEARDOWN ||
		    !(old->snapshot || (old->type_known && old->type == IOT_TYPE_IDENTITY)))
			return false;
		f->has_left = true;
		f->left = s->to;
		judgement__set(j, VERDICT_TORN_DOWN, CONFIDENCE_LIKELY,
			       "the device had left domain %u only %.3f ms before; what it could "
			       "use there isn't known",
			       s->domain, judgement__ms(f->first - s->to));
		return true;
	}
	return false;
}

/* The device is attached to nothing: where it was before, the address may have been mapped. */
static bool judge_detached(struct incident_fault *f, struct model *m)
{
	const struct model_device *dev = model__device(m, f->dev);
	const struct model_stay *s;

	if (f->domain || !dev || dev->domain || !dev->nr_stays)
		return false;
	s = &dev->stays[(dev->nr_stays - 1) % MODEL_STAYS];
	if (s->to > f->first || model__lost(m, s->to, f->first, JUDGEMENT_LOSES_FAULTS))
		return false;
	f->has_left = true;
	f->left = s->to;
	judgement__set(&f->judgement, VERDICT_TORN_DOWN, CONFIDENCE_CERTAIN,
		       "it had left domain %u %.3f ms before the fault and was in none since",
		       s->domain, judgement__ms(f->first - s->to));
	return true;
}

/* Domains whose translations don't go through the kernel's map and unmap functions. */
static const char *unseen_mappings(const struct model_domain *dom)
{
	if (!dom->type_known)
		return NULL;
	switch (dom->type) {
	case IOT_TYPE_IDENTITY:
		return "the domain passes addresses through as they are, nothing is mapped in it";
	case IOT_TYPE_SVA:
		return "the domain uses a process's page tables: what is mapped there isn't seen";
	case IOT_TYPE_NESTED:
		return "the domain uses a guest's page tables: what is mapped there isn't seen";
	case IOT_TYPE_PLATFORM:
		return "the domain is its driver's own: what is mapped there isn't seen";
	}
	return NULL;
}

static void judge_fault(struct incident_fault *f, struct model *m)
{
	const struct model_domain *dom = model__domain(m, f->domain);
	struct judgement *j = &f->judgement;

	f->has_region = f->has_left = false;
	if (!f->iova_known)
		judgement__no_address(j, m, f);
	else if (!m->has_mappings && !m->capture_begin)
		judgement__set(j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN,
			       "the input has no maps and unmaps; record the run with `iommutop "
			       "record` to see who owned the address");
	else if (judge_detached(f, m))
		return;
	else if (!dom)
		judgement__set(j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN,
			       "which domain the device was attached to isn't known, so its "
			       "mappings aren't either");
	else if (f->domain_by_attach && model__lost(m, dom->seen, f->first, JUDGEMENT_LOSES_FAULTS))
		judgement__set(
			j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN,
			"the fault doesn't name its domain, and an attach that would tell it may "
			"be among the missing events");
	else if (judge_torn_down(f, m, dom))
		return;
	else if (unseen_mappings(dom))
		judgement__set(j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN, "%s",
			       unseen_mappings(dom));
	else if (f->has_live)
		judge_mapped(f, m);
	else if (f->has_dead)
		judge_unmapped(f, m);
	else
		unowned__judge(f, m, dom);
}

void verdict__judge(struct incident *i, struct model *m, __u64 *work)
{
	i->nr_notes = 0;
	pages__judge(i, m);
	for (__u32 n = 0; n < i->nr_kept; n++) {
		judge_fault(i->faults[n], m);
		if (i->faults[n]->domain_by_alias &&
		    i->faults[n]->judgement.confidence == CONFIDENCE_CERTAIN)
			i->faults[n]->judgement.confidence = CONFIDENCE_LIKELY;
		lookup__reuse(i->faults[n], m, work);
	}
	if (i->nr_faults)
		i->judgement = i->faults[0]->judgement;
	else
		judgement__without_fault(i, m);
	i->floor = i->nr_faults && (i->suppressed || i->reported_by_log_only ||
				    model__lost(m, i->first_fault, i->last_fault,
						JUDGEMENT_LOSES_FAULTS | 1U << IOT_LOST_RATELIMIT |
							1U << IOT_LOST_RECORD));
	judgement__limits(i, m);
}
