// SPDX-License-Identifier: GPL-2.0-only
#include "trigger/waiting.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static __u64 lazy_at(const struct waiting *w, __u32 i)
{
	return w->lazy[(w->first + i) & (w->size - 1)];
}

static int grow(struct waiting *w)
{
	__u32 size = w->size ? 2 * w->size : 256;
	__u64 *more = malloc(size * sizeof(*more));

	if (!more)
		return -ENOMEM;
	for (__u32 i = 0; i < w->nr; i++)
		more[i] = lazy_at(w, i);
	free(w->lazy);
	w->lazy = more;
	w->first = 0;
	w->size = size;
	return 0;
}

static __u32 strict_place(__u32 gather)
{
	return (gather * 0x9e3779b1u) >> 26; /* WAITING_STRICT places */
}

int waiting__unmap(struct waiting *w, const struct iot_unmap *ev)
{
	__u32 place;

	if (!ev->unmapped)
		return 0;
	if (ev->mode == IOT_UNMAP_STRICT) {
		place = strict_place(ev->gather);
		/* several unmaps gathered: the first waits longest */
		if (w->strict[place].gather != ev->gather || !w->strict[place].ts) {
			w->strict[place].gather = ev->gather;
			w->strict[place].ts = ev->h.ts;
		}
		return 0;
	}
	if (ev->mode != IOT_UNMAP_LAZY || w->nr == WAITING_MAX)
		return 0;
	if (w->nr == w->size && grow(w))
		return -ENOMEM;
	w->lazy[(w->first + w->nr++) & (w->size - 1)] = ev->h.ts;
	return 0;
}

static __u64 flush_all(struct waiting *w, const struct iot_flush *ev)
{
	__u64 oldest = UINT64_MAX;

	if (w->nr && lazy_at(w, 0) < ev->begin)
		oldest = lazy_at(w, 0);
	while (w->nr && lazy_at(w, 0) < ev->begin) {
		w->first = (w->first + 1) & (w->size - 1);
		w->nr--;
	}
	for (__u32 i = 0; i < WAITING_STRICT; i++) {
		if (!w->strict[i].ts || w->strict[i].ts >= ev->begin)
			continue;
		if (w->strict[i].ts < oldest)
			oldest = w->strict[i].ts;
		w->strict[i].ts = 0;
	}
	return oldest == UINT64_MAX ? 0 : ev->h.ts - oldest;
}

__u64 waiting__flush(struct waiting *w, const struct iot_flush *ev)
{
	__u32 place;
	__u64 ts;

	if (ev->kind == IOT_FLUSH_SYNC) {
		place = strict_place(ev->gather);
		ts = w->strict[place].gather == ev->gather ? w->strict[place].ts : 0;
		if (ts)
			w->strict[place].ts = 0;
		return ts ? ev->h.ts - ts : 0;
	}
	if (ev->kind != IOT_FLUSH_ALL)
		return 0;
	if (ev->h.flags & IOT_F_NO_BEGIN) {
		waiting__forget(
			w); /* nobody knows which it covers: no alarm for what may be over */
		return 0;
	}
	return flush_all(w, ev);
}

__u64 waiting__oldest(const struct waiting *w)
{
	return w->nr ? lazy_at(w, 0) : 0;
}

void waiting__forget(struct waiting *w)
{
	w->nr = 0;
	memset(w->strict, 0, sizeof(w->strict));
}

void waiting__free(struct waiting *w)
{
	free(w->lazy);
}
