/* SPDX-License-Identifier: GPL-2.0-only */
/* The bounded memory of mappings that are gone: a ring, the oldest is forgotten first. */
#ifndef IOMMUTOP_MODEL_HISTORY_H
#define IOMMUTOP_MODEL_HISTORY_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct dead {
	__u64 start, last; /* first and last byte */
	__u64 map_ts;      /* ns; 0 = it was mapped before we saw it */
	__u64 unmap_ts;
	__u64 flush_begin; /* the flush that covers it, if flushed; its begin and end, ns */
	__u64 flush_end;
	__u32 domain;
	__u32 dev; /* of the unmap, or of the map when the unmap doesn't say; 0 = not known */
	__u32 map_tid, map_stack;
	__u32 unmap_tid, unmap_stack;
	__u32 gather;
	__u32 epoch; /* the flush that covers it: the domain's first is 1; 0 = none seen */
	__u16 unmap_cpu;
	__u16 unmap_flags; /* IOT_F_* */
	__u8 prot;         /* of the map: IOMMU_READ 1, IOMMU_WRITE 2; 0 = not known */
	__u8 mode;         /* IOT_UNMAP_* */
	__u8 flush_kind;   /* IOT_FLUSH_* */
	__u8 flush_why;    /* IOT_WHY_* */
	bool flushed;
	bool replaced; /* its unmap wasn't seen: another map took its place at unmap_ts */
	bool freed;    /* never unmapped: its domain was freed at unmap_ts */
};

struct history {
	struct dead *ring;
	size_t size;
	__u64 next; /* number of the next one; number n is kept as long as n + size >= next */
};

int history__init(struct history *h, size_t size); /* 0 or -ENOMEM */
void history__free(struct history *h);

/* Returns its number. */
__u64 history__add(struct history *h, const struct dead *d);
struct dead *history__get(const struct history *h, __u64 nr); /* NULL = forgotten */
/* How many are kept: the numbers from next - kept to next - 1. */
__u64 history__kept(const struct history *h);

#endif
