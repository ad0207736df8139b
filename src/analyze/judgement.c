// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/judgement.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "analyze/signals.h"
#include "analyze/why.h"
#include "model/skipped.h"

#define S 1000000000ULL

/* Below this share of the time, flushes and IOVA allocations don't explain that nothing moves. */
#define SMALL_SHARE 100 /* a hundredth */
/* If the driver doesn't say for how long nothing moved. */
#define SHARE_WINDOW (5 * S)

void judgement__set(struct judgement *j, enum verdict verdict, enum confidence confidence,
		    const char *reason, ...)
{
	va_list ap;

	j->verdict = verdict;
	j->confidence = confidence;
	va_start(ap, reason);
	vsnprintf(j->reason, sizeof(j->reason), reason, ap);
	va_end(ap);
}

/* "from 9.000 ms to 8.500 ms before the fault" */
static void say_when(char *out, size_t size, const struct model_loss *l, __u64 fault)
{
	double begin = ((double)fault - (double)l->begin) / 1e6,
	       end = ((double)l->end - (double)fault) / 1e6;

	if (l->end <= fault)
		snprintf(out, size, "from %.3f ms to %.3f ms before", begin, 0 - end);
	else if (l->begin >= fault)
		snprintf(out, size, "from %.3f ms to %.3f ms after", 0 - begin, end);
	else
		snprintf(out, size, "between %.3f ms before and %.3f ms after", begin, end);
}

bool judgement__loses_mappings(const struct model_loss *l)
{
	if (l->cause >= IOT_LOST_CAUSES || !(JUDGEMENT_LOSES_MAPPINGS & 1U << l->cause))
		return false;
	return l->cause != IOT_LOST_RECURSION ||
	       skipped__of(l->what) & (SKIPPED_MAPS | SKIPPED_RARE);
}

bool judgement__skipped(const struct model *m, __u64 from, __u64 to, __u32 told)
{
	for (size_t n = 0; n < m->nr_losses; n++) {
		const struct model_loss *l = &m->losses[n];

		if (l->cause == IOT_LOST_RECURSION && l->begin <= to && l->end >= from &&
		    skipped__of(l->what) & told)
			return true;
	}
	return false;
}

/* The first loss in that time that may have a map or an unmap in it; NULL: there is none. */
static const struct model_loss *lost_mappings(const struct model *m, __u64 from, __u64 to)
{
	for (size_t n = 0; n < m->nr_losses; n++) {
		const struct model_loss *l = &m->losses[n];

		if (judgement__loses_mappings(l) && l->begin <= to && l->end >= from)
			return l;
	}
	return NULL;
}

bool judgement__lost(struct judgement *j, const struct model *m, __u64 from, __u64 to)
{
	const struct model_loss *l = lost_mappings(m, from, to);
	char count[24] = "", when[80];

	if (!l)
		return false;
	if (l->count)
		snprintf(count, sizeof(count), "%llu ", l->count);
	say_when(when, sizeof(when), l, to);
	judgement__set(j, VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN,
		       "%sevents are missing (%s) %s the fault; a map or an unmap of this address "
		       "may be among them",
		       count, l->what[0] ? l->what : "place not known", when);
	return true;
}

void incident__note(struct incident *i, const char *fmt, ...)
{
	va_list ap;

	if (i->nr_notes == INCIDENT_NOTES)
		return;
	va_start(ap, fmt);
	vsnprintf(i->notes[i->nr_notes++], sizeof(i->notes[0]), fmt, ap);
	va_end(ap);
}

bool judgement__sees_answers(const struct model *m, __u32 origin)
{
	const char *how = model__attr_of(m, origin, "plan.page-answered");

	return !how || !strncmp(how, "fexit ", 6);
}

static __u64 begin_of(const struct model *m)
{
	return m->capture_begin ? m->capture_begin : m->first;
}

/* How much of the time before the hang went into flushes and IOVA allocations of its domain. */
static void measure_share(struct incident *i, struct model *m)
{
	const struct model_device *dev = model__device(m, i->hang.dev);
	const struct model_domain *dom = dev ? model__domain(m, dev->domain) : NULL;
	__u64 window = i->hang.stalled ? i->hang.stalled : SHARE_WINDOW,
	      longest = (MODEL_LOAD_SLOTS - 1ULL) << MODEL_LOAD_SHIFT, from;
	struct model_load load;

	i->share = (struct incident_share){ 0 };
	if (!dom || !m->has_mappings || i->hang.ts < begin_of(m))
		return;
	if (window > i->hang.ts - begin_of(m))
		window = i->hang.ts - begin_of(m);
	/* The slots of a time that lies far back have been used again since. */
	if (window > longest || m->last - i->hang.ts > longest - window)
		return;
	from = i->hang.ts - window;
	if (dev->attached > from)
		return;
	load = model__load(dom, from, i->hang.ts);
	i->share = (struct incident_share){ .known = true,
					    .window = window,
					    .domain = dom->nr,
					    .flushes = load.flushes,
					    .flush_ns = load.flush_ns,
					    .flush_longest = load.flush_longest,
					    .allocs = load.allocs,
					    .alloc_ns = load.alloc_ns,
					    .alloc_longest = load.alloc_longest };
}

static bool small_share(const struct incident_share *s)
{
	return s->known && s->flush_ns + s->alloc_ns <= s->window / SMALL_SHARE;
}

/*
 * An AMD-Vi that caches what isn't present is emulated. QEMU's refuses an access without telling
 * its guest (seen with 10.0; 11.1 tells), so that nothing speaks for the IOMMU if nothing is heard
 * of it.
 */
static bool silent_iommu(struct incident *i, struct model *m)
{
	const struct model_device *dev = model__device(m, i->hang.dev);
	struct why_core core;

	why__core(&core, m, dev ? dev->origin : 0);
	if (!core.np_cache[0])
		return false;
	incident__note(i,
		       "The machine is virtual (%s caches what isn't present), and QEMU's AMD-Vi "
		       "before 11 refuses accesses without a word: a fault may have been there.",
		       core.np_cache);
	return true;
}

static void judge_hang(struct incident *i, struct model *m)
{
	bool silent = silent_iommu(i, m);
	const struct signal_kind *signal = signals__find(i->hang.what);
	__u64 seen = i->hang.ts > begin_of(m) ? i->hang.ts - begin_of(m) : 0, from;
	struct judgement *j = &i->judgement;

	i->searched = seen < signal->window ? seen : signal->window;
	if (i->earlier_fault && i->hang.ts - i->earlier_fault < i->searched)
		i->searched = i->hang.ts - i->earlier_fault;
	from = i->hang.ts - i->searched;
	measure_share(i, m);
	i->cleared = false;
	if (i->unsaid_fault) {
		judgement__set(
			j, VERDICT_NO_FAULT, CONFIDENCE_UNKNOWN,
			"a device faulted %.3f s before, and it may be this one; what a name "
			"stands for, the log of the whole boot or a recording says",
			(double)(i->hang.ts - i->unsaid_fault) / 1e9);
	} else if (model__lost(m, from, i->hang.ts, JUDGEMENT_LOSES_FAULTS)) {
		judgement__set(j, VERDICT_NO_FAULT, CONFIDENCE_UNKNOWN,
			       "rare events are missing in that time, a fault may be among them");
	} else if (model__lost(m, from, i->hang.ts, 1U << IOT_LOST_RATELIMIT)) {
		judgement__set(j, VERDICT_NO_FAULT, CONFIDENCE_UNKNOWN,
			       "the kernel suppressed log lines in that time, a fault of this "
			       "device may be among them");
	} else if (model__lost(m, from, i->hang.ts, 1U << IOT_LOST_RECORD)) {
		judgement__set(
			j, VERDICT_NO_FAULT, CONFIDENCE_UNKNOWN,
			"the IOMMU had faults without a record in that time, or one that was "
			"not read: a fault of this device may be among them");
	} else if (i->error.count && i->error.kind == IOT_ERROR_IOMMU) {
		judgement__set(j, VERDICT_NO_FAULT, CONFIDENCE_UNKNOWN,
			       "the IOMMU reported an error of its own (%s) in that time: it may "
			       "have lost faults",
			       i->error.what);
	} else if (i->progressed) {
		judgement__set(j, VERDICT_NO_FAULT, CONFIDENCE_LIKELY,
			       "the device did fault %.3f s before this hang, but went on working "
			       "until %.3f s before it",
			       (double)(i->hang.ts - i->earlier_fault) / 1e9,
			       (double)i->hang.stalled / 1e9);
	} else if (i->earlier_fault) {
		judgement__set(j, VERDICT_NO_FAULT, CONFIDENCE_LIKELY,
			       "the device did fault %.3f s before this hang, but an earlier hang, "
			       "a reset or too much time lies in between",
			       (double)(i->hang.ts - i->earlier_fault) / 1e9);
	} else if (i->searched < signal->window) {
		judgement__set(j, VERDICT_NO_FAULT, CONFIDENCE_LIKELY,
			       "the input begins only %.3f s before the hang; a fault that leads "
			       "to this kind of hang may be up to %llu s older",
			       (double)seen / 1e9, signal->window / S);
	} else {
		i->cleared = small_share(&i->share) && !i->page.count && !signal->lost_interrupt &&
			     !silent && !model__lost(m, from, i->hang.ts, JUDGEMENT_LOSES_FLUSHES);
		judgement__set(j, VERDICT_NO_FAULT, CONFIDENCE_LIKELY,
			       i->cleared
				       ? "no fault, no failed invalidation, no stalled flush and "
					 "no missing event in that time, yet not every IOMMU "
					 "driver reports every fault"
			       : m->has_mappings || m->capture_begin
				       ? "nothing is missing in that time, yet not every IOMMU "
					 "driver reports every fault"
				       : "the log has no fault in that time and the kernel says of "
					 "no lines that it left them out, yet not every IOMMU "
					 "driver reports every fault");
	}
	if (signal->lost_interrupt)
		incident__note(i, "The driver found the data complete: what was lost is the "
				  "interrupt, not DMA. Look at interrupt remapping.");
	if (!i->share.known && m->has_mappings)
		incident__note(i, "How long the flushes of its domain took before the hang isn't "
				  "known: no domain of the device, or too long ago.");
	else if (i->share.known && !i->share.allocs)
		incident__note(i, "How long IOVA allocations took wasn't recorded (record --iova "
				  "does); of maps and unmaps it never is.");
}

static void judge_stall(struct incident *i, struct model *m)
{
	const struct incident_stall *s = &i->stall;
	struct judgement *j = &i->judgement;

	if (model__lost(m, s->begin, s->end, 1U << IOT_LOST_BEGIN))
		judgement__set(j, VERDICT_FLUSH_STALL, CONFIDENCE_LIKELY,
			       "begins of flushes were forgotten in that time: the begin of this "
			       "one may be that of an earlier one");
	else if (i->hang.count)
		judgement__set(j, VERDICT_FLUSH_STALL, CONFIDENCE_LIKELY,
			       "begin and end of the flush were seen; that the hang comes from it "
			       "is likely, because whoever unmaps waits for it");
	else
		judgement__set(j, VERDICT_FLUSH_STALL, CONFIDENCE_CERTAIN,
			       "begin and end of the flush were seen; why it took so long isn't");
	incident__note(i, "Whether the CPU was taken away meanwhile (interrupts, or a virtual CPU "
			  "that didn't run): that too makes a flush long.");
}

static void judge_page(struct incident *i)
{
	const struct incident_page *p = &i->page;

	judgement__set(&i->judgement, VERDICT_PAGE_REQUEST, CONFIDENCE_LIKELY, "%s",
		       p->fate == PAGE_UNANSWERED
			       ? "nothing is missing since the request; a device waits for its "
				 "page, yet it may have hung for another reason"
		       : p->fate == PAGE_LATE
			       ? "request and answer were seen; that the hang comes from the wait "
				 "the order in time alone doesn't prove"
			       : "the answer was seen; that the hang comes from it the order in "
				 "time alone doesn't prove");
}

static void judge_invalidation(struct incident *i)
{
	struct judgement *j = &i->judgement;

	if (i->dev && i->error.dev == i->dev)
		judgement__set(j, VERDICT_INVALIDATION, CONFIDENCE_CERTAIN,
			       "the IOMMU driver reported it, and named the device");
	else if (i->before.count && i->before.relation.kind == RELATION_UNSAID)
		judgement__set(j, VERDICT_INVALIDATION, CONFIDENCE_LIKELY,
			       "the IOMMU driver reported it, without the device; of all devices, "
			       "only this one was reset in the minute before");
	else if (i->dev)
		judgement__set(j, VERDICT_INVALIDATION, CONFIDENCE_LIKELY,
			       "the IOMMU driver reported it, without the device, in the time of a "
			       "flush for this one; it may have waited for another's");
	else
		judgement__set(j, VERDICT_INVALIDATION, CONFIDENCE_CERTAIN,
			       "the IOMMU driver reported it, but not of which device");
}

void judgement__no_address(struct judgement *j, struct model *m, const struct incident_fault *f)
{
	const struct model_device *dev = model__device(m, f->dev);
	struct why_core core;

	why__core(&core, m, dev ? dev->origin : 0);
	if (core.np_cache[0])
		judgement__set(
			j, VERDICT_NO_ADDRESS, CONFIDENCE_CERTAIN,
			"the log says 0, which tells nothing: the machine is virtual (%s "
			"caches what isn't present), and QEMU's AMD-Vi says 0 of every fault",
			core.np_cache);
	else
		judgement__set(j, VERDICT_NO_ADDRESS, CONFIDENCE_CERTAIN,
			       "the record of the fault has no address");
}

void judgement__without_fault(struct incident *i, struct model *m)
{
	if (i->error.count && i->error.kind == IOT_ERROR_INVALIDATION)
		judge_invalidation(i);
	else if (i->stall.count)
		judge_stall(i, m);
	else if (i->page.count && !i->page.doubt)
		judge_page(i);
	else
		judge_hang(i, m);
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
		[IOT_LOST_UNHOOKED] = "", /* has words of its own */
		[IOT_LOST_OVERWRITTEN] = "only the newest events were kept",
		[IOT_LOST_DAMAGE] = "the session is damaged",
		[IOT_LOST_UNENDED] = "", /* the same */
		[IOT_LOST_CALL] = "calls of a driver's own function were not seen",
		[IOT_LOST_RECORD] = "", /* and of this */
	};

	for (size_t n = 0; n < m->nr_losses; n++) {
		const struct model_loss *l = &m->losses[n];

		if (l->begin > to || l->end < from || l->cause >= IOT_LOST_CAUSES ||
		    !causes[l->cause])
			continue;
		if (l->cause == IOT_LOST_UNHOOKED)
			incident__note(i, "Flushes by %s were not traced around it.", l->what);
		else if (l->cause == IOT_LOST_UNENDED)
			incident__note(i,
				       "A flush (%s) had begun, and had not ended when the "
				       "recording did.",
				       l->what);
		else if (l->cause == IOT_LOST_RECORD)
			incident__note(i,
				       "Of at least %llu faults around it no record was read (%s): "
				       "the number of faults is a lower limit.",
				       l->count, l->what);
		else if (l->count)
			incident__note(i, "%llu events are missing around it: %s.", l->count,
				       causes[l->cause]);
		else
			incident__note(
				i, "Events are missing around it, how many isn't known: %s (%s).",
				causes[l->cause], l->what);
	}
}

/* Drivers may report a fault without saying whose it was (SMMUv2's does). */
static void note_device(struct incident *i, struct model *m, const struct incident_fault *f)
{
	const struct model_device *sole = model__device(m, f->sole_dev);

	if (f->dev || f->rid_known)
		return;
	if (sole)
		incident__note(i,
			       "Which device it was, the IOMMU driver didn't say. %s is the only "
			       "one that was in the domain.",
			       sole->name);
	else
		incident__note(i, "Which device it was: the IOMMU driver didn't say.");
}

static void note_owner(struct incident *i, const struct model *m, const struct incident_fault *f)
{
	const struct dead *d = &f->dead;

	if (f->domain_by_alias)
		incident__note(i,
			       "No device has the requester id of the fault: that it stands for "
			       "devices of domain %u is inferred from bus and slot.",
			       f->domain);
	if (f->has_live || !f->has_dead)
		return;
	if (!d->map_ts)
		incident__note(i, "It was mapped before the capture began: by whom isn't known.");
	else if (lost_mappings(m, d->map_ts, d->unmap_ts))
		incident__note(i, "Between that map and the unmap events are missing: the address "
				  "may have been unmapped and mapped anew, by somebody else.");
	if (!d->unmap_stack && !d->map_stack)
		incident__note(i, "No stacks were recorded (record --stacks): which code mapped "
				  "and unmapped it isn't known.");
	if (d->unmap_flags & IOT_F_IRQ)
		incident__note(i, "The unmap ran in an interrupt: the task named is only the one "
				  "that was interrupted.");
	if (f->unwatched)
		incident__note(i, "Too many faults wait for a flush: whether one came after this "
				  "one wasn't looked for.");
}

void judgement__limits(struct incident *i, struct model *m)
{
	const struct incident_fault *f = i->nr_kept ? i->faults[0] : NULL;
	__u64 from = i->first, end = m->capture_end ? m->capture_end : m->last;

	if (f && f->has_dead && !f->has_live) {
		__u64 begin = f->dead.map_ts ? f->dead.map_ts : f->dead.unmap_ts;

		from = begin < from ? begin : from;
	}
	note_loss(i, m, from, i->last);
	if (i->suppressed)
		incident__note(i,
			       "The kernel suppressed %llu log lines around it: the number of "
			       "faults is a lower limit.",
			       i->suppressed);
	else if (i->reported_by_log_only && i->nr_faults)
		incident__note(i, "The fault is known from the kernel log only, which is rate "
				  "limited: there may have been more.");
	if (f) {
		note_device(i, m, f);
		note_owner(i, m, f);
	}
	if (i->nr_faults && !i->hang.count && end - i->last_fault < 15 * S)
		incident__note(i,
			       "The input ends %.3f s after the last fault: a hang that came later "
			       "isn't seen.",
			       (double)(end - i->last_fault) / 1e9);
}
