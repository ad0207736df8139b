/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The unmaps of each domain that no flush has covered yet, found by gather token, by time and by
 * address. The model keeps such a list too, for windows; this one knows addresses, and which part
 * of an unmap a sync has left out.
 */
#ifndef IOMMUTOP_ASSERT_BOOK_H
#define IOMMUTOP_ASSERT_BOOK_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "event.h"
#include "model/ranges.h"

struct subject;

#define BOOK_NONE 0xffffffffU

struct unflushed {
	__u64 seq;                   /* never reused; 0 = a free place */
	__u64 ts;                    /* end of the unmap, ns */
	__u64 since;                 /* it began after this, ns */
	__u64 first, last;           /* addresses, both included */
	__u64 left_first, left_last; /* what no sync of its gather has covered */
	__u64 runner;                /* who unmapped */
	struct subject *subject;
	__u32 gather;
	__u32 prev, next; /* places */
	bool lazy;
	bool in_tree;
	bool reused, went_on; /* told already */
};

/* One domain's. Places are of the book. */
struct book_list {
	__u32 head, tail; /* oldest first; BOOK_NONE = empty */
	__u32 nr;
};

struct book_domain {
	struct book_list lazy, strict;
	struct ranges tree; /* addresses of the lazy ones; stack: place, ts: seq */
	__u64 forgotten;    /* too many waited */
};

struct book {
	struct unflushed *places;
	__u32 size, free;
	__u64 seq;
	struct ranges_pool *pool;
};

/* More than a flush queue holds on any machine, and more than VFIO gathers for one sync. */
#define BOOK_LAZY_MAX   (1U << 20)
#define BOOK_STRICT_MAX 4096U

int book__init(struct book *b); /* 0 or -ENOMEM */
void book__free(struct book *b);
void book__domain_init(struct book *b, struct book_domain *d);
/* Forgets all of the domain's unmaps. */
void book__clear(struct book *b, struct book_domain *d);

/* u's fields down to gather, and lazy, are the caller's. The place, or BOOK_NONE without memory. */
__u32 book__add(struct book *b, struct book_domain *d, const struct unflushed *u);
void book__remove(struct book *b, struct book_domain *d, __u32 place);

static inline struct unflushed *book__at(const struct book *b, __u32 place)
{
	return &b->places[place];
}

/* Is the unmap with that number still waiting? */
static inline bool book__waits(const struct book *b, __u32 place, __u64 seq)
{
	return seq && place < b->size && b->places[place].seq == seq;
}

/* One that overlaps [first, last] and that hasn't been told as reused, or BOOK_NONE. */
__u32 book__overlap(const struct book *b, const struct book_domain *d, __u64 first, __u64 last);

#endif
