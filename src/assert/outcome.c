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

bool rule__is_in(const struct checks *c, const struct rule_state *r, __u32 segment)
{
	return (!segment || c->began[segment]) && r->rule->phases & checks__phase(c, segment);
}

void result__why(struct check_result *res, const char *fmt, ...)
{
	char text[sizeof(res->why[0])];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (__u32 i = 0; i < res->nr_why; i++)
		if (!strcmp(res->why[i], text))
			return;
	if (res->nr_why < CHECK_WHY)
		snprintf(res->why[res->nr_why++], sizeof(res->why[0]), "%s", text);
}

static void take_finding(struct check_result *res, const struct finding *f, __u64 times)
{
	if (res->nr_findings == CHECK_FINDINGS)
		return;
	res->findings[res->nr_findings] = *f;
	res->findings[res->nr_findings++].times = times;
}

/* What could have made a violation of [from, to] of what was none; NULL: nothing. causes: as of
 * struct kept. */
static const char *doubt(struct checks *c, const struct rule_state *r, __u64 from, __u64 to,
			 __u32 causes)
{
	const struct model_loss *l =
		causes ? missing__lost(c, r, from, to, causes, SKIPPED_HOT) : NULL;

	if (l)
		return missing__cause(l->cause);
	return causes & LOSS(UNHOOKED) && missing__untraced(c) ? "a flush function can't be traced"
							       : NULL;
}

/* Violations that missing events could have made are none, but no pass either. */
static void add_found(struct checks *c, struct rule_state *r, const struct segment *seg)
{
	struct check_result *res = &r->result;

	for (__u32 i = 0; i < seg->nr_kept; i++) {
		const struct kept *k = &seg->kept[i];
		const char *why_not = doubt(c, r, k->from, k->to, k->causes);

		if (why_not) {
			result__why(res, "what looks like a violation may be none (%s): %s",
				    why_not, k->finding.text);
			continue;
		}
		take_finding(res, &k->finding, k->times);
		if (!k->finding.waiver)
			res->violations += k->times;
	}
	if (seg->beyond && !doubt(c, r, seg->beyond_from, seg->beyond_to, seg->beyond_causes))
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
		return seg->seen[SEEN_STRICT] + seg->looked;
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
		if (!rule__is_in(c, r, seg) || !r->seg[seg].times)
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
		result__why(res, "of what was seen, %s", f.text);
		return;
	}
	res->violations += over;
	take_finding(res, &f, over);
}

static void say(struct checks *c, struct rule_state *r)
{
	struct check_result *res = &r->result;
	bool seen = false;

	/* of a device that is as it should be: beside those that aren't, it would mislead */
	if (r->id == INV_DOMAIN_TYPE && res->violations)
		res->says[0] = 0;
	if (res->says[0])
		return;
	if (r->id == INV_PT_BALANCE && c->tables_unowned)
		snprintf(res->says, sizeof(res->says),
			 "%llu page%s of no known domain %s allocated during the capture and not "
			 "freed",
			 c->tables_unowned, c->tables_unowned == 1 ? "" : "s",
			 c->tables_unowned == 1 ? "was" : "were");
	else if (r->unseen)
		snprintf(res->says, sizeof(res->says), "%u domain%s left out: %s", r->unseen,
			 r->unseen == 1 ? "" : "s", r->unseen_first);
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

/* That there was nothing to look at is known from rare events alone. */
static bool surely_nothing(struct checks *c, const struct rule_state *r)
{
	bool frees =
		r->id == INV_PT_BALANCE || r->id == INV_TEARDOWN_STALL || r->id == INV_DETACH_EMPTY;

	if ((!frees && r->id != INV_SYNC_MAP) || r->result.looked_at || !c->seen_end ||
	    missing__lost(c, r, 0, ~0ULL, missing__causes(r, NEED_RARE), SKIPPED_RARE))
		return false;
	idtab__for_each (&c->domains, s) {
		struct watched *w = s->value;

		if (w->dom && (frees ? w->freed : w->has_sync_map) &&
		    rule__concerns(r, c, watched__place(c, w)))
			return false;
	}
	return true;
}

static void skip(struct checks *c, struct rule_state *r)
{
	struct check_result *res = &r->result;

	res->outcome = OUTCOME_SKIP;
	res->nr_why = 0;
	if (!concerns_anything(c, r))
		result__why(res, "no such device or domain was there");
	else if (r->unseen)
		result__why(res, "%s", r->unseen_first);
	else if (r->id == INV_STRICT_MEANS_STRICT)
		result__why(res, "there was no strict unmap through the DMA API");
	else if (r->id == INV_SYNC_MAP)
		result__why(res,
			    "no iotlb_sync_map was called: no such driver, or nothing was mapped");
	else if (r->id == INV_PT_BALANCE || r->id == INV_TEARDOWN_STALL ||
		 r->id == INV_DETACH_EMPTY)
		result__why(res, "no domain was freed");
	else if (r->id == INV_PT_FREED_AFTER_FLUSH)
		result__why(res, "no page of a page table was freed while its domain lived");
	else
		result__why(res, "there were no %s", res->unit);
}

static bool was_reached(const struct checks *c, const struct rule_state *r)
{
	for (__u32 seg = 0; seg < SEGMENTS; seg++)
		if (rule__is_in(c, r, seg))
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
		result__why(res, "its phase was not reached: no such mark in the kernel log");
		return;
	}
	for (__u32 seg = 0; seg < SEGMENTS; seg++)
		if (rule__is_in(c, r, seg)) {
			res->looked_at += looked_at(r, &r->seg[seg]);
			add_found(c, r, &r->seg[seg]);
		}
	if (has_max(r->id))
		res->looked_at = r->devices.nr;
	missing__tell(c, r);
	if (r->id == INV_WINDOW || r->id == INV_FLUSH_LATENCY)
		judge_times(c, r);
	else
		say(c, r);
	if (res->violations > (has_max(r->id) ? r->rule->params[0] : 0))
		res->outcome = OUTCOME_FAIL;
	else if (surely_nothing(c, r))
		skip(c, r);
	else if (res->nr_why && concerns_anything(c, r) && tally__decide(c, r))
		res->counted = true;
	else if (res->nr_why &&
		 (res->looked_at || concerns_anything(c, r) ||
		  missing__lost(c, r, 0, ~0ULL, LOSS(RARE) | LOSS(DAMAGE), SKIPPED_RARE)))
		res->outcome = OUTCOME_INCONCLUSIVE;
	else if (!res->looked_at && !res->waived)
		skip(c, r);
	else
		res->outcome = OUTCOME_PASS;
}
