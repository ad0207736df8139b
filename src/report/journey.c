// SPDX-License-Identifier: GPL-2.0-only
#include "report/journey.h"

#include <stdarg.h>
#include <string.h>

#include "report/jsonput.h"
#include "report/words.h"
#include "report/wrap.h"

struct line {
	char s[512];
	size_t len;
};

static __attribute__((format(printf, 2, 3))) void say(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->s + l->len, sizeof(l->s) - l->len, fmt, ap);
	va_end(ap);
	l->len += n > 0 ? (size_t)n : 0;
	if (l->len >= sizeof(l->s))
		l->len = sizeof(l->s) - 1;
}

static void say_range(struct line *l, __u64 start, __u64 size)
{
	say(l, "0x%llx-0x%llx %s", start, size ? start + size - 1 : start, words__bytes(size).s);
}

static void say_who(struct line *l, const struct model *m, const struct iot_event *ev)
{
	struct words stack = words__stack(m, ev->stack);

	if (ev->flags & IOT_F_IRQ)
		say(l, ", in an interrupt on cpu %u", ev->cpu);
	else
		say(l, ", %s on cpu %u", words__task(m, ev->tid).s, ev->cpu);
	if (stack.s[0])
		say(l, ", %s", stack.s);
}

static void say_map(struct line *l, const struct model *m, const struct journey_step *s)
{
	say_range(l, s->map.iova, s->map.size);
	if (s->map.ret) {
		say(l, " failed: %s", words__error(s->map.ret).s);
	} else {
		say(l, " to 0x%llx", s->map.paddr);
		if (s->mapped)
			say(l, ", over a live mapping (its unmap wasn't seen)");
		else if (s->since)
			say(l, ", again %s after the unmap%s", words__duration(s->since).s,
			    s->unflushed ? " and NO FLUSH OF IT SEEN" : "");
	}
	say_who(l, m, &s->h);
}

static void say_unmap(struct line *l, const struct model *m, const struct journey_step *s)
{
	say_range(l, s->unmap.iova, s->unmap.size);
	if (s->unmap.unmapped != s->unmap.size)
		say(l, ", %s removed", words__bytes(s->unmap.unmapped).s);
	say(l, ", %s", words__mode(s->unmap.mode));
	if (s->since)
		say(l, ", %s after the map", words__duration(s->since).s);
	say_who(l, m, &s->h);
}

static void say_fault(struct line *l, const struct model *m, const struct journey_step *s)
{
	say(l, "%s of %s at 0x%llx: ", words__access(s->fault.access), words__device(m, s->h.dev).s,
	    s->fault.iova);
	if (s->mapped)
		say(l, "mapped for %s", words__duration(s->since).s);
	else if (s->since)
		say(l, "unmapped %s ago, %s", words__duration(s->since).s,
		    s->unflushed ? "no flush of it seen" : "and flushed");
	else
		say(l, "not mapped, as far as was seen");
	if (s->has_below)
		say(l, "; below it 0x%llx-0x%llx", s->below.start, s->below.last);
	if (s->has_above)
		say(l, "; above it 0x%llx-0x%llx", s->above.start, s->above.last);
}

static void say_step(struct line *l, const struct model *m, const struct journey_step *s)
{
	switch (s->h.id) {
	case IOT_EV_MAP:
		say_map(l, m, s);
		break;
	case IOT_EV_UNMAP:
		say_unmap(l, m, s);
		break;
	case IOT_EV_FLUSH:
		say(l, "%s, %s: covers the unmap, window %s",
		    s->flush.kind == IOT_FLUSH_ALL ? "of the whole domain" : "of ranges",
		    words__why(s->flush.why), words__duration(s->since).s);
		break;
	case IOT_EV_IOVA_ALLOC:
	case IOT_EV_IOVA_FREE:
		say_range(l, s->iova.iova, s->iova.size);
		if (s->iova.begin && s->iova.begin <= s->h.ts)
			say(l, ", took %s", words__duration(s->h.ts - s->iova.begin).s);
		if (s->h.flags & IOT_F_SLOW)
			say(l, ", slow path");
		if (s->unflushed)
			say(l, ", and NO FLUSH OF IT SEEN since the unmap");
		break;
	case IOT_EV_FAULT:
		say_fault(l, m, s);
		break;
	}
}

static const char *what_of(const struct journey_step *s)
{
	switch (s->h.id) {
	case IOT_EV_MAP:
		return "map";
	case IOT_EV_UNMAP:
		return "unmap";
	case IOT_EV_FLUSH:
		return "flush";
	case IOT_EV_IOVA_ALLOC:
		return "alloc";
	case IOT_EV_IOVA_FREE:
		return "free";
	default:
		return "fault";
	}
}

static void print_now(FILE *out, const struct model *m, const struct journey_domain *d, __u64 iova)
{
	const struct model_domain *dom = words__find_domain(m, d->nr);
	const struct range *r, *below, *above;
	struct line l = { .len = 0 };

	if (!dom)
		return;
	r = ranges__find(&dom->live, iova);
	below = r ? NULL : ranges__below(&dom->live, iova);
	above = r ? NULL : ranges__above(&dom->live, iova);
	if (r)
		say(&l, "mapped, as 0x%llx-0x%llx since its last map", r->start, r->last);
	else
		say(&l, "not mapped%s",
		    d->waiting ? ", and no flush of it was seen since the unmap" : "");
	if (below)
		say(&l, "; below it 0x%llx-0x%llx", below->start, below->last);
	if (above)
		say(&l, "; above it 0x%llx-0x%llx", above->start, above->last);
	say(&l, "; mapped %s in what was seen", words__times(d->maps, "time", "times").s);
	wrap__print(out, "       at the end  ", l.s);
}

void journey__print(FILE *out, const struct analysis *a)
{
	const struct journey *j = a->journey;
	const struct model *m = &a->model;
	__u64 start = m->capture_begin ? m->capture_begin : m->has_mappings ? m->first : 0;

	fprintf(out, "\nJourney of IOVA 0x%llx: %s", j->iova,
		words__times(j->nr, "event", "events").s);
	if (j->nr > journey__kept(j))
		fprintf(out, ", the last %llu here (--time shows earlier ones)", journey__kept(j));
	fputs(j->nr ? "\n" : "; nothing touched it\n", out);
	for (__u64 i = 0; i < journey__kept(j); i++) {
		const struct journey_step *s = journey__step(j, i);
		struct line l = { .len = 0 };
		char head[64];

		snprintf(head, sizeof(head), "%15.6f s  domain %-3u %-5s ",
			 ((double)s->h.ts - (double)start) / 1e9, s->domain, what_of(s));
		say_step(&l, m, s);
		wrap__print(out, head, l.s);
	}
	for (__u32 i = 0; i < j->nr_domains; i++) {
		if (j->nr_domains > 1)
			fprintf(out, "       domain %u\n", j->domains[i].nr);
		print_now(out, m, &j->domains[i], j->iova);
	}
	if (j->domains_dropped)
		fprintf(out, "  %s of further domains: too many; choose some with --domain.\n",
			words__times(j->domains_dropped, "event was", "events were").s);
}

static json *range_json(const struct range *r)
{
	json *o;

	if (!r)
		return NULL;
	o = json_object_new_object();
	put_hex(o, "start", r->start);
	put_hex(o, "last", r->last);
	put_u64(o, "map_ns", r->ts);
	return o;
}

static json *step_json(const struct model *m, const struct journey_step *s)
{
	json *o = json_object_new_object();
	__u64 start = s->map.iova, size = s->map.size; /* of map, unmap and IOVA alike */
	bool has_range = s->h.id != IOT_EV_FLUSH && s->h.id != IOT_EV_FAULT;

	put_u64(o, "ts_ns", s->h.ts);
	put_text(o, "what", what_of(s));
	put_nonzero(o, "domain", s->domain);
	put_nonzero(o, "device", s->h.dev);
	put_u64(o, "cpu", s->h.cpu);
	put_u64(o, "tid", s->h.tid);
	put(o, "in_interrupt", json_object_new_boolean(s->h.flags & IOT_F_IRQ));
	put(o, "stack", stack_json(m, s->h.stack));
	put(o, "start", NULL);
	put(o, "last", NULL);
	if (has_range) {
		put_hex(o, "start", start);
		put_hex(o, "last", size ? start + size - 1 : start);
	}
	put(o, "result", s->h.id == IOT_EV_MAP ? json_object_new_int(s->map.ret) : NULL);
	put_text(o, "mode", s->h.id == IOT_EV_UNMAP ? words__mode(s->unmap.mode) : NULL);
	put_text(o, "why", s->h.id == IOT_EV_FLUSH ? words__why(s->flush.why) : NULL);
	put_text(o, "access", s->h.id == IOT_EV_FAULT ? words__access(s->fault.access) : NULL);
	put_nonzero(o, "since_ns", s->since);
	put(o, "mapped", json_object_new_boolean(s->mapped));
	put(o, "unflushed", json_object_new_boolean(s->unflushed));
	put(o, "below", range_json(s->has_below ? &s->below : NULL));
	put(o, "above", range_json(s->has_above ? &s->above : NULL));
	return o;
}

static json *end_json(const struct model *m, const struct journey_domain *d, __u64 iova)
{
	const struct model_domain *dom = words__find_domain(m, d->nr);
	const struct range *r = dom ? ranges__find(&dom->live, iova) : NULL;
	json *o = json_object_new_object();

	put_nonzero(o, "domain", d->nr);
	put_u64(o, "maps", d->maps);
	put(o, "mapped", range_json(r));
	put(o, "below", range_json(dom && !r ? ranges__below(&dom->live, iova) : NULL));
	put(o, "above", range_json(dom && !r ? ranges__above(&dom->live, iova) : NULL));
	put(o, "unflushed", json_object_new_boolean(d->waiting));
	return o;
}

struct json_object *journey__json(const struct analysis *a)
{
	const struct journey *j = a->journey;
	json *o, *steps, *end;

	if (!j)
		return NULL;
	o = json_object_new_object();
	steps = json_object_new_array();
	end = json_object_new_array();
	put_hex(o, "iova", j->iova);
	put_u64(o, "events", j->nr);
	put_u64(o, "events_of_further_domains", j->domains_dropped);
	for (__u64 i = 0; i < journey__kept(j); i++)
		json_object_array_add(steps, step_json(&a->model, journey__step(j, i)));
	put(o, "steps", steps);
	for (__u32 i = 0; i < j->nr_domains; i++)
		json_object_array_add(end, end_json(&a->model, &j->domains[i], j->iova));
	put(o, "at_end", end);
	return o;
}
