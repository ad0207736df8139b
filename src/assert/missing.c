// SPDX-License-Identifier: GPL-2.0-only
/* What a rule needed to see and couldn't: events that got lost, hooks that were not there. */
#include <stdio.h>
#include <string.h>

#include "assert/internal.h"

/* Which losses make a need incomplete; of the kernel's skipped programs those that would have told
 * of this (SKIPPED_*). */
static const struct {
	__u32 need, causes, skipped;
} needs[] = {
	{ NEED_MAPS, LOSS_HOT, SKIPPED_MAPS },
	{ NEED_FLUSHES, LOSS_HOT | LOSS(BEGIN) | LOSS(UNHOOKED) | LOSS(UNENDED) | LOSS(CALL),
	  SKIPPED_FLUSHES },
	{ NEED_IOVAS, LOSS_HOT, SKIPPED_IOVAS },
	{ NEED_TABLES, LOSS_HOT | LOSS(UNHOOKED) | LOSS(CALL), SKIPPED_TABLES },
	{ NEED_RARE,
	  LOSS(RARE) | LOSS(RECURSION) | LOSS(DOMAIN_TABLE) | LOSS(WRITER) | LOSS(DAMAGE),
	  SKIPPED_RARE },
	{ NEED_LOG,
	  LOSS(RARE) | LOSS(RECURSION) | LOSS(RATELIMIT) | LOSS(RECORD) | LOSS(WRITER) |
		  LOSS(DAMAGE),
	  SKIPPED_RARE },
	{ NEED_TEARDOWN, LOSS(RARE) | LOSS(RECURSION) | LOSS(WRITER) | LOSS(DAMAGE),
	  SKIPPED_TEARDOWNS },
	{ NEED_COVERAGE, LOSS(RARE) | LOSS(WRITER) | LOSS(DAMAGE), 0 },
};

/* Invariants about the order of events, and of an unmap's time: one that came too late was moved,
 * by nobody knows how much. */
static bool is_about_order(enum invariant_id id)
{
	return id == INV_FLUSH_BEFORE_REUSE || id == INV_STRICT_MEANS_STRICT || id == INV_WINDOW ||
	       id == INV_FLUSH_COVERS_UNMAP || id == INV_NO_MAP_OVER_MAP ||
	       id == INV_UNMAP_MATCHES_MAP || id == INV_PT_FREED_AFTER_FLUSH;
}

const char *missing__cause(__u32 cause)
{
	static const char *const names[IOT_LOST_CAUSES] = {
		[IOT_LOST_RING] = "a CPU's ring was full",
		[IOT_LOST_RARE] = "the ring of rare events was full",
		[IOT_LOST_RECURSION] = "the kernel skipped a tracing program",
		[IOT_LOST_DOMAIN_TABLE] = "there was no room for a new domain",
		[IOT_LOST_DEVICE_TABLE] = "there was no room for a new device",
		[IOT_LOST_BEGIN] = "the begin of a flush was forgotten",
		[IOT_LOST_LATE] = "events came too late for their order to be known",
		[IOT_LOST_RATELIMIT] = "the kernel suppressed log lines",
		[IOT_LOST_WRITER] = "the disk was too slow or full",
		[IOT_LOST_UNHOOKED] = "a function was not traced yet, or can't be",
		[IOT_LOST_OVERWRITTEN] = "only the newest events were kept",
		[IOT_LOST_DAMAGE] = "the session is damaged",
		[IOT_LOST_UNENDED] = "a flush had begun and not ended at the end",
		[IOT_LOST_CALL] = "calls of a driver's own function were not seen",
		[IOT_LOST_RECORD] = "faults had no record, or it was not read",
	};

	return cause < IOT_LOST_CAUSES && names[cause] ? names[cause] : "events are missing";
}

/*
 * Calls before a function was hooked. Of flushes they matter only if something had been unmapped by
 * then, of page tables if the domain was there. From when on invalidations are seen is known of
 * each driver.
 */
static bool unhooked_matters(struct checks *c, const struct rule_state *r,
			     const struct model_loss *l)
{
	int kind = hooked__kind_of(c, l->what);
	bool tables = kind == HOOK_TABLES;

	if (kind == HOOK_INVALIDATE || kind == HOOK_TEARDOWN ||
	    (tables && !(r->rule->invariant->needs & NEED_TABLES)))
		return false;
	idtab__for_each (&c->domains, s) {
		struct watched *w = s->value;
		__u64 since = !tables ? w->first_unmap : w->dom ? w->dom->seen : 0;

		if (since && since <= l->end && (!w->freed || w->freed >= l->begin) &&
		    rule__concerns(r, c, watched__place(c, w)))
			return true;
	}
	return false;
}

/* A flush that had not ended at the end covers nothing yet, which breaks no rule but those of
 * length; how long it had lasted is known. */
static bool unended_matters(const struct rule_state *r, const struct model_loss *l)
{
	return (r->id == INV_FLUSH_LATENCY || r->id == INV_WINDOW) &&
	       l->end - l->begin >= r->rule->params[0];
}

/*
 * Invalidations that nobody saw can make a violation of what was none, but hide none: they matter
 * only where something looks like one. But for strict-means-strict: that a flush had not ended is
 * shown by an invalidation that comes after it.
 */
static bool call_matters(const struct rule_state *r, const struct model_loss *l, __u32 skipped)
{
	if (skipped & SKIPPED_INVALIDATIONS)
		return strcmp(l->what, "submission") != 0;
	if (r->id == INV_STRICT_MEANS_STRICT && !strcmp(l->what, "invalidation"))
		return true;
	return r->rule->invariant->needs & NEED_TABLES && !strcmp(l->what, "page table");
}

const struct model_loss *missing__lost(struct checks *c, const struct rule_state *r, __u64 from,
				       __u64 to, __u32 causes, __u32 skipped)
{
	const struct model *m = &c->a->model;

	for (size_t i = 0; i < m->nr_losses; i++) {
		const struct model_loss *l = &m->losses[i];

		if (l->cause >= 32 || !(causes & 1U << l->cause) || l->begin > to || l->end < from)
			continue;
		if (l->cause == IOT_LOST_RECURSION && !(skipped__of(l->what) & skipped))
			continue;
		if (l->cause == IOT_LOST_UNHOOKED && !unhooked_matters(c, r, l))
			continue;
		if (l->cause == IOT_LOST_UNENDED && !unended_matters(r, l))
			continue;
		if (l->cause == IOT_LOST_CALL && !call_matters(r, l, skipped))
			continue;
		return l;
	}
	return NULL;
}

static void interval(const struct checks *c, __u32 segment, __u64 *from, __u64 *to)
{
	const struct model *m = &c->a->model;

	*from = segment ? c->began[segment] : m->capture_begin;
	*to = c->now;
	for (__u32 next = segment + 1; next < SEGMENTS; next++)
		if (c->began[next]) {
			*to = c->began[next];
			break;
		}
}

__u32 missing__causes(const struct rule_state *r, __u32 need)
{
	const struct selector *s = &r->rule->selector;
	__u32 causes = 0;

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (needs[i].need & need)
			causes |= needs[i].causes;
	if (is_about_order(r->id))
		causes |= LOSS(LATE);
	/* events of a device that there was no room for match no device */
	if (s->device || s->driver || s->iommu)
		causes |= LOSS(DEVICE_TABLE);
	return causes;
}

__u32 missing__skipped(const struct rule_state *r, __u32 need)
{
	__u32 skipped = 0;

	/* a freed IOVA shows that its unmap has returned; without such events, the next one of the
	 * task does */
	if (r->id == INV_STRICT_MEANS_STRICT && need & NEED_FLUSHES)
		skipped = SKIPPED_IOVAS;

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (needs[i].need & need)
			skipped |= needs[i].skipped;
	return skipped;
}

/* Each need on its own: which programs a loss is about depends on it. */
static void add_losses(struct checks *c, struct rule_state *r, __u32 segment)
{
	__u64 from, to;

	interval(c, segment, &from, &to);
	for (__u32 need = 1; need <= NEED_COVERAGE; need <<= 1) {
		__u32 causes = r->rule->invariant->needs & need ? missing__causes(r, need) : 0;

		for (__u32 cause = 1; cause < IOT_LOST_CAUSES; cause++) {
			const struct model_loss *l = NULL;

			if (causes & 1U << cause)
				l = missing__lost(c, r, from, to, 1U << cause,
						  missing__skipped(r, need));
			if (!l)
				continue;
			if (cause == IOT_LOST_LATE)
				result__why(&r->result,
					    "%llu event%s came too late for %s order to be known",
					    l->count, l->count == 1 ? "" : "s",
					    l->count == 1 ? "its" : "their");
			else if (l->count)
				result__why(&r->result, "%llu event%s missing: %s%s%s", l->count,
					    l->count == 1 ? " is" : "s are", missing__cause(cause),
					    *l->what ? ", " : "", l->what);
			else
				result__why(&r->result, "events may be missing: %s%s%s",
					    missing__cause(cause), *l->what ? ", " : "", l->what);
		}
	}
}

/* Points of the attach plan that a need can't do without. */
static const struct {
	__u32 need;
	const char *point;
} points[] = {
	{ NEED_MAPS, "map" },        { NEED_MAPS, "unmap" },  { NEED_IOVAS, "iova-alloc" },
	{ NEED_IOVAS, "iova-free" }, { NEED_RARE, "attach" }, { NEED_RARE, "domain-free" },
	{ NEED_RARE, "fault" },      { NEED_LOG, "log" },
};

static bool says_untraced(const struct model_attr *a)
{
	return !strncmp(a->text, "flush_fn.", 9) && strstr(a->text, "not attached");
}

static void add_hooks(struct checks *c, struct rule_state *r)
{
	const struct model *m = &c->a->model;
	__u32 needed = r->rule->invariant->needs;

	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		char key[48];
		const char *how;

		snprintf(key, sizeof(key), "plan.%s", points[i].point);
		how = needed & points[i].need ? model__attr(m, key) : NULL;
		if (how && !strncmp(how, "off", 3))
			result__why(&r->result,
				    "\"%s\" was not recorded (record --invariants does)",
				    points[i].point);
		else if (how && !strncmp(how, "missing", 7))
			result__why(&r->result, "\"%s\" can't be seen on this kernel: %s",
				    points[i].point, how);
	}
	for (const struct model_attr *a = m->attrs; needed & NEED_FLUSHES && a; a = a->next)
		if (says_untraced(a))
			result__why(&r->result, "a flush function can't be traced: %s", a->text);
}

bool missing__untraced(const struct checks *c)
{
	for (const struct model_attr *a = c->a->model.attrs; a; a = a->next)
		if (says_untraced(a))
			return true;
	return false;
}

static bool hooked_for_all(const struct checks *c, enum hook_kind kind)
{
	for (__u32 i = 0; i < c->nr_hooked; i++)
		if (c->hooked[i].kind == kind && !c->hooked[i].prefix[0])
			return true;
	return false;
}

/* Domains that the rule is about and whose driver isn't hooked as it needs. */
static void add_drivers(struct checks *c, struct rule_state *r)
{
	enum hook_kind kind = r->id == INV_TEARDOWN_STALL ? HOOK_TEARDOWN : HOOK_TABLES;
	char text[sizeof(r->unseen_first)];

	if (hooked_for_all(c, kind))
		return;
	idtab__for_each (&c->domains, s) {
		struct watched *w = s->value;
		struct place where = watched__place(c, w);
		bool about = r->id == INV_PT_FREED_AFTER_FLUSH
				     ? w->first_unmap
				     : w->freed && (w->first_unmap || w->driver) &&
					       rule__is_in(c, r, checks__segment_of(c, w->freed));

		if (!about || hooked__sees(w, kind, ~0ULL) || !rule__concerns(r, c, where) ||
		    (kind == HOOK_TABLES ? w->has_tables : w->torn_down))
			continue;
		snprintf(text, sizeof(text), "%s: %s of its driver %s hooked",
			 place__name(c, where).s,
			 kind == HOOK_TABLES ? "the functions for page tables" : "the domain free",
			 kind == HOOK_TABLES ? "are not" : "is not");
		if (!r->rule->skip_unseen)
			result__why(&r->result, "%s", text);
		else if (!r->unseen++)
			snprintf(r->unseen_first, sizeof(r->unseen_first), "%s", text);
	}
}

/* Faults from before the hooks, if the kernel was told to keep them (docs/events.md). */
static void add_early(struct checks *c, struct rule_state *r)
{
	const struct model *m = &c->a->model;
	const char *error = model__attr(m, "early.error"),
		   *overwritten = model__attr(m, "early.overwritten");

	if (r->id != INV_NO_FAULT || !rule__is_in(c, r, 0))
		return;
	if (error)
		result__why(&r->result, "what came before the hooks can't be read: %s", error);
	if (overwritten && strcmp(overwritten, "0"))
		result__why(&r->result,
			    "of what came before the hooks, %s entries were overwritten in the "
			    "kernel's trace buffer (trace_buf_size= makes it larger)",
			    overwritten);
}

void missing__tell(struct checks *c, struct rule_state *r)
{
	const struct model *m = &c->a->model;
	struct check_result *res = &r->result;

	if (c->a->error || c->error || m->error)
		result__why(res, "out of memory: what was seen after that is incomplete");
	if (!m->capture_begin)
		result__why(res,
			    "from when on everything was seen isn't known: there is no mark of the "
			    "capture's begin");
	else if (!c->seen_end)
		result__why(res, "the recording was cut off: it has no end");
	if (c->a->malformed)
		result__why(res, "%llu events are malformed", c->a->malformed);
	if (m->refused)
		result__why(res, "%llu events are of devices or domains beyond what fits",
			    m->refused);
	add_early(c, r);
	add_hooks(c, r);
	if (r->id == INV_PT_FREED_AFTER_FLUSH || r->id == INV_PT_BALANCE ||
	    r->id == INV_TEARDOWN_STALL)
		add_drivers(c, r);
	if (r->id == INV_COVERAGE && !m->nr_checks)
		result__why(res, "no self-check was recorded (record --coverage)");
	for (__u32 seg = 0; seg < SEGMENTS; seg++) {
		if (!rule__is_in(c, r, seg))
			continue;
		add_losses(c, r, seg);
		for (__u32 i = 0; i < r->seg[seg].nr_doubts; i++)
			result__why(res, "%s", r->seg[seg].doubts[i]);
	}
}
