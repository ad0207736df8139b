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

__u64 history__kept(const struct history *h)
{
	return h->next < h->size ? h->next : h->size;
}
