// SPDX-License-Identifier: GPL-2.0-only
/* What a rule's findings, and what could not be seen, come to. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "assert/internal.h"

__u32 checks__phase(const struct checks *c, __u32 segment)
{
	if (segment == 2)
		return PHASE_SHUTDOWN;
	return segment || !c->began[1] ? PHASE_WORKLOAD : PHASE_BOOT;
}

static bool is_in(const struct checks *c, const struct rule_state *r, __u32 segment)
{
	return (!segment || c->began[segment]) && r->rule->phases & checks__phase(c, segment);
}

void result__why(struct check_result *res, const char *text)
{
	for (__u32 i = 0; i < res->nr_why; i++)
		if (!strcmp(res->why[i], text))
			return;
	if (res->nr_why < CHECK_WHY)
		snprintf(res->why[res->nr_why++], sizeof(res->why[0]), "%s", text);
}

__attribute__((format(printf, 2, 3))) static void why(struct check_result *res, const char *fmt,
						      ...)
{
	char text[sizeof(res->why[0])];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	result__why(res, text);
}

/* Which losses make a need incomplete. Of the kernel's skipped programs see is_hot(). */
static const struct {
	__u32 need, causes;
} needs[] = {
	{ NEED_MAPS, LOSS_HOT },
	{ NEED_FLUSHES, LOSS_HOT | LOSS(BEGIN) | LOSS(UNHOOKED) },
	{ NEED_IOVAS, LOSS_HOT },
	{ NEED_TABLES, LOSS_HOT },
	{ NEED_RARE,
	  LOSS(RARE) | LOSS(RECURSION) | LOSS(DOMAIN_TABLE) | LOSS(WRITER) | LOSS(DAMAGE) },
	{ NEED_LOG, LOSS(RARE) | LOSS(RECURSION) | LOSS(RATELIMIT) | LOSS(WRITER) | LOSS(DAMAGE) },
	{ NEED_TEARDOWN, LOSS(RARE) | LOSS(RECURSION) | LOSS(WRITER) | LOSS(DAMAGE) },
	{ NEED_COVERAGE, LOSS(RARE) | LOSS(WRITER) | LOSS(DAMAGE) },
};

/* Invariants about the order of events: one that came too late was moved. */
static bool is_about_order(enum invariant_id id)
{
	return id == INV_FLUSH_BEFORE_REUSE || id == INV_STRICT_MEANS_STRICT ||
	       id == INV_FLUSH_COVERS_UNMAP || id == INV_NO_MAP_OVER_MAP ||
	       id == INV_UNMAP_MATCHES_MAP || id == INV_PT_FREED_AFTER_FLUSH;
}

static const char *cause_name(__u32 cause)
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
		[IOT_LOST_UNHOOKED] = "a flush function was not traced yet, or can't be",
		[IOT_LOST_OVERWRITTEN] = "only the newest events were kept",
		[IOT_LOST_DAMAGE] = "the session is damaged",
		[IOT_LOST_UNENDED] = "a flush had not ended",
	};

	return cause < IOT_LOST_CAUSES && names[cause] ? names[cause] : "events are missing";
}

/* Is a skipped program (a point of the attach plan) one that sees hot events? */
static bool is_hot(const char *what)
{
	static const char *const hot[] = { "map",        "unmap", "flush",  "iova",
					   "invalidate", "table", "control" };

	for (size_t i = 0; i < sizeof(hot) / sizeof(hot[0]); i++)
		if (!strncmp(what, hot[i], strlen(hot[i])))
			return true;
	return !*what;
}

/* Flushes that were not seen matter only if something had been unmapped in the meantime. */
static bool unhooked_matters(struct checks *c, const struct rule_state *r,
			     const struct model_loss *l)
{
	idtab__for_each (&c->domains, s) {
		struct watched *w = s->value;

		if (w->first_unmap && w->first_unmap <= l->end &&
		    (!w->freed || w->freed >= l->begin) &&
		    rule__concerns(r, c, watched__place(c, w)))
			return true;
	}
	return false;
}

const struct model_loss *outcome__lost(struct checks *c, const struct rule_state *r, __u64 from,
				       __u64 to, __u32 causes, enum lost_of of)
{
	const struct model *m = &c->a->model;

	for (size_t i = 0; i < m->nr_losses; i++) {
		const struct model_loss *l = &m->losses[i];

		if (l->cause >= 32 || !(causes & 1U << l->cause) || l->begin > to || l->end < from)
			continue;
		if (l->cause == IOT_LOST_RECURSION && of != LOST_OF_ANY &&
		    is_hot(l->what) != (of == LOST_OF_HOT))
			continue;
		if (l->cause == IOT_LOST_UNHOOKED && !unhooked_matters(c, r, l))
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

static __u32 causes_of(const struct rule_state *r, __u32 need)
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

/* Each need on its own: which programs a loss is about depends on it. */
static void add_losses(struct checks *c, struct rule_state *r, __u32 segment)
{
	__u64 from, to;

	interval(c, segment, &from, &to);
	for (__u32 need = 1; need <= NEED_COVERAGE; need <<= 1) {
		__u32 causes = r->rule->invariant->needs & need ? causes_of(r, need) : 0;
		enum lost_of of = causes & LOSS(RING) ? LOST_OF_HOT : LOST_OF_RARE;

		for (__u32 cause = 1; cause < IOT_LOST_CAUSES; cause++) {
			const struct model_loss *l = NULL;

			if (causes & 1U << cause)
				l = outcome__lost(c, r, from, to, 1U << cause, of);
			if (!l)
				continue;
			if (l->count)
				why(&r->result, "%llu events are missing: %s%s%s", l->count,
				    cause_name(cause), *l->what ? ", " : "", l->what);
			else
				why(&r->result, "events may be missing: %s%s%s", cause_name(cause),
				    *l->what ? ", " : "", l->what);
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
			why(&r->result, "\"%s\" was not recorded (record --invariants does)",
			    points[i].point);
		else if (how && !strncmp(how, "missing", 7))
			why(&r->result, "\"%s\" can't be seen on this kernel: %s", points[i].point,
			    how);
	}
	for (const struct model_attr *a = m->attrs; needed & NEED_FLUSHES && a; a = a->next)
		if (!strncmp(a->text, "flush_fn.", 9) && strstr(a->text, "not attached"))
			why(&r->result, "a flush function can't be traced: %s", a->text);
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

	if (hooked_for_all(c, kind))
		return;
	idtab__for_each (&c->domains, s) {
		struct watched *w = s->value;
		struct place where = watched__place(c, w);
		bool about = r->id == INV_PT_FREED_AFTER_FLUSH
				     ? w->first_unmap
				     : w->freed && (w->first_unmap || w->driver);

		if (!about || hooked__sees(w, kind, ~0ULL) || !rule__concerns(r, c, where) ||
		    (kind == HOOK_TABLES ? w->has_tables : w->torn_down))
			continue;
		why(&r->result, "%s: %s of its driver %s hooked", place__name(c, where).s,
		    kind == HOOK_TABLES ? "the functions for page tables" : "the domain free",
		    kind == HOOK_TABLES ? "are not" : "is not");
	}
}

/* A flush that never ended, or not in time, has no length; how long it had lasted is known. */
static void add_unended(struct checks *c, struct rule_state *r)
{
	const struct model *m = &c->a->model;

	for (size_t i = 0; i < m->nr_losses; i++) {
		const struct model_loss *l = &m->losses[i];

		if (l->cause == IOT_LOST_UNENDED && l->end - l->begin >= r->rule->params[0])
			why(&r->result, "a flush had not ended after %.3f ms%s%s",
			    (double)(l->end - l->begin) / 1e6, *l->what ? ": " : "", l->what);
	}
}

/* Faults from before the hooks, if the kernel was told to keep them (docs/events.md). */
static void add_early(struct checks *c, struct rule_state *r)
{
	const struct model *m = &c->a->model;
	const char *error = model__attr(m, "early.error"),
		   *overwritten = model__attr(m, "early.overwritten");

	if (r->id != INV_NO_FAULT || !is_in(c, r, 0))
		return;
	if (error)
		why(&r->result, "what came before the hooks can't be read: %s", error);
	if (overwritten && strcmp(overwritten, "0"))
		why(&r->result,
		    "of what came before the hooks, %s entries were overwritten in the kernel's "
		    "trace buffer (trace_buf_size= makes it larger)",
		    overwritten);
}

static void add_doubts(struct checks *c, struct rule_state *r)
{
	const struct model *m = &c->a->model;
	struct check_result *res = &r->result;

	if (c->a->error || c->error || m->error)
		why(res, "out of memory: what was seen after that is incomplete");
	if (!m->capture_begin)
		why(res, "from when on everything was seen isn't known: there is no mark of the "
			 "capture's begin");
	else if (!c->seen_end)
		why(res, "the recording was cut off: it has no end");
	if (c->a->malformed)
		why(res, "%llu events are malformed", c->a->malformed);
	if (m->refused)
		why(res, "%llu events are of devices or domains beyond what fits", m->refused);
	add_early(c, r);
	add_hooks(c, r);
	if (r->id == INV_PT_FREED_AFTER_FLUSH || r->id == INV_PT_BALANCE ||
	    r->id == INV_TEARDOWN_STALL)
		add_drivers(c, r);
	if (r->id == INV_FLUSH_LATENCY || r->id == INV_WINDOW)
		add_unended(c, r);
	if (r->id == INV_COVERAGE && !m->nr_checks)
		why(res, "no self-check was recorded (record --coverage)");
	for (__u32 seg = 0; seg < SEGMENTS; seg++) {
		if (!is_in(c, r, seg))
			continue;
		add_losses(c, r, seg);
		for (__u32 i = 0; i < r->seg[seg].nr_doubts; i++)
			result__why(res, r->seg[seg].doubts[i]);
	}
}

static void take_finding(struct check_result *res, const struct finding *f)
{
	if (res->nr_findings < CHECK_FINDINGS)
		res->findings[res->nr_findings++] = *f;
}

/* Violations that missing events could have made are none, but no pass either. */
static void add_found(struct checks *c, struct rule_state *r, const struct segment *seg)
{
	struct check_result *res = &r->result;
	const struct model_loss *l;

	for (__u32 i = 0; i < seg->nr_kept; i++) {
		const struct kept *k = &seg->kept[i];

		l = k->causes ? outcome__lost(c, r, k->from, k->to, k->causes, LOST_OF_HOT) : NULL;
		if (l) {
			why(res, "what looks like a violation may be none (%s): %s",
			    cause_name(l->cause), k->finding.text);
			continue;
		}
		take_finding(res, &k->finding);
		if (!k->finding.waiver)
			res->violations += k->times;
	}
	if (seg->beyond &&
	    (!seg->beyond_causes || !outcome__lost(c, r, seg->beyond_from, seg->beyond_to,
						   seg->beyond_causes, LOST_OF_HOT)))
		res->violations += seg->beyond;
	res->waived += seg->waived;
	if (seg->expired)
		res->expired = seg->expired;
}

static __u64 looked_at(const struct rule_state *r, const struct segment *seg)
{
	switch (r->id) {
	case INV_NO_STALE_ACCESS:
	case INV_UNMAP_MATCHES_MAP:
		return seg->seen[SEEN_UNMAPS];
	case INV_FLUSH_BEFORE_REUSE:
		return seg->seen[SEEN_MAPS] + seg->seen[SEEN_ALLOCS];
	case INV_STRICT_MEANS_STRICT:
		return seg->seen[SEEN_STRICT];
	case INV_FLUSH_COVERS_UNMAP:
		return seg->seen[SEEN_FLUSHED];
	case INV_NO_MAP_OVER_MAP:
	case INV_NO_LEAK:
		return seg->seen[SEEN_MAPS];
	case INV_SYNC_MAP:
		return seg->seen[SEEN_SYNC_MAPS];
	case INV_WINDOW:
	case INV_FLUSH_LATENCY:
		return seg->times ? seg->times->nr : 0;
	default:
		return seg->looked;
	}
}

static const char *unit_of(enum invariant_id id)
{
	switch (id) {
	case INV_NO_FAULT:
	case INV_NO_HANG:
	case INV_INVALIDATION_TIMEOUT:
	case INV_DOMAIN_TYPE:
		return "devices";
	case INV_FLUSH_BEFORE_REUSE:
		return "maps and IOVA allocations";
	case INV_NO_MAP_OVER_MAP:
	case INV_NO_LEAK:
		return "maps";
	case INV_SYNC_MAP:
		return "syncs after map";
	case INV_PT_FREED_AFTER_FLUSH:
		return "page-table pages";
	case INV_PT_BALANCE:
	case INV_TEARDOWN_STALL:
	case INV_DETACH_EMPTY:
		return "domains";
	case INV_FLUSH_LATENCY:
		return "flushes";
	case INV_COVERAGE:
		return "self-checks";
	default:
		return "unmaps";
	}
}

static bool has_max(enum invariant_id id)
{
	return id == INV_NO_FAULT || id == INV_NO_HANG || id == INV_INVALIDATION_TIMEOUT;
}

/* Of window and flush-latency: the share that must be below the limit. */
static void judge_times(struct checks *c, struct rule_state *r)
{
	struct check_result *res = &r->result;
	__u64 limit = r->rule->params[0], percent = r->rule->params[1], over = 0, at;
	struct finding f = { 0 };
	struct hist sum = { 0 };

	for (__u32 seg = 0; seg < SEGMENTS; seg++) {
		if (!is_in(c, r, seg) || !r->seg[seg].times)
			continue;
		hist__merge(&sum, r->seg[seg].times);
		over += r->seg[seg].over;
	}
	if (!sum.nr)
		return;
	at = hist__value(&sum, (double)percent / 1e5);
	snprintf(res->says, sizeof(res->says), "p%g of %llu %s: %.1f us, longest %.1f us",
		 (double)percent / 1e3, sum.nr, r->id == INV_WINDOW ? "windows" : "flushes",
		 (double)at / 1e3, (double)sum.max / 1e3);
	/* windows that are all to be below the limit are findings already */
	if ((r->id == INV_WINDOW && percent >= 100000) ||
	    (unsigned __int128)(sum.nr - over) * 100000 >= (unsigned __int128)percent * sum.nr)
		return;
	snprintf(f.text, sizeof(f.text),
		 "%llu of %llu %s were not below %.1f us; the longest took %.1f us", over, sum.nr,
		 r->id == INV_WINDOW ? "windows" : "flushes", (double)limit / 1e3,
		 (double)sum.max / 1e3);
	/* of those that are missing, more may have been below */
	if (res->nr_why && percent < 100000) {
		why(res, "of what was seen, %s", f.text);
		return;
	}
	res->violations += over;
	take_finding(res, &f);
}

static void say(struct checks *c, struct rule_state *r)
{
	struct check_result *res = &r->result;
	bool seen = false;

	if (r->id == INV_PT_BALANCE && c->tables_unowned)
		snprintf(res->says, sizeof(res->says),
			 "%llu page%s of no known domain %s allocated during the capture and not "
			 "freed",
			 c->tables_unowned, c->tables_unowned == 1 ? "" : "s",
			 c->tables_unowned == 1 ? "was" : "were");
	if (r->id != INV_FLUSH_COVERS_UNMAP && r->id != INV_STRICT_MEANS_STRICT)
		return;
	for (__u32 i = 0; i < c->nr_hooked; i++)
		seen |= c->hooked[i].kind == HOOK_INVALIDATE;
	if (!seen)
		snprintf(res->says, sizeof(res->says),
			 "by the flush functions' word: what the hardware was told isn't seen");
}

static bool concerns_anything(struct checks *c, struct rule_state *r)
{
	if (r->devices.nr)
		return true;
	idtab__for_each (&c->subjects, s)
		if (rule__concerns(r, c, subject__place(s->value)))
			return true;
	idtab__for_each (&c->domains, s)
		if (rule__concerns(r, c, watched__place(c, s->value)))
			return true;
	return false;
}

static void skip(struct checks *c, struct rule_state *r)
{
	struct check_result *res = &r->result;

	res->outcome = OUTCOME_SKIP;
	res->nr_why = 0;
	if (!concerns_anything(c, r))
		why(res, "no such device or domain was there");
	else if (r->id == INV_STRICT_MEANS_STRICT)
		why(res, "there was no strict unmap through the DMA API");
	else if (r->id == INV_SYNC_MAP)
		why(res, "no iotlb_sync_map was called: no such driver, or nothing was mapped");
	else if (r->id == INV_PT_BALANCE || r->id == INV_TEARDOWN_STALL ||
		 r->id == INV_DETACH_EMPTY)
		why(res, "no domain was freed");
	else if (r->id == INV_PT_FREED_AFTER_FLUSH)
		why(res, "no page of a page table was freed while its domain lived");
	else
		why(res, "there were no %s", res->unit);
}

static bool was_reached(const struct checks *c, const struct rule_state *r)
{
	for (__u32 seg = 0; seg < SEGMENTS; seg++)
		if (is_in(c, r, seg))
			return true;
	return false;
}

void checks__decide(struct checks *c, struct rule_state *r)
{
	struct check_result *res = &r->result;

	res->rule = r->rule;
	res->unit = unit_of(r->id);
	if (!was_reached(c, r)) {
		res->outcome = OUTCOME_SKIP;
		why(res, "its phase was not reached: no such mark in the kernel log");
		return;
	}
	for (__u32 seg = 0; seg < SEGMENTS; seg++)
		if (is_in(c, r, seg)) {
			res->looked_at += looked_at(r, &r->seg[seg]);
			add_found(c, r, &r->seg[seg]);
		}
	if (has_max(r->id))
		res->looked_at = r->devices.nr;
	add_doubts(c, r);
	if (r->id == INV_WINDOW || r->id == INV_FLUSH_LATENCY)
		judge_times(c, r);
	else if (!res->says[0])
		say(c, r);
	if (res->violations > (has_max(r->id) ? r->rule->params[0] : 0))
		res->outcome = OUTCOME_FAIL;
	else if (res->nr_why && concerns_anything(c, r) && tally__decide(c, r))
		res->counted = true;
	else if (res->nr_why &&
		 (res->looked_at || concerns_anything(c, r) ||
		  outcome__lost(c, r, 0, ~0ULL, LOSS(RARE) | LOSS(DAMAGE), LOST_OF_RARE)))
		res->outcome = OUTCOME_INCONCLUSIVE;
	else if (!res->looked_at && !res->waived)
		skip(c, r);
	else
		res->outcome = OUTCOME_PASS;
}
