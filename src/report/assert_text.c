// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "report/assert_words.h"
#include "report/report.h"
#include "report/words.h"
#include "report/wrap.h"

#define INDENT "              "

static void print_head(FILE *out, const struct assert_report *r)
{
	__u64 begin, end;

	fprintf(out, "Rules: %s\nWatched: %s", r->rules, r->source);
	if (r->kernel)
		fprintf(out, ", Linux %s", r->kernel);
	if (r->analysis) {
		model__span(&r->analysis->model, &begin, &end);
		fprintf(out, ", %s over %s", words__times(r->analysis->events, "event", "events").s,
			words__duration(end - begin).s);
	}
	fputs("\n\n", out);
}

static void print_detail(void *out, const char *line)
{
	wrap__print(out, INDENT "- ", line);
}

static void print_item(FILE *out, const struct assert_report *r, const struct assert_item *it)
{
	struct assert_line l = assert__summary(r, it);
	const char *warning = it->warning ? " (only a warning)" : "";
	size_t len = strlen(INDENT) + strlen(it->name.s) + strlen(warning);

	fprintf(out, "%-*s%s%s", (int)strlen(INDENT), outcome__name(it->outcome), it->name.s,
		warning);
	if (!l.s[0]) {
		fputc('\n', out);
	} else if (len + 2 + strlen(l.s) <= WRAP_COLUMNS) {
		fprintf(out, ": %s\n", l.s);
	} else {
		fputs(":\n", out);
		wrap__print(out, INDENT, l.s);
	}
	if (it->result && it->outcome == OUTCOME_FAIL)
		wrap__print(out, INDENT "must hold: ", it->result->rule->invariant->holds);
	assert__details(r, it, false, print_detail, out);
}

/* The incidents that findings point to, each once, as analyze prints them. */
static void print_incidents(FILE *out, const struct assert_report *r)
{
	__u32 nr = r->analysis ? r->analysis->incidents.nr : 0;
	bool *wanted = calloc(nr + 1, sizeof(*wanted)), any = false;

	if (!wanted) {
		fputs("\nNo memory is left for the incidents.\n", out);
		return;
	}
	for (size_t i = 0; i < r->nr; i++)
		for (__u32 n = 0; n < r->results[i]->nr_findings; n++)
			if (assert__has_incident(r, r->results[i]->findings[n].incident))
				wanted[r->results[i]->findings[n].incident] = true;
	for (__u32 n = 1; n <= nr; n++) {
		if (!wanted[n])
			continue;
		if (!any)
			fputs("\nIncidents that findings are about\n", out);
		any = true;
		report__text_incident(out, r->analysis, n);
	}
	free(wanted);
}

void assert__text(FILE *out, const struct assert_report *r)
{
	struct assert_totals t = assert__totals(r);

	print_head(out, r);
	for (size_t i = 0; i < t.all; i++) {
		struct assert_item it = assert__item(r, i);

		print_item(out, r, &it);
	}
	print_incidents(out, r);
	if (r->nr_notes || r->saved)
		fputc('\n', out);
	for (size_t i = 0; i < r->nr_notes; i++)
		wrap__print(out, "Note: ", r->notes[i]);
	if (r->saved)
		fprintf(out, "Saved: %s (look at it with `iommutop analyze %s`)\n", r->saved,
			r->saved);
	fprintf(out, "\n%s\n", assert__verdict_line(r).s);
}
