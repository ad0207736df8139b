// SPDX-License-Identifier: GPL-2.0-only
#include "report/summary_tables.h"

#include <string.h>

#include "report/words.h"

static double ratio(__u64 a, __u64 b)
{
	return b ? (double)a / (double)b : 0;
}

static void print_share(FILE *out, __u64 part, __u64 all)
{
	if (all)
		fprintf(out, " %6.1f %%", 100 * ratio(part, all));
	else
		fprintf(out, " %8s", "-");
}

void summary__maps(FILE *out, const struct summary_view *v)
{
	bool any = false;

	for (size_t i = 0; i < v->nr_doms; i++) {
		const struct model_stats *s = &v->doms[i]->stats;

		if (!s->maps)
			continue;
		if (!any)
			fprintf(out,
				"\nMaps: neighbours in a row make a list (one call, as far as can "
				"be "
				"told) %23s\n"
				"  %-6s %9s %9s %8s %7s %10s %10s %8s %8s %8s\n",
				"could be mapped with", "domain", "maps", "lists", "per list",
				"longest", "bytes/list", "flush/list", "4 KiB", "2 MiB", "1 GiB");
		any = true;
		fprintf(out, "  %-6u %9s %9s %8.1f %7s %10s %10.2f", v->doms[i]->nr,
			words__count(s->maps).s, words__count(s->map_lists).s,
			ratio(s->maps, s->map_lists), words__count(s->list_longest).s,
			words__bytes(s->map_lists ? s->map_bytes / s->map_lists : 0).s,
			ratio(s->kinds[IOT_FLUSH_SYNC_MAP], s->map_lists));
		for (int p = 0; p < STATS_PAGE_NR; p++)
			print_share(out, s->page_bytes[p], s->map_bytes);
		fputc('\n', out);
	}
}

void summary__errors(FILE *out, const struct summary_view *v)
{
	bool any = false;

	for (size_t i = 0; i < v->nr_doms; i++) {
		const struct model_stats *s = &v->doms[i]->stats;
		__u64 named = 0;

		if (!s->map_failed)
			continue;
		fprintf(out, "%s  domain %-6u %9s of %s maps:", any ? "" : "\nMaps that failed\n",
			v->doms[i]->nr, words__count(s->map_failed).s,
			words__count(s->maps + s->map_failed).s);
		any = true;
		for (int e = 0; e < STATS_ERRORS_NR && s->map_errors[e].err; e++) {
			fprintf(out, "%s %s %s", e ? "," : "", words__count(s->map_errors[e].nr).s,
				words__error(s->map_errors[e].err).s);
			named += s->map_errors[e].nr;
		}
		if (named < s->map_failed)
			fprintf(out, ", %s others", words__count(s->map_failed - named).s);
		fputc('\n', out);
	}
}

static __u64 all_flushes(const struct model_stats *s)
{
	__u64 sum = 0;

	for (int i = 0; i < STATS_WHY_NR; i++)
		sum += s->flushes[i];
	return sum;
}

void summary__flushes(FILE *out, const struct summary_view *v)
{
	static const __u8 order[] = { IOT_WHY_STRICT, IOT_WHY_RANGE,  IOT_WHY_QUEUE_FULL,
				      IOT_WHY_TIMER,  IOT_WHY_MAP,    IOT_WHY_DETACH,
				      IOT_WHY_OTHER,  IOT_WHY_UNKNOWN };
	bool any = false;

	for (size_t i = 0; i < v->nr_doms; i++) {
		const struct model_stats *s = &v->doms[i]->stats;

		if (!all_flushes(s))
			continue;
		if (!any)
			fprintf(out,
				"\nIOTLB flushes: why, and the time spent in those of unmaps and "
				"after maps\n  %-6s %7s %8s %10s %7s %9s %7s %7s %7s  %9s %10s\n",
				"domain", "strict", "in unmap", "queue full", "timer", "after map",
				"detach", "other", "unknown", "unmaps", "after maps");
		any = true;
		fprintf(out, "  %-6u", v->doms[i]->nr);
		for (size_t w = 0; w < sizeof(order); w++)
			fprintf(out, " %*s",
				order[w] == IOT_WHY_QUEUE_FULL ? 10
				: order[w] == IOT_WHY_MAP      ? 9
				: order[w] == IOT_WHY_RANGE    ? 8
							       : 7,
				words__count(s->flushes[order[w]]).s);
		fprintf(out, "  %9s", s->flush.nr ? words__duration(s->flush.sum).s : "-");
		fprintf(out, " %10s\n", s->sync_map.nr ? words__duration(s->sync_map.sum).s : "-");
	}
}

void summary__covering(FILE *out, const struct summary_view *v)
{
	static const char *const names[STATS_KIND_NR] = {
		"unknown", "whole domain", "ranges", NULL /* after map: covers nothing */
	};
	bool any = false;

	for (size_t i = 0; i < v->nr_doms; i++)
		for (int k = 0; k < STATS_KIND_NR; k++) {
			const struct model_stats *s = &v->doms[i]->stats;
			__u64 useful = s->kinds[k] - s->empty[k];

			if (!s->kinds[k] || !names[k])
				continue;
			if (!any)
				fprintf(out,
					"\nWhat flushes covered (mean of those that covered "
					"anything; pages of 4 KiB)\n  %-6s %-13s %9s %9s %13s %9s "
					"%13s\n",
					"domain", "flush of", "flushes", "empty", "unmaps/flush",
					"most", "pages/flush");
			any = true;
			fprintf(out, "  %-6u %-13s %9s %9s", v->doms[i]->nr, names[k],
				words__count(s->kinds[k]).s, words__count(s->empty[k]).s);
			if (useful)
				fprintf(out, " %13.1f %9s %13.1f\n", ratio(s->covered[k], useful),
					words__count(s->most[k]).s,
					ratio(s->covered_bytes[k] >> 12, useful));
			else
				fprintf(out, " %13s %9s %13s\n", "-", "-", "-");
		}
}
