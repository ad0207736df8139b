// SPDX-License-Identifier: GPL-2.0-only
#include "model/pending.h"

#include <errno.h>
#include <stdlib.h>

#define HEADS 256U
#define NONE  0xffffffffU

void pending__free(struct pending *p)
{
	free(p->lazy);
	free(p->strict);
	free(p->heads);
	*p = (struct pending){ 0 };
}

static int grow_lazy(struct pending *p)
{
	size_t size = p->lazy_size ? p->lazy_size * 2 : 1024;
	struct pending_unmap *ring = malloc(size * sizeof(*ring));

	if (!ring)
		return -ENOMEM;
	for (size_t i = 0; i < p->lazy_nr; i++)
		ring[i] = p->lazy[(p->lazy_head + i) & (p->lazy_size - 1)];
	free(p->lazy);
	p->lazy = ring;
	p->lazy_size = size;
	p->lazy_head = 0;
	return 0;
}

int pending__add_lazy(struct pending *p, const struct pending_unmap *u)
{
	if (p->lazy_nr == p->lazy_size) {
		if (p->lazy_size < PENDING_LAZY_MAX) {
			int err = grow_lazy(p);

			if (err)
				return err;
		} else {
			p->lazy_head = (p->lazy_head + 1) & (p->lazy_size - 1);
			p->lazy_nr--;
			p->forgotten++;
		}
	}
	p->lazy[(p->lazy_head + p->lazy_nr++) & (p->lazy_size - 1)] = *u;
	return 0;
}

static void clear_strict(struct pending *p)
{
	for (__u32 i = 0; i < HEADS; i++)
		p->heads[i] = NONE;
	for (__u32 i = 0; i < PENDING_STRICT_MAX; i++)
		p->strict[i].next = i + 1 < PENDING_STRICT_MAX ? i + 1 : NONE;
	p->strict_free = 0;
	p->strict_nr = 0;
}

int pending__add_strict(struct pending *p, const struct pending_unmap *u)
{
	__u32 *head, at;

	if (!p->strict) {
		p->strict = malloc(PENDING_STRICT_MAX * sizeof(*p->strict));
		p->heads = malloc(HEADS * sizeof(*p->heads));
		if (!p->strict || !p->heads) {
			pending__free(p);
			return -ENOMEM;
		}
		clear_strict(p);
	}
	if (p->strict_free == NONE) {
		/* Nobody syncs here: the IOMMU has no sync operation, or its calls are not seen. */
		p->forgotten += p->strict_nr;
		clear_strict(p);
	}
	at = p->strict_free;
	p->strict_free = p->strict[at].next;
	p->strict[at] = *u;
	head = &p->heads[u->gather % HEADS];
	p->strict[at].next = *head;
	*head = at;
	p->strict_nr++;
	return 0;
}

static void take_chain(struct pending *p, __u32 *link, __u32 gather, bool any, __u64 begin,
		       pending_fn fn, void *ctx)
{
	while (*link != NONE) {
		__u32 at = *link;
		struct pending_unmap *u = &p->strict[at];

		if ((!any && u->gather != gather) || u->ts > begin) {
			link = &u->next;
			continue;
		}
		fn(u, false, ctx);
		*link = u->next;
		u->next = p->strict_free;
		p->strict_free = at;
		p->strict_nr--;
	}
}

void pending__flush_all(struct pending *p, __u64 begin, pending_fn fn, void *ctx)
{
	while (p->lazy_nr && p->lazy[p->lazy_head].ts < begin) {
		fn(&p->lazy[p->lazy_head], true, ctx);
		p->lazy_head = (p->lazy_head + 1) & (p->lazy_size - 1);
		p->lazy_nr--;
	}
	if (p->strict_nr)
		for (__u32 i = 0; i < HEADS; i++)
			take_chain(p, &p->heads[i], 0, true, begin, fn, ctx);
}

void pending__sync(struct pending *p, __u32 gather, __u64 begin, pending_fn fn, void *ctx)
{
	if (p->strict_nr)
		take_chain(p, &p->heads[gather % HEADS], gather, false, begin, fn, ctx);
}
