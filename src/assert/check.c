// SPDX-License-Identifier: GPL-2.0-only
#include "assert/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert/internal.h"
#include "util/text.h"

#define PHASE_MARK "iommutop: phase "

static void release_rules(struct checks *c)
{
	for (size_t i = 0; c->rules && i < c->set->nr; i++) {
		for (__u32 seg = 0; seg < SEGMENTS; seg++) {
			free(c->rules[i].seg[seg].kept);
			free(c->rules[i].seg[seg].times);
		}
		idtab__free(&c->rules[i].devices);
		idtab__for_each (&c->rules[i].types, s)
			free(s->value);
		idtab__free(&c->rules[i].types);
	}
	free(c->rules);
	for (int id = 0; id < INV_NR; id++)
		free(c->by_id[id]);
}

void checks__free(struct checks *c)
{
	if (!c)
		return;
	idtab__for_each (&c->runners, s) {
		struct runner *r = s->value;

		tables__next(c, NULL, r, NULL);
		free(r->fresh);
		free(r->going);
		free(r);
	}
	idtab__free(&c->runners);
	idtab__for_each (&c->pages, s)
		page__free(c, s->value);
	idtab__free(&c->pages);
	idtab__for_each (&c->domains, s) {
		struct watched *w = s->value;

		tables__release(c, w);
		book__clear(&c->book, &w->unmaps);
		free(w->told);
		free(w->untold);
		free(w);
	}
	idtab__free(&c->domains);
	idtab__for_each (&c->subjects, s) {
		free(((struct subject *)s->value)->rules);
		free(s->value);
	}
	idtab__free(&c->subjects);
	hooked__free(c);
	book__free(&c->book);
	release_rules(c);
	free(c);
}

int checks__new(struct checks **out, const struct rule_set *rules, struct analysis *a, __s32 today)
{
	struct checks *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->set = rules;
	c->a = a;
	c->today = today;
	c->generation = 1;
	c->rules = calloc(rules->nr ? rules->nr : 1, sizeof(*c->rules));
	err = c->rules ? book__init(&c->book) : -ENOMEM;
	for (int id = 0; id < INV_NR && !err; id++) {
		c->by_id[id] = calloc(rules->nr ? rules->nr : 1, sizeof(struct rule_state *));
		if (!c->by_id[id])
			err = -ENOMEM;
	}
	for (size_t i = 0; i < rules->nr && !err; i++) {
		struct rule_state *r = &c->rules[i];

		r->rule = &rules->rules[i];
		r->result.rule = r->rule;
		r->id = (enum invariant_id)(r->rule->invariant - invariants);
		c->by_id[r->id][c->nr_by_id[r->id]++] = r;
	}
	if (err) {
		checks__free(c);
		return err;
	}
	*out = c;
	return 0;
}

/* --- hot events
 * -------------------------------------------------------------------------------- */

static void on_map(struct checks *c, struct subject *s, struct runner *r, const struct iot_map *ev)
{
	s->seen[SEEN_MAPS] += !ev->ret || ev->ret == -EEXIST || ev->ret == -EADDRINUSE;
	flush__map(c, s, r, ev);
}

static void on_unmap(struct checks *c, struct subject *s, struct runner *r,
		     const struct iot_unmap *ev)
{
	s->seen[SEEN_UNMAPS] += ev->size != 0;
	maps__unmap(c, s, ev);
	flush__unmap(c, s, r, ev);
}

static void before_hot(struct checks *c, struct subject *s, struct runner *r,
		       const struct iot_event *ev)
{
	const void *body = ev;

	if ((r->nr_going || r->nr_fresh) && ev->id <= IOT_EV_IOVA_FREE)
		tables__next(c, s, r, ev);
	if (s->w->nr)
		switch (ev->id) {
		case IOT_EV_MAP:
			on_map(c, s, r, body);
			break;
		case IOT_EV_UNMAP:
			on_unmap(c, s, r, body);
			break;
		case IOT_EV_FLUSH:
			flush__flush(c, s, r, body);
			break;
		case IOT_EV_IOVA_ALLOC:
		case IOT_EV_IOVA_FREE:
			flush__iova(c, s, body);
			break;
		case IOT_EV_INVALIDATE:
			told__invalidate(c, s, r, body);
			break;
		}
	if (ev->id == IOT_EV_TABLE_ALLOC)
		tables__allocated(c, s, r, body);
	else if (ev->id == IOT_EV_TABLE_FREE)
		tables__freed(c, s, r, body);
	/* flushes may be a part of the unmap that is under way */
	if (ev->id == IOT_EV_MAP || ev->id == IOT_EV_UNMAP || ev->id == IOT_EV_IOVA_ALLOC ||
	    ev->id == IOT_EV_IOVA_FREE) {
		r->op_ts = ev->ts;
		r->sync_gather = 0;
	}
}

static int on_hot(struct checks *c, const struct iot_event *ev)
{
	struct subject *s = checks__subject(c, ev->domain, ev->dev);
	struct runner *r = checks__runner(c, ev);
	__u64 replaced;
	int err;

	if (!s || !r)
		return analysis__event(c->a, ev);
	before_hot(c, s, r, ev);
	replaced = s->w->dom ? s->w->dom->replaced : 0;
	err = analysis__event(c->a, ev);
	/* the model has just met them */
	if (!s->w->dom || (s->dev && !s->device))
		s->generation = c->generation - 1;
	if (ev->id == IOT_EV_MAP && s->w->dom)
		maps__map(c, s, (const void *)ev, replaced);
	return err;
}

/* --- the rest
 * ---------------------------------------------------------------------------------- */

static void begin_segment(struct checks *c, __u32 next, __u64 ts)
{
	if (next <= c->segment || c->began[next])
		return;
	checks__fold(c);
	c->began[next] = ts;
	c->segment_next = next;
	maps__leaks(c, c->segment, false);
	ends__types(c, c->segment);
	c->segment = next;
	idtab__for_each (&c->domains, s) {
		struct watched *w = s->value;

		w->bytes_at[next] = w->dom ? w->dom->live_bytes : 0;
	}
}

/* Lines of the kernel's about domain types (drivers/iommu/iommu.c), for domain-type. */
static void note_policy(struct checks *c, const char *text, size_t len)
{
	static const char *const begins[2] = { "iommu: Default domain type: ",
					       "iommu: DMA domain TLB invalidation policy: " };

	for (int i = 0; i < 2; i++) {
		size_t head = strlen(begins[i]);

		if (len > head && !strncmp(text, begins[i], head))
			text__copy(c->policy[i], sizeof(c->policy[i]), text + 7,
				   strcspn(text, "\n") < len ? strcspn(text, "\n") - 7 : len - 7);
	}
}

static void on_log(struct checks *c, const struct iot_log *ev)
{
	size_t room = ev->h.len - sizeof(*ev),
	       len = strnlen(ev->text, ev->text_len < room ? ev->text_len : room);
	char text[IOT_TEXT_MAX + 1];

	memcpy(text, ev->text, len);
	text[len] = 0;
	note_policy(c, text, len);
	if (strncmp(text, PHASE_MARK, strlen(PHASE_MARK)))
		return;
	text[strcspn(text, "\n")] = 0;
	if (!strcmp(text + strlen(PHASE_MARK), "workload"))
		begin_segment(c, 1, ev->h.ts);
	else if (!strcmp(text + strlen(PHASE_MARK), "shutdown"))
		begin_segment(c, 2, ev->h.ts);
}

static void on_domain(struct checks *c, const struct iot_domain *ev)
{
	struct watched *w = checks__domain(c, ev->h.domain);

	if (!w || !w->dom)
		return;
	if (ev->owner)
		hooked__domain(c, w, ev->owner);
	w->has_sync_map |= ev->sync_map != 0;
}

static void free_domain(struct checks *c, const struct iot_domain *ev)
{
	struct watched *w = checks__domain(c, ev->h.domain);

	if (!w || !w->dom || w->freed)
		return;
	maps__freed(c, w, ev->h.ts);
	/* sysfs switches the queue on before the type, which nobody tells of until now */
	if (ev->type == IOT_TYPE_DMA_FQ)
		w->queued = 0;
	flush__end(c, w, false);
	told__end(c, w);
	tables__release(c, w);
	w->freed = ev->h.ts;
}

/* A device that rules about devices concern stays counted, whatever becomes of it. */
static void note_device(struct checks *c, __u32 nr)
{
	static const enum invariant_id ids[] = { INV_NO_FAULT, INV_NO_HANG,
						 INV_INVALIDATION_TIMEOUT };
	struct model_device *dev = model__device(&c->a->model, nr);
	struct place where = { dev, dev ? model__domain(&c->a->model, dev->domain) : NULL };

	if (!dev || (dev->group < 0 && !dev->domain))
		return;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		for (__u32 n = 0; n < c->nr_by_id[ids[i]]; n++) {
			struct rule_state *r = c->by_id[ids[i]][n];

			if (rule__concerns(r, c, where) && !idtab__find(&r->devices, nr) &&
			    idtab__set(&r->devices, nr, r))
				c->error = -ENOMEM;
		}
}

static void on_attach(struct checks *c, const struct iot_attach *ev)
{
	struct watched *w = checks__domain(c, ev->h.domain);

	if (w && !ev->ret && ev->h.dev)
		w->last_dev = ev->h.dev;
}

static void on_detach(struct checks *c, const struct iot_event *ev)
{
	struct watched *w = checks__domain(c, ev->domain);
	struct runner *r = w && w->nr_untold ? checks__runner(c, ev) : NULL;

	if (r)
		told__detached(w, r);
}

static void say_incident(struct checks *c, struct rule_state *r, const struct incident *i,
			 struct place where)
{
	const struct incident_fault *f = i->nr_kept ? i->faults[0] : NULL;
	char at[32] = "";

	if (f && f->iova_known)
		snprintf(at, sizeof(at), " at 0x%llx", f->iova);
	snprintf(r->noted_first, sizeof(r->noted_first), "%s: %s%s", place__name(c, where).s,
		 i->nr_faults    ? "a fault"
		 : i->hang.count ? "a hang"
				 : "an invalidation timed out",
		 at);
}

/* For whoever wants to know at once; what is said in the end is made of the judged incidents. */
static void note_incidents(struct checks *c)
{
	const struct incidents *in = &c->a->incidents;

	for (; c->incidents < in->nr; c->incidents++) {
		const struct incident *i = in->list[c->incidents];
		enum invariant_id id = i->nr_faults    ? INV_NO_FAULT
				       : i->hang.count ? INV_NO_HANG
						       : INV_INVALIDATION_TIMEOUT;
		struct place where = checks__place(c, i->dev, 0);

		for (__u32 n = 0; n < c->nr_by_id[id]; n++) {
			const struct waiver *expired;
			struct rule_state *r = c->by_id[id][n];

			if (rule__concerns(r, c, where) &&
			    !rule__waiver(r->rule, where.dev, where.dom, c->today, &expired)) {
				c->violations += r->rule->severity == SEVERITY_ERROR;
				if (!r->noted++)
					say_incident(c, r, i, where);
			}
		}
	}
}

static bool is_long_enough(const struct iot_event *ev)
{
	switch (ev->id) {
	case IOT_EV_LOG:
		return ev->len >= sizeof(struct iot_log);
	case IOT_EV_DOMAIN:
		return ev->len >= sizeof(struct iot_domain);
	case IOT_EV_ATTACH:
	case IOT_EV_DETACH:
		return ev->len >= sizeof(struct iot_attach);
	case IOT_EV_ATTR:
		return ev->len >= sizeof(struct iot_attr);
	case IOT_EV_CAPTURE:
		return ev->len >= sizeof(struct iot_capture);
	case IOT_EV_TEARDOWN:
		return ev->len >= sizeof(struct iot_teardown);
	case IOT_EV_TALLY:
		return ev->len >= sizeof(struct iot_tally);
	default:
		return ev->len >= (ev->id < 16 ? IOT_HOT_SIZE : sizeof(*ev));
	}
}

static int on_rare(struct checks *c, const struct iot_event *ev)
{
	const void *body = ev;
	const struct iot_domain *domain = body;
	struct watched *w;
	int err;

	if (ev->id == IOT_EV_DOMAIN && domain->what == IOT_DOMAIN_FREE)
		free_domain(c, domain);
	err = analysis__event(c->a, ev);
	switch (ev->id) {
	case IOT_EV_LOG:
		on_log(c, body);
		break;
	case IOT_EV_DOMAIN:
		c->generation++;
		if (domain->what != IOT_DOMAIN_FREE)
			on_domain(c, body);
		break;
	case IOT_EV_DEVICE:
		c->generation++;
		note_device(c, ev->dev);
		break;
	case IOT_EV_ATTACH:
		c->generation++;
		on_attach(c, body);
		note_device(c, ev->dev);
		break;
	case IOT_EV_DETACH:
		c->generation++;
		on_detach(c, ev);
		break;
	case IOT_EV_ATTR:
		hooked__attr(c, body);
		break;
	case IOT_EV_TEARDOWN:
		tables__teardown(c, body);
		break;
	case IOT_EV_TALLY:
		w = checks__domain(c, ev->domain);
		if (w)
			memcpy(&w->tally, ev, sizeof(w->tally));
		break;
	case IOT_EV_CAPTURE:
		c->seen_end |= ((const struct iot_capture *)body)->what == IOT_CAPTURE_END;
		break;
	}
	note_incidents(c);
	return err;
}

int checks__event(struct checks *c, const struct iot_event *ev)
{
	int err;

	if (ev->flags & IOT_F_DERIVED || !is_long_enough(ev))
		return analysis__event(c->a, ev);
	/* snapshots tell of what was, side tables of no time */
	if (ev->id < IOT_EV_DEVICE && ev->ts > c->now)
		c->now = ev->ts;
	err = ev->id < 16 ? on_hot(c, ev) : on_rare(c, ev);
	return err ? err : c->error;
}

int checks__finish(struct checks *c)
{
	struct model *m = &c->a->model;

	analysis__finish(c->a);
	m->origin = MODEL_ANY_ORIGIN;
	/* detaching takes time, in which flushes go on unseen */
	if (m->capture_end && m->capture_end < c->now)
		c->now = m->capture_end;
	c->generation++;
	idtab__for_each (&c->subjects, s)
		subject__refresh(c, s->value);
	maps__leaks(c, c->segment, true);
	ends__types(c, c->segment);
	tables__end(c);
	idtab__for_each (&c->domains, s) {
		flush__end(c, s->value, true);
		told__end(c, s->value);
	}
	checks__fold(c);
	ends__incidents(c);
	ends__coverage(c);
	for (size_t i = 0; i < c->set->nr; i++)
		checks__decide(c, &c->rules[i]);
	return c->error;
}

const struct check_result *checks__result(const struct checks *c, size_t i)
{
	return &c->rules[i].result;
}

__u64 checks__violations(const struct checks *c)
{
	return c->violations;
}

__u64 checks__so_far(const struct checks *c, size_t i, const char **first)
{
	__u64 violations = c->rules[i].noted;

	*first = c->rules[i].noted_first;
	for (__u32 n = 0; n < SEGMENTS; n++) {
		const struct segment *s = &c->rules[i].seg[n];

		violations += s->violations;
		if (!**first && s->violations && s->nr_kept)
			*first = s->kept[0].finding.text;
	}
	return violations;
}

enum outcome checks__verdict(const struct checks *c)
{
	bool seen[OUTCOME_SKIP + 1] = { false };

	for (size_t i = 0; i < c->set->nr; i++)
		if (c->rules[i].rule->severity == SEVERITY_ERROR)
			seen[c->rules[i].result.outcome] = true;
	if (seen[OUTCOME_FAIL])
		return OUTCOME_FAIL;
	if (seen[OUTCOME_INCONCLUSIVE])
		return OUTCOME_INCONCLUSIVE;
	return seen[OUTCOME_PASS] ? OUTCOME_PASS : OUTCOME_SKIP;
}

const char *outcome__name(enum outcome o)
{
	static const char *const names[] = {
		[OUTCOME_PASS] = "PASS",
		[OUTCOME_FAIL] = "FAIL",
		[OUTCOME_INCONCLUSIVE] = "INCONCLUSIVE",
		[OUTCOME_SKIP] = "SKIP",
	};

	return names[o];
}
