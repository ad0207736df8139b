// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workflow commands of GitHub Actions ("::error title=…::message"). One for each rule that isn't
 * plainly passed: a step shows ten annotations of a kind at the most.
 */
#include <string.h>

#include "report/assert_words.h"

/* % and line ends would end a command; in a property so would a comma or a colon. */
static void put_escaped(FILE *out, const char *text, bool property)
{
	for (; *text; text++) {
		if (*text == '%' || *text == '\r' || *text == '\n' ||
		    (property && (*text == ':' || *text == ',')))
			fprintf(out, "%%%02X", (unsigned char)*text);
		else
			fputc(*text, out);
	}
}

/* Where the rule is, if that is a file which can be in the repository. */
static void put_place(FILE *out, const struct rule *rule)
{
	if (!rule->file || !strncmp(rule->file, "preset ", 7) ||
	    !strcmp(rule->file, "standard input"))
		return;
	fputs("file=", out);
	put_escaped(out, rule->file, true);
	fprintf(out, ",line=%u,col=%u,", rule->line, rule->column);
}

static void put_line(void *out, const char *line)
{
	put_escaped(out, "\n", false);
	put_escaped(out, line, false);
}

static void put_item(FILE *out, const struct assert_report *r, const struct assert_item *it)
{
	struct assert_line l = assert__summary(r, it);
	bool failed = it->outcome == OUTCOME_FAIL || it->outcome == OUTCOME_INCONCLUSIVE;

	if (it->outcome == OUTCOME_PASS && !(it->result && it->result->waived))
		return;
	fprintf(out, "::%s ", !failed ? "notice" : it->warning ? "warning" : "error");
	if (it->result)
		put_place(out, it->result->rule);
	fputs("title=", out);
	put_escaped(out, it->name.s, true);
	put_escaped(out, ": ", true);
	put_escaped(out, outcome__name(it->outcome), true);
	fputs("::", out);
	put_escaped(out, l.s, false);
	assert__details(r, it, true, put_line, out);
	fputc('\n', out);
}

void assert__github(FILE *out, const struct assert_report *r)
{
	struct assert_totals t = assert__totals(r);
	struct assert_line l = assert__verdict_line(r);

	for (size_t i = 0; i < t.all; i++) {
		struct assert_item it = assert__item(r, i);

		put_item(out, r, &it);
	}
	for (size_t i = 0; i < r->nr_notes; i++) {
		fputs("::notice title=iommutop::", out);
		put_escaped(out, r->notes[i], false);
		fputc('\n', out);
	}
	fputs("::notice title=iommutop assert::", out);
	put_escaped(out, l.s, false);
	fputc('\n', out);
}
