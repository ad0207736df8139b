// SPDX-License-Identifier: GPL-2.0-only
/*
 * KTAP version 1 (Documentation/dev-tools/ktap.rst of the kernel). Diagnostics of a test come
 * before its line. An inconclusive rule is "not ok" with the directive ERROR, a warning "ok" with
 * XFAIL, which kselftest and KUnit count apart from what passed.
 */
#include "report/assert_words.h"

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

static void put_item(FILE *out, const struct assert_report *r, const struct assert_item *it,
		     size_t number)
{
	struct assert_line l = assert__summary(r, it);
	bool failed = it->outcome == OUTCOME_FAIL || it->outcome == OUTCOME_INCONCLUSIVE;

	if (it->result && it->outcome == OUTCOME_FAIL)
		fprintf(out, "# must hold: %s\n", it->result->rule->invariant->holds);
	assert__details(r, it, true, put_diagnostic, out);
	fprintf(out, "%s %zu ", failed && !it->warning ? "not ok" : "ok", number);
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

void assert__ktap(FILE *out, const struct assert_report *r)
{
	struct assert_totals t = assert__totals(r);

	fprintf(out, "KTAP version 1\n1..%zu\n# rules: %s\n# watched: %s%s%s\n", t.all, r->rules,
		r->source, r->kernel ? ", Linux " : "", r->kernel ?: "");
	for (size_t i = 0; i < r->nr_notes; i++)
		fprintf(out, "# %s\n", r->notes[i]);
	for (size_t i = 0; i < t.all; i++) {
		struct assert_item it = assert__item(r, i);

		put_item(out, r, &it, i + 1);
	}
	if (r->saved)
		fprintf(out, "# session saved: %s\n", r->saved);
	fprintf(out, "# %s\n", assert__verdict_line(r).s);
	fprintf(out, "# Totals: pass:%zu fail:%zu xfail:%zu xpass:0 skip:%zu error:%zu\n", t.pass,
		t.fail, t.warnings, t.skip, t.inconclusive);
}
