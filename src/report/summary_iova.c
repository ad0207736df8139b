// SPDX-License-Identifier: GPL-2.0-only
#include "report/summary_tables.h"

#include "analyze/whatif.h"
#include "model/series.h"
#include "report/words.h"
#include "report/wrap.h"

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

static void say_strict(FILE *out, const char *head, const struct whatif *w)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "strict now: %s waited for %s that took %s, %.2f %% of the time of one CPU. Lazy, "
		 "about %s would do (every 10 ms, or 256 unmaps), and what is unmapped would stay "
		 "within reach of the device for up to 10 ms: at most %s x seconds in all (an "
		 "estimate).",
		 words__times(w->strict.unmaps, "unmap", "unmaps").s,
		 words__times(w->strict.flushes, "flush", "flushes").s,
		 words__duration(w->strict.ns).s, share(w->strict.ns, w->span),
		 words__times(w->strict.lazy_flushes, "flush", "flushes").s,
		 words__bytes((__u64)w->strict.lazy_exposed).s);
	wrap__print(out, head, text);
}

static void say_lazy(FILE *out, const char *head, const struct whatif *w)
{
	char text[1280];
	int len;

	len = snprintf(text, sizeof(text),
		       "lazy now: after its unmap, memory stayed within reach of the device for up "
		       "to %s; %s of it at any time on average, %s x seconds in all (%s of %s "
		       "unmaps were covered by a flush, %s not yet at the end).",
		       words__duration(w->lazy.window_max).s,
		       words__bytes((__u64)w->lazy.exposed_mean).s,
		       words__bytes((__u64)w->lazy.exposed).s, words__count(w->lazy.covered).s,
		       words__count(w->lazy.unmaps).s, words__count(w->lazy.waiting).s);
	if (w->lazy.strict_ns)
		snprintf(text + len, sizeof(text) - (size_t)len,
			 " Strict, each unmap would wait for a flush: %s in all, %.2f %% of the "
			 "time of one CPU, if one takes the %s that %s took here (an estimate).",
			 words__duration(w->lazy.strict_ns).s, share(w->lazy.strict_ns, w->span),
			 words__duration(w->lazy.flush_mean).s,
			 w->lazy.by_sync ? "a flush of ranges" : "a flush of the whole domain");
	else
		snprintf(text + len, sizeof(text) - (size_t)len,
			 " What strict would cost isn't known: no flush was timed here.");
	wrap__print(out, head, text);
}

void summary__whatif(FILE *out, const struct summary_view *v)
{
	bool any = false;

	for (size_t i = 0; i < v->nr_doms; i++) {
		const struct whatif w = whatif__domain(v->a, v->doms[i]);
		char head[32];

		if ((!w.strict.unmaps && !w.lazy.unmaps) || !w.span)
			continue;
		if (!any)
			fputs("\nStrict or lazy: what it costs, and what the other would\n", out);
		any = true;
		snprintf(head, sizeof(head), "  domain %u, ", v->doms[i]->nr);
		if (w.strict.unmaps)
			say_strict(out, head, &w);
		if (w.lazy.unmaps)
			say_lazy(out, head, &w);
	}
}
