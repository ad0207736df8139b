// SPDX-License-Identifier: GPL-2.0-only
#include "model/history.h"

#include <errno.h>
#include <stdlib.h>

int history__init(struct history *h, size_t size)
{
	*h = (struct history){ .ring = calloc(size, sizeof(*h->ring)), .size = size };
	return h->ring ? 0 : -ENOMEM;
}

void history__free(struct history *h)
{
	free(h->ring);
	*h = (struct history){ 0 };
}

__u64 history__add(struct history *h, const struct dead *d)
{
	h->ring[h->next % h->size] = *d;
	return h->next++;
}

struct dead *history__get(const struct history *h, __u64 nr)
{
	if (nr >= h->next || h->next - nr > h->size)
		return NULL;
	return &h->ring[nr % h->size];
}

const struct dead *history__find(const struct history *h, __u32 domain, __u64 addr)
{
	__u64 kept = h->next < h->size ? h->next : h->size;

	for (__u64 i = 1; i <= kept; i++) {
		const struct dead *d = &h->ring[(h->next - i) % h->size];

		if (d->domain == domain && d->start <= addr && addr <= d->last)
			return d;
	}
	return NULL;
}

__u64 history__since(const struct history *h)
{
	return h->next <= h->size ? 0 : h->ring[h->next % h->size].unmap_ts;
}
