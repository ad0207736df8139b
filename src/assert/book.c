// SPDX-License-Identifier: GPL-2.0-only
#include "assert/book.h"

#include <errno.h>
#include <stdlib.h>

int book__init(struct book *b)
{
	*b = (struct book){ .free = BOOK_NONE, .pool = ranges_pool__new() };
	return b->pool ? 0 : -ENOMEM;
}

void book__free(struct book *b)
{
	free(b->places);
	if (b->pool)
		ranges_pool__free(b->pool);
	*b = (struct book){ 0 };
}

void book__domain_init(struct book *b, struct book_domain *d)
{
	*d = (struct book_domain){ .lazy = { BOOK_NONE, BOOK_NONE, 0 },
				   .strict = { BOOK_NONE, BOOK_NONE, 0 } };
	ranges__init(&d->tree, b->pool);
}

static int grow(struct book *b)
{
	__u32 size = b->size ? b->size * 2 : 256;
	struct unflushed *bigger = realloc(b->places, size * sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	for (__u32 i = b->size; i < size; i++) {
		bigger[i].seq = 0;
		bigger[i].next = i + 1 < size ? i + 1 : b->free;
	}
	b->free = b->size;
	b->places = bigger;
	b->size = size;
	return 0;
}

static struct book_list *list_of(struct book_domain *d, const struct unflushed *u)
{
	return u->lazy ? &d->lazy : &d->strict;
}

static void no_piece(const struct range *piece, void *ctx)
{
	(void)piece;
	(void)ctx;
}

void book__remove(struct book *b, struct book_domain *d, __u32 place)
{
	struct unflushed *u = &b->places[place];
	struct book_list *l = list_of(d, u);

	if (u->prev == BOOK_NONE)
		l->head = u->next;
	else
		b->places[u->prev].next = u->next;
	if (u->next == BOOK_NONE)
		l->tail = u->prev;
	else
		b->places[u->next].prev = u->prev;
	l->nr--;
	/* removing whole intervals takes no memory */
	if (u->in_tree)
		ranges__remove(&d->tree, u->first, u->last, no_piece, NULL);
	u->seq = 0;
	u->next = b->free;
	b->free = place;
}

void book__clear(struct book *b, struct book_domain *d)
{
	while (d->lazy.nr)
		book__remove(b, d, d->lazy.head);
	while (d->strict.nr)
		book__remove(b, d, d->strict.head);
}

/* An address that is unmapped twice before a flush belongs to the newer unmap. */
static void insert(struct book *b, struct book_domain *d, __u32 place)
{
	struct unflushed *u = &b->places[place];
	const struct range r = { .start = u->first, .last = u->last, .stack = place };
	int err;

	while ((err = ranges__insert(&d->tree, &r)) == -EEXIST) {
		const struct range *old = ranges__below(&d->tree, u->last);
		struct unflushed *o = &b->places[old->stack];

		ranges__remove(&d->tree, o->first, o->last, no_piece, NULL);
		o->in_tree = false;
	}
	u->in_tree = !err;
}

__u32 book__add(struct book *b, struct book_domain *d, const struct unflushed *u)
{
	struct book_list *l = list_of(d, u);
	struct unflushed *to;
	__u32 place;

	if (l->nr >= (u->lazy ? BOOK_LAZY_MAX : BOOK_STRICT_MAX)) {
		book__remove(b, d, l->head);
		d->forgotten++;
	}
	if (b->free == BOOK_NONE && grow(b))
		return BOOK_NONE;
	place = b->free;
	to = &b->places[place];
	b->free = to->next;
	*to = *u;
	to->seq = ++b->seq;
	to->left_first = u->first;
	to->left_last = u->last;
	to->in_tree = to->reused = to->went_on = false;
	to->next = BOOK_NONE;
	to->prev = l->tail;
	if (l->tail == BOOK_NONE)
		l->head = place;
	else
		b->places[l->tail].next = place;
	l->tail = place;
	l->nr++;
	if (u->lazy)
		insert(b, d, place);
	return place;
}

__u32 book__overlap(const struct book *b, const struct book_domain *d, __u64 first, __u64 last)
{
	for (__u32 i = d->strict.tail; i != BOOK_NONE; i = b->places[i].prev) {
		const struct unflushed *u = &b->places[i];

		if (u->first <= last && first <= u->last && !u->reused)
			return i;
	}
	if (d->lazy.nr) {
		const struct range *r = ranges__below(&d->tree, last);

		if (r && r->last >= first && !b->places[r->stack].reused)
			return r->stack;
	}
	return BOOK_NONE;
}
