// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/leaks.h"

#include <errno.h>
#include <stdlib.h>

#include "analyze/judgement.h"

struct gathering {
	struct leaks *out;
	size_t size;
	struct idtab by_stack, by_tid; /* index + 1 in out->list, as a pointer */
};

static struct leak *leak_of(struct gathering *g, const struct range *r, __u32 domain)
{
	/* Without a device, the domain stands for it: numbers of devices have no top bit here. */
	__u64 who = r->dev ? r->dev : domain | 1ULL << 31;
	__u64 key = who << 32 | (r->stack ? r->stack : r->tid);
	struct idtab *t = r->stack ? &g->by_stack : &g->by_tid;
	size_t at = (size_t)idtab__find(t, key);
	struct leaks *l = g->out;

	if (at)
		return &l->list[at - 1];
	if (l->nr == g->size) {
		size_t size = g->size ? g->size * 2 : 64;
		struct leak *bigger = realloc(l->list, size * sizeof(*bigger));

		if (!bigger)
			return NULL;
		l->list = bigger;
		g->size = size;
	}
	if (idtab__set(t, key, (void *)(l->nr + 1)))
		return NULL;
	l->list[l->nr] = (struct leak){
		.dev = r->dev, .domain = domain, .stack = r->stack, .tid = r->tid, .oldest = r->ts
	};
	return &l->list[l->nr++];
}

static int take(struct gathering *g, const struct range *r, __u32 domain)
{
	struct leak *k = leak_of(g, r, domain);
	struct leaks *l = g->out;
	__u64 bytes = r->last - r->start + 1, span = l->end - l->begin + 1,
	      at = r->ts > l->begin ? r->ts - l->begin : 0;

	if (!k)
		return -ENOMEM;
	k->nr++;
	k->bytes += bytes;
	if (r->ts < k->oldest)
		k->oldest = r->ts;
	if (r->ts > k->newest)
		k->newest = r->ts;
	at = (__u64)((unsigned __int128)at * LEAKS_PARTS / span);
	k->parts[at < LEAKS_PARTS ? at : LEAKS_PARTS - 1] += bytes;
	l->mappings++;
	l->bytes += bytes;
	l->stacks |= r->stack != 0;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	const struct leak *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return x->oldest < y->oldest ? -1 : x->oldest > y->oldest;
}

static bool in_scope(const struct analysis *a, const struct model_domain *dom,
		     const struct range *r)
{
	const struct iot_map map = { .h = { .ts = r->ts,
					    .id = IOT_EV_MAP,
					    .len = sizeof(map),
					    .tid = r->tid,
					    .domain = dom->nr,
					    .dev = r->dev,
					    .stack = r->stack },
				     .iova = r->start,
				     .paddr = r->paddr,
				     .size = r->last - r->start + 1,
				     .prot = r->prot };

	return scope__has(a->scope, &map.h);
}

int leaks__collect(const struct analysis *a, struct leaks *out)
{
	const struct model *m = &a->model;
	struct gathering g = { .out = out };
	int err = 0;

	*out = (struct leaks){ 0 };
	model__span(m, &out->begin, &out->end);
	for (size_t n = 0; n < m->nr_losses; n++)
		out->unsure = out->unsure || judgement__loses_mappings(&m->losses[n]);
	idtab__for_each (&m->domains, s) {
		const struct model_domain *dom = s->value;
		const struct range *r = ranges__find(&dom->live, 0);

		if (!r)
			r = ranges__above(&dom->live, 0);
		for (; r && !err; r = ranges__above(&dom->live, r->start))
			if (in_scope(a, dom, r))
				err = take(&g, r, dom->nr);
	}
	idtab__free(&g.by_stack);
	idtab__free(&g.by_tid);
	if (err)
		leaks__free(out);
	else if (out->nr)
		qsort(out->list, out->nr, sizeof(*out->list), by_bytes);
	return err;
}

void leaks__free(struct leaks *l)
{
	free(l->list);
	*l = (struct leaks){ 0 };
}
