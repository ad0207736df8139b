// SPDX-License-Identifier: GPL-2.0-only
#include "report/summary.h"

#include <stdlib.h>
#include <string.h>

#include "report/kin.h"
#include "report/requests.h"
#include "report/submits.h"
#include "report/summary_tables.h"
#include "report/why.h"
#include "report/words.h"
#include "report/wrap.h"

static int by_number(const void *a, const void *b)
{
	/* Both structures begin with their number. */
	__u32 x = **(const __u32 *const *)a, y = **(const __u32 *const *)b;

	return x < y ? -1 : x > y;
}

static void *sorted(const struct idtab *t, size_t *nr)
{
	void **all = t->nr ? malloc(t->nr * sizeof(*all)) : NULL;

	*nr = 0;
	if (!all)
		return NULL;
	idtab__for_each (t, s)
		all[(*nr)++] = s->value;
	qsort(all, *nr, sizeof(*all), by_number);
	return all;
}

const struct model_device **summary__devices(const struct model *m, size_t *nr)
{
	return sorted(&m->devices, nr);
}

const struct model_domain **summary__domains(const struct model *m, size_t *nr)
{
	return sorted(&m->domains, nr);
}

/* A kernel log alone tells nothing of maps, which isn't that there were none. */
static void print_maps_of(FILE *out, const struct model *m, const struct model_stats *s)
{
	if (m->has_mappings || m->capture_begin)
		fprintf(out, " %9s %9s %10s", words__count(s->maps).s, words__count(s->unmaps).s,
			words__bytes(s->map_bytes).s);
	else
		fprintf(out, " %9s %9s %10s", "-", "-", "-");
}

static void print_devices(FILE *out, const struct summary_view *v)
{
	const struct model *m = v->m;

	if (!v->nr_devs)
		return;
	fprintf(out, "\nDevices\n  %-16s %-12s %5s %6s %9s %9s %10s %7s %6s %6s\n", "name",
		"driver", "group", "domain", "maps", "unmaps", "mapped", "faults", "hangs",
		"resets");
	for (size_t i = 0; i < v->nr_devs; i++) {
		const struct model_device *d = v->devs[i];
		const char *driver = d->driver[0] ? d->driver : "-";
		char group[16] = "-", domain[16] = "-", kin[200];

		if (d->group >= 0)
			snprintf(group, sizeof(group), "%d", d->group);
		if (d->domain)
			snprintf(domain, sizeof(domain), "%u", d->domain);
		wrap__name(out, words__device_name(m, d->nr).s, 16);
		fprintf(out, " %-12s", driver);
		if (strlen(driver) > 12) /* the rest below it, in its columns */
			fprintf(out, "\n  %29s", "");
		fprintf(out, " %5s %6s", group, domain);
		print_maps_of(out, m, &d->stats);
		fprintf(out, " %7llu %6llu %6llu\n", d->stats.faults, d->stats.hangs,
			d->stats.resets);
		kin__text(m, d, kin, sizeof(kin));
		if (kin[0])
			wrap__print(out, "      ", kin);
	}
}

/* Default domains that a driver replaced, and the like. */
static bool is_unused(const struct model_domain *d)
{
	const struct model_stats *s = &d->stats;

	return !d->nr_devs && !s->maps && !s->map_failed && !s->unmaps && !s->faults;
}

static void print_domains(FILE *out, const struct summary_view *v)
{
	const struct model *m = v->m;
	size_t unused = 0;

	if (!v->nr_doms)
		return;
	fprintf(out, "\nDomains\n  %-6s %-9s %-6s %-20s %9s %9s %10s %10s %7s\n", "number", "type",
		"mode", "devices", "maps", "unmaps", "mapped", "unmapped", "faults");
	for (size_t i = 0; i < v->nr_doms; i++) {
		const struct model_domain *d = v->doms[i];
		char devs[21] = "-";
		size_t len = 0;

		if (is_unused(d)) {
			unused++;
			continue;
		}
		for (size_t n = 0; n < d->nr_devs && len < sizeof(devs); n++)
			len += (size_t)snprintf(devs + len, sizeof(devs) - len, "%s%s",
						n ? " " : "", words__device_name(m, d->devs[n]).s);
		if (len >= sizeof(devs))
			strcpy(devs + sizeof(devs) - 4, "...");
		fprintf(out, "  %-6u %-9s %-6s %-20s %9s %9s %10s %10s %7llu\n", d->nr,
			words__domain_kind(d), words__domain_mode(d), devs,
			words__count(d->stats.maps).s, words__count(d->stats.unmaps).s,
			words__bytes(d->stats.map_bytes).s, words__bytes(d->stats.unmap_bytes).s,
			d->stats.faults);
	}
	if (unused)
		fprintf(out, "  and %s: no device at the end, no map, unmap or fault counted\n",
			words__times(unused, "other", "others").s);
}

/* What asked for each type at the end of the capture; `list --why` has all of it. */
static void print_why(FILE *out, const struct summary_view *v)
{
	if (!report__why_known(v->a))
		return;
	fputs("\nWhy strict or lazy: who decided (`iommutop analyze --why` has the reasons)\n",
	      out);
	report__why_table(out, v->a);
}

static void print_losses(FILE *out, const struct summary_view *v)
{
	const struct model *m = v->m;

	if (!m->has_mappings && !m->capture_begin && !m->nr_losses)
		return;
	if (!m->nr_losses) {
		fputs("\nLoss: none reported.\n", out);
		return;
	}
	fputs("\nLoss: number of events, why (what depends on them is a lower limit)\n", out);
	for (size_t i = 0; i < m->nr_losses; i++) {
		const struct model_loss *l = &m->losses[i];

		fprintf(out, "  %10s  %s%s%s%s, within %s\n",
			l->count ? words__count(l->count).s : "-", words__loss(l->cause),
			l->what[0] ? " (" : "", l->what, l->what[0] ? ")" : "",
			words__duration(l->end - l->begin).s);
	}
}

static void print_checks(FILE *out, const struct summary_view *v)
{
	const struct model *m = v->m;
	size_t bad = 0;

	if (!m->nr_checks)
		return;
	for (size_t i = 0; i < m->nr_checks; i++) {
		const struct iot_coverage *c = &m->checks[i];
		__u64 off = c->ours > c->control ? c->ours - c->control : c->control - c->ours;

		if (off <= c->slack)
			continue;
		if (!bad++)
			fputs("\nCoverage: self-checks that failed\n", out);
		fprintf(out, "  %s: %llu seen, %llu expected", words__check(c->check), c->ours,
			c->control);
		if (c->h.domain)
			fprintf(out, " (domain %u)", c->h.domain);
		fputc('\n', out);
	}
	if (!bad)
		fprintf(out, "\nCoverage: all %zu self-checks passed.\n", m->nr_checks);
}

const struct summary_table summary_tables[] = {
	{ "devices", "devices, their domains, and what was counted of them", print_devices },
	{ "domains", "domains, their type and mode", print_domains },
	{ "why", "who decided that groups are strict or lazy", print_why },
	{ "maps", "maps to a call, flushes to a call, page sizes", summary__maps },
	{ "errors", "maps that failed, by error", summary__errors },
	{ "flushes", "IOTLB flushes by reason, time spent in them", summary__flushes },
	{ "covered", "unmaps and pages to a flush", summary__covering },
	{ "windows", "time from unmap to flush", summary__windows },
	{ "times", "percentiles of flushes and IOVA allocations", summary__times },
	{ "hw", "submissions to the hardware (record --hw)", submits__print },
	{ "pages", "page requests of devices (PRI), by answer, and how long it took",
	  requests__print },
	{ "iova", "the IOVA allocator: slow path, failures, ageing", summary__iova },
	{ "numa", "unmaps and flushes on the device's node and elsewhere", summary__numa },
	{ "whatif", "what strict or lazy costs, and what the other would", summary__whatif },
	{ "loss", "what is missing", print_losses },
	{ "coverage", "self-checks of the capture", print_checks },
	{ .name = NULL },
};

__u32 summary__parse(const char *list)
{
	__u32 bits = 0;

	while (*list) {
		size_t len = strcspn(list, ",");
		__u32 i = 0;

		while (summary_tables[i].name &&
		       (strncmp(summary_tables[i].name, list, len) || summary_tables[i].name[len]))
			i++;
		if (!summary_tables[i].name)
			return 0;
		bits |= 1U << i;
		list += len + (list[len] == ',');
	}
	return bits;
}

void summary__help(FILE *out)
{
	for (const struct summary_table *t = summary_tables; t->name; t++)
		fprintf(out, "%-10s %s\n", t->name, t->about);
}

void summary__print(FILE *out, const struct analysis *a, __u32 which)
{
	struct summary_view v = { .a = a, .m = &a->model };

	v.doms = summary__domains(v.m, &v.nr_doms);
	v.devs = summary__devices(v.m, &v.nr_devs);
	for (__u32 i = 0; summary_tables[i].name; i++)
		if (which & 1U << i)
			summary_tables[i].print(out, &v);
	if (v.m->uncounted)
		fprintf(out,
			"\n%s counted in no domain's and no device's line: too many pairs of "
			"both.\n",
			words__times(v.m->uncounted, "event is", "events are").s);
	free(v.doms);
	free(v.devs);
}
