// SPDX-License-Identifier: GPL-2.0-only
#include "diff/figures.h"

#include <math.h>
#include <stddef.h>

/* Flushes that cover unmaps; those after a map are something else. */
static double flushes(const struct slice *s)
{
	double sum = 0;

	for (int why = 0; why < STATS_WHY_NR; why++)
		if (why != IOT_WHY_MAP)
			sum += (double)s->flushes[why];
	return sum;
}

#define COUNTER(name, expr)                       \
	static double name(const struct slice *s) \
	{                                         \
		return (double)(expr);            \
	}

COUNTER(seconds, (double)s->ns / 1e9)
COUNTER(maps, s->maps)
COUNTER(map_calls, s->maps + s->map_failed)
COUNTER(map_bytes, s->map_bytes)
COUNTER(map_failed, s->map_failed)
COUNTER(unmaps, s->unmaps)
COUNTER(unmaps_lazy, s->unmaps_lazy)
COUNTER(unmap_bytes, s->unmap_bytes)
COUNTER(flushes_queue_full, s->flushes[IOT_WHY_QUEUE_FULL])
COUNTER(flushes_timer, s->flushes[IOT_WHY_TIMER])
COUNTER(flush_ns, s->flush.sum)
COUNTER(flush_seconds, (double)s->flush.sum / 1e9)
COUNTER(timed_flushes, s->flush.nr)

#define RATIO(id_, title_, unit_, worse_, times_, of_, per_)                                 \
	{                                                                                    \
		.id = id_, .title = title_, .unit = unit_, .worse = worse_, .times = times_, \
		.of = of_, .per = per_                                                       \
	}
#define QUANTILE(id_, title_, times_, hist_, q_)                                          \
	{                                                                                 \
		.id = id_, .title = title_, .unit = DIFF_NS, .worse = 1, .times = times_, \
		.hist = offsetof(struct slice, hist_), .quantile = q_                     \
	}

const struct figure figures[] = {
	RATIO("map_rate", "Maps per second", DIFF_PER_SECOND, 0, 1, maps, seconds),
	RATIO("unmap_rate", "Unmaps per second", DIFF_PER_SECOND, 0, 1, unmaps, seconds),
	RATIO("bytes_per_map", "Bytes per map", DIFF_BYTES, 0, 1, map_bytes, maps),
	RATIO("bytes_per_unmap", "Bytes per unmap", DIFF_BYTES, 0, 1, unmap_bytes, unmaps),
	RATIO("map_failed", "Maps that failed", DIFF_SHARE, 1, 1, map_failed, map_calls),
	RATIO("lazy", "Unmaps that are lazy", DIFF_SHARE, 0, 1, unmaps_lazy, unmaps),
	RATIO("flushes_per_unmap", "Flushes per unmap", DIFF_NUMBER, 1, 1, flushes, unmaps),
	RATIO("flush_time_per_unmap", "Flush time per unmap", DIFF_NS, 1, 1, flush_ns, unmaps),
	RATIO("flush_load", "CPUs busy flushing", DIFF_SHARE, 1, 1, flush_seconds, seconds),
	RATIO("flush_queue_full", "Flushes because of a full queue", DIFF_SHARE, 0, 1,
	      flushes_queue_full, flushes),
	RATIO("flush_timer", "Flushes by the timer", DIFF_SHARE, 0, 1, flushes_timer, flushes),
	RATIO("flush_mean", "Flush, mean", DIFF_NS, 1, 1, flush_ns, timed_flushes),
	QUANTILE("flush_p50", "Flush, median", 1, flush, 0.5),
	QUANTILE("flush_p99", "Flush, 99th percentile", 2.5, flush, 0.99),
	QUANTILE("window_lazy_p50", "Lazy window, median", 1, lazy, 0.5),
	QUANTILE("window_lazy_p99", "Lazy window, 99th percentile", 2.5, lazy, 0.99),
	QUANTILE("window_strict_p50", "Strict window, median", 1, strict, 0.5),
	QUANTILE("window_strict_p99", "Strict window, 99th percentile", 2.5, strict, 0.99),
	{ .id = NULL },
};

static const struct slice *slice_of(const struct resample_draw *d, size_t i)
{
	return (const struct slice *)d->run[i]->slices + d->pick[i];
}

static double ratio(const struct resample_draw *d, const struct figure *f)
{
	double of = 0, per = 0;

	for (size_t i = 0; i < d->nr; i++) {
		of += f->of(slice_of(d, i));
		per += f->per(slice_of(d, i));
	}
	return per > 0 ? of / per : NAN;
}

static double quantile(const struct resample_draw *d, const struct figure *f)
{
	double counts[HIST_BUCKETS] = { 0 }, nr = 0, want, sum = 0, low, high;
	__u32 n;

	for (size_t i = 0; i < d->nr; i++) {
		const struct slice_hist *h = (const void *)((const char *)slice_of(d, i) + f->hist);

		if (!h->nr)
			continue;
		nr += (double)h->nr;
		for (n = 0; n < HIST_BUCKETS; n++)
			counts[n] += (double)h->buckets[n];
	}
	if (nr < 1)
		return NAN;
	want = nr * f->quantile;
	for (n = 0; n < HIST_BUCKETS - 1 && sum + counts[n] < want; n++)
		sum += counts[n];
	/* within the bucket as if its values lay evenly, or quantiles would jump by whole buckets
	 */
	low = (double)hist__low(n);
	high = (double)hist__low(n + 1);
	return counts[n] > 0 ? low + (high - low) * (want - sum) / counts[n] : low;
}

double figure__value(const struct resample_draw *draw, const void *figure)
{
	const struct figure *f = figure;

	return f->of ? ratio(draw, f) : quantile(draw, f);
}
