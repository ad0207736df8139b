// SPDX-License-Identifier: GPL-2.0-only
#include "report/html_incident.h"

#include <json-c/json.h>
#include <string.h>

#include "report/html_text.h"
#include "report/words.h"

typedef struct json_object json;

/* "certain", "likely", "not known" */
static const char *confidence(json *o)
{
	const char *c = html__string(o, "/confidence");

	return strcmp(c, "certain") && strcmp(c, "likely") ? "not known" : c;
}

/* They differ by word and sign, not by colour alone. */
static void print_confidence(FILE *out, json *o)
{
	const char *c = confidence(o);

	fprintf(out, "<span class=\"confidence %s\">%s</span>", *c == 'n' ? "unknown" : c, c);
}

static void print_element(FILE *out, const char *tag, const char *class, const char *text)
{
	if (!*text)
		return;
	fprintf(out, "<%s%s%s%s>", tag, class ? " class=\"" : "", class ? class : "",
		class ? "\"" : "");
	html__text(out, text);
	fprintf(out, "</%s>\n", tag);
}

/* ns: what the evidence's times are relative to. */
static __u64 moment(json *incident)
{
	json *e = html__at(incident, "/evidence/0");

	if (!e)
		return html__u64(incident, "/first_ns");
	return html__u64(e, "/ts_ns") - (__u64)json_object_get_int64(html__at(e, "/offset_ns"));
}

static void print_evidence(FILE *out, json *list)
{
	if (!list || !json_object_array_length(list))
		return;
	fputs("<div class=\"scroll\"><table class=\"evidence\"><caption>Evidence; times are "
	      "relative to the moment above</caption><thead><tr><th scope=\"col\" "
	      "class=\"n\">ms</th><th scope=\"col\">event</th><th scope=\"col\">what was "
	      "seen</th></tr></thead><tbody>\n",
	      out);
	for (size_t n = 0; n < json_object_array_length(list); n++) {
		json *e = json_object_array_get_idx(list, n);
		double ms = (double)json_object_get_int64(html__at(e, "/offset_ns")) / 1e6;

		fprintf(out, "<tr><td class=\"n\">%+.3f</td><td class=\"what\">", ms);
		html__text(out, html__string(e, "/what"));
		fputs("</td><td>", out);
		html__text(out, html__string(e, "/text"));
		fputs("</td></tr>\n", out);
	}
	fputs("</tbody></table></div>\n", out);
}

static void print_faults(FILE *out, json *faults)
{
	static const struct html_column columns[] = {
		{ "address", "/iova", NULL, HTML_CODE },
		{ "access", "/access", NULL, HTML_TEXT },
		{ "faults", "/count", NULL, HTML_COUNT },
		{ "owner from", "/owner/start", "first byte of the mapping that owns or owned it",
		  HTML_CODE },
		{ "to", "/owner/last", "its last byte", HTML_CODE },
		{ "unmapped as", "/owner/mode", NULL, HTML_TEXT },
		{ "window", "/owner/window_ns",
		  "from the end of its unmap to the end of the flush that covers it", HTML_NS },
		{ "flushed by", "/owner/flush_why", NULL, HTML_TEXT },
		{ "verdict", "/verdict", NULL, HTML_CODE },
		{ "confidence", "/confidence", NULL, HTML_TEXT },
	};

	if (!faults || !json_object_array_length(faults))
		return;
	fputs("<details class=\"faults\"><summary>Faults by page, with the owner of the "
	      "address</summary>\n",
	      out);
	html__table(out, "Each page that faulted", faults, columns,
		    sizeof(columns) / sizeof(columns[0]), 0);
	fputs("</details>\n", out);
}

static void print_stack(FILE *out, json *stack, const char *of)
{
	if (!stack)
		return;
	fprintf(out, "<figure><figcaption>%s</figcaption><pre>", of);
	for (size_t i = 0; i < json_object_array_length(stack); i++) {
		html__text(out, json_object_get_string(json_object_array_get_idx(stack, i)));
		fputc('\n', out);
	}
	fputs("</pre></figure>\n", out);
}

static void print_stacks(FILE *out, json *incident)
{
	json *map = html__at(incident, "/faults/0/owner/map_stack"),
	     *unmap = html__at(incident, "/faults/0/owner/unmap_stack"),
	     *fault = html__at(incident, "/faults/0/stack");

	if (!map && !unmap && !fault)
		return;
	fputs("<details class=\"stacks\"><summary>Kernel stacks of the first fault and its "
	      "owner</summary><div>\n",
	      out);
	print_stack(out, map, "mapped by");
	print_stack(out, unmap, "unmapped by");
	print_stack(out, fault, "fault seen in");
	fputs("</div></details>\n", out);
}

static void print_notes(FILE *out, json *notes)
{
	if (!notes || !json_object_array_length(notes))
		return;
	fputs("<p class=\"notseen\"><b>Not seen:</b></p><ul>\n", out);
	for (size_t i = 0; i < json_object_array_length(notes); i++)
		print_element(out, "li", NULL,
			      json_object_get_string(json_object_array_get_idx(notes, i)));
	fputs("</ul>\n", out);
}

static void print_one(FILE *out, const struct model *m, json *incident)
{
	__u64 nr = html__u64(incident, "/number");
	const char *reason = html__string(incident, "/reason");

	fprintf(out,
		"<article class=\"incident\" id=\"incident-%llu\" tabindex=\"-1\" "
		"aria-labelledby=\"title-%llu\">\n<h3 id=\"title-%llu\"><span "
		"class=\"number\">%llu</span> ",
		nr, nr, nr, nr);
	html__text(out, html__string(incident, "/title"));
	fputs("</h3>\n<p class=\"meta\">", out);
	print_confidence(out, incident);
	fputs(" <code>", out);
	html__text(out, html__string(incident, "/verdict"));
	fputs("</code> <span>at ", out);
	html__text(out, words__when(m, moment(incident)).s);
	fputs("</span></p>\n", out);
	print_element(out, "p", "explanation", html__string(incident, "/explanation"));
	if (*reason) {
		fprintf(out, "<p class=\"reason\"><b>Why %s:</b> ", confidence(incident));
		html__text(out, reason);
		fputs("</p>\n", out);
	}
	print_notes(out, html__at(incident, "/not_seen"));
	print_element(out, "p", "next", html__string(incident, "/next"));
	print_evidence(out, html__at(incident, "/evidence"));
	print_faults(out, html__at(incident, "/faults"));
	print_stacks(out, incident);
	fprintf(out,
		"<p class=\"tools script\"><button type=\"button\" data-show=\"%llu\">Show in the "
		"time line</button> <button type=\"button\" data-json=\"%llu\" "
		"aria-expanded=\"false\">JSON</button></p>\n</article>\n",
		nr, nr);
}

static void print_index(FILE *out, const struct model *m, json *incidents, size_t shown)
{
	if (shown < 2)
		return;
	fputs("<ol class=\"index\">\n", out);
	for (size_t n = 0; n < shown; n++) {
		json *i = json_object_array_get_idx(incidents, n);

		fprintf(out, "<li><a href=\"#incident-%llu\">", html__u64(i, "/number"));
		html__text(out, html__string(i, "/title"));
		fprintf(out, "</a> ");
		print_confidence(out, i);
		fputs(" <span class=\"when\">", out);
		html__text(out, words__when(m, moment(i)).s);
		fputs("</span></li>\n", out);
	}
	fputs("</ol>\n", out);
}

void html_incident__all(FILE *out, const struct model *m, json *incidents, size_t shown)
{
	print_index(out, m, incidents, shown);
	for (size_t n = 0; n < shown; n++)
		print_one(out, m, json_object_array_get_idx(incidents, n));
}
