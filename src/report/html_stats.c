// SPDX-License-Identifier: GPL-2.0-only
#include "report/html_stats.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

#include "report/html_text.h"
#include "report/jsonput.h"
#include "report/words.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))
#define LEAKS_MAX 200U

/*
 * Rows hold the JSON object they are of as "of", and beside it what is worked out of it. A row's
 * place in the array is all that holds it.
 */
static json *add_row(json *rows, json *of)
{
	json *row = json_object_new_object();

	json_object_object_add(row, "of", json_object_get(of));
	json_object_array_add(rows, row);
	return row;
}

/* Of nothing there is no ratio: "-". */
static void put_ratio(json *row, const char *key, __u64 a, __u64 b)
{
	json_object_object_add(row, key, b ? json_object_new_double((double)a / (double)b) : NULL);
}

/* Takes rows over. */
static size_t print_rows(FILE *out, const char *caption, json *rows,
			 const struct html_column *columns, size_t nr)
{
	size_t written = html__table(out, caption, rows, columns, nr, 0);

	json_object_put(rows);
	return written;
}

/* for (each element of an array, which may be NULL) */
#define FOR_EACH(v, array)                                                             \
	for (size_t n_##v = 0, nr_##v = (array) ? json_object_array_length(array) : 0; \
	     n_##v < nr_##v && ((v) = json_object_array_get_idx(array, n_##v), true); n_##v++)

static size_t print_lists(FILE *out, json *domains)
{
	static const struct html_column columns[] = {
		{ "domain", "/of/number", NULL, HTML_TEXT },
		{ "maps", "/of/stats/maps", NULL, HTML_COUNT },
		{ "lists", "/of/stats/map_lists", NULL, HTML_COUNT },
		{ "maps/list", "/per_list", NULL, HTML_RATIO },
		{ "longest", "/of/stats/map_list_longest", "maps in the longest list", HTML_COUNT },
		{ "bytes/list", "/bytes_per_list", NULL, HTML_BYTES },
		{ "flushes/list", "/flushes_per_list", "flushes after a map", HTML_RATIO },
		{ "4 KiB", "/4k", "share of the bytes that could be mapped with such pages",
		  HTML_PERCENT },
		{ "2 MiB", "/2m", "share of the bytes that could be mapped with such pages",
		  HTML_PERCENT },
		{ "1 GiB", "/1g", "share of the bytes that could be mapped with such pages",
		  HTML_PERCENT },
	};
	static const char *const pages[][2] = { { "4k", "/stats/mappable_bytes/4k" },
						{ "2m", "/stats/mappable_bytes/2m" },
						{ "1g", "/stats/mappable_bytes/1g" } };
	json *rows = json_object_new_array(), *d, *row;

	FOR_EACH(d, domains)
	{
		__u64 maps = html__u64(d, "/stats/maps"), bytes = html__u64(d, "/stats/map_bytes"),
		      lists = html__u64(d, "/stats/map_lists");

		if (!maps)
			continue;
		row = add_row(rows, d);
		put_ratio(row, "per_list", maps, lists);
		put_u64(row, "bytes_per_list", lists ? bytes / lists : 0);
		put_ratio(row, "flushes_per_list",
			  html__u64(d, "/stats/flush_kinds/sync_map/count"), lists);
		for (size_t i = 0; i < NR(pages); i++)
			put_ratio(row, pages[i][0], html__u64(d, pages[i][1]), bytes);
	}
	return print_rows(out,
			  "Maps in lists (neighbours in a row: one call, as far as can be told), "
			  "and the pages they could be mapped with",
			  rows, columns, NR(columns));
}

static size_t print_errors(FILE *out, json *domains)
{
	static const struct html_column columns[] = {
		{ "domain", "/of/number", NULL, HTML_TEXT },
		{ "error", "/error", NULL, HTML_CODE },
		{ "maps", "/count", NULL, HTML_COUNT },
	};
	json *rows = json_object_new_array(), *d, *e, *row;

	FOR_EACH(d, domains)
	{
		__u64 others = html__u64(d, "/stats/map_failed");

		FOR_EACH(e, html__at(d, "/stats/map_errors"))
		{
			row = add_row(rows, d);
			put_text(row, "error", html__string(e, "/error"));
			put_u64(row, "count", html__u64(e, "/count"));
			others -= html__u64(e, "/count");
		}
		if (!others)
			continue;
		row = add_row(rows, d);
		put_text(row, "error", "others");
		put_u64(row, "count", others);
	}
	return print_rows(out, "Maps that failed", rows, columns, NR(columns));
}

static size_t print_allocator(FILE *out, json *domains)
{
	static const struct html_column columns[] = {
		{ "domain", "/of/number", NULL, HTML_TEXT },
		{ "allocated", "/of/stats/iova_allocs", NULL, HTML_COUNT },
		{ "failed", "/of/stats/iova_failed", NULL, HTML_COUNT },
		{ "freed", "/of/stats/iova_frees", NULL, HTML_COUNT },
		{ "slow", "/slow", "the caches had none, the tree was searched", HTML_PERCENT },
		{ "p50", "/of/stats/iova_time/p50_ns", NULL, HTML_NS },
		{ "p99", "/of/stats/iova_time/p99_ns", NULL, HTML_NS },
		{ "p99.9", "/of/stats/iova_time/p999_ns", NULL, HTML_NS },
		{ "max", "/of/stats/iova_time/max_ns", NULL, HTML_NS },
	};
	json *rows = json_object_new_array(), *d;

	FOR_EACH(d, domains)
	{
		__u64 all = html__u64(d, "/stats/iova_allocs") + html__u64(d, "/stats/iova_failed");

		if (all || html__u64(d, "/stats/iova_frees"))
			put_ratio(add_row(rows, d), "slow", html__u64(d, "/stats/iova_slow"), all);
	}
	return print_rows(out, "IOVA allocator", rows, columns, NR(columns));
}

/* The bins [from, to) of a domain's allocations over time. */
static void add_part(json *rows, json *domain, const char *name, size_t from, size_t to)
{
	json *over = html__at(domain, "/iova_over_time"), *bins = html__at(over, "/bins"),
	     *row = add_row(rows, domain);
	__u64 width = html__u64(over, "/bin_ns"), first = html__u64(over, "/begin_ns"),
	      begin = first + from * width, end = first + to * width, all = 0, slow = 0, timed = 0,
	      ns = 0;
	__s64 held = 0;

	if (end > html__u64(over, "/end_ns"))
		end = html__u64(over, "/end_ns");
	for (size_t i = from; i < to; i++) {
		json *b = json_object_array_get_idx(bins, i);

		all += html__u64(b, "/allocs") + html__u64(b, "/failed");
		slow += html__u64(b, "/slow");
		timed += html__u64(b, "/timed");
		ns += html__u64(b, "/total_ns");
		held += (__s64)(html__u64(b, "/allocs") - html__u64(b, "/frees"));
	}
	put_text(row, "part", name);
	json_object_object_add(
		row, "rate",
		end > begin ? json_object_new_double((double)all * 1e9 / (double)(end - begin))
			    : NULL);
	put_ratio(row, "slow", slow, all);
	json_object_object_add(row, "each", timed ? json_object_new_uint64(ns / timed) : NULL);
	json_object_object_add(row, "held", json_object_new_int64(held));
}

static size_t print_ageing(FILE *out, json *domains)
{
	static const struct html_column columns[] = {
		{ "domain", "/of/number", NULL, HTML_TEXT },
		{ "quarter", "/part", "of the time in which there were allocations", HTML_TEXT },
		{ "allocations/s", "/rate", NULL, HTML_RATIO },
		{ "slow", "/slow", NULL, HTML_PERCENT },
		{ "mean", "/each", NULL, HTML_NS },
		{ "held", "/held", "allocated and not freed in it, less those freed", HTML_COUNT },
	};
	json *rows = json_object_new_array(), *d;

	FOR_EACH(d, domains)
	{
		json *bins = html__at(d, "/iova_over_time/bins");
		size_t nr = bins ? json_object_array_length(bins) : 0;

		if (nr < 4)
			continue;
		add_part(rows, d, "first", 0, nr / 4);
		add_part(rows, d, "last", nr - nr / 4, nr);
	}
	return print_rows(out, "IOVA allocator: does it age?", rows, columns, NR(columns));
}

/* Who mapped it: the functions, or the task if there are none. */
static void put_mapper(json *row, const struct model *m, json *leak)
{
	json *stack = html__at(leak, "/stack"), *function;
	char who[512] = "";

	FOR_EACH(function, stack)
	{
		size_t len = strlen(who);

		snprintf(who + len, sizeof(who) - len, "%s%s", len ? " < " : "",
			 json_object_get_string(function));
	}
	put_text(row, "who", *who ? who : words__task(m, (__u32)html__u64(leak, "/tid")).s);
}

static size_t print_leaks(FILE *out, const struct model *m, json *report)
{
	static const struct html_column columns[] = {
		{ "device", "/where", NULL, HTML_CODE },
		{ "mapped by", "/who", NULL, HTML_CODE },
		{ "mappings", "/of/mappings", NULL, HTML_COUNT },
		{ "bytes", "/of/bytes", NULL, HTML_BYTES },
		{ "oldest", "/age", "how old it was at the end", HTML_NS },
		{ "1", "/of/bytes_by_eighth/0", "bytes mapped in this eighth of the capture",
		  HTML_BYTES },
		{ "2", "/of/bytes_by_eighth/1", "bytes mapped in this eighth of the capture",
		  HTML_BYTES },
		{ "3", "/of/bytes_by_eighth/2", "bytes mapped in this eighth of the capture",
		  HTML_BYTES },
		{ "4", "/of/bytes_by_eighth/3", "bytes mapped in this eighth of the capture",
		  HTML_BYTES },
		{ "5", "/of/bytes_by_eighth/4", "bytes mapped in this eighth of the capture",
		  HTML_BYTES },
		{ "6", "/of/bytes_by_eighth/5", "bytes mapped in this eighth of the capture",
		  HTML_BYTES },
		{ "7", "/of/bytes_by_eighth/6", "bytes mapped in this eighth of the capture",
		  HTML_BYTES },
		{ "8", "/of/bytes_by_eighth/7", "bytes mapped in this eighth of the capture",
		  HTML_BYTES },
	};
	json *rows = json_object_new_array(), *mappers = html__at(report, "/leaks/mappers"), *k;
	__u64 end = html__u64(report, "/leaks/end_ns");
	size_t written;
	char domain[32];

	FOR_EACH(k, mappers)
	{
		__u32 dev = (__u32)html__u64(k, "/device");
		__u64 oldest = html__u64(k, "/oldest_ns");
		json *row;

		if (json_object_array_length(rows) == LEAKS_MAX)
			break;
		row = add_row(rows, k);
		snprintf(domain, sizeof(domain), "domain %llu", html__u64(k, "/domain"));
		put_text(row, "where", dev ? words__device_name(m, dev).s : domain);
		put_mapper(row, m, k);
		put_u64(row, "age", end > oldest ? end - oldest : 0);
	}
	written = print_rows(out,
			     "Still mapped at the end, by who mapped it, and the bytes by the "
			     "eighth of the capture in which they were mapped",
			     rows, columns, NR(columns));
	if (mappers && json_object_array_length(mappers) > LEAKS_MAX)
		fprintf(out, "<p class=\"warning\">and %zu more; the JSON has them all</p>\n",
			json_object_array_length(mappers) - (size_t)LEAKS_MAX);
	return written;
}

size_t html_stats__maps(FILE *out, const struct model *m, json *report)
{
	json *domains = html__at(report, "/domains");
	size_t rows = print_lists(out, domains);

	rows += print_errors(out, domains);
	rows += print_allocator(out, domains);
	rows += print_ageing(out, domains);
	return rows + print_leaks(out, m, report);
}

static size_t print_covering(FILE *out, json *domains)
{
	static const struct html_column columns[] = {
		{ "domain", "/domain", NULL, HTML_TEXT },
		{ "flush of", "/kind", NULL, HTML_TEXT },
		{ "flushes", "/of/count", NULL, HTML_COUNT },
		{ "time in them", "/of/total_ns", "of those whose begin is known", HTML_NS },
		{ "empty", "/of/empty", "covered no unmap that was seen", HTML_COUNT },
		{ "unmaps/flush", "/unmaps", "mean of those that covered any", HTML_RATIO },
		{ "most", "/most", "unmaps that one flush covered, at the most", HTML_COUNT },
		{ "pages/flush", "/pages", "of 4 KiB, mean of those that covered any", HTML_RATIO },
	};
	static const struct {
		const char *path, *name;
		bool covers;
	} kinds[] = { { "/stats/flush_kinds/unknown", "not known", true },
		      { "/stats/flush_kinds/all", "whole domain", true },
		      { "/stats/flush_kinds/sync", "ranges", true },
		      { "/stats/flush_kinds/sync_map", "after map", false } };
	json *rows = json_object_new_array(), *d, *row;

	FOR_EACH(d, domains)
	for (size_t i = 0; i < NR(kinds); i++) {
		json *k = html__at(d, kinds[i].path);
		__u64 nr = html__u64(k, "/count"), useful = nr - html__u64(k, "/empty");

		if (!nr)
			continue;
		row = add_row(rows, k);
		put_u64(row, "domain", html__u64(d, "/number"));
		put_text(row, "kind", kinds[i].name);
		if (!kinds[i].covers || !useful)
			continue;
		put_ratio(row, "unmaps", html__u64(k, "/covered_unmaps"), useful);
		put_u64(row, "most", html__u64(k, "/covered_unmaps_most"));
		put_ratio(row, "pages", html__u64(k, "/covered_bytes") >> 12, useful);
	}
	return print_rows(out, "What flushes covered, and the time spent in them", rows, columns,
			  NR(columns));
}

static void add_time(json *rows, const char *of, const char *what, json *times)
{
	json *row;

	if (!times)
		return;
	row = add_row(rows, times);
	put_text(row, "name", of);
	put_text(row, "what", what);
}

static void add_times(json *rows, const char *of, json *o)
{
	add_time(rows, of, "flush", html__at(o, "/stats/flush_time"));
	add_time(rows, of, "flush after map", html__at(o, "/stats/flush_after_map_time"));
	add_time(rows, of, "IOVA allocation", html__at(o, "/stats/iova_time"));
}

/* A device that is alone in its domain has the domain's times, but for a flush or two that name no
 * device, when it was attached. */
static bool is_alone(json *device, json *domains)
{
	static const char *const same[] = { "/stats/unmaps", "/stats/iova_time/count" };
	json *d;

	FOR_EACH(d, domains)
	{
		size_t i = 0;

		if (html__u64(d, "/number") != html__u64(device, "/domain"))
			continue;
		while (i < NR(same) && html__u64(d, same[i]) == html__u64(device, same[i]))
			i++;
		return i == NR(same);
	}
	return false;
}

static size_t print_times(FILE *out, const struct model *m, json *report)
{
	static const struct html_column columns[] = {
		{ "of", "/name", NULL, HTML_TEXT },          { "what", "/what", NULL, HTML_TEXT },
		{ "number", "/of/count", NULL, HTML_COUNT }, { "p50", "/of/p50_ns", NULL, HTML_NS },
		{ "p90", "/of/p90_ns", NULL, HTML_NS },      { "p99", "/of/p99_ns", NULL, HTML_NS },
		{ "p99.9", "/of/p999_ns", NULL, HTML_NS },   { "max", "/of/max_ns", NULL, HTML_NS },
	};
	json *rows = json_object_new_array(), *domains = html__at(report, "/domains"), *d;
	char name[32];

	FOR_EACH(d, domains)
	{
		snprintf(name, sizeof(name), "domain %llu", html__u64(d, "/number"));
		add_times(rows, name, d);
	}
	FOR_EACH(d, html__at(report, "/devices"))
	{
		const struct words of = words__device_name(m, (__u32)html__u64(d, "/number"));

		if (is_alone(d, domains))
			continue;
		add_times(rows, of.s, d);
		add_time(rows, of.s, "window, lazy", html__at(d, "/stats/window_lazy"));
		add_time(rows, of.s, "window, strict", html__at(d, "/stats/window_strict"));
	}
	return print_rows(out, "Times", rows, columns, NR(columns));
}

static size_t print_numa(FILE *out, const struct model *m, json *report)
{
	static const struct html_column columns[] = {
		{ "device", "/name", NULL, HTML_CODE },
		{ "node", "/node", NULL, HTML_TEXT },
		{ "CPU's node", "/place", NULL, HTML_TEXT },
		{ "maps", "/of/maps", NULL, HTML_COUNT },
		{ "unmaps", "/of/unmaps", NULL, HTML_COUNT },
		{ "flushes", "/of/flush_time/count", NULL, HTML_COUNT },
		{ "flush p50", "/of/flush_time/p50_ns", NULL, HTML_NS },
		{ "p99", "/of/flush_time/p99_ns", NULL, HTML_NS },
		{ "window p50", "/of/window/p50_ns", NULL, HTML_NS },
		{ "p99", "/of/window/p99_ns", NULL, HTML_NS },
	};
	static const char *const places[][2] = { { "/numa/cpu_not_known", "not known" },
						 { "/numa/own_node", "own" },
						 { "/numa/other_node", "other" } };
	json *rows = json_object_new_array(), *d, *row;

	FOR_EACH(d, html__at(report, "/devices"))
	for (size_t i = 0; i < NR(places); i++) {
		json *p = html__at(d, places[i][0]);

		if (!html__u64(p, "/unmaps") && !html__u64(p, "/flush_time/count"))
			continue;
		row = add_row(rows, p);
		put_text(row, "name", words__device_name(m, (__u32)html__u64(d, "/number")).s);
		put_u64(row, "node", html__u64(d, "/numa_node"));
		put_text(row, "place", places[i][1]);
	}
	return print_rows(out, "NUMA: unmaps and flushes by the CPU's node, and the device's", rows,
			  columns, NR(columns));
}

static json *modes(json *domains, const char *path)
{
	json *rows = json_object_new_array(), *d, *row;

	FOR_EACH(d, domains)
	{
		json *mode = html__at(d, path);
		__u64 span = html__u64(d, "/strict_or_lazy/watched_ns");

		if (!mode || !span)
			continue;
		row = add_row(rows, mode);
		put_u64(row, "domain", html__u64(d, "/number"));
		/* Nobody saw a flush of them: what they cost isn't known. */
		if (html__u64(mode, "/flushes")) {
			put_u64(row, "flush_ns", html__u64(mode, "/flush_ns"));
			put_ratio(row, "share", html__u64(mode, "/flush_ns"), span);
		}
		if (html__at(mode, "/strict_flush_ns_estimate"))
			put_ratio(row, "strict_share", html__u64(mode, "/strict_flush_ns_estimate"),
				  span);
	}
	return rows;
}

static size_t print_modes(FILE *out, json *domains)
{
	static const struct html_column strict[] = {
		{ "domain", "/domain", NULL, HTML_TEXT },
		{ "unmaps", "/of/unmaps", NULL, HTML_COUNT },
		{ "flushes", "/of/flushes", NULL, HTML_COUNT },
		{ "time in them", "/flush_ns", NULL, HTML_NS },
		{ "of one CPU", "/share", NULL, HTML_PERCENT },
		{ "lazy: flushes", "/of/lazy_flushes_estimate", "every 10 ms, or 256 unmaps",
		  HTML_COUNT },
		{ "lazy: exposed, bytes × s", "/of/lazy_exposed_byte_s_limit",
		  "at most: what is unmapped would stay within the device's reach for 10 ms",
		  HTML_BYTES },
	};
	static const struct html_column lazy[] = {
		{ "domain", "/domain", NULL, HTML_TEXT },
		{ "unmaps", "/of/unmaps", NULL, HTML_COUNT },
		{ "covered", "/of/covered", "by a flush that was seen", HTML_COUNT },
		{ "waiting", "/of/waiting_at_end", "for a flush, at the end", HTML_COUNT },
		{ "longest window", "/of/window_max_ns", NULL, HTML_NS },
		{ "exposed, mean", "/of/exposed_bytes_mean",
		  "unmapped, and within the device's reach", HTML_BYTES },
		{ "exposed, bytes × s", "/of/exposed_byte_s", NULL, HTML_BYTES },
		{ "strict: time in flushes", "/of/strict_flush_ns_estimate",
		  "if each unmap waited for one", HTML_NS },
		{ "of one CPU", "/strict_share", NULL, HTML_PERCENT },
		{ "at so much each", "/of/strict_flush_mean_ns",
		  "as flushes took here; of ranges if there were any, else of the whole domain",
		  HTML_NS },
	};
	size_t rows =
		print_rows(out, "Strict now: what it costs, and what lazy would (an estimate)",
			   modes(domains, "/strict_or_lazy/strict"), strict, NR(strict));

	return rows + print_rows(out,
				 "Lazy now: what it costs, and what strict would (an estimate)",
				 modes(domains, "/strict_or_lazy/lazy"), lazy, NR(lazy));
}

size_t html_stats__flushes(FILE *out, const struct model *m, json *report)
{
	size_t rows = print_covering(out, html__at(report, "/domains"));

	rows += print_times(out, m, report);
	rows += print_modes(out, html__at(report, "/domains"));
	return rows + print_numa(out, m, report);
}
