// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two dialects of one format.
 *
 * TAP version 14 (testanything.org): a warning is a "not ok" with the directive TODO, which doesn't
 * fail a run; whatever isn't known before the words are read is in the YAML block.
 *
 * KTAP version 1 (Documentation/dev-tools/ktap.rst of the kernel): diagnostics of a test come
 * before its line. An inconclusive rule is "not ok" with the directive ERROR, a warning "ok" with
 * XFAIL, which kselftest and KUnit count apart from what passed.
 */
#include <json-c/json.h>
#include <stdlib.h>

#include "report/assert_words.h"
#include "report/words.h"

static bool is_failed(const struct assert_item *it)
{
	return it->outcome == OUTCOME_FAIL || it->outcome == OUTCOME_INCONCLUSIVE;
}

/* --- TAP
 * ------------------------------------------------------------------------------------------- */

/* In a description # and \ are quoted: # begins a directive. */
static void put_name(FILE *out, const char *name)
{
	for (; *name; name++) {
		if (*name == '#' || *name == '\\')
			fputc('\\', out);
		fputc(*name, out);
	}
}

/* JSON's quoting is YAML's. */
static void put_quoted(FILE *out, const char *text)
{
	struct json_object *o = json_object_new_string(text);

	fputs(o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE) : "\"\"", out);
	json_object_put(o);
}

static void put_key(FILE *out, const char *key, const char *text)
{
	fprintf(out, "  %s: ", key);
	put_quoted(out, text);
	fputc('\n', out);
}

struct entries {
	FILE *out;
	bool any;
};

static void put_entry(void *ctx, const char *line)
{
	struct entries *e = ctx;

	fputs(e->any ? "    - " : "  details:\n    - ", e->out);
	put_quoted(e->out, line);
	fputc('\n', e->out);
	e->any = true;
}

static void put_yaml(FILE *out, const struct assert_report *r, const struct assert_item *it)
{
	const struct check_result *c = it->result;
	struct assert_line l = assert__summary(r, it);
	struct entries details = { .out = out };

	fprintf(out, "  ---\n  outcome: %s\n", outcome__name(it->outcome));
	put_key(out, "message", l.s);
	if (c) {
		fprintf(out, "  severity: %s\n  invariant: %s\n",
			c->rule->severity == SEVERITY_WARNING ? "warning" : "error",
			c->rule->invariant->name);
		fprintf(out, "  violations: %llu\n  waived: %llu\n  looked_at: %llu\n",
			c->violations, c->waived, c->looked_at);
		if (it->outcome == OUTCOME_FAIL)
			put_key(out, "must_hold", c->rule->invariant->holds);
	}
	assert__details(r, it, true, put_entry, &details);
	fputs("  ...\n", out);
}

static void put_tap(FILE *out, const struct assert_report *r, const struct assert_item *it,
		    size_t number)
{
	bool failed = is_failed(it);

	fprintf(out, "%s %zu - ", failed ? "not ok" : "ok", number);
	put_name(out, it->name.s);
	if (it->warning)
		fprintf(out, " # TODO only a warning: %s", outcome__name(it->outcome));
	else if (it->outcome == OUTCOME_SKIP)
		fprintf(out, " # SKIP %s", assert__summary(r, it).s);
	fputc('\n', out);
	if (failed || (it->result && it->result->waived))
		put_yaml(out, r, it);
}

/* --- KTAP
 * ---------------------------------------------------------------------------------------------- */

/* KTAP has no way to quote the sign that begins a directive. */
static void put_plain(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc(*text == '#' ? '_' : *text, out);
}

static void put_diagnostic(void *out, const char *line)
{
	fprintf(out, "# %s\n", line);
}

static void put_ktap(FILE *out, const struct assert_report *r, const struct assert_item *it,
		     size_t number)
{
	struct assert_line l = assert__summary(r, it);

	if (it->result && it->outcome == OUTCOME_FAIL)
		fprintf(out, "# must hold: %s\n", it->result->rule->invariant->holds);
	assert__details(r, it, true, put_diagnostic, out);
	fprintf(out, "%s %zu ", is_failed(it) && !it->warning ? "not ok" : "ok", number);
	put_plain(out, it->name.s);
	if (it->warning)
		fputs(" # XFAIL warning:", out);
	else if (it->outcome == OUTCOME_SKIP)
		fputs(" # SKIP", out);
	else if (it->outcome == OUTCOME_INCONCLUSIVE)
		fputs(" # ERROR", out);
	else if (l.s[0])
		fputs(" #", out);
	if (it->outcome == OUTCOME_INCONCLUSIVE)
		fputs(" INCONCLUSIVE:", out);
	if (l.s[0])
		fputc(' ', out);
	put_plain(out, l.s);
	fputc('\n', out);
}

/* --- what they share
 * ------------------------------------------------------------------------------- */

static void put_all(FILE *out, const struct assert_report *r, const char *version,
		    void (*put)(FILE *out, const struct assert_report *r,
				const struct assert_item *it, size_t number))
{
	struct assert_totals t = assert__totals(r);

	fprintf(out, "%s\n1..%zu\n# rules: %s\n# watched: %s%s%s\n", version, t.all, r->rules,
		r->source, r->kernel ? ", Linux " : "", r->kernel ?: "");
	for (size_t i = 0; i < r->nr_notes; i++)
		fprintf(out, "# %s\n", r->notes[i]);
	for (size_t i = 0; i < t.all; i++) {
		struct assert_item it = assert__item(r, i);

		put(out, r, &it, i + 1);
	}
	if (r->saved)
		fprintf(out, "# session saved: %s\n", r->saved);
	fprintf(out, "# %s\n", assert__verdict_line(r).s);
}

void assert__tap(FILE *out, const struct assert_report *r)
{
	put_all(out, r, "TAP version 14", put_tap);
}

void assert__ktap(FILE *out, const struct assert_report *r)
{
	struct assert_totals t = assert__totals(r);

	put_all(out, r, "KTAP version 1", put_ktap);
	fprintf(out, "# Totals: pass:%zu fail:%zu xfail:%zu xpass:0 skip:%zu error:%zu\n", t.pass,
		t.fail, t.warnings, t.skip, t.inconclusive);
}
