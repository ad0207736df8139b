// SPDX-License-Identifier: GPL-2.0-only
#include "report/html_tables.h"

#include <json-c/json.h>
#include <stdbool.h>

#include "report/html_stats.h"
#include "report/html_text.h"
#include "report/words.h"
#include "report/leaks.h"

typedef struct json_object json;

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* A kernel log alone tells nothing of maps: the last columns. */
#define TRACED_COLUMNS 3

static void print_devices(FILE *out, json *report, bool traced)
{
	/* Of a merged session only: the first one. */
	static const struct html_column devices[] = {
		{ "origin", "/origin", "which of the sessions: see the top", HTML_TEXT },
		{ "name", "/name", NULL, HTML_CODE },
		{ "driver", "/driver", NULL, HTML_CODE },
		{ "bus", "/bus", NULL, HTML_TEXT },
		{ "IOMMU", "/iommu", NULL, HTML_TEXT },
		{ "group", "/group", NULL, HTML_TEXT },
		{ "related", "/related", "virtual and physical functions, devices of one group",
		  HTML_TEXT },
		{ "domain", "/domain", "attached to it at the end", HTML_TEXT },
		{ "faults", "/stats/faults", NULL, HTML_COUNT },
		{ "hangs", "/stats/hangs", NULL, HTML_COUNT },
		{ "resets", "/stats/resets", NULL, HTML_COUNT },
		{ "errors", "/stats/errors", "AER, failed invalidations, the IOMMU's own",
		  HTML_COUNT },
		{ "maps", "/stats/maps", NULL, HTML_COUNT },
		{ "unmaps", "/stats/unmaps", NULL, HTML_COUNT },
		{ "mapped", "/stats/map_bytes", "bytes, all maps together", HTML_BYTES },
	};
	static const struct html_column domains[] = {
		{ "domain", "/number", NULL, HTML_TEXT },
		{ "type", "/type", NULL, HTML_TEXT },
		{ "mapped by", "/owner",
		  "the DMA API; user space, by VFIO or iommufd; a driver itself", HTML_TEXT },
		{ "unmaps are", "/mode", "what unmaps really do", HTML_TEXT },
		{ "devices", "/devices", NULL, HTML_LIST },
		{ "maps", "/stats/maps", NULL, HTML_COUNT },
		{ "failed", "/stats/map_failed", NULL, HTML_COUNT },
		{ "unmaps", "/stats/unmaps", NULL, HTML_COUNT },
		{ "mapped", "/stats/map_bytes", "bytes, all maps together", HTML_BYTES },
		{ "unmapped", "/stats/unmap_bytes", NULL, HTML_BYTES },
		{ "live at the end", "/live_bytes", NULL, HTML_BYTES },
		{ "most at once", "/live_bytes_max", NULL, HTML_BYTES },
		{ "faults", "/stats/faults", NULL, HTML_COUNT },
	};

	bool merged = html__at(report, "/origins");

	fputs("<section id=\"devices\" aria-labelledby=\"h-devices\">\n<h2 "
	      "id=\"h-devices\">Devices and "
	      "domains</h2>\n",
	      out);
	if (!html__table(out, "Devices", html__at(report, "/devices"), devices + !merged,
			 NR(devices) - !merged - (traced ? 0 : TRACED_COLUMNS), 0))
		fputs("<p>No device is known.</p>\n", out);
	html__table(out, "Domains", html__at(report, "/domains"), domains, NR(domains), 0);
	fputs("</section>\n", out);
}

static const char *nothing(bool traced)
{
	return traced ? "<p>None were seen.</p>\n" : "<p>A kernel log doesn't tell of them.</p>\n";
}

static void print_maps(FILE *out, const struct model *m, json *report, bool traced)
{
	fputs("<section id=\"maps\" aria-labelledby=\"h-maps\">\n<h2 id=\"h-maps\">Maps</h2>\n"
	      "<div class=\"beside\">\n",
	      out);
	if (!html_stats__maps(out, m, report))
		fputs(nothing(traced), out);
	if (html__at(report, "/leaks") && !html__u64(report, "/leaks/mappings"))
		fprintf(out, "<p>Still mapped at the end: %s</p>\n",
			leaks__nothing(m, html__at(report, "/scope") != NULL));
	if (json_object_get_boolean(html__at(report, "/leaks/unsure")))
		fputs("<p>" LEAKS_UNSURE "</p>\n", out);
	fputs("</div>\n</section>\n", out);
}

static void print_flushes(FILE *out, const struct model *m, json *report, bool traced)
{
	static const struct html_column flushes[] = {
		{ "domain", "/number", NULL, HTML_TEXT },
		{ "strict", "/stats/flushes/strict", NULL, HTML_COUNT },
		{ "in unmap", "/stats/flushes/range", NULL, HTML_COUNT },
		{ "queue full", "/stats/flushes/queue_full", NULL, HTML_COUNT },
		{ "timer", "/stats/flushes/timer", NULL, HTML_COUNT },
		{ "after map", "/stats/flushes/map", NULL, HTML_COUNT },
		{ "detach", "/stats/flushes/detach", NULL, HTML_COUNT },
		{ "other", "/stats/flushes/other", NULL, HTML_COUNT },
		{ "unknown", "/stats/flushes/unknown", NULL, HTML_COUNT },
	};
	static const struct html_column lazy[] = {
		{ "domain", "/number", NULL, HTML_TEXT },
		{ "unmaps", "/stats/unmaps_lazy", NULL, HTML_COUNT },
		{ "covered", "/stats/window_lazy/count", "unmaps whose flush was seen",
		  HTML_COUNT },
		{ "p50", "/stats/window_lazy/p50_ns", NULL, HTML_NS },
		{ "p90", "/stats/window_lazy/p90_ns", NULL, HTML_NS },
		{ "p99", "/stats/window_lazy/p99_ns", NULL, HTML_NS },
		{ "p99.9", "/stats/window_lazy/p999_ns", NULL, HTML_NS },
		{ "max", "/stats/window_lazy/max_ns", NULL, HTML_NS },
	};
	static const struct html_column strict[] = {
		{ "domain", "/number", NULL, HTML_TEXT },
		{ "unmaps", "/stats/unmaps_strict", NULL, HTML_COUNT },
		{ "covered", "/stats/window_strict/count", "unmaps whose flush was seen",
		  HTML_COUNT },
		{ "p50", "/stats/window_strict/p50_ns", NULL, HTML_NS },
		{ "p90", "/stats/window_strict/p90_ns", NULL, HTML_NS },
		{ "p99", "/stats/window_strict/p99_ns", NULL, HTML_NS },
		{ "p99.9", "/stats/window_strict/p999_ns", NULL, HTML_NS },
		{ "max", "/stats/window_strict/max_ns", NULL, HTML_NS },
	};
	json *domains = html__at(report, "/domains");
	size_t rows;

	fputs("<section id=\"flushes\" aria-labelledby=\"h-flushes\">\n<h2 "
	      "id=\"h-flushes\">Flushes and "
	      "windows</h2>\n<p>A window is the time from the end of an unmap to the end of the "
	      "flush "
	      "that covers it: so long a device could still use the old address. Percentiles are "
	      "within 6.25 %.</p>\n<div class=\"beside\">\n",
	      out);
	rows = html__table(out, "IOTLB flushes by reason", domains, flushes, NR(flushes), 1);
	rows += html__table(out, "Windows of lazy unmaps", domains, lazy, NR(lazy), 1);
	rows += html__table(out, "Windows of strict unmaps", domains, strict, NR(strict), 1);
	rows += html_stats__flushes(out, m, report);
	fputs(rows ? "" : nothing(traced), out);
	fputs("</div>\n</section>\n", out);
}

static json *seconds(const struct model *m, __u64 ts)
{
	char text[32];

	snprintf(text, sizeof(text), "%.6f", (double)(__s64)(ts - words__zero(m)) / 1e9);
	return json_object_new_string(text);
}

/* The losses with times as the rest of the report gives them. */
static json *loss_rows(const struct model *m, json *losses)
{
	json *rows = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(losses); i++) {
		json *l = json_object_array_get_idx(losses, i), *row = json_object_new_object();

		json_object_object_add(row, "count", json_object_get(html__at(l, "/count")));
		json_object_object_add(row, "cause", json_object_get(html__at(l, "/cause")));
		json_object_object_add(row, "what", json_object_get(html__at(l, "/what")));
		json_object_object_add(row, "from", seconds(m, html__u64(l, "/begin_ns")));
		json_object_object_add(row, "to", seconds(m, html__u64(l, "/end_ns")));
		json_object_array_add(rows, row);
	}
	return rows;
}

static void print_coverage(FILE *out, const struct model *m, json *report)
{
	static const struct html_column losses[] = {
		{ "events", "/count", "0: nobody knows how many", HTML_COUNT },
		{ "why", "/cause", NULL, HTML_TEXT },
		{ "where", "/what", NULL, HTML_TEXT },
		{ "from, s", "/from", NULL, HTML_TEXT },
		{ "to, s", "/to", NULL, HTML_TEXT },
	};
	static const struct html_column checks[] = {
		{ "self-check", "/check", NULL, HTML_TEXT },
		{ "domain", "/domain", NULL, HTML_TEXT },
		{ "seen", "/ours", "by our hooks", HTML_COUNT },
		{ "expected", "/control", "what somebody else counted", HTML_COUNT },
		{ "slack", "/slack", "difference that operations under way explain", HTML_COUNT },
		{ "result", "/passed", NULL, HTML_PASSED },
	};

	json *rows = loss_rows(m, html__at(report, "/losses"));

	fputs("<section id=\"coverage\" aria-labelledby=\"h-coverage\">\n<h2 "
	      "id=\"h-coverage\">Losses "
	      "and self-checks</h2>\n<div class=\"beside\">\n",
	      out);
	if (!html__table(out, "What is missing", rows, losses, NR(losses), 0))
		fputs("<p>No loss was reported.</p>\n", out);
	if (!html__table(out, "Self-checks: two counts of one thing", html__at(report, "/coverage"),
			 checks, NR(checks), 0))
		fputs("<p>There were no self-checks.</p>\n", out);
	fputs("</div>\n</section>\n", out);
	json_object_put(rows);
}

void html_tables__all(FILE *out, const struct model *m, json *report)
{
	bool traced = m->has_mappings || m->capture_begin;

	print_devices(out, report, traced);
	print_maps(out, m, report, traced);
	print_flushes(out, m, report, traced);
	print_coverage(out, m, report);
}
