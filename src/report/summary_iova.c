// SPDX-License-Identifier: GPL-2.0-only
#include "report/summary_tables.h"

#include "analyze/whatif.h"
#include "model/series.h"
#include "report/words.h"

static double share(__u64 part, __u64 all)
{
	return all ? 100 * (double)part / (double)all : 0;
}

static void print_quarter(FILE *out, const char *name, const struct series *s, __u32 from, __u32 to)
{
	__u64 ns;
	struct series_bin b = series__sum(s, from, to, &ns);
	__u64 all = b.allocs + b.failed;

	fprintf(out, "    %-22s %9.0f /s, %5.1f %% slow, %s each, %+lld held\n", name,
		ns ? (double)all * 1e9 / (double)ns : 0, share(b.slow, all),
		b.timed ? words__duration(b.ns / b.timed).s : "-", (long long)(b.allocs - b.frees));
}

void summary__iova(FILE *out, const struct summary_view *v)
{
	bool any = false;

	for (size_t i = 0; i < v->nr_doms; i++) {
		const struct model_domain *d = v->doms[i];
		const struct model_stats *s = &d->stats;
		__u64 all = s->iova_allocs + s->iova_failed;
		__u32 bins = d->iovas ? series__used(d->iovas) : 0;

		if (!all && !s->iova_frees)
			continue;
		if (!any)
			fprintf(out,
				"\nIOVA allocator (slow: the caches had none, its tree was "
				"searched)\n  %-6s %10s %9s %10s %7s %9s %9s %9s %9s\n",
				"domain", "allocated", "failed", "freed", "slow", "p50", "p99",
				"p99.9", "max");
		any = true;
		fprintf(out, "  %-6u %10s %9s %10s", d->nr, words__count(s->iova_allocs).s,
			words__count(s->iova_failed).s, words__count(s->iova_frees).s);
		if (all)
			fprintf(out, " %5.1f %%", share(s->iova_slow, all));
		else
			fprintf(out, " %7s", "-");
		if (s->iova_time.nr)
			fprintf(out, " %9s %9s %9s %9s\n",
				words__duration(hist__value(&s->iova_time, 0.5)).s,
				words__duration(hist__value(&s->iova_time, 0.99)).s,
				words__duration(hist__value(&s->iova_time, 0.999)).s,
				words__duration(s->iova_time.max).s);
		else
			fprintf(out, " %9s %9s %9s %9s\n", "-", "-", "-", "-");
		if (bins >= 4) {
			print_quarter(out, "in the first quarter", d->iovas, 0, bins / 4);
			print_quarter(out, "in the last quarter", d->iovas, bins - bins / 4, bins);
		}
	}
}

/* "-" = nobody saw a flush of them, so what they cost isn't known. */
static void print_strict(FILE *out, __u32 nr, const struct whatif *w)
{
	fprintf(out, "  %-6u %9s %9s", nr, words__count(w->strict.unmaps).s,
		words__count(w->strict.flushes).s);
	if (w->strict.flushes)
		fprintf(out, " %12s %8.2f %%", words__duration(w->strict.ns).s,
			share(w->strict.ns, w->span));
	else
		fprintf(out, " %12s %10s", "-", "-");
	fprintf(out, "   %13s %17s\n", words__count(w->strict.lazy_flushes).s,
		words__bytes((__u64)w->strict.lazy_exposed).s);
}

static void print_lazy(FILE *out, __u32 nr, const struct whatif *w)
{
	fprintf(out, "  %-6u %8s %8s %8s %8s %9s %9s", nr, words__count(w->lazy.unmaps).s,
		words__count(w->lazy.covered).s, words__count(w->lazy.waiting).s,
		w->lazy.window_max ? words__duration(w->lazy.window_max).s : "-",
		words__bytes((__u64)w->lazy.exposed_mean).s,
		words__bytes((__u64)w->lazy.exposed).s);
	if (w->lazy.strict_ns)
		fprintf(out, "  %13s %8.2f %% %9s\n", words__duration(w->lazy.strict_ns).s,
			share(w->lazy.strict_ns, w->span), words__duration(w->lazy.flush_mean).s);
	else
		fprintf(out, "  %13s %10s %9s\n", "-", "-", "-");
}

void summary__whatif(FILE *out, const struct summary_view *v)
{
	bool strict = false, lazy = false;

	for (size_t i = 0; i < v->nr_doms; i++) {
		const struct whatif w = whatif__domain(v->a, v->doms[i]);

		if (!w.strict.unmaps || !w.span)
			continue;
		if (!strict)
			fprintf(out,
				"\nStrict now: unmaps wait for flushes. Lazy (an estimate) would "
				"flush every 10 ms or 256 unmaps,\n"
				"and leave what is unmapped within the device's reach for up to 10 "
				"ms\n"
				"  %-6s %9s %9s %12s %10s   %13s %17s\n",
				"domain", "unmaps", "flushes", "time in them", "of one CPU",
				"lazy: flushes", "bytes x s at most");
		strict = true;
		print_strict(out, v->doms[i]->nr, &w);
	}
	for (size_t i = 0; i < v->nr_doms; i++) {
		const struct whatif w = whatif__domain(v->a, v->doms[i]);

		if (!w.lazy.unmaps || !w.span)
			continue;
		if (!lazy)
			fprintf(out,
				"\nLazy now: memory stays within the device's reach from its unmap "
				"until a flush covers it (mean:\n"
				"bytes at any time). Strict (an estimate) would flush for each "
				"unmap, "
				"as long as a flush took here\n"
				"  %-6s %8s %8s %8s %8s %9s %9s  %13s %10s %9s\n",
				"domain", "unmaps", "covered", "waiting", "longest", "mean",
				"bytes x s", "strict in all", "of one CPU", "each");
		lazy = true;
		print_lazy(out, v->doms[i]->nr, &w);
	}
}
