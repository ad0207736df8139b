// SPDX-License-Identifier: GPL-2.0-only
#include "model/cells.h"

#include <errno.h>
#include <stdlib.h>

/* Cells stay where they are: the array holds pointers. */
static __u32 cell_new(struct model *m, __u32 domain, __u32 dev, enum place place)
{
	struct cell *c;

	if (m->nr_cells == m->size_cells) {
		size_t size = m->size_cells ? m->size_cells * 2 : 16;
		struct cell **bigger = realloc(m->cells, size * sizeof(struct cell *));

		if (!bigger) {
			m->error = -ENOMEM;
			return 0;
		}
		m->cells = bigger;
		m->size_cells = size;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		m->error = -ENOMEM;
		return 0;
	}
	c->domain = domain;
	c->dev = dev;
	c->place = place;
	m->cells[m->nr_cells] = c;
	return m->nr_cells++;
}

int cells__init(struct model *m)
{
	cell_new(m, 0, 0, PLACE_UNKNOWN);
	return m->error;
}

void cells__free(struct model *m)
{
	idtab__for_each (&m->pairs, s)
		free(s->value);
	idtab__free(&m->pairs);
	for (__u32 i = 0; i < m->nr_cells; i++)
		free(m->cells[i]);
	free(m->cells);
}

static __u64 key_of(const struct iot_event *ev)
{
	return (__u64)ev->domain << 32 | ev->dev;
}

struct pair *cells__find(const struct model *m, const struct iot_event *ev)
{
	return idtab__find(&m->pairs, key_of(ev));
}

struct pair *cells__add(struct model *m, const struct iot_event *ev, const struct pair *p)
{
	struct pair *kept;

	if (m->pairs.nr >= CELLS_PAIRS_MAX)
		return NULL;
	kept = malloc(sizeof(*kept));
	if (!kept || idtab__set(&m->pairs, key_of(ev), kept)) {
		free(kept);
		m->error = -ENOMEM;
		return NULL;
	}
	*kept = *p;
	return kept;
}

__u32 cells__index(struct model *m, struct pair *p, const struct iot_event *ev)
{
	enum place place = PLACE_UNKNOWN;
	int node;

	if (p->shared) {
		m->uncounted++;
		return 0;
	}
	if (p->dev && p->dev->node_known) {
		node = numa__node(&m->numa, ev);
		if (node >= 0)
			place = (__u32)node == p->dev->node ? PLACE_LOCAL : PLACE_REMOTE;
	}
	if (!p->cell[place])
		p->cell[place] =
			cell_new(m, p->dom ? p->dom->nr : 0, p->dev ? p->dev->nr : 0, place);
	return p->cell[place];
}

void cells__of_device(const struct model *m, __u32 dev, enum place place, struct model_stats *out)
{
	*out = (struct model_stats){ 0 };
	for (__u32 i = 0; i < m->nr_cells; i++)
		if (m->cells[i]->dev == dev && m->cells[i]->place == place)
			stats__merge(out, &m->cells[i]->stats);
}

void cells__total(const struct model *m, struct model_stats *out)
{
	*out = (struct model_stats){ 0 };
	for (__u32 i = 0; i < m->nr_cells; i++)
		stats__merge(out, &m->cells[i]->stats);
}

void cells__add_up(struct model *m)
{
	stats__clear_events(&m->total);
	idtab__for_each (&m->domains, s)
		stats__clear_events(&((struct model_domain *)s->value)->stats);
	idtab__for_each (&m->devices, s)
		stats__clear_events(&((struct model_device *)s->value)->stats);
	for (__u32 i = 0; i < m->nr_cells; i++) {
		const struct cell *c = m->cells[i];
		struct model_domain *dom = model__domain(m, c->domain);
		struct model_device *dev = model__device(m, c->dev);

		stats__merge(&m->total, &c->stats);
		if (dom)
			stats__merge(&dom->stats, &c->stats);
		if (dev)
			stats__merge(&dev->stats, &c->stats);
	}
}
