/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is counted. Events are counted once, in the cell of their domain, device and NUMA place
 * (model/cells.h); the sums over a domain, a device and all are made at the end.
 */
#ifndef IOMMUTOP_MODEL_STATS_H
#define IOMMUTOP_MODEL_STATS_H

#include <stdbool.h>

#include "event.h"
#include "util/hist.h"

#define STATS_WHY_NR    IOT_WHY_NR
#define STATS_KIND_NR   4 /* IOT_FLUSH_*; 0 = another */
#define STATS_ERRORS_NR 8

/* Page sizes of x86 IOMMU page tables. */
enum stats_page { STATS_PAGE_4K, STATS_PAGE_2M, STATS_PAGE_1G, STATS_PAGE_NR };

struct model_stats {
	__u64 maps, map_bytes, map_failed;
	__u64 map_lists;    /* runs of maps that follow each other: see model/lists.h */
	__u64 list_longest; /* maps */
	/* Bytes of successful maps by the largest page that iova, paddr and size allow there. */
	__u64 page_bytes[STATS_PAGE_NR];
	struct {
		__s32 err; /* negative errno; 0 = free */
		__u64 nr;
	} map_errors[STATS_ERRORS_NR]; /* of failed maps; more kinds are in map_failed alone */
	__u64 unmaps, unmap_bytes;
	__u64 unmaps_lazy, unmaps_strict;
	__u64 flushes[STATS_WHY_NR]; /* by IOT_WHY_* */
	__u64 kinds[STATS_KIND_NR];  /* the same, by IOT_FLUSH_* */
	__u64 kind_ns[STATS_KIND_NR];
	__u64 empty[STATS_KIND_NR];   /* covered no unmap that was seen */
	__u64 most[STATS_KIND_NR];    /* unmaps that one flush covered, at the most */
	__u64 covered[STATS_KIND_NR]; /* unmaps covered by flushes of that kind … */
	__u64 covered_bytes[STATS_KIND_NR];
	__u64 iova_allocs, iova_failed, iova_frees, iova_slow;
	__u64 faults, hangs, resets,
		errors;   /* counted by src/analyze, which knows what is the same one seen twice */
	struct hist lazy; /* window, ns: end of the unmap to end of the flush that covers it */
	struct hist strict;
	struct hist flush;     /* length of a flush, ns; without those after map */
	struct hist sync_map;  /* length of a flush after map, ns */
	struct hist iova_time; /* of an allocation, ns */
	/* Bytes that were unmapped and not flushed yet, times how long: byte * ns, by mode. */
	unsigned __int128 lazy_exposed, strict_exposed;
};

void stats__map(struct model_stats *s, const struct iot_map *ev);
void stats__unmap(struct model_stats *s, const struct iot_unmap *ev);
void stats__flush(struct model_stats *s, const struct iot_flush *ev);
void stats__iova(struct model_stats *s, const struct iot_iova *ev);
/* An unmap of so many bytes was covered by a flush of that kind after ns. */
void stats__window(struct model_stats *s, bool lazy, __u8 kind, __u64 bytes, __u64 ns);
/* A flush covered so many unmaps, whether they are in scope or not. */
void stats__covered(struct model_stats *s, __u8 kind, __u64 unmaps);

void stats__merge(struct model_stats *into, const struct model_stats *from);
/* Zero but for faults, hangs, resets and errors. */
void stats__clear_events(struct model_stats *s);

#endif
