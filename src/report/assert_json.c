// SPDX-License-Identifier: GPL-2.0-only
#include "report/assert_words.h"
#include "report/jsonput.h"
#include "report/report.h"
#include "report/words.h"

static json *waiver_json(const struct waiver *w)
{
	json *o;

	if (!w)
		return NULL;
	o = json_object_new_object();
	put_text(o, "reason", w->reason);
	put_text(o, "link", w->link);
	put(o, "expires_day", w->expires >= 0 ? json_object_new_int(w->expires) : NULL);
	put_nonzero(o, "line", w->line);
	return o;
}

static json *finding_json(const struct assert_report *r, const struct finding *f)
{
	json *o = json_object_new_object();

	put_nonzero(o, "ts_ns", f->ts);
	put_nonzero(o, "device", f->dev);
	put_text(o, "device_name",
		 r->analysis && f->dev ? words__device_name(&r->analysis->model, f->dev).s : NULL);
	put_nonzero(o, "domain", f->domain);
	put_nonzero(o, "incident", f->incident);
	put(o, "stack", r->analysis ? stack_json(&r->analysis->model, f->stack) : NULL);
	put(o, "waiver", waiver_json(f->waiver));
	put_text(o, "text", f->text);
	return o;
}

static json *params_json(const struct rule *rule)
{
	static const char *const units[] = { [PARAM_DURATION] = "_ns",
					     [PARAM_SIZE] = "_bytes",
					     [PARAM_COUNT] = "",
					     [PARAM_PERCENT] = "_thousandths",
					     [PARAM_WORD] = "" };
	const struct invariant_param *p = rule->invariant->params;
	json *o = json_object_new_object();
	char key[64];

	for (size_t i = 0; i < INVARIANT_PARAMS && p[i].name; i++) {
		snprintf(key, sizeof(key), "%s%s", p[i].name, units[p[i].kind]);
		if (p[i].kind == PARAM_WORD)
			put_text(o, key, p[i].words[rule->params[i]]);
		else
			put_u64(o, key, rule->params[i]);
	}
	return o;
}

static json *phases_json(__u32 phases)
{
	static const char *const names[] = { "boot", "workload", "shutdown" };
	json *all = json_object_new_array();

	for (size_t i = 0; i < 3; i++)
		if (phases & (1U << i))
			json_object_array_add(all, json_object_new_string(names[i]));
	return all;
}

static json *result_json(const struct assert_report *r, const struct check_result *c)
{
	json *o = json_object_new_object(), *findings = json_object_new_array(),
	     *why = json_object_new_array();

	put_text(o, "name", c->rule->name);
	put_text(o, "invariant", c->rule->invariant->name);
	put_text(o, "outcome", outcome__name(c->outcome));
	put_text(o, "severity", c->rule->severity == SEVERITY_WARNING ? "warning" : "error");
	put(o, "phases", phases_json(c->rule->phases));
	put(o, "params", params_json(c->rule));
	put_text(o, "file", c->rule->file);
	put_nonzero(o, "line", c->rule->line);
	put_text(o, "must_hold", c->rule->invariant->holds);
	put_u64(o, "looked_at", c->looked_at);
	put_text(o, "unit", c->unit);
	put_u64(o, "violations", c->violations);
	put_u64(o, "waived", c->waived);
	put(o, "counted_only", json_object_new_boolean(c->counted));
	put(o, "expired_waiver", waiver_json(c->expired));
	put_text(o, "says", c->says);
	for (__u32 i = 0; i < c->nr_findings; i++)
		json_object_array_add(findings, finding_json(r, &c->findings[i]));
	put(o, "findings", findings);
	for (__u32 i = 0; i < c->nr_why; i++)
		json_object_array_add(why, json_object_new_string(c->why[i]));
	put(o, "why", why);
	return o;
}

static json *run_json(const struct assert_run *run)
{
	json *o;

	if (!run)
		return NULL;
	o = json_object_new_object();
	put_text(o, "outcome", outcome__name(run->outcome));
	put_text(o, "text", run->text);
	return o;
}

static json *totals_json(const struct assert_report *r)
{
	struct assert_totals t = assert__totals(r);
	json *o = json_object_new_object();

	put_u64(o, "pass", t.pass);
	put_u64(o, "fail", t.fail);
	put_u64(o, "inconclusive", t.inconclusive);
	put_u64(o, "skip", t.skip);
	put_u64(o, "warnings", t.warnings);
	return o;
}

struct json_object *assert__json(const struct assert_report *r)
{
	json *o = json_object_new_object(), *results = json_object_new_array(),
	     *notes = json_object_new_array();

	if (!o || !results || !notes) {
		json_object_put(o);
		json_object_put(results);
		json_object_put(notes);
		return NULL;
	}
	put_u64(o, "assert_schema", ASSERT_SCHEMA);
	put_text(o, "verdict", outcome__name(r->verdict));
	put_text(o, "rules", r->rules);
	put_text(o, "watched", r->source);
	put_text(o, "kernel", r->kernel);
	put_text(o, "saved_session", r->saved);
	put(o, "totals", totals_json(r));
	put(o, "run", run_json(r->run));
	for (size_t i = 0; i < r->nr; i++)
		json_object_array_add(results, result_json(r, r->results[i]));
	put(o, "results", results);
	for (size_t i = 0; i < r->nr_notes; i++)
		json_object_array_add(notes, json_object_new_string(r->notes[i]));
	put(o, "notes", notes);
	put(o, "report", r->analysis ? report__json(r->analysis) : NULL);
	return o;
}
