// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/whatif.h"

#define NS_PER_S 1e9

static __u64 mean(__u64 sum, __u64 nr)
{
	return nr ? sum / nr : 0;
}

struct whatif whatif__domain(const struct analysis *a, const struct model_domain *d)
{
	const struct model *m = &a->model;
	const struct model_stats *s = &d->stats;
	struct whatif w = { 0 };
	__u64 begin, end;

	model__span(m, &begin, &end);
	scope__narrow(a->scope, &begin, &end);
	w.span = end > begin ? end - begin : 0;
	if (s->unmaps_strict) {
		w.strict.unmaps = s->unmaps_strict;
		w.strict.flushes = s->kinds[IOT_FLUSH_SYNC];
		w.strict.ns = s->kind_ns[IOT_FLUSH_SYNC];
		/* The queue flushes when it is full, and by the timer while there is anything in
		 * it. */
		w.strict.lazy_flushes =
			s->unmaps_strict / WHATIF_QUEUE + w.span / WHATIF_TIMEOUT + 1;
		if (w.strict.lazy_flushes > s->unmaps_strict)
			w.strict.lazy_flushes = s->unmaps_strict;
		w.strict.lazy_exposed = (double)s->unmap_bytes * WHATIF_TIMEOUT / NS_PER_S;
	}
	if (s->unmaps_lazy) {
		w.lazy.unmaps = s->unmaps_lazy;
		w.lazy.covered = s->lazy.nr;
		w.lazy.exposed = (double)s->lazy_exposed / NS_PER_S;
		w.lazy.exposed_mean = w.span ? (double)s->lazy_exposed / (double)w.span : 0;
		w.lazy.window_max = s->lazy.max;
		w.lazy.waiting = d->pending.lazy_nr;
		w.lazy.by_sync = s->kind_ns[IOT_FLUSH_SYNC] > 0;
		w.lazy.flush_mean =
			w.lazy.by_sync ? mean(s->kind_ns[IOT_FLUSH_SYNC], s->kinds[IOT_FLUSH_SYNC])
				       : mean(s->kind_ns[IOT_FLUSH_ALL], s->kinds[IOT_FLUSH_ALL]);
		w.lazy.strict_ns = w.lazy.flush_mean * s->unmaps_lazy;
	}
	return w;
}
