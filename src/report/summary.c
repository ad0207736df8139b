// SPDX-License-Identifier: GPL-2.0-only
#include "report/summary.h"

#include <stdlib.h>
#include <string.h>

#include "report/words.h"

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

static void print_devices(FILE *out, const struct model *m)
{
	size_t nr;
	const struct model_device **devs = summary__devices(m, &nr);

	if (!nr)
		return;
	fprintf(out, "\nDevices\n  %-16s %-12s %5s %6s %9s %9s %10s %7s %6s %6s\n", "name",
		"driver", "group", "domain", "maps", "unmaps", "mapped", "faults", "hangs",
		"resets");
	for (size_t i = 0; i < nr; i++) {
		const struct model_device *d = devs[i];
		char group[16] = "-", domain[16] = "-";

		if (d->group >= 0)
			snprintf(group, sizeof(group), "%d", d->group);
		if (d->domain)
			snprintf(domain, sizeof(domain), "%u", d->domain);
		fprintf(out, "  %-16s %-12s %5s %6s %9s %9s %10s %7llu %6llu %6llu\n",
			words__device_name(m, d->nr).s, d->driver[0] ? d->driver : "-", group,
			domain, words__count(d->stats.maps).s, words__count(d->stats.unmaps).s,
			words__bytes(d->stats.map_bytes).s, d->stats.faults, d->stats.hangs,
			d->stats.resets);
	}
	free(devs);
}

static void print_domains(FILE *out, const struct model *m, const struct model_domain **doms,
			  size_t nr)
{
	fprintf(out, "\nDomains\n  %-6s %-9s %-6s %-20s %9s %9s %10s %10s %7s\n", "number", "type",
		"mode", "devices", "maps", "unmaps", "mapped", "unmapped", "faults");
	for (size_t i = 0; i < nr; i++) {
		const struct model_domain *d = doms[i];
		char devs[21] = "-";
		size_t len = 0;

		for (size_t n = 0; n < d->nr_devs && len < sizeof(devs); n++)
			len += (size_t)snprintf(devs + len, sizeof(devs) - len, "%s%s",
						n ? " " : "", words__device_name(m, d->devs[n]).s);
		if (len >= sizeof(devs))
			strcpy(devs + sizeof(devs) - 4, "...");
		fprintf(out, "  %-6u %-9s %-6s %-20s %9s %9s %10s %10s %7llu\n", d->nr,
			words__domain_type(d), words__domain_mode(d), devs,
			words__count(d->stats.maps).s, words__count(d->stats.unmaps).s,
			words__bytes(d->stats.map_bytes).s, words__bytes(d->stats.unmap_bytes).s,
			d->stats.faults);
	}
}

static __u64 all_flushes(const struct model_stats *s)
{
	__u64 sum = 0;

	for (int i = 0; i < MODEL_WHY_NR; i++)
		sum += s->flushes[i];
	return sum;
}

static void print_flushes(FILE *out, const struct model_domain **doms, size_t nr)
{
	bool any = false;

	for (size_t i = 0; i < nr; i++) {
		const struct model_stats *s = &doms[i]->stats;
		struct words p50 = { "-" }, p99 = { "-" }, max = { "-" };

		if (!all_flushes(s))
			continue;
		if (!any)
			fprintf(out,
				"\nIOTLB flushes %58s time of one flush\n  %-6s %8s %8s %8s %8s "
				"%8s %8s   %9s %9s %9s\n",
				"", "domain", "strict", "q. full", "timer", "map", "other",
				"unknown", "p50", "p99", "max");
		any = true;
		if (s->flush.nr) {
			p50 = words__duration(hist__value(&s->flush, 0.5));
			p99 = words__duration(hist__value(&s->flush, 0.99));
			max = words__duration(s->flush.max);
		}
		fprintf(out, "  %-6u %8s %8s %8s %8s %8s %8s   %9s %9s %9s\n", doms[i]->nr,
			words__count(s->flushes[IOT_WHY_STRICT]).s,
			words__count(s->flushes[IOT_WHY_QUEUE_FULL]).s,
			words__count(s->flushes[IOT_WHY_TIMER]).s,
			words__count(s->flushes[IOT_WHY_MAP]).s,
			words__count(s->flushes[IOT_WHY_OTHER]).s,
			words__count(s->flushes[IOT_WHY_UNKNOWN]).s, p50.s, p99.s, max.s);
	}
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
			"  %-6s %-6s %10s %10s %9s %9s %9s %9s\n",
			"domain", "mode", "unmaps", "covered", "p50", "p90", "p99", "max");
	*any = true;
	fprintf(out, "  %-6u %-6s %10s %10s", d->nr, mode, words__count(unmaps).s,
		words__count(h->nr).s);
	if (h->nr)
		fprintf(out, " %9s %9s %9s %9s", words__duration(hist__value(h, 0.5)).s,
			words__duration(hist__value(h, 0.9)).s,
			words__duration(hist__value(h, 0.99)).s, words__duration(h->max).s);
	else
		fprintf(out, " %9s %9s %9s %9s", "-", "-", "-", "-");
	fputc('\n', out);
}

static void print_windows(FILE *out, const struct model_domain **doms, size_t nr)
{
	bool any = false;

	for (size_t i = 0; i < nr; i++) {
		print_window(out, doms[i], "lazy", &doms[i]->stats.lazy, doms[i]->stats.unmaps_lazy,
			     &any);
		print_window(out, doms[i], "strict", &doms[i]->stats.strict,
			     doms[i]->stats.unmaps_strict, &any);
	}
}

static void print_losses(FILE *out, const struct model *m)
{
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

static void print_checks(FILE *out, const struct model *m)
{
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

void summary__print(FILE *out, const struct analysis *a)
{
	const struct model *m = &a->model;
	size_t nr;
	const struct model_domain **doms;

	print_devices(out, m);
	doms = summary__domains(m, &nr);
	if (nr) {
		print_domains(out, m, doms, nr);
		print_flushes(out, doms, nr);
		print_windows(out, doms, nr);
	}
	free(doms);
	if (m->has_mappings || m->capture_begin || m->nr_losses)
		print_losses(out, m);
	print_checks(out, m);
}
