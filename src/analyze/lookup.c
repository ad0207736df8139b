// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/lookup.h"

#include <errno.h>
#include <stdint.h>

/* Entries to look at: so many at once, and so many more for each unmap there was. */
#define WORK_ALWAYS (1U << 24)
#define WORK_UNMAP  16
/* However little is left: the last few milliseconds. */
#define WORK_LEAST 1024
/* Around the address, to see how thickly another domain is mapped there. */
#define ZONE (1ULL << 24)

/* Address widths at which devices, bridges and drivers cut: fewer than 24 bits tell nothing. */
static const __u8 widths[] = { 24, 28, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39,
			       40, 41, 42, 43, 44, 45, 46, 47, 48, 52, 56 };
#define NR_WIDTHS (sizeof(widths) / sizeof(widths[0]))

/* Mappings that have the bits of an address below some width, and others above. */
struct cut {
	__u64 bytes;     /* mapped at addresses that need more bits */
	__u64 iova;      /* one of these addresses has the same bits below */
	struct dead who; /* … and is here */
	bool found;
};

struct search {
	struct incident_fault *f;
	const struct model *m;
	struct cut cuts[NR_WIDTHS];
};

static bool left(const struct model *m, __u64 *work, __u64 want, __u64 *get)
{
	__u64 all = WORK_ALWAYS + WORK_UNMAP * m->history.next,
	      rest = all > *work ? all - *work : 0;

	*get = want <= rest ? want : rest > WORK_LEAST ? rest : WORK_LEAST;
	if (*get > want)
		*get = want;
	*work += *get;
	return *get == want;
}

struct dead lookup__as_dead(const struct range *r, __u32 domain)
{
	return (struct dead){ .start = r->start,
			      .last = r->last,
			      .map_ts = r->ts,
			      .map_tid = r->tid,
			      .map_stack = r->stack,
			      .prot = (__u8)r->prot,
			      .dev = r->dev,
			      .domain = domain };
}

static bool holds(const struct dead *d, __u64 addr)
{
	return d->start <= addr && addr <= d->last;
}

/* The last stay of the faulting device in the domain, NULL = it never was there or is there now. */
static const struct model_stay *stay_of(const struct model_device *dev, __u32 domain)
{
	if (!dev)
		return NULL;
	for (__u32 n = 0; n < dev->nr_stays && n < MODEL_STAYS; n++) {
		const struct model_stay *s = &dev->stays[(dev->nr_stays - 1 - n) % MODEL_STAYS];

		if (s->domain == domain)
			return s;
	}
	return NULL;
}

static const struct model_device *device_of(const struct search *s)
{
	return s->f->dev ? idtab__find(&s->m->devices, s->f->dev) : NULL;
}

/* Takes the mapping into the account of truncated addresses. */
static void try_cut(struct search *s, const struct dead *d)
{
	__u64 addr = s->f->iova;

	for (size_t w = 0; w < NR_WIDTHS; w++) {
		__u64 span = 1ULL << widths[w], first = d->start > span ? d->start : span, x;
		struct cut *c = &s->cuts[w];

		if (addr >= span || d->last < span)
			continue;
		c->bytes += d->last - first + 1;
		x = (first & ~(span - 1)) | addr;
		if (x < first && x + span > x)
			x += span;
		/* What is still mapped comes before what isn't any more. */
		if (x < first || x > d->last || (c->found && (!c->who.unmap_ts || d->unmap_ts)))
			continue;
		c->found = true;
		c->iova = x;
		c->who = *d;
	}
}

/* The widest cut that chance doesn't explain. */
static void choose_cut(struct search *s)
{
	for (size_t w = NR_WIDTHS; w-- > 0;) {
		const struct cut *c = &s->cuts[w];

		if (!c->found || c->bytes > (1ULL << widths[w]) / LOOKUP_CHANCE)
			continue;
		s->f->has_cut = true;
		s->f->cut = c->who;
		s->f->cut_iova = c->iova;
		s->f->cut_bits = widths[w];
		s->f->cut_bytes = c->bytes;
		return;
	}
}

static void near_dead(struct incident_fault *f, const struct dead *d)
{
	if (d->last < f->iova && f->iova - d->last <= LOOKUP_NEAR && !f->has_dead_below) {
		f->has_dead_below = true;
		f->dead_below = *d;
	}
	if (d->start > f->iova && d->start - f->iova <= LOOKUP_NEAR && !f->has_dead_above) {
		f->has_dead_above = true;
		f->dead_above = *d;
	}
}

static void former_owner(struct search *s, const struct dead *d)
{
	const struct model_stay *stay = stay_of(device_of(s), d->domain);

	if (!stay || (s->f->has_former && !s->f->former.unmap_ts))
		return;
	if (s->f->has_former && s->f->former.unmap_ts >= d->unmap_ts)
		return;
	s->f->has_former = true;
	s->f->former = *d;
	s->f->former_left = stay->to;
}

/* One pass from the newest dead mapping back; ends at the address's last owner. */
static void search_history(struct search *s, __u64 *work)
{
	const struct history *h = &s->m->history;
	struct incident_fault *f = s->f;
	__u64 nr;
	bool whole = left(s->m, work, history__kept(h), &nr);

	for (__u64 n = 1; n <= nr; n++) {
		const struct dead *d = history__get(h, h->next - n);

		if (d->domain != f->domain) {
			if (holds(d, f->iova))
				former_owner(s, d);
			continue;
		}
		if (holds(d, f->iova)) {
			f->has_dead = true;
			f->dead = *d;
			f->dead_nr = h->next - n;
			return;
		}
		near_dead(f, d);
		if (d->unmap_ts + LOOKUP_FRESH >= f->first)
			try_cut(s, d);
	}
	if (nr && (!whole || h->next > h->size))
		f->forgotten = history__get(h, h->next - nr)->unmap_ts;
}

/* How much of the surroundings is mapped there: a thickly mapped zone holds any address. */
static __u64 bytes_around(const struct model_domain *dom, __u64 addr, __u64 *work)
{
	__u64 first = addr > ZONE ? addr - ZONE : 0,
	      last = addr < UINT64_MAX - ZONE ? addr + ZONE : UINT64_MAX, bytes = 0;
	const struct range *r = ranges__below(&dom->live, first);

	if (!r || r->last < first)
		r = ranges__above(&dom->live, first);
	while (r && r->start <= last) {
		bytes += (r->last < last ? r->last : last) - (r->start > first ? r->start : first) +
			 1;
		r = ranges__above(&dom->live, r->start);
		++*work;
	}
	return bytes;
}

static void search_domains(struct search *s, __u64 *work)
{
	const struct model_device *dev = device_of(s);
	struct incident_fault *f = s->f;
	__u64 nr;

	if (!left(s->m, work, s->m->domains.nr, &nr))
		return;
	idtab__for_each (&s->m->domains, slot) {
		const struct model_domain *dom = slot->value;
		const struct range *r = ranges__find(&dom->live, f->iova);
		const struct model_stay *stay;

		if (!r || dom->nr == f->domain)
			continue;
		stay = stay_of(dev, dom->nr);
		if (stay) {
			f->has_former = true;
			f->former = lookup__as_dead(r, dom->nr);
			f->former_left = stay->to;
			continue;
		}
		if (!dom->nr_devs)
			continue;
		if (!f->nr_others++) {
			f->other = lookup__as_dead(r, dom->nr);
			f->other_dev = dom->devs[0];
			f->other_bytes = bytes_around(dom, f->iova, work);
		}
	}
}

/* Everything that the domain has mapped, once. */
static void search_live(struct search *s, const struct model_domain *dom, __u64 *work)
{
	const struct range *r = ranges__find(&dom->live, 0);
	__u64 nr;

	if (!left(s->m, work, dom->live.nr, &nr))
		return;
	if (!r)
		r = ranges__above(&dom->live, 0);
	for (; r; r = ranges__above(&dom->live, r->start)) {
		struct dead d = lookup__as_dead(r, dom->nr);

		try_cut(s, &d);
		if (!s->f->has_phys && r->paddr && s->f->iova - r->paddr <= r->last - r->start) {
			s->f->has_phys = true;
			s->f->phys = d;
		}
	}
}

static void look_around(struct incident_fault *f, const struct model_domain *dom)
{
	const struct range *r = ranges__find(&dom->live, f->iova);

	if (r) {
		f->has_live = true;
		f->live = *r;
	}
	r = ranges__below(&dom->live, f->iova);
	if (r && !f->has_live) {
		f->has_below = true;
		f->below = *r;
	}
	r = ranges__above(&dom->live, f->iova);
	if (r) {
		f->has_above = true;
		f->above = *r;
	}
	if (dom->nr_flushes) {
		f->has_flush = true;
		f->flush = dom->recent[(dom->nr_flushes - 1) % MODEL_RECENT_FLUSHES];
	}
}

int lookup__fault(struct incident_fault *f, struct model *m, __u64 *work)
{
	const struct model_domain *dom = model__domain(m, f->domain);
	struct search s = { .f = f, .m = m };
	int err;

	if (!f->iova_known)
		return 0;
	if (dom)
		look_around(f, dom);
	search_history(&s, work);
	if (f->has_live)
		return 0;
	if (f->has_dead) {
		err = model__watch(m, &f->dead);
		f->unwatched = err == -ENOSPC;
		return f->unwatched ? 0 : err;
	}
	if (dom)
		search_live(&s, dom, work);
	choose_cut(&s);
	search_domains(&s, work);
	return 0;
}

void lookup__reuse(struct incident_fault *f, struct model *m, __u64 *work)
{
	const struct model_domain *dom = model__domain(m, f->domain);
	const struct history *h = &m->history;
	const struct range *r;
	__u64 nr;

	if (!f->has_dead || f->has_live || f->has_reuse || !dom)
		return;
	/* The first one after it, if nothing is forgotten in between. */
	if (h->next - f->dead_nr <= h->size) {
		if (!left(m, work, h->next - f->dead_nr - 1, &nr))
			return;
		for (__u64 n = f->dead_nr + 1; n < h->next; n++) {
			const struct dead *d = history__get(h, n);

			if (d->domain == f->domain && holds(d, f->iova) &&
			    d->map_ts > f->dead.unmap_ts) {
				f->has_reuse = true;
				f->reuse = *d;
				return;
			}
		}
		r = ranges__find(&dom->live, f->iova);
		if (r && r->ts > f->dead.unmap_ts) {
			f->has_reuse = true;
			f->reuse = lookup__as_dead(r, dom->nr);
		}
	}
}
