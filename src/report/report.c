// SPDX-License-Identifier: GPL-2.0-only
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "report/advice.h"
#include "report/early.h"
#include "report/evidence.h"
#include "report/explain.h"
#include "report/journey.h"
#include "report/summary.h"
#include "report/summary_tables.h"
#include "report/wrap.h"
#include "report/words.h"

static void print_evidence(FILE *out, const struct incident *i, const struct model *m)
{
	struct evidence_list list;

	evidence__collect(&list, i, m);
	for (int n = 0; n < list.nr; n++) {
		const struct evidence *e = &list.items[n];
		double ms = e->ts >= list.zero ? (double)(e->ts - list.zero) / 1e6
					       : -((double)(list.zero - e->ts) / 1e6);
		char head[40];

		snprintf(head, sizeof(head), "%15.3f ms  %-6s ", ms, e->what);
		wrap__print(out, head, e->text);
	}
}

void report__text_incident(FILE *out, const struct analysis *a, __u32 nr)
{
	const struct incident *i = a->incidents.list[nr - 1];
	const struct model *m = &a->model;
	char *title = explain__title(i, m), *paragraph = explain__paragraph(i, m), head[32];

	if (!title || !paragraph)
		goto out;
	snprintf(head, sizeof(head), "%3u. ", nr);
	fputc('\n', out);
	wrap__print(out, head, title);
	fputs("     at ", out);
	fprintf(out, "%s\n\n", words__when(m, incident__zero(i)).s);
	wrap__print(out, "     ", paragraph);
	if (i->judgement.confidence == CONFIDENCE_UNKNOWN)
		snprintf(head, sizeof(head), "     Not known: ");
	else
		snprintf(head, sizeof(head), "     %s: ",
			 i->judgement.confidence == CONFIDENCE_CERTAIN ? "Certain" : "Likely");
	wrap__print(out, head, i->judgement.reason);
	for (__u32 n = 0; n < i->nr_notes; n++)
		wrap__print(out, n ? "               " : "     Not seen: ", i->notes[n]);
	wrap__print(out, "     Next: ", advice__next(i, m));
	fputc('\n', out);
	print_evidence(out, i, m);
out:
	free(title);
	free(paragraph);
}

/* Behind the names of devices stands "@" and one of these numbers. */
static void print_origins(FILE *out, const struct model *m)
{
	char head[24];

	for (int i = 0; m->merged && i < IOT_ORIGINS; i++) {
		const char *what = words__origin(m, i);

		if (!what)
			continue;
		snprintf(head, sizeof(head), "Origin @%d: ", i);
		wrap__print(out, head, what);
	}
}

static void print_head(FILE *out, const struct analysis *a)
{
	const struct model *m = &a->model;
	__u64 start, end;
	char *early;

	model__span(m, &start, &end);
	if (a->log_lines < a->events)
		fprintf(out, "%s", words__times(a->events - a->log_lines, "event", "events").s);
	if (a->log_lines)
		fprintf(out, "%s%s of the kernel log, of which %llu matter%s,",
			a->log_lines < a->events ? " and " : "",
			words__times(a->log_lines, "record", "records").s, a->log_matched,
			a->log_matched == 1 ? "s" : "");
	if (!a->events)
		fputs("No events", out);
	fprintf(out, " over %s", words__duration(end - start).s);
	fputs(".\n", out);
	if (!m->capture_begin && m->has_mappings)
		wrap__print(out, "", REPORT_NO_BEGIN);
	if (m->merged && m->capture_end && m->capture_end <= m->capture_begin)
		fputs("The sessions in it were not recorded at the same time: times count from the "
		      "last one's begin.\n",
		      out);
	else if (m->attach_begin && m->capture_begin > m->attach_begin)
		fprintf(out,
			"Attaching took %s before that; what happened meanwhile was seen in "
			"part.\n",
			words__duration(m->capture_begin - m->attach_begin).s);
	early = early__says(m);
	if (early && *early)
		wrap__print(out, "", early);
	free(early);
	if (a->scope) {
		wrap__print(out, "Asked for: ", scope__text(a->scope));
		fprintf(out, "Only that is counted: %s; %s left out.\n",
			words__times(a->in_scope, "event", "events").s,
			words__times(a->incidents.out_of_scope, "incident is", "incidents are").s);
	}
	if (a->error)
		fputs("Out of memory on the way: what follows is incomplete.\n", out);
	if (m->refused)
		fprintf(out, "%s passed over: too many devices or domains.\n",
			words__times(m->refused, "event was", "events were").s);
	if (a->malformed)
		fprintf(out, "%s shorter than they must be: passed over.\n",
			words__times(a->malformed, "event was", "events were").s);
}

void report__text(FILE *out, const struct analysis *a)
{
	report__text_tables(out, a, SUMMARY_ALL);
}

void report__text_tables(FILE *out, const struct analysis *a, __u32 which)
{
	print_head(out, a);
	print_origins(out, &a->model);
	if (!a->incidents.nr)
		fprintf(out, "\nNo incidents: no fault and no hang was seen%s.\n",
			a->scope ? " in what was asked for" : "");
	else
		fprintf(out, "\n%s\n", words__times(a->incidents.nr, "incident", "incidents").s);
	for (__u32 n = 1; n <= a->incidents.nr; n++)
		report__text_incident(out, a, n);
	if (a->incidents.dropped)
		fprintf(out,
			"\n%llu more faults or hangs were not looked at: too many incidents.\n",
			a->incidents.dropped);
	if (a->journey)
		journey__print(out, a);
	summary__print(out, a, which);
}
