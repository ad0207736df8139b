// SPDX-License-Identifier: GPL-2.0-only
#include "model/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

/* Beyond these a session is hostile or broken. */
#define STACKS_MAX   (1U << 20)
#define SYMBOLS_MAX  (1U << 20)
#define ATTRS_MAX    (1U << 16)
#define ORIGIN_SHIFT 57 /* 57 bits are the widest kernel addresses */

/*
 * Kernels of two origins have different functions at one address. The origin goes into bits that
 * are the same in all kernel addresses.
 */
static __u64 fold(const struct model *m, __u64 addr)
{
	return addr ^ (__u64)m->origin << ORIGIN_SHIFT;
}

__u64 model__plain_address(__u64 addr)
{
	const __u64 bits = 15ULL << ORIGIN_SHIFT;

	return addr & 1ULL << 63 ? addr | bits : addr & ~bits;
}

void tables__stack(struct model *m, const struct iot_stack *ev)
{
	__u32 room = (__u32)((ev->h.len - sizeof(*ev)) / sizeof(ev->ip[0])),
	      nr = ev->nr < room ? ev->nr : room;
	struct model_stack *s;

	if (!ev->h.stack || m->stacks.nr >= STACKS_MAX || idtab__find(&m->stacks, ev->h.stack))
		return;
	s = malloc(sizeof(*s) + nr * sizeof(s->ip[0]));
	if (!s) {
		m->error = -ENOMEM;
		return;
	}
	s->nr = nr;
	for (__u32 i = 0; i < nr; i++)
		s->ip[i] = fold(m, ev->ip[i]);
	if (idtab__set(&m->stacks, ev->h.stack, s)) {
		free(s);
		m->error = -ENOMEM;
	}
}

/* How much of text[] of an event is text. */
static size_t text_len(const struct iot_event *h, size_t fixed, __u32 text_len, const char *text)
{
	size_t room = h->len - fixed;

	return strnlen(text, text_len < room ? text_len : room);
}

void tables__symbol(struct model *m, const struct iot_symbol *ev)
{
	size_t len = text_len(&ev->h, sizeof(*ev), ev->text_len, ev->text);
	struct model_symbol *s;

	if (m->symbols.nr >= SYMBOLS_MAX || idtab__find(&m->symbols, fold(m, ev->addr)))
		return;
	s = malloc(sizeof(*s) + len + 1);
	if (!s) {
		m->error = -ENOMEM;
		return;
	}
	s->offset = ev->offset;
	text__copy(s->name, len + 1, ev->text, len);
	if (idtab__set(&m->symbols, fold(m, ev->addr), s)) {
		free(s);
		m->error = -ENOMEM;
	}
}

void tables__attr(struct model *m, const struct iot_attr *ev)
{
	size_t len = text_len(&ev->h, sizeof(*ev), ev->text_len, ev->text);
	struct model_attr *a;

	if (m->nr_attrs >= ATTRS_MAX)
		return;
	a = malloc(sizeof(*a) + len + 1);
	if (!a) {
		m->error = -ENOMEM;
		return;
	}
	text__copy(a->text, len + 1, ev->text, len);
	a->origin = m->origin;
	numa__learn(&m->numa, IOT_ORIGIN(ev->h.flags), a->text);
	a->next = m->attrs;
	m->attrs = a;
	m->nr_attrs++;
}

void tables__loss(struct model *m, const struct iot_loss *ev)
{
	__u64 end = ev->end ? ev->end : ev->h.ts, begin = ev->begin < end ? ev->begin : end;
	char what[sizeof(ev->what)];
	struct model_loss *l;

	/* of these, nobody may know how many; of all other causes none is no loss */
	if (!ev->count && ev->cause != IOT_LOST_UNHOOKED && ev->cause != IOT_LOST_OVERWRITTEN)
		return;
	text__copy(what, sizeof(what), ev->what, sizeof(ev->what));
	for (size_t i = m->nr_losses; i-- > 0;) {
		l = &m->losses[i];
		if (l->cause != ev->cause || strcmp(l->what, what))
			continue;
		/* Of one cause and place, those that touch are one, and when there are too many,
		 * all are. */
		if (begin > l->end && m->nr_losses < MODEL_LOSSES_MAX)
			break;
		l->begin = begin < l->begin ? begin : l->begin;
		l->end = end > l->end ? end : l->end;
		l->count += ev->count;
		return;
	}
	if (m->nr_losses == MODEL_LOSSES_MAX) {
		/* Too many kinds as well: better too wide an interval than one forgotten. */
		l = &m->losses[MODEL_LOSSES_MAX - 1];
		l->begin = begin < l->begin ? begin : l->begin;
		l->end = end > l->end ? end : l->end;
		l->count += ev->count;
		l->cause = IOT_LOST_RING;
		return;
	}
	if (!m->losses)
		m->losses = calloc(MODEL_LOSSES_MAX, sizeof(*m->losses));
	if (!m->losses) {
		m->error = -ENOMEM;
		return;
	}
	l = &m->losses[m->nr_losses++];
	*l = (struct model_loss){
		.begin = begin, .end = end, .count = ev->count, .cause = ev->cause
	};
	memcpy(l->what, what, sizeof(l->what));
}

void tables__check(struct model *m, const struct iot_coverage *ev)
{
	if (m->nr_checks == MODEL_CHECKS_MAX)
		return;
	if (!m->checks)
		m->checks = calloc(MODEL_CHECKS_MAX, sizeof(*m->checks));
	if (!m->checks) {
		m->error = -ENOMEM;
		return;
	}
	m->checks[m->nr_checks++] = *ev;
}

void tables__region(struct model *m, const struct iot_region *ev)
{
	const struct model_region r = { .first = ev->first,
					.last = ev->last,
					.origin = m->origin,
					.group = ev->group,
					.kind = ev->kind };

	if (ev->group < 0 || ev->last < ev->first || m->nr_regions == MODEL_REGIONS_MAX)
		return;
	for (size_t i = 0; i < m->nr_regions; i++) {
		const struct model_region *k = &m->regions[i];

		if (k->first == r.first && k->last == r.last && k->group == r.group &&
		    k->origin == r.origin)
			return;
	}
	if (!m->regions)
		m->regions = calloc(MODEL_REGIONS_MAX, sizeof(*m->regions));
	if (!m->regions) {
		m->error = -ENOMEM;
		return;
	}
	m->regions[m->nr_regions++] = r;
}

const struct model_region *model__region(const struct model *m, __u32 origin, __s32 group,
					 __u64 addr)
{
	if (group < 0)
		return NULL;
	for (size_t i = 0; i < m->nr_regions; i++) {
		const struct model_region *r = &m->regions[i];

		if (r->group == group && r->origin == origin && r->first <= addr && addr <= r->last)
			return r;
	}
	return NULL;
}

void tables__free(struct model *m)
{
	idtab__for_each (&m->stacks, s)
		free(s->value);
	idtab__free(&m->stacks);
	idtab__for_each (&m->symbols, s)
		free(s->value);
	idtab__free(&m->symbols);
	while (m->attrs) {
		struct model_attr *a = m->attrs;

		m->attrs = a->next;
		free(a);
	}
	free(m->losses);
	free(m->checks);
	free(m->regions);
}

const struct model_loss *model__lost(const struct model *m, __u64 from, __u64 to, __u32 mask)
{
	for (size_t i = 0; i < m->nr_losses; i++) {
		const struct model_loss *l = &m->losses[i];

		if (l->cause < 32 && (mask & 1U << l->cause) && l->begin <= to && l->end >= from)
			return l;
	}
	return NULL;
}

const struct model_stack *model__stack(const struct model *m, __u32 nr)
{
	return idtab__find(&m->stacks, nr);
}

const struct model_symbol *model__symbol(const struct model *m, __u64 addr)
{
	return idtab__find(&m->symbols, addr);
}

const char *model__attr_of(const struct model *m, __u32 origin, const char *key)
{
	const struct model_attr *found = NULL;
	size_t len = strlen(key);

	for (const struct model_attr *a = m->attrs; a; a = a->next) {
		if (strncmp(a->text, key, len) || a->text[len] != '=')
			continue;
		if (a->origin == origin || !m->merged)
			return a->text + len + 1;
		if (origin != MODEL_ANY_ORIGIN)
			continue;
		if (found && strcmp(found->text, a->text))
			return NULL;
		found = a;
	}
	return found ? found->text + len + 1 : NULL;
}

const char *model__attr(const struct model *m, const char *key)
{
	return model__attr_of(m, m->origin, key);
}
