// SPDX-License-Identifier: GPL-2.0-only
#include "model/ranges.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FANOUT      16
#define MERGE_BELOW (FANOUT / 4)     /* a node this empty looks for a neighbour … */
#define MERGE_TO    (FANOUT * 3 / 4) /* … with which it fills at most this: no merge-split-merge */
#define DEPTH_MAX   24
#define CHUNK_NODES 64

struct ranges_node {
	__u16 nr;
	__u16 leaf;
	/* Inner: child i holds starts from key[i] up to key[i + 1]; key[0] is not looked at. Leaf:
	 * key[i] == range[i].start */
	__u64 key[FANOUT];
	union {
		struct ranges_node *child[FANOUT];
		struct {
			struct range range[FANOUT];
			struct ranges_node *next, *prev; /* leaves in order */
		};
		struct ranges_node *free_next;
	};
};

struct chunk {
	struct chunk *next;
	struct ranges_node nodes[CHUNK_NODES];
};

struct ranges_pool {
	struct chunk *chunks;
	struct ranges_node *free;
	size_t nr_free, nr_chunks;
};

struct ranges_pool *ranges_pool__new(void)
{
	return calloc(1, sizeof(struct ranges_pool));
}

void ranges_pool__free(struct ranges_pool *pool)
{
	if (!pool)
		return;
	while (pool->chunks) {
		struct chunk *c = pool->chunks;

		pool->chunks = c->next;
		free(c);
	}
	free(pool);
}

size_t ranges_pool__bytes(const struct ranges_pool *pool)
{
	return pool->nr_chunks * sizeof(struct chunk);
}

/* Makes sure that the next nr node_new() succeed. */
static int reserve(struct ranges_pool *pool, size_t nr)
{
	while (pool->nr_free < nr) {
		struct chunk *c = malloc(sizeof(*c));

		if (!c)
			return -ENOMEM;
		c->next = pool->chunks;
		pool->chunks = c;
		pool->nr_chunks++;
		for (int i = CHUNK_NODES - 1; i >= 0; i--) {
			c->nodes[i].free_next = pool->free;
			pool->free = &c->nodes[i];
		}
		pool->nr_free += CHUNK_NODES;
	}
	return 0;
}

static struct ranges_node *node_new(struct ranges_pool *pool, bool leaf)
{
	struct ranges_node *n = pool->free;

	pool->free = n->free_next;
	pool->nr_free--;
	n->nr = 0;
	n->leaf = leaf;
	if (leaf)
		n->next = n->prev = NULL;
	return n;
}

static void node_free(struct ranges_pool *pool, struct ranges_node *n)
{
	n->free_next = pool->free;
	pool->free = n;
	pool->nr_free++;
}

void ranges__init(struct ranges *t, struct ranges_pool *pool)
{
	*t = (struct ranges){ .pool = pool };
}

static void free_below(struct ranges *t, struct ranges_node *n)
{
	if (!n->leaf)
		for (int i = 0; i < n->nr; i++)
			free_below(t, n->child[i]);
	node_free(t->pool, n);
}

void ranges__clear(struct ranges *t)
{
	if (t->root)
		free_below(t, t->root);
	ranges__init(t, t->pool);
}

/* The last index whose key is <= addr; -1 if none. Short and without a branch that depends on the
 * data. */
static int last_at_or_below(const struct ranges_node *n, __u64 addr)
{
	int at = 0;

	for (int i = 0; i < n->nr; i++)
		at += n->key[i] <= addr;
	return at - 1;
}

/* The first key doesn't count: when a first child has gone, it is higher than what may come below
 * it. */
static int child_of(const struct ranges_node *n, __u64 addr)
{
	int at = 0;

	for (int i = 1; i < n->nr; i++)
		at += n->key[i] <= addr;
	return at;
}

static const struct ranges_node *leaf_of(const struct ranges *t, __u64 addr)
{
	const struct ranges_node *n = t->root;

	while (n && !n->leaf)
		n = n->child[child_of(n, addr)];
	return n;
}

const struct range *ranges__below(const struct ranges *t, __u64 addr)
{
	const struct ranges_node *n = leaf_of(t, addr);
	int i;

	if (!n)
		return NULL;
	i = last_at_or_below(n, addr);
	if (i >= 0)
		return &n->range[i];
	n = n->prev;
	return n ? &n->range[n->nr - 1] : NULL;
}

const struct range *ranges__above(const struct ranges *t, __u64 addr)
{
	const struct ranges_node *n = leaf_of(t, addr);
	int i;

	if (!n)
		return NULL;
	i = last_at_or_below(n, addr) + 1;
	if (i < n->nr)
		return &n->range[i];
	n = n->next;
	return n ? &n->range[0] : NULL;
}

const struct range *ranges__find(const struct ranges *t, __u64 addr)
{
	const struct range *r = ranges__below(t, addr);

	return r && r->last >= addr ? r : NULL;
}

static void open_gap(struct ranges_node *n, int at)
{
	size_t tail = (size_t)(n->nr - at);

	memmove(&n->key[at + 1], &n->key[at], tail * sizeof(n->key[0]));
	if (n->leaf)
		memmove(&n->range[at + 1], &n->range[at], tail * sizeof(n->range[0]));
	else
		memmove(&n->child[at + 1], &n->child[at], tail * sizeof(n->child[0]));
	n->nr++;
}

static void close_gap(struct ranges_node *n, int at)
{
	size_t tail = (size_t)(n->nr - at - 1);

	memmove(&n->key[at], &n->key[at + 1], tail * sizeof(n->key[0]));
	if (n->leaf)
		memmove(&n->range[at], &n->range[at + 1], tail * sizeof(n->range[0]));
	else
		memmove(&n->child[at], &n->child[at + 1], tail * sizeof(n->child[0]));
	n->nr--;
}

/* Appends all of from to n. */
static void append(struct ranges_node *n, const struct ranges_node *from, int first)
{
	size_t nr = (size_t)(from->nr - first);

	memcpy(&n->key[n->nr], &from->key[first], nr * sizeof(n->key[0]));
	if (n->leaf)
		memcpy(&n->range[n->nr], &from->range[first], nr * sizeof(n->range[0]));
	else
		memcpy(&n->child[n->nr], &from->child[first], nr * sizeof(n->child[0]));
	n->nr += nr;
}

/*
 * Splits the full child at parent->child[at]. Where the insertion goes decides how much stays:
 * allocators go through the address space in one direction, and a split in the middle would leave
 * every leaf half empty behind them.
 */
static void split(struct ranges *t, struct ranges_node *parent, int at, __u64 start)
{
	struct ranges_node *left = parent->child[at], *right = node_new(t->pool, left->leaf);
	int keep = start > left->key[FANOUT - 1] ? FANOUT - 2
		   : start < left->key[1]        ? 2
						 : FANOUT / 2;

	append(right, left, keep);
	left->nr = (__u16)keep;
	if (left->leaf) {
		right->next = left->next;
		right->prev = left;
		if (right->next)
			right->next->prev = right;
		left->next = right;
	}
	open_gap(parent, at + 1);
	parent->key[at + 1] = right->key[0];
	parent->child[at + 1] = right;
}

/* Does r overlap what is before or behind it, if it goes to place at of the leaf? */
static bool overlaps(const struct ranges_node *n, int at, const struct range *r)
{
	const struct range *before = at        ? &n->range[at - 1]
				     : n->prev ? &n->prev->range[n->prev->nr - 1]
					       : NULL,
			   *behind = at < n->nr ? &n->range[at]
				     : n->next  ? &n->next->range[0]
						: NULL;

	return (before && before->last >= r->start) || (behind && behind->start <= r->last);
}

int ranges__insert(struct ranges *t, const struct range *r)
{
	struct ranges_node *n;
	int at;

	if (reserve(t->pool, DEPTH_MAX))
		return -ENOMEM;
	if (!t->root)
		t->root = node_new(t->pool, true);
	n = t->root;
	if (n->nr == FANOUT) {
		struct ranges_node *root = node_new(t->pool, false);

		root->key[0] = 0;
		root->child[0] = n;
		root->nr = 1;
		t->root = n = root;
		split(t, n, 0, r->start);
	}
	while (!n->leaf) {
		at = child_of(n, r->start);
		if (n->child[at]->nr == FANOUT) {
			split(t, n, at, r->start);
			at = child_of(n, r->start);
		}
		n = n->child[at];
	}
	at = last_at_or_below(n, r->start) + 1;
	if (overlaps(n, at, r))
		return -EEXIST;
	open_gap(n, at);
	n->key[at] = r->start;
	n->range[at] = *r;
	t->nr++;
	return 0;
}

struct path {
	struct ranges_node *node[DEPTH_MAX];
	int at[DEPTH_MAX];
	int depth; /* node[depth] is the leaf */
};

static void walk_to(const struct ranges *t, __u64 addr, struct path *p)
{
	struct ranges_node *n = t->root;

	p->depth = 0;
	while (!n->leaf) {
		int at = child_of(n, addr);

		p->node[p->depth] = n;
		p->at[p->depth++] = at;
		n = n->child[at];
	}
	p->node[p->depth] = n;
}

/* Takes right into left, its neighbour under parent at index at. */
static void merge(struct ranges *t, struct ranges_node *parent, int at)
{
	struct ranges_node *left = parent->child[at], *right = parent->child[at + 1];

	/* An inner node's first key isn't kept up: the parent knows it. */
	if (!right->leaf)
		right->key[0] = parent->key[at + 1];
	append(left, right, 0);
	if (left->leaf) {
		left->next = right->next;
		if (left->next)
			left->next->prev = left;
	}
	close_gap(parent, at + 1);
	node_free(t->pool, right);
}

static void unlink_empty(struct ranges *t, struct ranges_node *parent, int at)
{
	struct ranges_node *n = parent->child[at];

	if (n->leaf) {
		if (n->prev)
			n->prev->next = n->next;
		if (n->next)
			n->next->prev = n->prev;
	}
	close_gap(parent, at);
	node_free(t->pool, n);
}

/* Something was taken out of the leaf: keeps nodes from staying nearly empty. */
static void tidy(struct ranges *t, struct path *p)
{
	for (int d = p->depth; d > 0; d--) {
		struct ranges_node *n = p->node[d], *parent = p->node[d - 1];
		int at = p->at[d - 1];

		if (n->nr > MERGE_BELOW)
			return;
		if (!n->nr)
			unlink_empty(t, parent, at);
		else if (at + 1 < parent->nr && n->nr + parent->child[at + 1]->nr <= MERGE_TO)
			merge(t, parent, at);
		else if (at > 0 && n->nr + parent->child[at - 1]->nr <= MERGE_TO)
			merge(t, parent, at - 1);
		else
			return;
	}
	while (t->root && !t->root->leaf && t->root->nr == 1) {
		struct ranges_node *root = t->root;

		t->root = root->child[0];
		node_free(t->pool, root);
	}
	if (t->root && !t->root->nr) {
		node_free(t->pool, t->root);
		t->root = NULL;
	}
}

static void report(const struct range *r, __u64 start, __u64 last, ranges_fn fn, void *ctx)
{
	struct range piece = *r;

	piece.paddr += start - r->start;
	piece.start = start;
	piece.last = last;
	fn(&piece, ctx);
}

int ranges__remove(struct ranges *t, __u64 start, __u64 last, ranges_fn fn, void *ctx)
{
	struct path p;

	while (t->root) {
		struct ranges_node *n;
		struct range *r;
		int i;

		walk_to(t, start, &p);
		n = p.node[p.depth];
		i = last_at_or_below(n, start);
		if (i < 0) {
			/* What reaches up to start may be the last one of the leaf before. */
			const struct range *b = n->prev ? &n->prev->range[n->prev->nr - 1] : NULL;

			if (b && b->last >= start) {
				walk_to(t, b->start, &p);
				n = p.node[p.depth];
				i = n->nr - 1;
			} else {
				i = 0;
			}
		} else if (n->range[i].last < start) {
			i++;
		}
		if (i == n->nr) {
			if (!n->next || n->next->key[0] > last)
				return 0;
			walk_to(t, n->next->key[0], &p);
			n = p.node[p.depth];
			i = 0;
		}
		r = &n->range[i];
		if (r->start > last)
			return 0;

		if (r->start < start) {
			struct range rest = *r;

			report(r, start, r->last < last ? r->last : last, fn, ctx);
			r->last = start - 1;
			if (rest.last == last)
				return 0;
			if (rest.last < last) {
				start = rest.last + 1;
				continue;
			}
			rest.paddr += last + 1 - rest.start;
			rest.start = last + 1;
			return ranges__insert(t, &rest);
		}
		if (r->last > last) {
			struct range rest = *r;

			report(r, r->start, last, fn, ctx);
			rest.paddr += last + 1 - rest.start;
			rest.start = last + 1;
			/* The last one of a leaf may reach beyond the leaf's keys: what is left may
			 * belong elsewhere. */
			if (i + 1 < n->nr || !n->next) {
				*r = rest;
				n->key[i] = rest.start;
				return 0;
			}
			close_gap(n, i);
			t->nr--;
			tidy(t, &p);
			return ranges__insert(t, &rest);
		}
		report(r, r->start, r->last, fn, ctx);
		start = r->last + 1;
		close_gap(n, i);
		t->nr--;
		tidy(t, &p);
		if (!start || start > last)
			return 0;
	}
	return 0;
}

static bool node_sound(const struct ranges_node *n, __u64 low, __u64 high, int depth,
		       int *leaf_depth, size_t *nr)
{
	if (!n->nr || n->nr > FANOUT)
		return false;
	for (int i = 0; i < n->nr; i++) {
		__u64 from = n->leaf || i ? n->key[i] : low,
		      to = i + 1 < n->nr ? n->key[i + 1] - 1 : high;

		if (from < low || to > high || from > to)
			return false;
		if (!n->leaf) {
			if (!node_sound(n->child[i], from, to, depth + 1, leaf_depth, nr))
				return false;
		} else if (n->range[i].start != from || n->range[i].last < from ||
			   (i + 1 < n->nr && n->range[i].last > to)) {
			return false;
		}
	}
	if (!n->leaf)
		return true;
	*nr += n->nr;
	if (*leaf_depth < 0)
		*leaf_depth = depth;
	return *leaf_depth == depth;
}

bool ranges__sound(const struct ranges *t)
{
	const struct ranges_node *n = t->root, *prev = NULL;
	int leaf_depth = -1;
	size_t nr = 0, linked = 0;

	if (!n)
		return !t->nr;
	if (!node_sound(n, 0, UINT64_MAX, 0, &leaf_depth, &nr) || nr != t->nr)
		return false;
	while (!n->leaf)
		n = n->child[0];
	for (; n; prev = n, n = n->next) {
		if (n->prev != prev ||
		    (prev && prev->range[prev->nr - 1].last >= n->range[0].start))
			return false;
		linked += n->nr;
	}
	return linked == t->nr;
}
