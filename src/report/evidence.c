// SPDX-License-Identifier: GPL-2.0-only
#include "report/evidence.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "analyze/lookup.h"
#include "report/explain_page.h"
#include "report/words.h"

/* A new line at its place in time; NULL when there are too many, which more() takes as well. */
static struct evidence *add(struct evidence_list *list, __u64 ts, const char *what)
{
	struct evidence *e;
	int at;

	if (list->nr == EVIDENCE_MAX)
		return NULL;
	for (at = list->nr; at > 0 && list->items[at - 1].ts > ts; at--)
		list->items[at] = list->items[at - 1];
	list->nr++;
	e = &list->items[at];
	*e = (struct evidence){ .ts = ts, .what = what };
	return e;
}

static __attribute__((format(printf, 2, 3))) void more(struct evidence *e, const char *fmt, ...)
{
	va_list ap;
	size_t len;

	if (!e)
		return;
	len = strlen(e->text);
	va_start(ap, fmt);
	vsnprintf(e->text + len, sizeof(e->text) - len, fmt, ap);
	va_end(ap);
}

static void more_range(struct evidence *e, __u64 start, __u64 last)
{
	more(e, "iova 0x%llx-0x%llx %s", start, last, words__bytes(last - start + 1).s);
}

static void more_stack(struct evidence *e, const struct model *m, __u32 stack)
{
	struct words st = words__stack(m, stack);

	if (st.s[0])
		more(e, ", %s", st.s);
}

static void add_live(struct evidence_list *list, const struct dead *d, const struct model *m,
		     const char *whose)
{
	struct evidence *e = add(list, d->map_ts, "map");

	more_range(e, d->start, d->last);
	more(e, "%s%s, by %s%s", d->prot & 1 ? " read" : "", d->prot & 2 ? " write" : "",
	     words__task(m, d->map_tid).s, whose);
	more_stack(e, m, d->map_stack);
}

/* whose: "" for the owner of the address, else what makes it worth showing. */
static void add_dead(struct evidence_list *list, const struct dead *d, const struct model *m,
		     const char *whose)
{
	struct evidence *e;

	if (d->map_ts)
		add_live(list, d, m, whose);
	if (!d->unmap_ts)
		return;
	e = add(list, d->unmap_ts, d->freed ? "free" : d->replaced ? "map" : "unmap");
	more_range(e, d->start, d->last);
	if (d->freed) {
		more(e, " gone with domain %u, which was freed", d->domain);
	} else if (d->replaced) {
		more(e, " taken by another mapping; its unmap wasn't seen");
	} else {
		more(e, " %s, cpu %u, by %s%s%s", words__mode(d->mode), d->unmap_cpu,
		     words__task(m, d->unmap_tid).s,
		     d->unmap_flags & IOT_F_IRQ ? " (interrupted)" : "", whose);
		more_stack(e, m, d->unmap_stack);
	}
	if (!d->flushed)
		return;
	e = add(list, d->flush_end, "flush");
	more(e, "of %s, %s: covers the unmap%s; the domain's flush %u",
	     d->flush_kind == IOT_FLUSH_ALL ? "the whole domain" : "the range",
	     words__why(d->flush_why), whose, d->epoch);
	more(e, "; took %s, window %s", words__duration(d->flush_end - d->flush_begin).s,
	     words__duration(d->flush_end - d->unmap_ts).s);
}

static void add_owner(struct evidence_list *list, const struct incident_fault *f,
		      const struct model *m)
{
	struct dead live = lookup__as_dead(&f->live, f->domain);

	if (f->has_live)
		add_live(list, &live, m, "");
	if (f->has_dead)
		add_dead(list, &f->dead, m, f->has_live ? ": the mapping before" : "");
	if (f->has_reuse)
		add_live(list, &f->reuse, m, ": the address given out again");
}

/* The mapping that the verdict is about, where it isn't the address's own. */
static void add_clue(struct evidence_list *list, const struct incident_fault *f,
		     const struct model *m)
{
	struct words whose;

	switch (f->judgement.verdict) {
	case VERDICT_PAST_END:
	case VERDICT_BEFORE_START:
		add_dead(list, &f->neighbour, m, ": the neighbour");
		break;
	case VERDICT_TRUNCATED:
		snprintf(whose.s, sizeof(whose.s), ": the same lowest %u bits", f->cut_bits);
		add_dead(list, &f->cut, m, whose.s);
		break;
	case VERDICT_OTHER_DOMAIN:
	case VERDICT_TORN_DOWN: {
		const struct dead *d = f->has_former ? &f->former : &f->other;

		if (!f->has_former && f->judgement.verdict == VERDICT_TORN_DOWN)
			break;
		snprintf(whose.s, sizeof(whose.s), ": in domain %u", d->domain);
		add_dead(list, d, m, whose.s);
		break;
	}
	default:
		break;
	}
	if (f->has_left)
		more(add(list, f->left, "detach"), "domain taken from the device");
}

#define FAULTS_SHOWN 5U /* the JSON report has all that are kept */

static void add_fault(struct evidence_list *list, const struct incident_fault *f, bool other,
		      const struct model *m)
{
	struct evidence *e = add(list, f->first, "fault");

	more(e, "%s %s", f->dev ? words__device_name(m, f->dev).s : "device not known,",
	     words__access(f->access));
	if (f->domain)
		more(e, ", domain %u", f->domain);
	if (f->iova_known)
		more(e, ", iova 0x%llx", f->iova);
	if (f->reason)
		more(e, ", reason 0x%x", f->reason);
	if (f->pasid_known)
		more(e, ", PASID 0x%x", f->pasid);
	if (f->iommu)
		more(e, ", recorded by dmar%u", f->iommu - 1U);
	if (f->count > 1)
		more(e, ", %llu times in %s", f->count, words__duration(f->last - f->first).s);
	if (other)
		more(e, ": %s", words__verdict(f->judgement.verdict));
	more_stack(e, m, f->stack);
}

static void add_stall(struct evidence_list *list, const struct incident_stall *s)
{
	if (!s->count)
		return;
	more(add(list, s->begin, "stall"), "a flush of domain %u begins, %s", s->domain,
	     words__why(s->why));
	more(add(list, s->end, "flush"), "of %s of domain %u ends; took %s",
	     s->kind == IOT_FLUSH_ALL ? "all" : "a range", s->domain,
	     words__duration(s->end - s->begin).s);
}

static void add_page(struct evidence_list *list, const struct incident_page *p,
		     const struct model *m)
{
	char text[80];
	struct evidence *e;

	if (!p->count)
		return;
	if (p->asked) {
		e = add(list, p->group.since, "ask");
		more(e, "%s asks for the page at 0x%llx", words__device_name(m, p->dev).s,
		     p->same_page ? p->iova : p->group.iovas[0]);
		if (p->group.nr > 1)
			more(e, " and %u more", p->group.nr - 1);
		more(e, ", %s", explain__page_detail(p, text, sizeof(text)));
	}
	if (!p->answered)
		return;
	e = add(list, p->answered, "answer");
	more(e, "%s: ", words__device_name(m, p->dev).s);
	if (p->code == IOT_PAGE_REFUSED)
		more(e, "refused by the core, %s", words__error(p->ret).s);
	else
		more(e, "%s", explain__answer(p->code, text, sizeof(text)));
	if (p->ret && p->code != IOT_PAGE_REFUSED)
		more(e, ", not given (%s)", words__error(p->ret).s);
	if (!p->asked)
		more(e, ", %s", explain__page_detail(p, text, sizeof(text)));
	if (p->latency)
		more(e, ", after %s", words__duration(p->latency).s);
}

static void add_trouble(struct evidence_list *list, const struct incident_trouble *t,
			const char *what, const struct model *m)
{
	struct evidence *e;

	if (!t->count)
		return;
	e = add(list, t->ts, what);
	if (t->dev)
		more(e, "%s: ", words__device_name(m, t->dev).s);
	more(e, "%s", t->what[0] ? t->what : what);
	if (t->queue >= 0)
		more(e, ", queue %d", t->queue);
	if (t->stalled)
		more(e, ", no progress for %s", words__duration(t->stalled).s);
	if (t->count > 1)
		more(e, ", %llu times in %s", t->count, words__duration(t->last - t->ts).s);
}

void evidence__collect(struct evidence_list *list, const struct incident *i, const struct model *m)
{
	list->nr = 0;
	list->zero = incident__zero(i);
	if (i->nr_kept) {
		const struct incident_fault *f = i->faults[0];
		bool is_cover = f->has_dead && f->dead.flushed && f->dead.flush_end == f->flush.end;

		add_owner(list, f, m);
		add_clue(list, f, m);
		if (f->has_flush && !is_cover)
			more(add(list, f->flush.end, "flush"),
			     "of %s, %s: the domain's last one before the fault",
			     f->flush.kind == IOT_FLUSH_ALL ? "the whole domain" : "a range",
			     words__why(f->flush.why));
	}
	for (__u32 n = 0; n < i->nr_kept && n < FAULTS_SHOWN; n++)
		add_fault(list, i->faults[n],
			  i->faults[n]->judgement.verdict != i->judgement.verdict, m);
	if (i->nr_kept > FAULTS_SHOWN)
		more(add(list, i->faults[FAULTS_SHOWN]->first, "fault"),
		     "at %s%u more pages, until %s after the first",
		     i->nr_other ? "more than " : "", i->nr_kept - FAULTS_SHOWN,
		     words__duration(i->last_fault - i->first_fault).s);
	add_stall(list, &i->stall);
	add_page(list, &i->page, m);
	add_trouble(list, &i->before, "reset", m);
	add_trouble(list, &i->error, "error", m);
	add_trouble(list, &i->hang, "hang", m);
	add_trouble(list, &i->reset, "reset", m);
}
