// SPDX-License-Identifier: GPL-2.0-only
#include "report/json_stats.h"

#include <stdlib.h>

#include "analyze/whatif.h"
#include "model/cells.h"
#include "report/words.h"

json *hist_json(const struct hist *h)
{
	json *o;

	if (!h->nr)
		return NULL;
	o = json_object_new_object();
	put_u64(o, "count", h->nr);
	put_u64(o, "min_ns", h->min);
	put_u64(o, "mean_ns", h->sum / h->nr);
	put_u64(o, "p50_ns", hist__value(h, 0.5));
	put_u64(o, "p90_ns", hist__value(h, 0.9));
	put_u64(o, "p99_ns", hist__value(h, 0.99));
	put_u64(o, "p999_ns", hist__value(h, 0.999));
	put_u64(o, "max_ns", h->max);
	return o;
}

static json *kinds_json(const struct model_stats *s)
{
	static const char *const names[STATS_KIND_NR] = { "unknown", "all", "sync", "sync_map" };
	json *o = json_object_new_object();

	for (int i = 0; i < STATS_KIND_NR; i++) {
		json *k = json_object_new_object();

		put_u64(k, "count", s->kinds[i]);
		put_u64(k, "total_ns", s->kind_ns[i]);
		put_u64(k, "empty", s->empty[i]);
		put_u64(k, "covered_unmaps", s->covered[i]);
		put_u64(k, "covered_bytes", s->covered_bytes[i]);
		put_u64(k, "covered_unmaps_most", s->most[i]);
		put(o, names[i], k);
	}
	return o;
}

static json *errors_json(const struct model_stats *s)
{
	json *all = json_object_new_array();

	for (int i = 0; i < STATS_ERRORS_NR && s->map_errors[i].err; i++) {
		json *o = json_object_new_object();

		put_text(o, "error", words__error(s->map_errors[i].err).s);
		put(o, "code", json_object_new_int(s->map_errors[i].err));
		put_u64(o, "count", s->map_errors[i].nr);
		json_object_array_add(all, o);
	}
	return all;
}

json *json_stats(const struct model_stats *s)
{
	static const char *const why[STATS_WHY_NR] = {
		"unknown", "strict", "queue_full", "timer", "map", "other", "range", "detach"
	};
	static const char *const pages[STATS_PAGE_NR] = { "4k", "2m", "1g" };
	json *o = json_object_new_object(), *flushes = json_object_new_object(),
	     *page = json_object_new_object();

	put_u64(o, "maps", s->maps);
	put_u64(o, "map_bytes", s->map_bytes);
	put_u64(o, "map_failed", s->map_failed);
	put(o, "map_errors", errors_json(s));
	put_u64(o, "map_lists", s->map_lists);
	put_u64(o, "map_list_longest", s->list_longest);
	for (int i = 0; i < STATS_PAGE_NR; i++)
		put_u64(page, pages[i], s->page_bytes[i]);
	put(o, "mappable_bytes", page);
	put_u64(o, "unmaps", s->unmaps);
	put_u64(o, "unmap_bytes", s->unmap_bytes);
	put_u64(o, "unmaps_lazy", s->unmaps_lazy);
	put_u64(o, "unmaps_strict", s->unmaps_strict);
	put_u64(o, "iova_allocs", s->iova_allocs);
	put_u64(o, "iova_slow", s->iova_slow);
	put_u64(o, "iova_failed", s->iova_failed);
	put_u64(o, "iova_frees", s->iova_frees);
	for (int i = 0; i < STATS_WHY_NR; i++)
		put_u64(flushes, why[i], s->flushes[i]);
	put(o, "flushes", flushes);
	put(o, "flush_kinds", kinds_json(s));
	put(o, "window_lazy", hist_json(&s->lazy));
	put(o, "window_strict", hist_json(&s->strict));
	put(o, "exposed_lazy_byte_s", json_object_new_double((double)s->lazy_exposed / 1e9));
	put(o, "exposed_strict_byte_s", json_object_new_double((double)s->strict_exposed / 1e9));
	put(o, "flush_time", hist_json(&s->flush));
	put(o, "flush_after_map_time", hist_json(&s->sync_map));
	put(o, "iova_time", hist_json(&s->iova_time));
	put_u64(o, "faults", s->faults);
	put_u64(o, "hangs", s->hangs);
	put_u64(o, "resets", s->resets);
	put_u64(o, "errors", s->errors);
	return o;
}

json *json_numa(const struct model *m, const struct model_device *d)
{
	static const char *const names[PLACE_NR] = { "cpu_not_known", "own_node", "other_node" };
	struct model_stats *s;
	json *all;

	if (!d->node_known)
		return NULL;
	s = malloc(sizeof(*s));
	if (!s)
		return NULL;
	all = json_object_new_object();
	for (int p = 0; p < PLACE_NR; p++) {
		struct hist windows;
		json *o = json_object_new_object();

		cells__of_device(m, d->nr, (enum place)p, s);
		windows = s->lazy;
		hist__merge(&windows, &s->strict);
		put_u64(o, "maps", s->maps);
		put_u64(o, "unmaps", s->unmaps);
		put(o, "window", hist_json(&windows));
		put(o, "flush_time", hist_json(&s->flush));
		put(all, names[p], o);
	}
	free(s);
	return all;
}

json *json_iova_over_time(const struct model_domain *d)
{
	const struct series *s = d->iovas;
	json *o, *bins;

	if (!s)
		return NULL;
	o = json_object_new_object();
	bins = json_object_new_array();
	put_u64(o, "begin_ns", s->begin);
	put_u64(o, "end_ns", s->last);
	put_u64(o, "bin_ns", s->width);
	for (__u32 i = 0; i < series__used(s); i++) {
		const struct series_bin *b = &s->bins[i];
		json *bin = json_object_new_object();

		put_u64(bin, "allocs", b->allocs);
		put_u64(bin, "slow", b->slow);
		put_u64(bin, "failed", b->failed);
		put_u64(bin, "frees", b->frees);
		put_u64(bin, "timed", b->timed);
		put_u64(bin, "total_ns", b->ns);
		json_object_array_add(bins, bin);
	}
	put(o, "bins", bins);
	return o;
}

static json *strict_json(const struct whatif *w)
{
	json *o;

	if (!w->strict.unmaps)
		return NULL;
	o = json_object_new_object();
	put_u64(o, "unmaps", w->strict.unmaps);
	put_u64(o, "flushes", w->strict.flushes);
	put_u64(o, "flush_ns", w->strict.ns);
	put_u64(o, "lazy_flushes_estimate", w->strict.lazy_flushes);
	put(o, "lazy_exposed_byte_s_limit", json_object_new_double(w->strict.lazy_exposed));
	return o;
}

static json *lazy_json(const struct whatif *w)
{
	json *o;

	if (!w->lazy.unmaps)
		return NULL;
	o = json_object_new_object();
	put_u64(o, "unmaps", w->lazy.unmaps);
	put_u64(o, "covered", w->lazy.covered);
	put_u64(o, "waiting_at_end", w->lazy.waiting);
	put(o, "exposed_byte_s", json_object_new_double(w->lazy.exposed));
	put(o, "exposed_bytes_mean", json_object_new_double(w->lazy.exposed_mean));
	put_u64(o, "window_max_ns", w->lazy.window_max);
	put_nonzero(o, "strict_flush_ns_estimate", w->lazy.strict_ns);
	put_nonzero(o, "strict_flush_mean_ns", w->lazy.flush_mean);
	put_text(o, "strict_flush_basis",
		 !w->lazy.strict_ns ? NULL
		 : w->lazy.by_sync  ? "sync"
				    : "all");
	return o;
}

json *json_whatif(const struct analysis *a, const struct model_domain *d)
{
	const struct whatif w = whatif__domain(a, d);
	json *o;

	if (!w.strict.unmaps && !w.lazy.unmaps)
		return NULL;
	o = json_object_new_object();
	put_u64(o, "watched_ns", w.span);
	put(o, "strict", strict_json(&w));
	put(o, "lazy", lazy_json(&w));
	return o;
}
