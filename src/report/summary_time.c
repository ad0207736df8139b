// SPDX-License-Identifier: GPL-2.0-only
#include "report/summary_tables.h"

#include <stdlib.h>

#include "model/cells.h"
#include "report/words.h"
#include "report/wrap.h"

static const double quantiles[] = { 0.5, 0.9, 0.99, 0.999, 1 };

static void print_quantiles(FILE *out, const struct hist *h)
{
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		fprintf(out, " %8s", h->nr ? words__duration(hist__value(h, quantiles[i])).s : "-");
}

static void print_window(FILE *out, const struct model_domain *d, const char *mode,
			 const struct hist *h, __u64 unmaps, bool *any)
{
	if (!unmaps)
		return;
	if (!*any)
		fprintf(out,
			"\nWindows: from the end of an unmap to the end of the flush that covers "
			"it\n"
			"  %-6s %-6s %9s %9s %8s %8s %8s %8s %8s\n",
			"domain", "mode", "unmaps", "covered", "p50", "p90", "p99", "p99.9", "max");
	*any = true;
	fprintf(out, "  %-6u %-6s %9s %9s", d->nr, mode, words__count(unmaps).s,
		words__count(h->nr).s);
	print_quantiles(out, h);
	fputc('\n', out);
}

void summary__windows(FILE *out, const struct summary_view *v)
{
	bool any = false;

	for (size_t i = 0; i < v->nr_doms; i++) {
		const struct model_stats *s = &v->doms[i]->stats;

		print_window(out, v->doms[i], "lazy", &s->lazy, s->unmaps_lazy, &any);
		print_window(out, v->doms[i], "strict", &s->strict, s->unmaps_strict, &any);
	}
}

static void print_time(FILE *out, const char *of, const char *what, const struct hist *h, bool *any)
{
	if (!h->nr)
		return;
	if (!*any)
		fprintf(out, "\nTimes\n  %-20s %-15s %9s %8s %8s %8s %8s %8s\n", "of", "what",
			"number", "p50", "p90", "p99", "p99.9", "max");
	*any = true;
	wrap__name(out, of, 20);
	fprintf(out, " %-15s %9s", what, words__count(h->nr).s);
	print_quantiles(out, h);
	fputc('\n', out);
}

static void print_times_of(FILE *out, const char *of, const struct model_stats *s, bool *any)
{
	print_time(out, of, "flush", &s->flush, any);
	print_time(out, of, "flush after map", &s->sync_map, any);
	print_time(out, of, "IOVA allocation", &s->iova_time, any);
}

/* A device that is alone in its domain has the domain's times, but for a flush or two that name no
 * device, when it was attached. */
static bool alone(const struct model_device *d, const struct summary_view *v)
{
	for (size_t i = 0; i < v->nr_doms; i++)
		if (v->doms[i]->nr == d->domain)
			return v->doms[i]->stats.unmaps == d->stats.unmaps &&
			       v->doms[i]->stats.iova_time.nr == d->stats.iova_time.nr;
	return false;
}

void summary__times(FILE *out, const struct summary_view *v)
{
	bool any = false;
	char of[32];

	for (size_t i = 0; i < v->nr_doms; i++) {
		snprintf(of, sizeof(of), "domain %u", v->doms[i]->nr);
		print_times_of(out, of, &v->doms[i]->stats, &any);
	}
	for (size_t i = 0; i < v->nr_devs; i++) {
		const struct model_device *d = v->devs[i];
		const struct words name = words__device_name(v->m, d->nr);

		if (alone(d, v))
			continue;
		print_times_of(out, name.s, &d->stats, &any);
		print_time(out, name.s, "window, lazy", &d->stats.lazy, &any);
		print_time(out, name.s, "window, strict", &d->stats.strict, &any);
	}
}

static void print_place(FILE *out, const struct model_device *d, const char *name, enum place place,
			const struct model_stats *s, bool *any)
{
	static const char *const names[PLACE_NR] = { "not known", "own", "other" };
	struct hist windows = s->lazy;
	char node[16];

	if (!s->unmaps && !s->flush.nr)
		return;
	if (!*any)
		fprintf(out,
			"\nNUMA: unmaps and flushes by the CPU's node, and the device's\n"
			"  %-14s %-4s %-9s %8s %8s %8s %9s %8s %9s %8s\n",
			"device", "node", "CPU's", "maps", "unmaps", "flushes", "flush p50", "p99",
			"wind. p50", "p99");
	*any = true;
	hist__merge(&windows, &s->strict);
	snprintf(node, sizeof(node), "%u", d->node);
	wrap__name(out, name, 14);
	fprintf(out, " %-4s %-9s %8s %8s %8s", node, names[place], words__count(s->maps).s,
		words__count(s->unmaps).s, words__count(s->flush.nr).s);
	fprintf(out, " %9s", s->flush.nr ? words__duration(hist__value(&s->flush, 0.5)).s : "-");
	fprintf(out, " %8s", s->flush.nr ? words__duration(hist__value(&s->flush, 0.99)).s : "-");
	fprintf(out, " %9s", windows.nr ? words__duration(hist__value(&windows, 0.5)).s : "-");
	fprintf(out, " %8s\n", windows.nr ? words__duration(hist__value(&windows, 0.99)).s : "-");
}

void summary__numa(FILE *out, const struct summary_view *v)
{
	struct model_stats *s = malloc(sizeof(*s));
	bool any = false;

	for (size_t i = 0; s && i < v->nr_devs; i++) {
		/* A machine whose devices name no node has none, or the session is too old to say
		 * so: nothing to compare. */
		if (!v->devs[i]->node_known)
			continue;
		for (int p = 0; p < PLACE_NR; p++) {
			cells__of_device(v->m, v->devs[i]->nr, (enum place)p, s);
			print_place(out, v->devs[i], words__device_name(v->m, v->devs[i]->nr).s,
				    (enum place)p, s, &any);
		}
	}
	free(s);
}
