// SPDX-License-Identifier: GPL-2.0-only
#include "diff/slices.h"

#include <errno.h>
#include <stdlib.h>

#include "model/cells.h"

int slices__init(struct slices *s)
{
	*s = (struct slices){ .per_slice = SLICES_FIRST };
	s->list = calloc(SLICES_MAX, sizeof(*s->list));
	return s->list ? 0 : -ENOMEM;
}

void slices__free(struct slices *s)
{
	free(s->list);
	s->list = NULL;
}

static void add_hist(struct slice_hist *to, const struct hist *from)
{
	to->nr += from->nr;
	to->sum += from->sum;
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		to->buckets[i] += from->counts[i];
}

static void totals(struct slice *out, const struct model *m, __u64 ts)
{
	struct model_stats all;

	cells__total(m, &all);
	*out = (struct slice){
		.ns = ts,
		.maps = all.maps,
		.map_bytes = all.map_bytes,
		.map_failed = all.map_failed,
		.unmaps = all.unmaps,
		.unmaps_lazy = all.unmaps_lazy,
		.unmap_bytes = all.unmap_bytes,
	};
	for (size_t i = 0; i < STATS_WHY_NR; i++)
		out->flushes[i] = all.flushes[i];
	add_hist(&out->lazy, &all.lazy);
	add_hist(&out->strict, &all.strict);
	add_hist(&out->flush, &all.flush);
}

#define WORDS (sizeof(struct slice) / sizeof(__u64))

static void minus(struct slice *to, const struct slice *from)
{
	__u64 *a = (__u64 *)to;
	const __u64 *b = (const __u64 *)from;

	for (size_t i = 0; i < WORDS; i++)
		a[i] -= b[i];
}

static void plus(struct slice *to, const struct slice *from)
{
	__u64 *a = (__u64 *)to;
	const __u64 *b = (const __u64 *)from;

	for (size_t i = 0; i < WORDS; i++)
		a[i] += b[i];
}

void slices__cut(struct slices *s, const struct model *m, __u64 ts)
{
	struct slice now, *out = &s->list[s->nr++];

	totals(&now, m, ts);
	if (!s->seen.ns)
		s->seen.ns = s->began;
	*out = now;
	minus(out, &s->seen);
	s->seen = now;
	s->events = 0;
	if (s->nr < SLICES_MAX)
		return;
	for (size_t i = 0; i < SLICES_MAX / 2; i++) {
		s->list[i] = s->list[2 * i];
		plus(&s->list[i], &s->list[2 * i + 1]);
	}
	s->nr = SLICES_MAX / 2;
	s->per_slice *= 2;
}

void slices__end(struct slices *s, const struct model *m, __u64 ts)
{
	if (s->events * 2 >= s->per_slice)
		slices__cut(s, m, ts);
}
