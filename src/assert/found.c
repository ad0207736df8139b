// SPDX-License-Identifier: GPL-2.0-only
/* Who events belong to, which rules that concerns, and what was found. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert/internal.h"

struct watched *checks__domain(struct checks *c, __u32 nr)
{
	/* the key must not be 0 for nobody's sake but the table's: domain 0 has one too */
	struct watched *w = idtab__find(&c->domains, nr);

	if (w) {
		if (!w->dom)
			w->dom = model__domain(&c->a->model, nr);
		return w;
	}
	w = calloc(1, sizeof(*w));
	if (!w || idtab__set(&c->domains, nr, w)) {
		free(w);
		c->error = -ENOMEM;
		return NULL;
	}
	w->nr = nr;
	w->dom = model__domain(&c->a->model, nr);
	book__domain_init(&c->book, &w->unmaps);
	return w;
}

static void fold(struct checks *c, struct subject *s)
{
	for (__u32 i = 0; i < s->begin[INV_NR]; i++)
		for (int k = 0; k < SEEN_NR; k++)
			s->rules[i]->seg[c->segment].seen[k] += s->seen[k];
	memset(s->seen, 0, sizeof(s->seen));
}

void checks__fold(struct checks *c)
{
	idtab__for_each (&c->subjects, s)
		fold(c, s->value);
}

void subject__refresh(struct checks *c, struct subject *s)
{
	__u16 n = 0;

	fold(c, s);
	s->generation = c->generation;
	s->device = model__device(&c->a->model, s->dev);
	if (!s->w->dom)
		s->w->dom = model__domain(&c->a->model, s->domain);
	for (int id = 0; id < INV_NR; id++) {
		s->begin[id] = n;
		for (__u32 i = 0; i < c->nr_by_id[id]; i++)
			if (rule__concerns(c->by_id[id][i], c, subject__place(s)))
				s->rules[n++] = c->by_id[id][i];
	}
	s->begin[INV_NR] = n;
}

static struct subject *make_subject(struct checks *c, __u64 key)
{
	struct subject *s = calloc(1, sizeof(*s));

	if (s)
		s->rules = calloc(c->set->nr ? c->set->nr : 1, sizeof(*s->rules));
	if (s && s->rules)
		s->w = checks__domain(c, (__u32)(key >> 32));
	if (!s || !s->w || idtab__set(&c->subjects, key, s)) {
		if (s)
			free(s->rules);
		free(s);
		c->error = -ENOMEM;
		return NULL;
	}
	s->domain = (__u32)(key >> 32);
	s->dev = (__u32)key;
	s->generation = c->generation - 1;
	return s;
}

struct subject *checks__subject(struct checks *c, __u32 domain, __u32 dev)
{
	struct subject *s = c->last_subject;

	if (!s || s->domain != domain || s->dev != dev) {
		__u64 key = (__u64)domain << 32 | dev;

		s = idtab__find(&c->subjects, key);
		if (!s)
			s = make_subject(c, key);
		if (!s)
			return NULL;
		c->last_subject = s;
	}
	if (s->generation != c->generation)
		subject__refresh(c, s);
	return s;
}

static void forget_runners(struct checks *c)
{
	struct idtab kept = { 0 };

	idtab__for_each (&c->runners, slot) {
		struct runner *r = slot->value;

		if (r->waits_seq || r->nr_fresh || r->nr_going) {
			if (idtab__set(&kept, slot->key, r)) {
				c->error = -ENOMEM;
				idtab__free(&kept);
				return;
			}
		}
	}
	idtab__for_each (&c->runners, slot) {
		struct runner *r = slot->value;

		if (r->waits_seq || r->nr_fresh || r->nr_going)
			continue;
		free(r->fresh);
		free(r->going);
		free(r);
	}
	idtab__free(&c->runners);
	c->runners = kept;
	c->last_runner = NULL;
}

struct runner *checks__runner(struct checks *c, const struct iot_event *ev)
{
	__u64 irq = ev->flags & IOT_F_IRQ;
	/* all idle tasks have number 0, one on each CPU */
	__u64 key = (ev->tid ? ev->tid : 1ULL << 32 | ev->cpu) | irq << 50 |
		    (__u64)IOT_ORIGIN(ev->flags) << 51;
	struct runner *r = c->last_runner;

	if (r && r->key == key)
		return r;
	r = idtab__find(&c->runners, key);
	if (!r) {
		if (c->runners.nr >= RUNNERS_MAX && !(c->runners.nr & (RUNNERS_MAX - 1)))
			forget_runners(c);
		r = calloc(1, sizeof(*r));
		if (!r || idtab__set(&c->runners, key, r)) {
			free(r);
			c->error = -ENOMEM;
			return NULL;
		}
		r->key = key;
		r->irq = irq;
	}
	c->last_runner = r;
	return r;
}

__u32 checks__segment_of(const struct checks *c, __u64 ts)
{
	__u32 n = SEGMENTS;

	while (--n)
		if (c->began[n] && c->began[n] <= ts)
			return n;
	return 0;
}

bool rule__concerns(const struct rule_state *r, struct checks *c, struct place where)
{
	const struct selector *s = &r->rule->selector;

	if (selector__match(s, where.dev, where.dom))
		return true;
	/* one of several devices may be the one that is meant */
	for (size_t i = 0; !where.dev && where.dom && i < where.dom->nr_devs; i++)
		if (selector__match(s, model__device(&c->a->model, where.dom->devs[i]), where.dom))
			return true;
	return false;
}

struct place checks__place(struct checks *c, __u32 dev, __u32 domain)
{
	struct model *m = &c->a->model;
	struct place where = { model__device(m, dev), model__domain(m, domain) };

	if (where.dev && !where.dom)
		where.dom = model__domain(m, where.dev->domain);
	return where;
}

struct place watched__place(struct checks *c, const struct watched *w)
{
	struct model *m = &c->a->model;
	struct place where = { NULL, w->dom };

	if (w->dom && w->dom->nr_devs == 1)
		where.dev = model__device(m, w->dom->devs[0]);
	else if (w->dom && !w->dom->nr_devs)
		where.dev = model__device(m, w->last_dev);
	return where;
}

struct who place__name(const struct checks *c, struct place where)
{
	struct who who;

	(void)c;
	if (where.dev && where.dev->name[0])
		snprintf(who.s, sizeof(who.s), "%s", where.dev->name);
	else if (where.dom && where.dom->group >= 0)
		snprintf(who.s, sizeof(who.s), "group %d", where.dom->group);
	else if (where.dom)
		snprintf(who.s, sizeof(who.s), "domain %u", where.dom->nr);
	else
		snprintf(who.s, sizeof(who.s), "an unknown device");
	return who;
}

/* Of waivers, a domain with one device is that device. */
static struct place exact(struct checks *c, struct place where)
{
	if (!where.dev && where.dom && where.dom->nr_devs == 1)
		where.dev = model__device(&c->a->model, where.dom->devs[0]);
	return where;
}

static void keep(struct checks *c, struct segment *seg, const struct violation *v,
		 const struct waiver *waiver, const char *text)
{
	struct kept *k;

	if (!seg->kept)
		seg->kept = calloc(KEPT_MAX, sizeof(*seg->kept));
	if (!seg->kept) {
		c->error = -ENOMEM;
		return;
	}
	if (seg->nr_kept == KEPT_MAX && waiver)
		return;
	if (seg->nr_kept == KEPT_MAX) {
		if (!seg->beyond || v->from < seg->beyond_from)
			seg->beyond_from = v->from;
		if (v->to > seg->beyond_to)
			seg->beyond_to = v->to;
		/* one that is certain makes all of them so */
		if (!seg->beyond)
			seg->beyond_causes = v->causes;
		else if (!v->causes || !seg->beyond_causes)
			seg->beyond_causes = 0;
		else
			seg->beyond_causes |= v->causes;
		seg->beyond += v->times ? v->times : 1;
		return;
	}
	k = &seg->kept[seg->nr_kept++];
	k->from = v->from;
	k->to = v->to;
	k->causes = v->causes;
	k->times = v->times ? v->times : 1;
	k->finding = (struct finding){ .ts = v->ts,
				       .dev = v->where.dev ? v->where.dev->nr : 0,
				       .domain = v->where.dom ? v->where.dom->nr : 0,
				       .incident = v->incident,
				       .stack = v->stack,
				       .waiver = waiver };
	snprintf(k->finding.text, sizeof(k->finding.text), "%s", text);
}

static void found(struct checks *c, struct rule_state *r, const struct violation *v,
		  const char *text)
{
	struct segment *seg = &r->seg[v->ts ? checks__segment_of(c, v->ts) : c->segment];
	struct place where = exact(c, v->where);
	const struct waiver *expired, *waiver;
	__u64 times = v->times ? v->times : 1;

	waiver = rule__waiver(r->rule, where.dev, where.dom, c->today, &expired);
	if (expired)
		seg->expired = expired;
	if (waiver) {
		seg->waived += times;
		/* one is shown, that it isn't forgotten; there must be room for the others */
		if (seg->waived == times)
			keep(c, seg, v, waiver, text);
		return;
	}
	seg->violations += times;
	c->violations += r->rule->severity == SEVERITY_ERROR ? times : 0;
	keep(c, seg, v, NULL, text);
}

void checks__violation(struct checks *c, const struct violation *v, const char *fmt, ...)
{
	char text[sizeof(((struct finding *)NULL)->text)];
	va_list args;

	if (!c->nr_by_id[v->id])
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (__u32 i = 0; i < c->nr_by_id[v->id]; i++)
		if (v->only ? v->only == c->by_id[v->id][i]
			    : rule__concerns(c->by_id[v->id][i], c, v->where))
			found(c, c->by_id[v->id][i], v, text);
}

static void add_doubt(struct segment *seg, const char *text)
{
	for (__u32 i = 0; i < seg->nr_doubts; i++)
		if (!strcmp(seg->doubts[i], text))
			return;
	if (seg->nr_doubts < CHECK_WHY)
		snprintf(seg->doubts[seg->nr_doubts++], sizeof(seg->doubts[0]), "%s", text);
}

void segment__doubt(struct segment *seg, const char *fmt, ...)
{
	char text[sizeof(seg->doubts[0])];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	add_doubt(seg, text);
}

void checks__doubt(struct checks *c, enum invariant_id id, struct place where, const char *fmt, ...)
{
	char text[sizeof(((struct segment *)NULL)->doubts[0])];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (__u32 i = 0; i < c->nr_by_id[id]; i++)
		if (rule__concerns(c->by_id[id][i], c, where))
			add_doubt(&c->by_id[id][i]->seg[c->segment], text);
}

void checks__looked(struct checks *c, enum invariant_id id, struct place where, __u64 n)
{
	for (__u32 i = 0; i < c->nr_by_id[id]; i++)
		if (rule__concerns(c->by_id[id][i], c, where))
			c->by_id[id][i]->seg[c->segment].looked += n;
}
