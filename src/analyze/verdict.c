// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/verdict.h"

#include <stdarg.h>
#include <stdio.h>

#include "analyze/signals.h"

#define MS 1000000ULL
#define S  1000000000ULL

/* From the access to the record of it: hooks run in the fault's interrupt or thread, log lines
 * after that. */
#define REPORT_DELAY_HOOK (1 * MS)
#define REPORT_DELAY_LOG  (20 * MS)
/* Older than this, "used after unmap" and "never meant this address" look alike. */
#define FRESH (1 * S)
/* A device that runs past the end of a buffer faults in the page behind it. */
#define OVERRUN 0x1000ULL

#define LOSES_MAPPINGS                                                                      \
	(1U << IOT_LOST_RING | 1U << IOT_LOST_RARE | 1U << IOT_LOST_RECURSION |             \
	 1U << IOT_LOST_DOMAIN_TABLE | 1U << IOT_LOST_WRITER | 1U << IOT_LOST_OVERWRITTEN | \
	 1U << IOT_LOST_DAMAGE)
#define LOSES_FAULTS (1U << IOT_LOST_RARE | 1U << IOT_LOST_WRITER | 1U << IOT_LOST_DAMAGE)

static __attribute__((format(printf, 4, 5))) void
decide(struct judgement *j, enum verdict verdict, enum confidence confidence, const char *fmt, ...)
{
	va_list ap;

	j->verdict = verdict;
	j->confidence = confidence;
	va_start(ap, fmt);
	vsnprintf(j->reason, sizeof(j->reason), fmt, ap);
	va_end(ap);
}

static __attribute__((format(printf, 2, 3))) void note(struct incident *i, const char *fmt, ...)
{
	va_list ap;

	if (i->nr_notes == INCIDENT_NOTES)
		return;
	va_start(ap, fmt);
	vsnprintf(i->notes[i->nr_notes++], sizeof(i->notes[0]), fmt, ap);
	va_end(ap);
}

/* True, and the judgement is made, if events that could change it are missing. */
static bool lost_between(struct judgement *j, const struct model *m, __u64 from, __u64 to)
{
	const struct model_loss *l = model__lost(m, from, to, LOSES_MAPPINGS);

	if (!l)
		return false;
	decide(j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN,
	       "%llu events are missing (%s) between %.3f ms before and %.3f ms after the fault; a "
	       "map or an unmap of this "
	       "address may be among them",
	       l->count, l->what[0] ? l->what : "place not known",
	       ((double)to - (double)l->begin) / 1e6, ((double)l->end - (double)to) / 1e6);
	return true;
}

static __u64 report_delay(const struct incident_fault *f)
{
	for (__u32 s = 0; s < INCIDENT_SOURCES; s++)
		if (s != IOT_SRC_LOG && f->seen[s])
			return REPORT_DELAY_HOOK;
	return REPORT_DELAY_LOG;
}

static void judge_mapped(struct incident_fault *f, struct model *m)
{
	struct judgement *j = &f->judgement;
	__u64 age = f->first - f->live.ts;

	if (lost_between(j, m, f->live.ts, f->first))
		return;
	if (f->access == IOT_ACCESS_WRITE && !(f->live.prot & 2))
		decide(j, VERDICT_PERMISSION, CONFIDENCE_CERTAIN,
		       "it was mapped without the right to write, and this was a write");
	else if (f->access == IOT_ACCESS_READ && !(f->live.prot & 1))
		decide(j, VERDICT_PERMISSION, CONFIDENCE_CERTAIN,
		       "it was mapped without the right to read, and this was a read");
	else if (age < report_delay(f))
		decide(j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN,
		       "it was mapped only %.3f ms before the fault was reported, so the access "
		       "may have come before the map",
		       (double)age / 1e6);
	else
		decide(j, VERDICT_MAPPED, CONFIDENCE_LIKELY,
		       "no unmap of it was seen and no event is missing since, yet what changes "
		       "page tables past the kernel's "
		       "map and unmap functions isn't seen");
}

/* A flush that would cover the unmap may have been done by a function that wasn't traced (yet, or
 * at all). */
static bool flush_may_be_unseen(const struct incident_fault *f, struct model *m)
{
	const struct model_domain *dom = model__domain(m, f->domain);
	__u64 from = dom && dom->nr_flushes ? f->dead.unmap_ts : 0;

	return model__lost(m, from, f->first, 1U << IOT_LOST_UNHOOKED) != NULL;
}

static enum verdict flush_state(const struct incident_fault *f, struct model *m)
{
	const struct dead *d = &f->dead;

	if (d->flushed && d->flush_end <= f->first)
		return VERDICT_UNMAPPED_FLUSHED;
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
	enum verdict verdict = flush_state(f, m);
	__u64 age = f->first - d->unmap_ts;

	if (lost_between(j, m, d->unmap_ts, f->first))
		return;
	if (f->has_below && f->iova - f->below.last <= OVERRUN)
		decide(j, verdict, CONFIDENCE_LIKELY,
		       "that the address had been unmapped is certain, but the page before it is "
		       "mapped: the device may also have "
		       "run past the end of that buffer");
	else if (age > FRESH)
		decide(j, verdict, CONFIDENCE_LIKELY,
		       "the unmap was %.1f s earlier: that long after, the address may also be a "
		       "wrong one by accident",
		       (double)age / 1e9);
	else if (verdict == VERDICT_UNMAPPED_FLUSHED && f->first - d->flush_end < report_delay(f))
		decide(j, verdict, CONFIDENCE_LIKELY,
		       "that it was unmapped is certain, but the flush had ended only %.3f ms "
		       "before the fault was reported, so "
		       "the access itself may have come before its end",
		       (double)(f->first - d->flush_end) / 1e6);
	else
		decide(j, verdict, CONFIDENCE_CERTAIN,
		       "the unmap was seen, no map of the address was seen since, and no event is "
		       "missing in between");
}

static void judge_unknown_owner(struct incident_fault *f, struct model *m,
				const struct model_domain *dom)
{
	struct judgement *j = &f->judgement;

	if (lost_between(j, m, dom->seen, f->first))
		return;
	if (f->forgotten > dom->seen)
		decide(j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN,
		       "no mapping of the address is remembered, but unmaps from more than %.3f ms "
		       "before the fault have been "
		       "forgotten (a longer --history keeps more)",
		       (double)(f->first - f->forgotten) / 1e6);
	else if (dom->snapshot && !m->has_mappings)
		decide(j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN,
		       "the capture has no map and no unmap at all, and the domain is older than "
		       "the capture");
	else if (dom->snapshot)
		decide(j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN,
		       "nothing happened to the address since the capture began, but the domain is "
		       "older than the capture: what "
		       "was mapped or unmapped before can't be seen");
	else
		decide(j, VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN,
		       "the domain has been watched from its beginning and no event is missing");
}

static void judge_fault(struct incident_fault *f, struct model *m)
{
	const struct model_domain *dom = model__domain(m, f->domain);
	struct judgement *j = &f->judgement;

	if (!f->iova_known)
		decide(j, VERDICT_NO_ADDRESS, CONFIDENCE_CERTAIN,
		       "the record of the fault has no address");
	else if (!m->has_mappings && !m->capture_begin)
		decide(j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN,
		       "the input has no maps and unmaps; record the run with `iommutop record` to "
		       "see who owned the address");
	else if (!dom)
		decide(j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN,
		       "which domain the device was attached to isn't known, so its mappings "
		       "aren't either");
	else if (f->domain_by_attach && model__lost(m, dom->seen, f->first, LOSES_FAULTS))
		decide(j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN,
		       "the fault doesn't name its domain, and an attach that would tell it may be "
		       "among the missing events");
	else if (f->has_live)
		judge_mapped(f, m);
	else if (f->has_dead)
		judge_unmapped(f, m);
	else
		judge_unknown_owner(f, m, dom);
}

static void judge_hang(struct incident *i, struct model *m)
{
	const struct signal_kind *signal = signals__find(i->hang.what);
	__u64 start = m->capture_begin ? m->capture_begin : m->first,
	      seen = i->hang.ts > start ? i->hang.ts - start : 0;
	__u64 from;

	i->searched = seen < signal->window ? seen : signal->window;
	if (i->earlier_fault && i->hang.ts - i->earlier_fault < i->searched)
		i->searched = i->hang.ts - i->earlier_fault;
	from = i->hang.ts - i->searched;
	if (model__lost(m, from, i->hang.ts, LOSES_FAULTS))
		decide(&i->judgement, VERDICT_NO_FAULT, CONFIDENCE_UNKNOWN,
		       "rare events are missing in that time, a fault may be among them");
	else if (model__lost(m, from, i->hang.ts, 1U << IOT_LOST_RATELIMIT))
		decide(&i->judgement, VERDICT_NO_FAULT, CONFIDENCE_UNKNOWN,
		       "the kernel suppressed log lines in that time, a fault of this device may "
		       "be among them");
	else if (i->progressed)
		decide(&i->judgement, VERDICT_NO_FAULT, CONFIDENCE_LIKELY,
		       "the device did fault %.3f s before this hang, but went on working until "
		       "%.3f s before it",
		       (double)(i->hang.ts - i->earlier_fault) / 1e9,
		       (double)i->hang.stalled / 1e9);
	else if (i->earlier_fault)
		decide(&i->judgement, VERDICT_NO_FAULT, CONFIDENCE_LIKELY,
		       "the device did fault %.3f s before this hang, but an earlier hang, a reset "
		       "or too much time lies in between",
		       (double)(i->hang.ts - i->earlier_fault) / 1e9);
	else if (i->searched < signal->window)
		decide(&i->judgement, VERDICT_NO_FAULT, CONFIDENCE_LIKELY,
		       "the input begins only %.3f s before the hang; a fault that leads to this "
		       "kind of hang may be up to %llu s older",
		       (double)seen / 1e9, signal->window / S);
	else
		decide(&i->judgement, VERDICT_NO_FAULT, CONFIDENCE_LIKELY,
		       "nothing is missing in that time, yet not every IOMMU driver reports every "
		       "fault");
	if (signal->lost_interrupt)
		note(i, "The driver found the data complete: what was lost is the interrupt, not "
			"DMA. Look at interrupt remapping.");
}

static void note_loss(struct incident *i, const struct model *m, __u64 from, __u64 to)
{
	static const char *const causes[IOT_LOST_CAUSES] = {
		[IOT_LOST_RING] = "a ring was full",
		[IOT_LOST_RARE] = "the ring of rare events was full",
		[IOT_LOST_RECURSION] = "the kernel skipped a tracing program",
		[IOT_LOST_DOMAIN_TABLE] = "too many domains",
		[IOT_LOST_DEVICE_TABLE] = "too many devices",
		[IOT_LOST_BEGIN] = "the begin of a flush was not seen",
		[IOT_LOST_WRITER] = "the disk was too slow or full",
		[IOT_LOST_UNHOOKED] = "a flush function wasn't traced",
		[IOT_LOST_OVERWRITTEN] = "only the newest events were kept",
		[IOT_LOST_DAMAGE] = "the session is damaged",
	};

	for (size_t n = 0; n < m->nr_losses; n++) {
		const struct model_loss *l = &m->losses[n];

		if (l->begin > to || l->end < from || l->cause >= IOT_LOST_CAUSES ||
		    !causes[l->cause])
			continue;
		if (l->count)
			note(i, "%llu events are missing around it: %s.", l->count,
			     causes[l->cause]);
		else
			note(i, "Events are missing around it, how many isn't known: %s (%s).",
			     causes[l->cause], l->what);
	}
}

static void note_limits(struct incident *i, struct model *m)
{
	const struct incident_fault *f = i->nr_kept ? i->faults[0] : NULL;
	__u64 from = i->first, end = m->capture_end ? m->capture_end : m->last;

	if (f && f->has_dead)
		from = f->dead.map_ts && f->dead.map_ts < from ? f->dead.map_ts : f->dead.unmap_ts;
	note_loss(i, m, from, i->last);
	if (i->suppressed)
		note(i,
		     "The kernel suppressed %llu log lines around it: the number of faults is a "
		     "lower limit.",
		     i->suppressed);
	else if (i->reported_by_log_only && i->nr_faults)
		note(i, "The fault is known from the kernel log only, which is rate limited: there "
			"may have been more.");
	if (f && f->has_dead && !f->dead.map_ts)
		note(i, "It was mapped before the capture began: by whom isn't known.");
	if (f && f->has_dead && !f->dead.unmap_stack && !f->dead.map_stack)
		note(i, "No stacks were recorded (record --stacks): which code mapped and unmapped "
			"it isn't known.");
	if (f && f->has_dead && f->dead.unmap_flags & IOT_F_IRQ)
		note(i, "The unmap ran in an interrupt: the task named is only the one that was "
			"interrupted.");
	if (i->nr_faults && !i->hang.count && end - i->last_fault < 15 * S)
		note(i,
		     "The input ends %.3f s after the last fault: a hang that came later isn't "
		     "seen.",
		     (double)(end - i->last_fault) / 1e9);
}

void verdict__judge(struct incident *i, struct model *m)
{
	i->nr_notes = 0;
	for (__u32 n = 0; n < i->nr_kept; n++)
		judge_fault(i->faults[n], m);
	if (i->nr_faults)
		i->judgement = i->faults[0]->judgement;
	else
		judge_hang(i, m);
	note_limits(i, m);
}
