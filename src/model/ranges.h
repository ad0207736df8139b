/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live mappings of one domain: disjoint intervals of IOVAs, in a B+ tree, with everything that a
 * later question needs beside the key, so that finding a mapping costs one leaf. Trees share a pool
 * that keeps freed nodes for reuse.
 */
#ifndef IOMMUTOP_MODEL_RANGES_H
#define IOMMUTOP_MODEL_RANGES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct range {
	__u64 start; /* first byte */
	__u64 last;  /* last byte, so that the top of the address space needs no 65th bit */
	__u64 ts;    /* mapped at, ns */
	__u64 paddr; /* of start */
	__u32 tid;
	__u32 stack;
	__u32 dev;
	__u32 prot;
};

struct ranges_pool;
struct ranges_node;

struct ranges {
	struct ranges_pool *pool;
	struct ranges_node *root;
	size_t nr; /* intervals */
};

/* NULL without memory. All trees must be empty or forgotten when it is freed. */
struct ranges_pool *ranges_pool__new(void);
void ranges_pool__free(struct ranges_pool *pool);
size_t ranges_pool__bytes(const struct ranges_pool *pool);

void ranges__init(struct ranges *t, struct ranges_pool *pool);
void ranges__clear(struct ranges *t); /* empties it; usable again */

/* The interval that holds addr, or NULL. Valid until the tree changes; so is what the next two
 * return. */
const struct range *ranges__find(const struct ranges *t, __u64 addr);
/* The last interval that starts at or below addr; the first that starts above it. */
const struct range *ranges__below(const struct ranges *t, __u64 addr);
const struct range *ranges__above(const struct ranges *t, __u64 addr);

/* 0; -EEXIST: something overlaps r (remove it first); or -ENOMEM. Below 0, nothing has changed. */
int ranges__insert(struct ranges *t, const struct range *r);

/*
 * Removes [start, last]: whole intervals, ends or the middle of one. fn is called for each piece
 * removed, in order, with paddr moved to the piece's start; it must not touch the tree. 0 or
 * -ENOMEM (only cutting the middle out of an interval needs memory; the piece is then gone with
 * everything above it in that interval).
 */
typedef void (*ranges_fn)(const struct range *piece, void *ctx);
int ranges__remove(struct ranges *t, __u64 start, __u64 last, ranges_fn fn, void *ctx);

/* Checks every invariant of the tree; for tests. */
bool ranges__sound(const struct ranges *t);

#endif
