// SPDX-License-Identifier: GPL-2.0-only
#include "ui/table.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "report/kin.h"
#include "report/words.h"
#include "ui/details.h"
#include "ui/numbers.h"

struct line {
	struct live_row now;
	struct live_row before; /* the same domain an interval ago; all 0 if it is new */
};

struct table {
	struct line *lines;
	size_t nr, size;
	struct details *details;
	uint64_t updated, interval; /* ns */
};

struct table *table__new(void)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t)
		t->details = details__new();
	if (t && !t->details) {
		free(t);
		return NULL;
	}
	return t;
}

void table__free(struct table *t)
{
	if (!t)
		return;
	details__free(t->details);
	free(t->lines);
	free(t);
}

static int take_row(void *ctx, const struct live_row *row)
{
	struct table *t = ctx;
	struct line *more;
	size_t i;

	for (i = 0; i < t->nr && t->lines[i].now.domain != row->domain; i++)
		;
	if (i == t->size) {
		more = realloc(t->lines, (t->size + 16) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		t->lines = more;
		t->size += 16;
	}
	if (i == t->nr) {
		memset(&t->lines[i], 0, sizeof(t->lines[i]));
		t->nr++;
	} else {
		t->lines[i].before = t->lines[i].now;
	}
	t->lines[i].now = *row;
	return 0;
}

int table__update(struct table *t, struct collect *c, const struct analysis *a, uint64_t now)
{
	int err;

	t->interval = t->updated ? now - t->updated : 0;
	t->updated = now;
	details__begin(t->details, t->interval);
	err = collect__live(c, take_row, t);
	if (!err)
		err = collect__live_submits(c, details__submission, t->details);
	return err ? err : details__requests(t->details, &a->model);
}

static uint64_t unmaps(const struct live_row *r)
{
	return r->unmaps_strict + r->unmaps_lazy;
}

static double rate(const struct table *t, uint64_t now, uint64_t before)
{
	return t->interval ? (double)(now - before) * 1e9 / (double)t->interval : 0;
}

/* A histogram gives the middle of a bucket; the exact maximum is known. */
static uint64_t window_value(const struct live_row *r, int lazy, double q)
{
	uint64_t v = hist__percentile(r->window[lazy], q);

	return v < r->window_max[lazy] ? v : r->window_max[lazy];
}

/* A window percentile: lazy where there are lazy unmaps, else strict. "-": none was measured. */
static struct words window_text(const struct live_row *r, double q)
{
	int lazy = r->unmaps_lazy != 0;
	struct words w;

	if (!hist__total(r->window[lazy])) {
		snprintf(w.s, sizeof(w.s), "-");
		return w;
	}
	if (q >= 1)
		return words__duration(r->window_max[lazy]);
	return words__duration(window_value(r, lazy, q));
}

static const char *mode_of(const struct analysis *a, const struct live_row *r)
{
	if (r->unmaps_lazy && r->unmaps_strict)
		return "both";
	if (r->unmaps_lazy)
		return "lazy";
	if (r->unmaps_strict)
		return "strict";
	return words__domain_mode(words__find_domain(&a->model, r->domain));
}

static struct words device_of(const struct analysis *a, const struct live_row *r)
{
	struct words w;

	if (r->dev)
		return words__device_name(&a->model, r->dev);
	if (r->nr_devs > 1)
		snprintf(w.s, sizeof(w.s), "group %d (%u)", r->group, r->nr_devs);
	else
		snprintf(w.s, sizeof(w.s), "-");
	return w;
}

/* What the device has to do with others; of a domain of several, which they are. */
static const char *note_of(const struct analysis *a, const struct live_row *r, char *out,
			   size_t size)
{
	const struct model_domain *dom = words__find_domain(&a->model, r->domain);
	const struct model_device *dev = r->dev ? words__find_device(&a->model, r->dev) : NULL;
	size_t len = 0;

	out[0] = 0;
	if (dev)
		return kin__text(&a->model, dev, out, size);
	for (size_t i = 0; dom && i < dom->nr_devs && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s", i ? " " : "",
					words__device_name(&a->model, dom->devs[i]).s);
	return out;
}

static const struct model_stats *stats_of(const struct analysis *a, const struct live_row *r)
{
	static const struct model_stats none;
	const struct model_device *dev = r->dev ? words__find_device(&a->model, r->dev) : NULL;

	return dev ? &dev->stats : &none;
}

void table__text(const struct table *t, const struct analysis *a, const struct table_totals *totals,
		 FILE *out)
{
	double maps = 0, unmapped = 0;

	for (size_t i = 0; i < t->nr; i++) {
		maps += rate(t, t->lines[i].now.maps, t->lines[i].before.maps);
		unmapped += rate(t, unmaps(&t->lines[i].now), unmaps(&t->lines[i].before));
	}
	fprintf(out,
		"iommutop %8.1f s  %s maps/s  %s unmaps/s  faults %llu%s  hangs %llu  lost %llu\n",
		(double)totals->elapsed / 1e9, numbers__short(maps).s, numbers__short(unmapped).s,
		(unsigned long long)a->model.total.faults, analysis__faults_are_floor(a) ? "+" : "",
		(unsigned long long)a->model.total.hangs, (unsigned long long)totals->lost);
	fprintf(out, "%-16s %4s %-8s %-6s %6s %6s %6s | %5s %5s %5s %5s %5s | %-27s | %4s %4s\n",
		"DEVICE", "DOM", "TYPE", "UNMAP", "MAP/s", "UNM/s", "B/s", "SYNC", "FULL", "TIMER",
		"MAP", "OTHER", "WINDOW p50 / p99 / max", "FLT", "HANG");
	for (size_t i = 0; i < t->nr; i++) {
		const struct live_row *r = &t->lines[i].now, *b = &t->lines[i].before;
		const struct model_stats *st = stats_of(a, r);
		char window[300], note[200];

		if (r->gone && r->maps == b->maps && unmaps(r) == unmaps(b))
			continue; /* freed, and nothing new to say */
		snprintf(window, sizeof(window), "%s / %s / %s", window_text(r, 0.5).s,
			 window_text(r, 0.99).s, window_text(r, 1).s);
		fprintf(out,
			"%-16.16s %4u %-8s %-6s %6s %6s %6s | %5s %5s %5s %5s %5s | %-27s | %4llu "
			"%4llu",
			device_of(a, r).s, r->domain,
			words__domain_kind(words__find_domain(&a->model, r->domain)), mode_of(a, r),
			numbers__short(rate(t, r->maps, b->maps)).s,
			numbers__short(rate(t, unmaps(r), unmaps(b))).s,
			numbers__short(rate(t, r->map_bytes, b->map_bytes)).s,
			numbers__short((double)r->flushes[IOT_WHY_STRICT]).s,
			numbers__short((double)r->flushes[IOT_WHY_QUEUE_FULL]).s,
			numbers__short((double)r->flushes[IOT_WHY_TIMER]).s,
			numbers__short((double)r->flushes[IOT_WHY_MAP]).s,
			numbers__short(
				(double)(r->flushes[IOT_WHY_OTHER] + r->flushes[IOT_WHY_UNKNOWN] +
					 r->flushes[IOT_WHY_RANGE] + r->flushes[IOT_WHY_DETACH]))
				.s,
			window, (unsigned long long)st->faults, (unsigned long long)st->hangs);
		note_of(a, r, note, sizeof(note));
		fprintf(out, "%s%s\n", note[0] ? "  " : "", note);
	}
	if (!t->nr)
		fprintf(out, "no IOMMU domain yet: no device is behind an IOMMU, or none has "
			     "mapped anything\n");
	details__text(t->details, &a->model, t->updated, out);
}

static void add_u64(json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

static json_object *window_json(const struct live_row *r, int lazy)
{
	json_object *w;

	if (!hist__total(r->window[lazy]))
		return NULL;
	w = json_object_new_object();
	add_u64(w, "count", hist__total(r->window[lazy]));
	add_u64(w, "p50_ns", window_value(r, lazy, 0.5));
	add_u64(w, "p99_ns", window_value(r, lazy, 0.99));
	add_u64(w, "max_ns", r->window_max[lazy]);
	return w;
}

static json_object *row_json(const struct analysis *a, const struct live_row *r)
{
	static const char *const why[] = { "unknown", "strict", "queue_full", "timer",
					   "map",     "other",  "range",      "detach" };
	json_object *o = json_object_new_object(), *flushes = json_object_new_object();
	const struct model_stats *st = stats_of(a, r);
	const struct model_domain *dom = words__find_domain(&a->model, r->domain);
	const struct model_device *dev = r->dev ? words__find_device(&a->model, r->dev) : NULL;
	const char *owner = words__domain_user(dom);
	json_object *names = json_object_new_array();

	json_object_object_add(o, "device",
			       r->dev ? json_object_new_string(device_of(a, r).s) : NULL);
	for (size_t i = 0; dom && i < dom->nr_devs; i++)
		json_object_array_add(
			names,
			json_object_new_string(words__device_name(&a->model, dom->devs[i]).s));
	json_object_object_add(o, "device_names", names);
	json_object_object_add(o, "physfn",
			       dev && dev->physfn[0] ? json_object_new_string(dev->physfn) : NULL);
	json_object_object_add(o, "virtfns", dev ? kin__json(&a->model, dev, kin__is_vf_of) : NULL);
	add_u64(o, "domain", r->domain);
	add_u64(o, "devices", r->nr_devs);
	json_object_object_add(o, "group", json_object_new_int(r->group));
	json_object_object_add(o, "type", json_object_new_string(words__domain_type(dom)));
	json_object_object_add(o, "owner", owner ? json_object_new_string(owner) : NULL);
	json_object_object_add(o, "unmap", json_object_new_string(mode_of(a, r)));
	json_object_object_add(o, "gone", json_object_new_boolean(r->gone));
	add_u64(o, "maps", r->maps);
	add_u64(o, "map_bytes", r->map_bytes);
	add_u64(o, "unmaps_strict", r->unmaps_strict);
	add_u64(o, "unmaps_lazy", r->unmaps_lazy);
	add_u64(o, "unmap_bytes", r->unmap_bytes);
	for (size_t i = 0; i < sizeof(why) / sizeof(why[0]); i++)
		add_u64(flushes, why[i], r->flushes[i]);
	json_object_object_add(o, "flushes", flushes);
	add_u64(o, "flush_ns", r->flush_ns);
	json_object_object_add(o, "window_strict", window_json(r, 0));
	json_object_object_add(o, "window_lazy", window_json(r, 1));
	add_u64(o, "pending", r->pending);
	add_u64(o, "windows_not_measured", r->unmeasured);
	add_u64(o, "faults", st->faults);
	add_u64(o, "hangs", st->hangs);
	return o;
}

void table__json(const struct table *t, const struct analysis *a, const struct table_totals *totals,
		 FILE *out)
{
	json_object *o = json_object_new_object(), *rows = json_object_new_array();

	json_object_object_add(o, "schema", json_object_new_int(1));
	add_u64(o, "elapsed_ns", totals->elapsed);
	add_u64(o, "lost", totals->lost);
	add_u64(o, "faults", a->model.total.faults);
	json_object_object_add(o, "faults_are_floor",
			       json_object_new_boolean(analysis__faults_are_floor(a)));
	add_u64(o, "hangs", a->model.total.hangs);
	for (size_t i = 0; i < t->nr; i++)
		json_object_array_add(rows, row_json(a, &t->lines[i].now));
	json_object_object_add(o, "domains", rows);
	details__json(t->details, &a->model, t->updated, o);
	fprintf(out, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}
