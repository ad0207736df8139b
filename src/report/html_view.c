// SPDX-License-Identifier: GPL-2.0-only
#include "report/html_view.h"

#include <json-c/json.h>
#include <string.h>

#include "report/html_text.h"
#include "report/words.h"

typedef struct json_object json;

static void put(json *o, const char *key, json *value)
{
	json_object_object_add(o, key, value);
}

static void push_u64(json *array, __u64 v)
{
	json_object_array_add(array, json_object_new_uint64(v));
}

/* Signed: a loss may have begun before the first event. */
static json *since(const struct timeline *t, __u64 ts)
{
	return json_object_new_int64((int64_t)(ts - t->origin));
}

static json *series(const struct timeline *t, __u32 which, __u64 *sum)
{
	json *values = json_object_new_array_ext((int)t->nr);

	*sum = 0;
	for (__u32 i = 0; i < t->nr; i++) {
		push_u64(values, t->buckets[i].counts[which]);
		*sum += t->buckets[i].counts[which];
	}
	return values;
}

/* One for each reason that there was: its name and its counts. */
static json *flush_series(const struct timeline *t)
{
	json *all = json_object_new_array();

	for (__u32 why = 0; why < STATS_WHY_NR; why++) {
		__u64 sum;
		json *values = series(t, TIMELINE_FLUSHES + why, &sum), *o;

		if (!sum) {
			json_object_put(values);
			continue;
		}
		o = json_object_new_object();
		put(o, "why", json_object_new_int((int)why));
		put(o, "name", json_object_new_string(words__why(why)));
		put(o, "values", values);
		json_object_array_add(all, o);
	}
	return all;
}

static json *live_series(const struct timeline *t)
{
	json *values = json_object_new_array_ext((int)t->nr);

	for (__u32 i = 0; i < t->nr; i++)
		push_u64(values, t->buckets[i].live_bytes);
	return values;
}

/* Interval, row and count of each cell that isn't empty, one behind the other; NULL if all are. */
static json *heat(const struct timeline *t, size_t offset)
{
	json *cells = json_object_new_array();

	for (__u32 i = 0; i < t->nr; i++) {
		const __u64 *rows = (const __u64 *)((const char *)&t->buckets[i].heat + offset);

		for (__u32 row = 0; row < HEAT_ROWS; row++) {
			if (!rows[row])
				continue;
			push_u64(cells, i);
			push_u64(cells, row);
			push_u64(cells, rows[row]);
		}
	}
	if (json_object_array_length(cells))
		return cells;
	json_object_put(cells);
	return NULL;
}

static json *heat_maps(const struct timeline *t)
{
	static const struct {
		size_t offset;
		const char *name, *unit;
	} maps[] = {
		{ offsetof(struct heat, lazy), "Windows of lazy unmaps", "windows" },
		{ offsetof(struct heat, strict), "Windows of strict unmaps", "windows" },
		{ offsetof(struct heat, flush), "Time of one IOTLB flush", "flushes" },
	};
	json *all = json_object_new_array();

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		json *cells = heat(t, maps[i].offset), *o;

		if (!cells)
			continue;
		o = json_object_new_object();
		put(o, "name", json_object_new_string(maps[i].name));
		put(o, "unit", json_object_new_string(maps[i].unit));
		put(o, "cells", cells);
		json_object_array_add(all, o);
	}
	return all;
}

/* The lowest value of each row, and the end of the last one. */
static json *row_edges(void)
{
	json *edges = json_object_new_array();

	for (__u32 row = 0; row <= HEAT_ROWS; row++)
		push_u64(edges, heat__low(row));
	return edges;
}

static json *new_mark(const struct timeline *t, const char *kind, __u64 incident, json *from)
{
	json *o = json_object_new_object();

	put(o, "kind", json_object_new_string(kind));
	put(o, "incident", json_object_new_uint64(incident));
	put(o, "ns", since(t, html__u64(from, "/first_ns")));
	return o;
}

static void add_fault(json *marks, const struct timeline *t, __u64 incident, json *fault)
{
	json *o = new_mark(t, "fault", incident, fault);
	const char *iova = html__string(fault, "/iova"), *access = html__string(fault, "/access");
	char text[128];

	snprintf(text, sizeof(text), "%s%s%s%s, %s", access, *access ? " " : "",
		 *iova ? "at " : "address not known", iova,
		 words__times(html__u64(fault, "/count"), "fault", "faults").s);
	put(o, "text", json_object_new_string(text));
	json_object_array_add(marks, o);
}

static void add_trouble(json *marks, const struct timeline *t, const char *kind, __u64 incident,
			json *trouble)
{
	json *o;
	char text[160];

	if (!trouble)
		return;
	o = new_mark(t, kind, incident, trouble);
	snprintf(text, sizeof(text), "%s: %s", html__string(trouble, "/device_name"),
		 html__string(trouble, "/signal"));
	put(o, "text", json_object_new_string(text));
	json_object_array_add(marks, o);
}

static void add_stall(json *marks, const struct timeline *t, __u64 incident, json *stall)
{
	__u64 begin = html__u64(stall, "/begin_ns"), end = html__u64(stall, "/end_ns");
	char text[160];
	json *o;

	if (!stall)
		return;
	o = json_object_new_object();
	snprintf(text, sizeof(text), "flush of %s (%s) took %s",
		 html__string(stall, "/device_name"), html__string(stall, "/why"),
		 words__duration(end - begin).s);
	put(o, "kind", json_object_new_string("stall"));
	put(o, "incident", json_object_new_uint64(incident));
	put(o, "ns", since(t, begin));
	put(o, "end", since(t, end));
	put(o, "text", json_object_new_string(text));
	json_object_array_add(marks, o);
}

static json *marks_of(const struct timeline *t, json *incidents, size_t shown)
{
	json *marks = json_object_new_array();

	for (size_t n = 0; n < shown; n++) {
		json *i = json_object_array_get_idx(incidents, n), *faults = html__at(i, "/faults");
		__u64 number = html__u64(i, "/number");

		for (size_t f = 0; faults && f < json_object_array_length(faults); f++)
			add_fault(marks, t, number, json_object_array_get_idx(faults, f));
		add_trouble(marks, t, "hang", number, html__at(i, "/hang"));
		add_trouble(marks, t, "reset", number, html__at(i, "/reset"));
		add_trouble(marks, t, "error", number, html__at(i, "/error"));
		add_stall(marks, t, number, html__at(i, "/stall"));
	}
	return marks;
}

static json *incident_spans(const struct timeline *t, json *incidents, size_t shown)
{
	json *all = json_object_new_array();

	for (size_t n = 0; n < shown; n++) {
		json *i = json_object_array_get_idx(incidents, n), *o = json_object_new_object();

		put(o, "number", json_object_new_uint64(html__u64(i, "/number")));
		put(o, "begin", since(t, html__u64(i, "/first_ns")));
		put(o, "end", since(t, html__u64(i, "/last_ns")));
		json_object_array_add(all, o);
	}
	return all;
}

static json *gap(const struct timeline *t, __u64 begin, __u64 end, const char *text)
{
	json *o = json_object_new_object();

	put(o, "begin", since(t, begin));
	put(o, "end", since(t, end));
	put(o, "text", json_object_new_string(text));
	return o;
}

/* Events that were moved in time ("late") are no gap: nothing is missing. */
static json *gaps(const struct analysis *a)
{
	const struct model *m = &a->model;
	json *all = json_object_new_array();
	char text[192];

	if (m->attach_begin && m->capture_begin > a->timeline.origin + (1ULL << a->timeline.shift))
		json_object_array_add(all, gap(&a->timeline, m->attach_begin, m->capture_begin,
					       "hooks were being attached: coverage is partial"));
	for (size_t i = 0; i < m->nr_losses; i++) {
		const struct model_loss *l = &m->losses[i];

		if (l->cause == IOT_LOST_LATE)
			continue;
		snprintf(text, sizeof(text), "%s%s%s%s: %s", words__loss(l->cause),
			 l->what[0] ? " (" : "", l->what, l->what[0] ? ")" : "",
			 l->count ? words__times(l->count, "event missing", "events missing").s
				  : "how many are missing isn't known");
		json_object_array_add(all, gap(&a->timeline, l->begin, l->end, text));
	}
	return all;
}

json *html_view__new(const struct analysis *a, json *report, size_t shown)
{
	const struct timeline *t = &a->timeline;
	const struct model *m = &a->model;
	json *o = json_object_new_object(), *incidents = html__at(report, "/incidents");
	__u64 zero = words__zero(m), sum;

	if (!o)
		return NULL;
	put(o, "zero", since(t, zero));
	/* ms: what a JavaScript date holds */
	put(o, "zero_real_ms",
	    m->mono_to_real ? json_object_new_uint64((zero + m->mono_to_real) / 1000000) : NULL);
	put(o, "width", json_object_new_uint64(1ULL << t->shift));
	put(o, "end", t->nr ? since(t, m->last) : json_object_new_int(0));
	put(o, "maps", series(t, TIMELINE_MAPS, &sum));
	put(o, "unmaps", series(t, TIMELINE_UNMAPS, &sum));
	put(o, "map_bytes", series(t, TIMELINE_MAP_BYTES, &sum));
	put(o, "unmap_bytes", series(t, TIMELINE_UNMAP_BYTES, &sum));
	put(o, "map_failed", series(t, TIMELINE_MAP_FAILED, &sum));
	put(o, "faults", series(t, TIMELINE_FAULTS, &sum));
	put(o, "hangs", series(t, TIMELINE_HANGS, &sum));
	put(o, "resets", series(t, TIMELINE_RESETS, &sum));
	put(o, "errors", series(t, TIMELINE_ERRORS, &sum));
	put(o, "flushes", flush_series(t));
	put(o, "live_bytes", live_series(t));
	put(o, "heat", heat_maps(t));
	put(o, "heat_edges", row_edges());
	put(o, "marks", marks_of(t, incidents, shown));
	put(o, "incidents", incident_spans(t, incidents, shown));
	put(o, "gaps", gaps(a));
	return o;
}

static const struct {
	const char *head;
	__u32 series, nr;
	int bytes;
} columns[] = {
	{ "maps", TIMELINE_MAPS, 1, 0 },     { "mapped", TIMELINE_MAP_BYTES, 1, 1 },
	{ "unmaps", TIMELINE_UNMAPS, 1, 0 }, { "flushes", TIMELINE_FLUSHES, STATS_WHY_NR, 0 },
	{ "faults", TIMELINE_FAULTS, 1, 0 }, { "hangs", TIMELINE_HANGS, 1, 0 },
	{ "resets", TIMELINE_RESETS, 1, 0 }, { "errors", TIMELINE_ERRORS, 1, 0 },
};
#define NR_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void table_row(FILE *out, const struct timeline *t, __u32 from, __u32 to)
{
	for (size_t c = 0; c < NR_COLUMNS; c++) {
		__u64 sum = 0;

		for (__u32 i = from; i < to; i++)
			for (__u32 s = 0; s < columns[c].nr; s++)
				sum += t->buckets[i].counts[columns[c].series + s];
		if (columns[c].bytes)
			fprintf(out, "<td class=\"n\">%s</td>", words__bytes(sum).s);
		else
			fprintf(out, "<td class=\"n\">%llu</td>", sum);
	}
	fprintf(out, "<td class=\"n\">%s</td></tr>\n",
		words__bytes(t->buckets[to - 1].live_bytes).s);
}

void html_view__table(FILE *out, const struct analysis *a)
{
	const struct timeline *t = &a->timeline;
	__u32 step = (t->nr + HTML_VIEW_ROWS - 1) / HTML_VIEW_ROWS;
	double zero = (double)(__s64)(t->origin - words__zero(&a->model)) / 1e9;

	fputs("<div class=\"scroll\"><table><caption>What happened when; an interval begins at the "
	      "time given</caption><thead><tr><th scope=\"col\" class=\"n\">from, s</th>",
	      out);
	for (size_t c = 0; c < NR_COLUMNS; c++)
		fprintf(out, "<th scope=\"col\" class=\"n\">%s</th>", columns[c].head);
	fputs("<th scope=\"col\" class=\"n\">mapped at the end</th></tr></thead><tbody>\n", out);
	for (__u32 i = 0; i < t->nr; i += step) {
		fprintf(out, "<tr><th scope=\"row\" class=\"n\">%.6f</th>",
			zero + (double)((__u64)i << t->shift) / 1e9);
		table_row(out, t, i, i + step < t->nr ? i + step : t->nr);
	}
	fputs("</tbody></table></div>\n", out);
}
