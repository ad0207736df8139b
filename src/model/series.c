// SPDX-License-Identifier: GPL-2.0-only
#include "model/series.h"

#define WIDTH_FIRST 1000000ULL

static void add_bin(struct series_bin *into, const struct series_bin *from)
{
	into->allocs += from->allocs;
	into->slow += from->slow;
	into->failed += from->failed;
	into->frees += from->frees;
	into->timed += from->timed;
	into->ns += from->ns;
}

static void widen(struct series *s)
{
	for (__u32 i = 0; i < SERIES_BINS / 2; i++) {
		struct series_bin both = s->bins[2 * i];

		add_bin(&both, &s->bins[2 * i + 1]);
		s->bins[i] = both;
	}
	for (__u32 i = SERIES_BINS / 2; i < SERIES_BINS; i++)
		s->bins[i] = (struct series_bin){ 0 };
	s->width *= 2;
}

void series__add(struct series *s, const struct iot_iova *ev)
{
	struct series_bin *bin;
	__u64 at;

	if (!s->begin) {
		s->begin = s->last = ev->h.ts;
		s->width = WIDTH_FIRST;
	}
	if (ev->h.ts > s->last)
		s->last = ev->h.ts;
	at = ev->h.ts > s->begin ? ev->h.ts - s->begin : 0;
	while (at / s->width >= SERIES_BINS)
		widen(s);
	bin = &s->bins[at / s->width];
	if (ev->h.id == IOT_EV_IOVA_FREE) {
		bin->frees++;
		return;
	}
	if (ev->iova)
		bin->allocs++;
	else
		bin->failed++;
	bin->slow += ev->h.flags & IOT_F_SLOW ? 1 : 0;
	if (ev->begin && ev->begin <= ev->h.ts) {
		bin->timed++;
		bin->ns += ev->h.ts - ev->begin;
	}
}

__u32 series__used(const struct series *s)
{
	return s->begin ? (__u32)((s->last - s->begin) / s->width) + 1 : 0;
}

struct series_bin series__sum(const struct series *s, __u32 from, __u32 to, __u64 *ns)
{
	__u64 end = s->begin + to * s->width;
	struct series_bin sum = { 0 };

	for (__u32 i = from; i < to; i++)
		add_bin(&sum, &s->bins[i]);
	/* The last bin ends where the events do. */
	if (end > s->last)
		end = s->last;
	*ns = end > s->begin + from * s->width ? end - (s->begin + from * s->width) : 0;
	return sum;
}
