// SPDX-License-Identifier: GPL-2.0-only
#include "report/html.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

#include "report/html_assets.h"
#include "report/html_incident.h"
#include "report/html_tables.h"
#include "report/html_text.h"
#include "report/html_view.h"
#include "report/leaks.h"
#include "report/report.h"
#include "report/words.h"

typedef struct json_object json;

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* A log's name, without its folders, stands for the host; a session without either is just a
 * session. */
static const char *subject(json *source)
{
	const char *host = html__string(source, "/hostname"), *log = html__string(source, "/klog");
	const char *slash = strrchr(log, '/');

	return *host ? host : slash ? slash + 1 : *log ? log : "session";
}

/* Nothing from outside may be loaded, sent or framed, and only our own script and style run. */
static void print_head(FILE *out, json *source)
{
	fputs("<!DOCTYPE html>\n<!-- SPDX-License-Identifier: GPL-2.0-only -->\n<html "
	      "lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
	      out);
	fprintf(out,
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'sha256-%s'; script-src 'sha256-%s'; base-uri 'none'; form-action "
		"'none'\">\n",
		html_assets__css_sha256, html_assets__js_sha256);
	fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>iommutop: ",
	      out);
	html__text(out, subject(source));
	fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n", html_assets__css);
}

static void print_number(FILE *out, const char *name, __u64 nr, const char *class)
{
	fprintf(out, "<div%s><dt>%s</dt><dd>%llu</dd></div>\n", nr ? class : "", name, nr);
}

/* What a kernel log alone doesn't tell isn't none. */
static void print_traced(FILE *out, const struct model *m, const char *name, __u64 nr)
{
	if (m->has_mappings || m->capture_begin)
		print_number(out, name, nr, "");
	else
		fprintf(out, "<div><dt>%s</dt><dd>-</dd></div>\n", name);
}

static __u64 lost_events(const struct model *m)
{
	__u64 sum = 0;

	for (size_t i = 0; i < m->nr_losses; i++)
		if (m->losses[i].cause != IOT_LOST_LATE)
			sum += m->losses[i].count;
	return sum;
}

/* Events that were moved in time aren't missing. */
static bool is_any_missing(const struct model *m)
{
	for (size_t i = 0; i < m->nr_losses; i++)
		if (m->losses[i].cause != IOT_LOST_LATE)
			return true;
	return false;
}

static void print_numbers(FILE *out, const struct analysis *a)
{
	const struct model *m = &a->model;
	__u64 begin, end, flushes = 0;

	model__span(m, &begin, &end);
	for (int i = 0; i < STATS_WHY_NR; i++)
		flushes += m->total.flushes[i];
	fprintf(out, "<dl class=\"numbers\">\n<div><dt>recorded</dt><dd>%s</dd></div>\n",
		words__duration(end - begin).s);
	print_number(out, "events", a->events, "");
	print_traced(out, m, "maps", m->total.maps);
	print_traced(out, m, "unmaps", m->total.unmaps);
	print_traced(out, m, "IOTLB flushes", flushes);
	print_number(out, analysis__faults_are_floor(a) ? "faults at least" : "faults",
		     m->total.faults, " class=\"bad\"");
	print_number(out, "hangs", m->total.hangs, " class=\"bad\"");
	print_number(out, "resets", m->total.resets, " class=\"bad\"");
	print_number(out, "errors", m->total.errors, " class=\"bad\"");
	print_number(out, "events lost", lost_events(m), " class=\"bad\"");
	fputs("</dl>\n", out);
}

static void print_source(FILE *out, json *source)
{
	static const struct {
		const char *key, *label;
	} known[] = { { "hostname", "host" },
		      { "kernel_release", "kernel" },
		      { "command_line", "command" },
		      { "klog", "kernel log" } };

	fputs("<dl class=\"source\">\n", out);
	for (size_t i = 0; i < NR(known); i++) {
		json *v;

		if (!source || !json_object_object_get_ex(source, known[i].key, &v) || !v)
			continue;
		fprintf(out, "<div><dt>%s</dt><dd><code>", known[i].label);
		html__text(out, json_object_get_string(v));
		fputs("</code></dd></div>\n", out);
	}
}

/* What the numbers are of, if not of everything that one session recorded. */
static void print_scope(FILE *out, const struct analysis *a, json *report)
{
	json *origins = html__at(report, "/origins");
	const char *scope = html__string(report, "/scope");

	for (size_t i = 0; origins && i < json_object_array_length(origins); i++) {
		json *o = json_object_array_get_idx(origins, i);

		fprintf(out, "<div class=\"origin\"><dt>origin @%llu</dt><dd>",
			html__u64(o, "/number"));
		html__text(out, html__string(o, "/what"));
		fputs("</dd></div>\n", out);
	}
	if (!*scope)
		return;
	fputs("<div class=\"asked\"><dt>asked for</dt><dd><code>", out);
	html__text(out, scope);
	fprintf(out, "</code> (only that is counted: %s; %s left out)</dd></div>\n",
		words__times(a->in_scope, "event", "events").s,
		words__times(a->incidents.out_of_scope, "incident is", "incidents are").s);
}

static void print_top(FILE *out, const struct analysis *a, json *report, json *source)
{
	const struct model *m = &a->model;

	fputs("<a class=\"skip\" href=\"#incidents\">Skip to the incidents</a>\n<header>\n<h1>",
	      out);
	html__text(out, subject(source));
	fputs(" <small>iommutop report</small></h1>\n<nav aria-label=\"Parts of the report\">"
	      "<a href=\"#incidents\">Incidents</a> <a href=\"#timeline\">Time line</a> "
	      "<a href=\"#devices\">Devices</a> <a href=\"#maps\">Maps</a> <a "
	      "href=\"#flushes\">Flushes</a> "
	      "<a href=\"#coverage\">Losses</a> <a href=\"#about\">Recording</a>"
	      "<span class=\"script\"><button type=\"button\" id=\"theme\" "
	      "aria-pressed=\"false\">Dark"
	      "</button></span></nav>\n</header>\n<main>\n",
	      out);
	print_source(out, source);
	fputs("<div><dt>begin</dt><dd>", out);
	html__text(out, words__when(m, m->capture_begin ? m->capture_begin : m->first).s);
	fputs("</dd></div>\n", out);
	print_scope(out, a, report);
	fputs("</dl>\n", out);
	print_numbers(out, a);
	if (a->error)
		fputs("<p class=\"warning\">Memory ran out during the analysis: what follows is "
		      "incomplete.</p>\n",
		      out);
	if (!m->capture_begin && m->has_mappings)
		fputs("<p class=\"warning\">" REPORT_NO_BEGIN "</p>\n", out);
	if (html__at(source, "/damage")) {
		fputs("<p class=\"warning\">", out);
		html__text(out, json_object_get_string(html__at(source, "/damage")));
		fputs(" <code>iommutop session verify</code> says where.</p>\n", out);
	}
	if (html__at(source, "/times")) {
		fputs("<p class=\"warning\">", out);
		html__text(out, json_object_get_string(html__at(source, "/times")));
		fputs("</p>\n", out);
	}
	if (is_any_missing(m))
		fputs("<p class=\"warning\">Events are missing: <a href=\"#coverage\">which and "
		      "why</a>. Counts that depend on them are lower limits.</p>\n",
		      out);
}

static void print_incidents(FILE *out, const struct analysis *a, json *report, size_t shown)
{
	json *incidents = html__at(report, "/incidents");
	size_t nr = json_object_array_length(incidents);

	fprintf(out,
		"<section id=\"incidents\" aria-labelledby=\"h-incidents\">\n<h2 "
		"id=\"h-incidents\">%s</h2>\n",
		nr ? words__times(nr, "incident", "incidents").s : "No incidents");
	if (!nr)
		fprintf(out, "<p>No fault and no hang was seen%s.</p>\n",
			a->scope ? " in what was asked for" : "");
	if (nr > shown)
		fprintf(out,
			"<p class=\"warning\">%zu more incidents are not in this file; "
			"<code>iommutop analyze --json</code> has them.</p>\n",
			nr - shown);
	if (a->incidents.dropped)
		fprintf(out,
			"<p class=\"warning\">%llu more faults or hangs were not looked at: too "
			"many "
			"incidents.</p>\n",
			a->incidents.dropped);
	html_incident__all(out, &a->model, incidents, shown);
	fputs("</section>\n", out);
}

static void print_timeline(FILE *out, const struct analysis *a)
{
	fputs("<section id=\"timeline\" aria-labelledby=\"h-timeline\">\n<h2 "
	      "id=\"h-timeline\">Time "
	      "line</h2>\n",
	      out);
	if (!a->timeline.nr) {
		fputs("<p>Nothing happened.</p>\n</section>\n", out);
		return;
	}
	fprintf(out,
		"<p class=\"script hint\">One interval is %s. Drag to zoom; keys: <kbd>←</kbd> "
		"<kbd>→</kbd> move, <kbd>+</kbd> <kbd>−</kbd> zoom, <kbd>n</kbd> <kbd>p</kbd> next "
		"and "
		"previous mark, <kbd>Enter</kbd> its incident, <kbd>0</kbd> everything.</p>\n"
		"<div id=\"chart\" class=\"script\"></div>\n"
		"<noscript><p>The drawings need JavaScript; the table below has their "
		"numbers.</p></noscript>\n"
		"<details id=\"timetable\"><summary>As a table</summary>\n",
		words__duration(1ULL << a->timeline.shift).s);
	html_view__table(out, a);
	fputs("</details>\n</section>\n", out);
}

static void print_pairs(FILE *out, json *o)
{
	json_object_object_foreach(o, key, v)
	{
		if (!v)
			continue;
		fputs("<div><dt>", out);
		html__text(out, key);
		fputs("</dt><dd><code>", out);
		html__text(out, json_object_get_string(v));
		fputs("</code></dd></div>\n", out);
	}
}

static void print_about(FILE *out, json *report, bool all)
{
	json *source = html__at(report, "/source");

	fputs("<section id=\"about\" aria-labelledby=\"h-about\">\n<h2 "
	      "id=\"h-about\">Recording</h2>\n"
	      "<dl class=\"pairs\">\n",
	      out);
	if (source)
		print_pairs(out, source);
	print_pairs(out, html__at(report, "/capture"));
	fputs("</dl>\n<p class=\"script\"><button type=\"button\" id=\"save\">Save as "
	      "JSON</button> what <code>iommutop analyze --json</code> prints",
	      out);
	fputs(all ? "" : ", but for the incidents that are not in this file", out);
	fputs("</p>\n</section>\n</main>\n<footer>Made by iommutop. It holds names of devices, "
	      "tasks "
	      "and functions, I/O virtual addresses and the host's name: mind whom you send it "
	      "to.</footer>\n",
	      out);
}

/* The report in pieces: texts that the script shows and saves as they are, so that no digit of a
 * large number changes. */
static void print_data(FILE *out, json *report, json *view, size_t shown)
{
	json *incidents = json_object_get(html__at(report, "/incidents"));
	size_t nr = json_object_array_length(incidents);
	int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE;

	for (size_t n = 0; n < nr && n < shown; n++) {
		json *i = json_object_array_get_idx(incidents, n);

		fprintf(out, "<script type=\"application/json\" id=\"json-%llu\">",
			html__u64(i, "/number"));
		html__json(out, i, flags);
		fputs("</script>\n", out);
	}
	json_object_object_del(report, "incidents");
	fputs("<script type=\"application/json\" id=\"json\">", out);
	html__json(out, report, flags);
	json_object_object_add(report, "incidents", incidents);
	fputs("</script>\n<script type=\"application/json\" id=\"view\">", out);
	html__json(out, view, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	fprintf(out, "</script>\n<script>%s</script>\n</body>\n</html>\n", html_assets__js);
}

int report__html(FILE *out, const struct analysis *a, const struct leaks *leaks,
		 struct json_object *source)
{
	json *report = report__json(a), *view = NULL;
	size_t shown;
	int err = -ENOMEM;

	if (!report)
		return err;
	if (leaks)
		json_object_object_add(report, "leaks", leaks__json(a, leaks));
	if (source)
		json_object_object_add(report, "source", json_object_get(source));
	shown = a->incidents.nr < HTML_INCIDENTS_MAX ? a->incidents.nr : HTML_INCIDENTS_MAX;
	view = html_view__new(a, report, shown);
	if (!view)
		goto out;
	print_head(out, source);
	print_top(out, a, report, source);
	print_incidents(out, a, report, shown);
	print_timeline(out, a);
	html_tables__all(out, &a->model, report);
	print_about(out, report, shown == a->incidents.nr);
	print_data(out, report, view, shown);
	err = 0;
out:
	json_object_put(view);
	json_object_put(report);
	return err;
}
