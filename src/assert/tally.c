// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules that are decided by what the kernel side counted itself (IOT_EV_TALLY) where events are
 * missing. It counts for a domain, from the begin of the capture, so it knows nothing of phases.
 */
#include <stdio.h>

#include "assert/internal.h"

/* Where counting itself missed something. */
#define LOSS_TALLY                                                                              \
	(LOSS(RECURSION) | LOSS(UNHOOKED) | LOSS(UNENDED) | LOSS(DOMAIN_TABLE) | LOSS(WRITER) | \
	 LOSS(DAMAGE) | LOSS(CALL))

struct sums {
	__u64 domains;   /* concerned, and counted */
	__u64 bad;       /* violations … */
	__u32 worst;     /* … the last of such domains */
	__u64 worst_by;  /* by so much */
	bool unsure;     /* of one of them it can't be said */
	__int128 growth; /* bytes; what a stranger's session counts may be anything */
	bool undone;     /* a map failed, and what it undid was counted */
};

static bool covers_all_phases(const struct checks *c, const struct rule_state *r)
{
	for (__u32 seg = 0; seg < SEGMENTS; seg++)
		if ((!seg || c->began[seg]) && !(r->rule->phases & checks__phase(c, seg)))
			return false;
	return true;
}

/* Whether the counts are complete: enough to say that something did not happen. */
static bool is_complete(struct checks *c, const struct rule_state *r)
{
	const struct model *m = &c->a->model;
	/* a flush whose begin was forgotten is none of those that are counted by length */
	__u32 causes = LOSS_TALLY | (r->id == INV_FLUSH_LATENCY ? LOSS(BEGIN) : 0);

	return c->seen_end && m->capture_begin && !c->a->malformed && !m->refused &&
	       !missing__lost(c, r, 0, ~0ULL, causes,
			      missing__skipped(r, r->rule->invariant->needs));
}

static bool has_kernels(const struct model *m, const struct model_domain *dom)
{
	for (size_t i = 0; i < m->nr_regions; i++)
		if (m->regions[i].group == dom->group && m->regions[i].origin == dom->origin &&
		    (m->regions[i].kind == IOT_REGION_DIRECT ||
		     m->regions[i].kind == IOT_REGION_RELAXABLE ||
		     m->regions[i].kind == IOT_REGION_SW_MSI))
			return true;
	return false;
}

static void bad(struct sums *s, __u32 domain, __u64 nr, __u64 by)
{
	s->bad += nr;
	s->worst = domain;
	s->worst_by = by > s->worst_by ? by : s->worst_by;
}

/* What is left mapped, in bytes: at least, or exactly. */
static void mapped(struct checks *c, struct sums *s, const struct watched *w)
{
	const struct iot_tally *t = &w->tally;

	s->undone |= t->map_errors != 0;
	s->growth += (__int128)t->map_bytes - t->unmap_bytes;
	/* what a failed map undoes was never counted as mapped; the kernel's own maps stay */
	if (!w->dom && !t->map_bytes && !t->unmap_bytes)
		return;
	if (!w->dom || has_kernels(&c->a->model, w->dom))
		s->unsure = true;
	else if (t->map_bytes > t->unmap_bytes)
		bad(s, w->nr, 1, t->map_bytes - t->unmap_bytes);
	else if (t->map_bytes < t->unmap_bytes || t->map_errors || t->snapshot & IOT_TALLY_OLDER)
		s->unsure = true;
}

static void one(struct checks *c, const struct rule_state *r, struct sums *s,
		const struct watched *w)
{
	const struct iot_tally *t = &w->tally;

	switch (r->id) {
	case INV_NO_FAULT:
		s->domains++;
		if (t->faults)
			bad(s, w->nr, t->faults, t->faults);
		break;
	case INV_NO_HANG:
		s->domains++;
		if (t->hangs)
			bad(s, w->nr, t->hangs, t->hangs);
		break;
	case INV_UNMAP_MATCHES_MAP:
		s->domains++;
		if (t->short_unmaps)
			bad(s, w->nr, t->short_unmaps, t->short_unmaps);
		break;
	case INV_DETACH_EMPTY:
		if (!w->freed)
			break;
		s->domains++;
		mapped(c, s, w);
		break;
	case INV_NO_LEAK:
		s->domains++;
		mapped(c, s, w);
		break;
	case INV_PT_BALANCE:
		if (!w->freed)
			break;
		s->domains++;
		if (t->snapshot || !t->tables_allocated)
			s->unsure = true;
		else if (t->tables_allocated > t->tables_freed)
			bad(s, w->nr, t->tables_allocated - t->tables_freed,
			    t->tables_allocated - t->tables_freed);
		else if (t->tables_allocated < t->tables_freed)
			s->unsure = true;
		break;
	case INV_TEARDOWN_STALL:
		if (!w->freed)
			break;
		s->domains++;
		if (!t->teardown_longest)
			s->unsure = true;
		else if (t->teardown_longest >= r->rule->params[0])
			bad(s, w->nr, 1, t->teardown_longest);
		break;
	default:
		break;
	}
}

static bool fail(struct rule_state *r, const struct sums *s, const char *what)
{
	struct check_result *res = &r->result;
	struct finding f = { .domain = s->worst, .times = s->bad };

	snprintf(f.text, sizeof(f.text), "by the kernel side's own counts, domain %u: %s (%llu)",
		 s->worst, what, s->worst_by);
	res->violations = s->bad;
	if (res->looked_at < s->domains)
		res->looked_at = s->domains;
	if (res->nr_findings < CHECK_FINDINGS)
		res->findings[res->nr_findings++] = f;
	res->outcome = OUTCOME_FAIL;
	return true;
}

static bool pass(struct rule_state *r, __u64 looked_at)
{
	if (r->result.looked_at < looked_at)
		r->result.looked_at = looked_at;
	r->result.outcome = OUTCOME_PASS;
	return true;
}

static bool latency(struct checks *c, struct rule_state *r)
{
	__u64 limit = r->rule->params[0], percent = r->rule->params[1], nr = 0, longest = 0,
	      below = 0, straddle = 0;
	struct sums s = { 0 };

	idtab__for_each (&c->domains, slot) {
		struct watched *w = slot->value;

		if (!w->tally.h.id || !rule__concerns(r, c, watched__place(c, w)))
			continue;
		nr += w->tally.flushes;
		if (w->tally.flush_longest > longest) {
			longest = w->tally.flush_longest;
			s.worst = w->nr;
		}
		for (__u32 i = 0; i < IOT_TALLY_LOG2; i++) {
			__u64 low = i ? 256ULL << i : 0;
			bool last = i + 1 == IOT_TALLY_LOG2;

			if (!last && 512ULL << i <= limit)
				below += w->tally.flush[i];
			else if (low < limit)
				straddle += w->tally.flush[i];
		}
	}
	if (!nr)
		return false;
	if (longest < limit)
		below = nr, straddle = 0;
	snprintf(r->result.says, sizeof(r->result.says),
		 "%llu flushes counted by the kernel side, %llu of them below the limit for sure; "
		 "the "
		 "longest took %.1f us",
		 nr, below, (double)longest / 1e3);
	if (percent >= 100000 ? longest >= limit
			      : (unsigned __int128)(below + straddle) * 100000 <
					(unsigned __int128)percent * nr) {
		s.bad = nr - below - straddle ? nr - below - straddle : 1;
		s.worst_by = longest;
		s.domains = nr;
		return fail(r, &s, "flushes beyond the limit, the longest in ns");
	}
	if (!is_complete(c, r) ||
	    (unsigned __int128)below * 100000 < (unsigned __int128)percent * nr)
		return false;
	return pass(r, nr);
}

bool tally__decide(struct checks *c, struct rule_state *r)
{
	static const char *const what[INV_NR] = {
		[INV_NO_FAULT] = "faults",
		[INV_NO_HANG] = "hangs",
		[INV_UNMAP_MATCHES_MAP] = "unmaps that removed less than they were asked for",
		[INV_DETACH_EMPTY] = "it was freed with something mapped; bytes",
		[INV_NO_LEAK] = "more was mapped than unmapped; bytes",
		[INV_PT_BALANCE] = "pages of page tables that were not freed",
		[INV_TEARDOWN_STALL] = "teardown without a break, in ns",
	};
	bool is_max = r->id == INV_NO_FAULT || r->id == INV_NO_HANG;
	/* for these, what was not counted may have happened all the same */
	bool fails_only = is_max || r->id == INV_UNMAP_MATCHES_MAP;
	struct sums s = { 0 };

	if (!(r->rule->invariant->counted & NEED_TALLY) || !covers_all_phases(c, r))
		return false;
	if (r->id == INV_FLUSH_LATENCY)
		return latency(c, r);
	if (r->rule->nr_waivers)
		return false; /* what is counted has no device that could be held against them */
	idtab__for_each (&c->domains, slot) {
		struct watched *w = slot->value;

		if (w->tally.h.id && rule__concerns(r, c, watched__place(c, w)))
			one(c, r, &s, w);
		else if (w->dom && rule__concerns(r, c, watched__place(c, w)))
			s.unsure = true;
	}
	if (r->id == INV_NO_LEAK && r->rule->params[0]) {
		s.worst_by = s.growth > (__int128)~0ULL ? ~0ULL : (__u64)s.growth;
		s.bad = s.growth >= (__int128)r->rule->params[0];
		s.unsure = s.undone;
	}
	if (s.bad > (is_max ? r->rule->params[0] : 0))
		return fail(r, &s, what[r->id]);
	if (fails_only || s.unsure || !s.domains || !is_complete(c, r))
		return false;
	return pass(r, s.domains);
}
