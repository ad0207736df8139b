// SPDX-License-Identifier: GPL-2.0-only
#include "report/diff.h"

#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "report/diff_facts.h"
#include "report/words.h"

#define FACTS_MAX 40

static struct words figure(double v, enum diff_unit unit)
{
	struct words w = { "-" };

	if (isnan(v))
		return w;
	switch (unit) {
	case DIFF_NS:
		return words__duration((__u64)(v + 0.5));
	case DIFF_BYTES:
		return words__bytes((__u64)(v + 0.5));
	case DIFF_SHARE:
		snprintf(w.s, sizeof(w.s), "%.2f %%", v * 100);
		return w;
	case DIFF_PER_SECOND:
		snprintf(w.s, sizeof(w.s), v < 100 ? "%.3g" : "%.0f", v);
		return w;
	case DIFF_NUMBER:
		snprintf(w.s, sizeof(w.s), "%.3g", v);
		return w;
	}
	return w;
}

/* "+12.3 %", "x 4.1", "+3.2 points" */
static struct words effect(double v, enum diff_unit unit)
{
	struct words w = { "-" };

	if (isnan(v))
		return w;
	if (unit == DIFF_SHARE)
		snprintf(w.s, sizeof(w.s), "%+.2f pt", v * 100);
	else if (v >= 2 || (v > 0 && v <= 0.5))
		snprintf(w.s, sizeof(w.s), "x %.3g", v);
	else
		snprintf(w.s, sizeof(w.s), "%+.1f %%", (v - 1) * 100);
	return w;
}

static const char *answer(enum diff_answer a)
{
	switch (a) {
	case DIFF_NO_DATA:
		return "no data";
	case DIFF_CANNOT_TELL:
		return "can't tell";
	case DIFF_SAME:
		return "no difference";
	case DIFF_LIKELY:
		return "different, likely";
	case DIFF_SURE:
		return "different, sure";
	}
	return "";
}

static const char *answer_id(enum diff_answer a)
{
	static const char *const ids[] = { "no_data", "cannot_tell", "no_difference", "likely",
					   "sure" };

	return ids[a];
}

/* Which way it went, where one way is worse. */
static const char *direction(const struct diff_row *r)
{
	bool more = r->unit == DIFF_SHARE ? r->effect > 0 : r->effect > 1;

	if (r->answer < DIFF_LIKELY || !r->worse)
		return "";
	return more == (r->worse > 0) ? "worse" : "better";
}

static const char *count_title(const struct diff_count *c)
{
	return c->title ? c->title : words__verdict(c->verdict);
}

static const char *count_id(const struct diff_count *c)
{
	return c->id ? c->id : words__verdict_id(c->verdict);
}

static struct words rate(__u64 nr, double seconds)
{
	struct words w = { "-" };

	if (seconds > 0)
		snprintf(w.s, sizeof(w.s), "%llu in %.40s", nr,
			 words__duration((__u64)(seconds * 1e9)).s);
	return w;
}

static void conclusion(FILE *out, const struct diff *d)
{
	size_t unsure = 0, same = 0;

	for (size_t i = 0; i < d->nr_rows; i++) {
		unsure += d->rows[i].answer == DIFF_CANNOT_TELL;
		same += d->rows[i].answer == DIFF_SAME;
	}
	if (d->different)
		fprintf(out, "%zu of %zu figures and counts differ.", d->different,
			d->nr_rows + d->nr_counts);
	else
		fprintf(out, "No difference was found: %zu figures are the same%s.", same,
			unsure ? "" : " within what matters");
	if (unsure)
		fprintf(out, " Of %zu the uncertainty is too large to tell.", unsure);
	fputc('\n', out);
}

static void warnings(FILE *out, const struct diff *d, const char *head)
{
	if (d->runs_a < 3 || d->runs_b < 3)
		fprintf(out,
			"%sHow much runs of the same thing differ isn't known from so few: give "
			"three "
			"of each side\n%s(-a, -b) to be sure.\n",
			head, head);
	if (d->lossy_a || d->lossy_b)
		fprintf(out, "%sEvents are missing in %s: counts are lower limits.\n", head,
			d->lossy_a && d->lossy_b ? "both"
			: d->lossy_a             ? "A"
						 : "B");
}

void report_diff__text(FILE *out, const struct report_diff *r)
{
	struct diff_fact facts[FACTS_MAX];
	const struct diff *d = r->diff;
	size_t nr = diff_facts__list(facts, FACTS_MAX, r->a, r->b);

	fprintf(out, "A: %s%s\nB: %s%s\n", r->name_a, d->runs_a > 1 ? " and others" : "", r->name_b,
		d->runs_b > 1 ? " and others" : "");
	if (r->only)
		fprintf(out, "Only: %s\n", r->only);
	fputc('\n', out);
	conclusion(out, d);
	warnings(out, d, "");
	fprintf(out, "\n%-31s %11s %11s %11s\n", "Figure", "A", "B", "change");
	for (size_t i = 0; i < d->nr_rows; i++) {
		const struct diff_row *row = &d->rows[i];

		if (row->answer == DIFF_NO_DATA)
			continue;
		fprintf(out, "%-31s %11s %11s %11s  %s%s%s\n", row->title,
			figure(row->a, row->unit).s, figure(row->b, row->unit).s,
			effect(row->effect, row->unit).s, answer(row->answer),
			*direction(row) ? ": " : "", direction(row));
		if (row->answer != DIFF_SAME)
			fprintf(out, "%-31s plausible: %s to %s\n", "",
				effect(row->low, row->unit).s, effect(row->high, row->unit).s);
	}
	if (d->nr_counts)
		fprintf(out, "\n%-44s %17s %17s\n", "Counted", "A", "B");
	for (size_t i = 0; i < d->nr_counts; i++) {
		const struct diff_count *c = &d->counts[i];

		fprintf(out, "%-44s %17s %17s  %s\n", count_title(c), rate(c->a, c->a_seconds).s,
			rate(c->b, c->b_seconds).s, answer(c->answer));
	}
	if (nr)
		fputs("\nWhat else differs\n", out);
	for (size_t i = 0; i < nr && i < FACTS_MAX; i++)
		fprintf(out, "  %s\n    A: %.90s\n    B: %.90s\n", facts[i].what, facts[i].a,
			facts[i].b);
	if (nr > FACTS_MAX)
		fprintf(out, "  … and %zu more\n", nr - FACTS_MAX);
}

/* A | would end the cell. */
static void cell(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|' || *text == '\\')
			fputc('\\', out);
		fputc(*text == '\n' ? ' ' : *text, out);
	}
}

void report_diff__markdown(FILE *out, const struct report_diff *r)
{
	struct diff_fact facts[FACTS_MAX];
	const struct diff *d = r->diff;
	size_t nr = diff_facts__list(facts, FACTS_MAX, r->a, r->b);

	fputs("**A:** ", out);
	cell(out, r->name_a);
	fputs(" · **B:** ", out);
	cell(out, r->name_b);
	if (r->only) {
		fputs(" · **Only:** ", out);
		cell(out, r->only);
	}
	fputs("\n\n", out);
	conclusion(out, d);
	warnings(out, d, "> ");
	fputs("\n| Figure | A | B | Change | Plausible | |\n|---|---:|---:|---:|---:|---|\n", out);
	for (size_t i = 0; i < d->nr_rows; i++) {
		const struct diff_row *row = &d->rows[i];

		if (row->answer == DIFF_NO_DATA)
			continue;
		fprintf(out, "| %s | %s | %s | %s | %s to %s | %s%s%s |\n", row->title,
			figure(row->a, row->unit).s, figure(row->b, row->unit).s,
			effect(row->effect, row->unit).s, effect(row->low, row->unit).s,
			effect(row->high, row->unit).s, answer(row->answer),
			*direction(row) ? ", " : "", direction(row));
	}
	if (d->nr_counts)
		fputs("\n| Counted | A | B | |\n|---|---:|---:|---|\n", out);
	for (size_t i = 0; i < d->nr_counts; i++) {
		const struct diff_count *c = &d->counts[i];

		fprintf(out, "| %s | %s | %s | %s |\n", count_title(c), rate(c->a, c->a_seconds).s,
			rate(c->b, c->b_seconds).s, answer(c->answer));
	}
	if (nr)
		fputs("\n| What else differs | A | B |\n|---|---|---|\n", out);
	for (size_t i = 0; i < nr && i < FACTS_MAX; i++) {
		fputs("| ", out);
		cell(out, facts[i].what);
		fputs(" | ", out);
		cell(out, facts[i].a);
		fputs(" | ", out);
		cell(out, facts[i].b);
		fputs(" |\n", out);
	}
}

static struct json_object *number(double v)
{
	return isnan(v) || isinf(v) ? NULL : json_object_new_double(v);
}

static void put(struct json_object *o, const char *key, struct json_object *v)
{
	json_object_object_add(o, key, v);
}

static struct json_object *row_json(const struct diff_row *row)
{
	static const char *const units[] = { "ns", "bytes", "per_second", "number", "share" };
	struct json_object *o = json_object_new_object();

	put(o, "id", json_object_new_string(row->id));
	put(o, "title", json_object_new_string(row->title));
	put(o, "unit", json_object_new_string(units[row->unit]));
	put(o, "a", number(row->a));
	put(o, "b", number(row->b));
	put(o, "effect", number(row->effect));
	put(o, "effect_is",
	    json_object_new_string(row->unit == DIFF_SHARE ? "difference" : "ratio"));
	put(o, "plausible_low", number(row->low));
	put(o, "plausible_high", number(row->high));
	put(o, "matters", number(row->matters));
	put(o, "answer", json_object_new_string(answer_id(row->answer)));
	put(o, "direction", *direction(row) ? json_object_new_string(direction(row)) : NULL);
	return o;
}

static struct json_object *count_json(const struct diff_count *c)
{
	struct json_object *o = json_object_new_object();

	put(o, "id", json_object_new_string(count_id(c)));
	put(o, "title", json_object_new_string(count_title(c)));
	put(o, "a", json_object_new_uint64(c->a));
	put(o, "b", json_object_new_uint64(c->b));
	put(o, "a_seconds", number(c->a_seconds));
	put(o, "b_seconds", number(c->b_seconds));
	put(o, "chance", number(c->chance));
	put(o, "lower_limits", json_object_new_boolean(c->floor));
	put(o, "answer", json_object_new_string(answer_id(c->answer)));
	return o;
}

struct json_object *report_diff__json(const struct report_diff *r)
{
	struct diff_fact facts[FACTS_MAX];
	const struct diff *d = r->diff;
	size_t nr = diff_facts__list(facts, FACTS_MAX, r->a, r->b);
	struct json_object *o = json_object_new_object(), *rows = json_object_new_array(),
			   *counts = json_object_new_array(), *others = json_object_new_array();

	if (!o || !rows || !counts || !others) {
		json_object_put(o);
		json_object_put(rows);
		json_object_put(counts);
		json_object_put(others);
		return NULL;
	}
	put(o, "schema", json_object_new_int(REPORT_DIFF_SCHEMA));
	put(o, "a", json_object_new_string(r->name_a));
	put(o, "b", json_object_new_string(r->name_b));
	put(o, "only", r->only ? json_object_new_string(r->only) : NULL);
	put(o, "runs_a", json_object_new_uint64(d->runs_a));
	put(o, "runs_b", json_object_new_uint64(d->runs_b));
	put(o, "events_missing_a", json_object_new_boolean(d->lossy_a));
	put(o, "events_missing_b", json_object_new_boolean(d->lossy_b));
	put(o, "different", json_object_new_uint64(d->different));
	for (size_t i = 0; i < d->nr_rows; i++)
		json_object_array_add(rows, row_json(&d->rows[i]));
	put(o, "figures", rows);
	for (size_t i = 0; i < d->nr_counts; i++)
		json_object_array_add(counts, count_json(&d->counts[i]));
	put(o, "counts", counts);
	for (size_t i = 0; i < nr && i < FACTS_MAX; i++) {
		struct json_object *f = json_object_new_object();

		put(f, "what", json_object_new_string(facts[i].what));
		put(f, "a", json_object_new_string(facts[i].a));
		put(f, "b", json_object_new_string(facts[i].b));
		json_object_array_add(others, f);
	}
	put(o, "facts", others);
	return o;
}
