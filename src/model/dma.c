// SPDX-License-Identifier: GPL-2.0-only
#include "model/dma.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* Pieces of one scatter list are mapped one after another by one task: this near, they are one
 * mapping to the reader. */
#define SAME_MAPPING_NS 1000000

static __u64 last_byte(__u64 start, __u64 size)
{
	return size - 1 > UINT64_MAX - start ? UINT64_MAX : start + size - 1;
}

static void add_piece(const struct range *piece, void *ctx)
{
	struct model *m = ctx;
	struct range *prev = m->nr_pieces ? &m->pieces[m->nr_pieces - 1] : NULL;

	if (prev && prev->last + 1 == piece->start && prev->tid == piece->tid &&
	    prev->stack == piece->stack && prev->dev == piece->dev &&
	    piece->ts - prev->ts + SAME_MAPPING_NS <= 2 * SAME_MAPPING_NS) {
		prev->last = piece->last;
		return;
	}
	if (m->nr_pieces == m->size_pieces) {
		size_t size = m->size_pieces ? m->size_pieces * 2 : 64;
		struct range *bigger = realloc(m->pieces, size * sizeof(*bigger));

		if (!bigger) {
			m->error = -ENOMEM;
			return;
		}
		m->pieces = bigger;
		m->size_pieces = size;
	}
	m->pieces[m->nr_pieces++] = *piece;
}

/* Takes the range out of the live mappings; the pieces are in m->pieces. Returns the bytes that
 * were mapped. */
static __u64 take_out(struct model *m, struct model_domain *dom, __u64 start, __u64 last)
{
	__u64 bytes = 0;

	m->nr_pieces = 0;
	if (ranges__remove(&dom->live, start, last, add_piece, m))
		m->error = -ENOMEM;
	for (size_t i = 0; i < m->nr_pieces; i++)
		bytes += m->pieces[i].last - m->pieces[i].start + 1;
	dom->live_bytes -= bytes;
	return bytes;
}

static __u64 bury(struct model *m, struct dead *d, const struct range *piece)
{
	d->start = piece->start;
	d->last = piece->last;
	d->map_ts = piece->ts;
	d->map_tid = piece->tid;
	d->map_stack = piece->stack;
	d->prot = (__u8)piece->prot;
	if (!d->dev)
		d->dev = piece->dev;
	return history__add(&m->history, d);
}

static void count_map(struct model *m, struct pair *p, const struct iot_map *ev)
{
	__u64 nr = 0;
	struct model_stats *s;

	if (ev->ret)
		lists__end(&m->lists, &ev->h);
	else
		nr = lists__map(&m->lists, ev);
	if (!m->in_scope)
		return;
	s = cells__stats(m, p, &ev->h);
	stats__map(s, ev);
	s->map_lists += nr == 1;
	if (nr > s->list_longest)
		s->list_longest = nr;
}

/* Something is mapped where r goes: its unmap wasn't seen. */
static void replace(struct model *m, struct model_domain *dom, const struct range *r)
{
	struct dead d = { .unmap_ts = r->ts, .domain = dom->nr, .replaced = true };

	take_out(m, dom, r->start, r->last);
	for (size_t i = 0; i < m->nr_pieces; i++) {
		d.dev = 0;
		bury(m, &d, &m->pieces[i]);
	}
	dom->replaced++;
}

void dma__map(struct model *m, struct pair *p, const struct iot_map *ev)
{
	struct model_domain *dom = p->dom;
	int err;
	struct range r = { .start = ev->iova,
			   .ts = ev->h.ts,
			   .paddr = ev->paddr,
			   .tid = ev->h.tid,
			   .stack = ev->h.stack,
			   .dev = ev->h.dev,
			   .prot = ev->prot };

	count_map(m, p, ev);
	if (!dom || ev->ret || !ev->size)
		return;
	r.last = last_byte(ev->iova, ev->size);
	err = ranges__insert(&dom->live, &r);
	if (err == -EEXIST) {
		replace(m, dom, &r);
		err = ranges__insert(&dom->live, &r);
	}
	if (err) {
		m->error = -ENOMEM;
		return;
	}
	dom->live_bytes += r.last - r.start + 1;
	if (dom->live_bytes > dom->live_bytes_max)
		dom->live_bytes_max = dom->live_bytes;
}

void dma__unmap(struct model *m, struct pair *p, const struct iot_unmap *ev)
{
	struct model_domain *dom = p->dom;
	struct pending_unmap wait = {
		.ts = ev->h.ts, .bytes = ev->unmapped, .gather = ev->gather, .in_scope = m->in_scope
	};
	struct dead d = {
		.unmap_ts = ev->h.ts,
		.unmap_tid = ev->h.tid,
		.unmap_stack = ev->h.stack,
		.unmap_cpu = ev->h.cpu,
		.unmap_flags = ev->h.flags,
		.gather = ev->gather,
		.mode = (__u8)ev->mode,
	};
	struct range whole = { .start = ev->iova };
	__u64 first;
	int err = 0;

	lists__end(&m->lists, &ev->h);
	if (m->in_scope) {
		wait.cell = cells__index(m, p, &ev->h);
		stats__unmap(&m->cells[wait.cell]->stats, ev);
	}
	if (!dom || !ev->unmapped)
		return;
	/* The kernel stops at the first hole, so what it removed is at the front; a huge page may
	 * reach beyond size. */
	whole.last = last_byte(ev->iova, ev->unmapped);
	d.domain = dom->nr;
	first = m->history.next;
	if (take_out(m, dom, whole.start, whole.last) < whole.last - whole.start + 1) {
		/* Part of it was mapped before we watched. The pieces come after this, so that they
		 * are found first. */
		d.dev = ev->h.dev;
		bury(m, &d, &whole);
	}
	for (size_t i = 0; i < m->nr_pieces; i++) {
		d.dev = ev->h.dev;
		bury(m, &d, &m->pieces[i]);
	}
	wait.dead = first;
	wait.nr = (__u32)(m->history.next - first);
	if (ev->mode == IOT_UNMAP_LAZY)
		err = pending__add_lazy(&dom->pending, &wait);
	else if (ev->mode == IOT_UNMAP_STRICT)
		err = pending__add_strict(&dom->pending, &wait);
	if (err)
		m->error = err;
}

struct covering {
	struct model *m;
	const struct model_domain *dom;
	const struct iot_flush *ev;
	__u64 nr; /* unmaps */
};

static void mark(struct dead *d, const struct model_domain *dom, const struct iot_flush *ev)
{
	d->flushed = true;
	d->epoch = (__u32)dom->nr_flushes;
	d->flush_begin = ev->begin;
	d->flush_end = ev->h.ts;
	d->flush_kind = ev->kind;
	d->flush_why = ev->why;
}

static void covered(const struct pending_unmap *u, bool lazy, void *ctx)
{
	struct covering *c = ctx;

	if (c->m->heat && u->in_scope)
		(lazy ? c->m->heat->lazy : c->m->heat->strict)[heat__row(c->ev->h.ts - u->ts)]++;
	for (__u32 i = 0; i < u->nr; i++) {
		struct dead *d = history__get(&c->m->history, u->dead + i);

		if (d)
			mark(d, c->dom, c->ev);
	}
	c->nr++;
	if (u->in_scope)
		stats__window(&c->m->cells[u->cell]->stats, lazy, c->ev->kind, u->bytes,
			      c->ev->h.ts - u->ts);
}

static bool covers(const struct iot_flush *ev, const struct dead *d)
{
	if (ev->kind == IOT_FLUSH_ALL)
		return d->unmap_ts < ev->begin;
	return d->mode == IOT_UNMAP_STRICT && d->gather == ev->gather && d->unmap_ts <= ev->begin;
}

static void update_watched(struct model *m, const struct model_domain *dom,
			   const struct iot_flush *ev)
{
	for (size_t i = 0; i < m->nr_watched;) {
		struct dead *d = m->watched[i];

		if (d->domain == dom->nr && !d->flushed && covers(ev, d))
			mark(d, dom, ev);
		if (d->flushed)
			m->watched[i] = m->watched[--m->nr_watched];
		else
			i++;
	}
}

static struct model_load *load_at(struct model_domain *dom, __u64 ts)
{
	__u64 slot = ts >> MODEL_LOAD_SHIFT;
	struct model_load *l = &dom->load[slot % MODEL_LOAD_SLOTS];

	if (l->slot != slot)
		*l = (struct model_load){ .slot = slot };
	return l;
}

static void load_flush(struct model_domain *dom, __u64 ts, __u64 ns)
{
	struct model_load *l = load_at(dom, ts);

	l->flushes++;
	l->flush_ns += ns;
	if (ns > l->flush_longest)
		l->flush_longest = ns;
}

void dma__load_alloc(struct model_domain *dom, __u64 ts, __u64 ns)
{
	struct model_load *l = load_at(dom, ts);

	l->allocs++;
	l->alloc_ns += ns;
	if (ns > l->alloc_longest)
		l->alloc_longest = ns;
}

struct model_load model__load(const struct model_domain *dom, __u64 from, __u64 to)
{
	__u64 first = from >> MODEL_LOAD_SHIFT, last = to >> MODEL_LOAD_SHIFT;
	struct model_load sum = { .slot = first };

	for (size_t i = 0; i < MODEL_LOAD_SLOTS; i++) {
		const struct model_load *l = &dom->load[i];

		if (l->slot < first || l->slot > last)
			continue;
		sum.flushes += l->flushes;
		sum.flush_ns += l->flush_ns;
		sum.allocs += l->allocs;
		sum.alloc_ns += l->alloc_ns;
		if (l->flush_longest > sum.flush_longest)
			sum.flush_longest = l->flush_longest;
		if (l->alloc_longest > sum.alloc_longest)
			sum.alloc_longest = l->alloc_longest;
	}
	return sum;
}

void dma__freed(struct model *m, struct model_domain *dom)
{
	struct dead d = { .unmap_ts = dom->freed, .domain = dom->nr, .freed = true };

	/* A guest's memory would push everything else out of the history. */
	if (dom->live.nr <= m->history.size / 4) {
		take_out(m, dom, 0, UINT64_MAX);
		for (size_t i = 0; i < m->nr_pieces; i++) {
			d.dev = 0;
			bury(m, &d, &m->pieces[i]);
		}
	}
	ranges__clear(&dom->live);
	dom->live_bytes = 0;
}

void dma__flush(struct model *m, struct pair *p, const struct iot_flush *ev)
{
	struct model_stats *s = NULL;
	struct model_domain *dom = p->dom;
	struct covering c = { .m = m, .dom = dom, .ev = ev };

	if (m->in_scope) {
		s = cells__stats(m, p, &ev->h);
		stats__flush(s, ev);
	}
	/* A flush whose begin isn't known can't be said to cover anything. */
	if (dom && ev->begin && ev->begin <= ev->h.ts)
		load_flush(dom, ev->h.ts, ev->h.ts - ev->begin);
	if (m->heat && m->in_scope && dom && ev->begin && ev->kind != IOT_FLUSH_SYNC_MAP)
		m->heat->flush[heat__row(ev->h.ts - ev->begin)]++;
	if (ev->kind == IOT_FLUSH_SYNC_MAP)
		return; /* it covers no unmap and ends no list */
	lists__end(&m->lists, &ev->h);
	if (!dom || !ev->begin || ev->begin > ev->h.ts)
		return;
	hist__add(&dom->flush_times, ev->h.ts - ev->begin);
	dom->recent[dom->nr_flushes++ % MODEL_RECENT_FLUSHES] = (struct model_flush){
		.begin = ev->begin, .end = ev->h.ts, .kind = ev->kind, .why = ev->why
	};
	if (ev->kind == IOT_FLUSH_ALL)
		pending__flush_all(&dom->pending, ev->begin, covered, &c);
	else
		pending__sync(&dom->pending, ev->gather, ev->begin, covered, &c);
	if (s)
		stats__covered(s, ev->kind, c.nr);
	if (m->nr_watched)
		update_watched(m, dom, ev);
}
