// SPDX-License-Identifier: GPL-2.0-only
#include "util/hist.h"

__u64 hist__total(const __u64 *counts)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < HIST_BUCKETS; i++)
		sum += counts[i];
	return sum;
}

__u64 hist__percentile(const __u64 *counts, double q)
{
	__u64 total = hist__total(counts), seen = 0, rank;
	double want;

	if (!total)
		return 0;
	if (!(q > 0))
		q = 0;
	/* The rank is the nearest one: the smallest number of samples that is at least q of all. */
	want = q * (double)total;
	rank = want >= (double)total ? total : (__u64)want;
	if ((double)rank < want)
		rank++;
	if (!rank)
		rank = 1;
	for (__u32 i = 0; i < HIST_BUCKETS; i++) {
		seen += counts[i];
		if (seen >= rank) {
			__u64 low = hist__low(i);

			return low + (hist__low(i + 1) - low) / 2;
		}
	}
	return 0;
}

void hist__add(struct hist *h, __u64 v)
{
	if (!h->nr || v < h->min)
		h->min = v;
	if (v > h->max)
		h->max = v;
	h->counts[hist__bucket(v)]++;
	h->nr++;
	h->sum += v;
}

void hist__merge(struct hist *into, const struct hist *from)
{
	if (!from->nr)
		return;
	if (!into->nr || from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	for (__u32 i = 0; i < HIST_BUCKETS; i++)
		into->counts[i] += from->counts[i];
	into->nr += from->nr;
	into->sum += from->sum;
}

__u64 hist__value(const struct hist *h, double q)
{
	__u64 v;

	if (!h->nr)
		return 0;
	if (q >= 1)
		return h->max;
	v = hist__percentile(h->counts, q);
	if (v < h->min)
		return h->min;
	return v > h->max ? h->max : v;
}
