// SPDX-License-Identifier: GPL-2.0-only
#include "report/assert_words.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report/advice.h"
#include "report/explain.h"
#include "report/words.h"

#define DAY_S 86400

static __attribute__((format(printf, 2, 3))) void add(struct assert_line *l, const char *fmt, ...)
{
	size_t len = strlen(l->s);
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->s + len, sizeof(l->s) - len, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n >= sizeof(l->s) - len) {
		char *at = l->s + sizeof(l->s) - 4;

		/* not in the middle of a character: readers refuse what isn't UTF-8 */
		while (at > l->s && (*at & 0xc0) == 0x80)
			at--;
		memcpy(at, "...", 4);
	}
	for (char *c = l->s + len; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
}

struct assert_item assert__item(const struct assert_report *r, size_t i)
{
	const struct check_result *c = i < r->nr ? r->results[i] : NULL;
	struct assert_item it = { .result = c, .outcome = c ? c->outcome : r->run->outcome };

	add(&it.name, "%s", c ? c->rule->name : "run");
	it.warning = c && c->rule->severity == SEVERITY_WARNING &&
		     (c->outcome == OUTCOME_FAIL || c->outcome == OUTCOME_INCONCLUSIVE);
	return it;
}

struct assert_totals assert__totals(const struct assert_report *r)
{
	struct assert_totals t = { .all = r->nr + (r->run ? 1 : 0) };

	for (size_t i = 0; i < t.all; i++) {
		struct assert_item it = assert__item(r, i);

		if (it.warning)
			t.warnings++;
		else if (it.outcome == OUTCOME_PASS)
			t.pass++;
		else if (it.outcome == OUTCOME_FAIL)
			t.fail++;
		else if (it.outcome == OUTCOME_INCONCLUSIVE)
			t.inconclusive++;
		else
			t.skip++;
	}
	return t;
}

static void add_violations(struct assert_line *l, const struct check_result *c)
{
	if (c->violations)
		add(l, "%s", words__times(c->violations, "violation", "violations").s);
	if (c->waived)
		add(l, c->violations ? ", %llu more waived" : "%llu waived", c->waived);
	if (c->looked_at)
		add(l, "%s%s %s", c->violations || c->waived ? " in " : "",
		    words__count(c->looked_at).s, c->unit);
}

static bool is_undecided(const struct check_result *c)
{
	return c->outcome == OUTCOME_INCONCLUSIVE || c->outcome == OUTCOME_SKIP;
}

struct assert_line assert__summary(const struct assert_report *r, const struct assert_item *it)
{
	const struct check_result *c = it->result;
	struct assert_line l = { "" };

	if (!c) {
		add(&l, "%s", r->run->text);
		return l;
	}
	/* why it was not decided says more than what was seen before */
	if (is_undecided(c) && c->nr_why) {
		add(&l, "%s", c->why[0]);
		return l;
	}
	add_violations(&l, c);
	if (c->says[0])
		add(&l, "%s%s", l.s[0] ? "; " : "", c->says);
	return l;
}

struct assert_line assert__waiver(const struct waiver *w)
{
	struct assert_line l = { "" };
	time_t end = (time_t)w->expires * DAY_S;
	char day[16];
	struct tm tm;

	add(&l, "waived");
	if (w->expires >= 0 && gmtime_r(&end, &tm) && strftime(day, sizeof(day), "%F", &tm))
		add(&l, " until %s", day);
	add(&l, ": %s", w->reason);
	if (w->link)
		add(&l, " (%s)", w->link);
	return l;
}

bool assert__has_incident(const struct assert_report *r, __u32 nr)
{
	return nr && r->analysis && nr <= r->analysis->incidents.nr;
}

struct assert_line assert__finding(const struct assert_report *r, const struct finding *f)
{
	const struct model *m = r->analysis ? &r->analysis->model : NULL;
	struct words stack = m ? words__stack(m, f->stack) : (struct words){ "" };
	struct assert_line l = { "" };

	if (m && f->ts)
		add(&l, "%.6f s, ", (double)(__s64)(f->ts - words__zero(m)) / 1e9);
	if (m && f->dev)
		add(&l, "%s, ", words__device_name(m, f->dev).s);
	if (f->domain)
		add(&l, "domain %u, ", f->domain);
	/* the last comma is a colon */
	if (l.s[0])
		l.s[strlen(l.s) - 2] = ':';
	add(&l, "%s", f->text);
	if (stack.s[0])
		add(&l, ", by %s", stack.s);
	if (assert__has_incident(r, f->incident))
		add(&l, " (incident %u)", f->incident);
	if (f->waiver)
		add(&l, "; %s", assert__waiver(f->waiver).s);
	return l;
}

static struct assert_line expired_line(const struct rule *rule, const struct waiver *w)
{
	struct assert_line l = { "" };

	add(&l, "no longer %s", assert__waiver(w).s);
	if (rule->file)
		add(&l, "; see %s:%u", rule->file, w->line);
	return l;
}

static bool is_told(const struct check_result *c, __u32 nr, __u32 incident)
{
	for (__u32 i = 0; i < nr; i++)
		if (c->findings[i].incident == incident)
			return true;
	return false;
}

static void say_incident(const struct assert_report *r, __u32 nr,
			 void (*say)(void *ctx, const char *line), void *ctx)
{
	const struct incident *i = r->analysis->incidents.list[nr - 1];
	const struct model *m = &r->analysis->model;
	char *title = explain__title(i, m), *paragraph = explain__paragraph(i, m), *text = NULL;

	if (title && paragraph &&
	    asprintf(&text, "incident %u: %s. %s %s: %s. Next: %s", nr, title, paragraph,
		     i->judgement.confidence == CONFIDENCE_CERTAIN  ? "Certain"
		     : i->judgement.confidence == CONFIDENCE_LIKELY ? "Likely"
								    : "Not known",
		     i->judgement.reason, advice__next(i, m)) >= 0) {
		say(ctx, text);
		free(text);
	}
	free(title);
	free(paragraph);
}

static void say_findings(const struct assert_report *r, const struct check_result *c, bool explain,
			 void (*say)(void *ctx, const char *line), void *ctx)
{
	__u64 all = c->violations + c->waived, told = 0;
	struct assert_line l = { "" };

	for (__u32 i = 0; i < c->nr_findings; i++) {
		__u32 incident = c->findings[i].incident;

		told += c->findings[i].times;
		say(ctx, assert__finding(r, &c->findings[i]).s);
		if (explain && assert__has_incident(r, incident) && !is_told(c, i, incident))
			say_incident(r, incident, say, ctx);
	}
	if (all <= told)
		return;
	if (c->nr_findings)
		add(&l, "and %llu more", all - told);
	else
		add(&l, "when each of them was isn't known: they were only counted");
	say(ctx, l.s);
}

void assert__details(const struct assert_report *r, const struct assert_item *it, bool explain,
		     void (*say)(void *ctx, const char *line), void *ctx)
{
	const struct check_result *c = it->result;
	struct assert_line l;

	if (!c)
		return;
	say_findings(r, c, explain, say, ctx);
	if (c->expired)
		say(ctx, expired_line(c->rule, c->expired).s);
	/* of these the first is the summary, if it was not decided */
	for (__u32 i = is_undecided(c); i < c->nr_why; i++) {
		l.s[0] = '\0';
		add(&l, "%s", c->why[i]);
		say(ctx, l.s);
	}
	if (c->counted)
		say(ctx, "decided by what the kernel side counted: events are missing");
}

struct assert_line assert__verdict_line(const struct assert_report *r)
{
	struct assert_totals t = assert__totals(r);
	struct assert_line l = { "" };
	const struct {
		size_t nr;
		const char *what;
	} parts[] = { { t.fail, "failed" },
		      { t.inconclusive, "inconclusive" },
		      { t.warnings, "only a warning" },
		      { t.skip, "skipped" },
		      { t.pass, "passed" } };
	bool any = false;

	add(&l, "%s: ", outcome__name(r->verdict));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!parts[i].nr)
			continue;
		add(&l, "%s%zu %s", any ? ", " : "", parts[i].nr, parts[i].what);
		any = true;
	}
	if (!any)
		add(&l, "there are no rules");
	return l;
}
