/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unmaps of one domain that no flush has covered yet. Lazy ones wait in the order of time for a
 * flush of the whole domain; strict ones wait for the sync with their gather token.
 */
#ifndef IOMMUTOP_MODEL_PENDING_H
#define IOMMUTOP_MODEL_PENDING_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct pending_unmap {
	__u64 ts;   /* end of the unmap, ns */
	__u64 dead; /* number of its first entry in the history */
	__u64 bytes;
	__u32 cell;         /* where its window counts … */
	__u32 nr : 31;      /* how many entries it made */
	__u32 in_scope : 1; /* … if it does */
	__u32 gather;
	__u32 next; /* used by the strict table */
};

struct pending {
	struct pending_unmap *lazy; /* ring */
	size_t lazy_size, lazy_head, lazy_nr;
	struct pending_unmap *strict; /* chained by token */
	__u32 *heads;
	__u32 strict_free;
	size_t strict_nr;
	__u64 forgotten; /* unmaps given up because too many waited: their window is not measured */
};

/* More than any flush queue holds (256 entries a CPU) and more than VFIO unmaps before a sync
 * (512). */
#define PENDING_LAZY_MAX   (1U << 20)
#define PENDING_STRICT_MAX 4096U

typedef void (*pending_fn)(const struct pending_unmap *u, bool lazy, void *ctx);

void pending__free(struct pending *p);
int pending__add_lazy(struct pending *p, const struct pending_unmap *u); /* 0 or -ENOMEM */
int pending__add_strict(struct pending *p, const struct pending_unmap *u);
/* A flush of the whole domain that began at begin: fn for each unmap that had ended by then; they
 * no longer wait. */
void pending__flush_all(struct pending *p, __u64 begin, pending_fn fn, void *ctx);
/* A sync of what the token gathered. */
void pending__sync(struct pending *p, __u32 gather, __u64 begin, pending_fn fn, void *ctx);

#endif
