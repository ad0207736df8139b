// SPDX-License-Identifier: GPL-2.0-only
/*
 * JUnit XML: no standard, but what Jenkins, GitLab, GitHub's report actions and pytest's consumers
 * agree on: testsuites, testsuite, testcase, and in it failure, error or skipped. A warning passes,
 * and says what it is in system-out.
 */
#include "report/assert_words.h"
#include "report/words.h"

static void put_xml(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static void put_attr(FILE *out, const char *name, const char *text)
{
	fprintf(out, " %s=\"", name);
	put_xml(out, text);
	fputc('"', out);
}

static void put_property(FILE *out, const char *name, const char *text)
{
	fprintf(out, "      <property name=\"%s\"", name);
	put_attr(out, "value", text);
	fputs("/>\n", out);
}

static void put_line(void *out, const char *line)
{
	put_xml(out, line);
	fputc('\n', out);
}

static void put_details(FILE *out, const struct assert_report *r, const struct assert_item *it)
{
	if (it->result && it->outcome == OUTCOME_FAIL) {
		fputs("must hold: ", out);
		put_xml(out, it->result->rule->invariant->holds);
		fputc('\n', out);
	}
	assert__details(r, it, true, put_line, out);
}

static void put_item(FILE *out, const struct assert_report *r, const struct assert_item *it)
{
	struct assert_line l = assert__summary(r, it);
	const char *element = NULL, *type = NULL;

	fputs("    <testcase", out);
	put_attr(out, "name", it->name.s);
	put_attr(out, "classname",
		 it->result ? it->result->rule->invariant->name : "iommutop.assert");
	fputs(" time=\"0\">\n", out);
	if (!it->warning && it->outcome == OUTCOME_FAIL) {
		element = "failure";
		type = it->result ? "violation" : "run";
	} else if (!it->warning && it->outcome == OUTCOME_INCONCLUSIVE) {
		element = "error";
		type = "inconclusive";
	}
	if (element) {
		fprintf(out, "      <%s type=\"%s\"", element, type);
		put_attr(out, "message", l.s);
		fputc('>', out);
		put_details(out, r, it);
		fprintf(out, "</%s>\n", element);
	} else if (it->outcome == OUTCOME_SKIP) {
		fputs("      <skipped", out);
		put_attr(out, "message", l.s);
		fputs("/>\n", out);
	} else {
		fputs("      <system-out>", out);
		if (it->warning)
			fprintf(out, "only a warning: %s: ", outcome__name(it->outcome));
		put_xml(out, l.s);
		fputc('\n', out);
		put_details(out, r, it);
		fputs("</system-out>\n", out);
	}
	fputs("    </testcase>\n", out);
}

void assert__junit(FILE *out, const struct assert_report *r)
{
	struct assert_totals t = assert__totals(r);
	double seconds = 0;
	__u64 begin, end;

	if (r->analysis) {
		model__span(&r->analysis->model, &begin, &end);
		seconds = (double)(end - begin) / 1e9;
	}
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite", out);
	put_attr(out, "name", "iommutop assert");
	fprintf(out,
		" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\">\n",
		t.all, t.fail, t.inconclusive, t.skip, seconds);
	fputs("    <properties>\n", out);
	put_property(out, "verdict", outcome__name(r->verdict));
	put_property(out, "rules", r->rules);
	put_property(out, "watched", r->source);
	if (r->kernel)
		put_property(out, "kernel", r->kernel);
	if (r->saved)
		put_property(out, "session", r->saved);
	fputs("    </properties>\n", out);
	for (size_t i = 0; i < t.all; i++) {
		struct assert_item it = assert__item(r, i);

		put_item(out, r, &it);
	}
	if (r->nr_notes) {
		fputs("    <system-out>", out);
		for (size_t i = 0; i < r->nr_notes; i++) {
			put_xml(out, r->notes[i]);
			fputc('\n', out);
		}
		fputs("</system-out>\n", out);
	}
	fputs("  </testsuite>\n</testsuites>\n", out);
}
