// SPDX-License-Identifier: GPL-2.0-only
#include "model/stats.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

/* Bytes of [iova, iova + size) in whole pages of that size, if iova and paddr are in step. */
static __u64 in_pages(__u64 iova, __u64 paddr, __u64 size, __u64 page)
{
	__u64 head = -iova & (page - 1);

	if (((iova ^ paddr) & (page - 1)) || size < head)
		return 0;
	return (size - head) & ~(page - 1);
}

/* The kernel takes the largest page that fits at each address (iommu_pgsize(),
 * drivers/iommu/iommu.c). */
static void count_pages(struct model_stats *s, const struct iot_map *ev)
{
	__u64 large, huge;

	if (ev->size < 2 * MIB) {
		s->page_bytes[STATS_PAGE_4K] += ev->size;
		return;
	}
	huge = in_pages(ev->iova, ev->paddr, ev->size, GIB);
	large = in_pages(ev->iova, ev->paddr, ev->size, 2 * MIB) - huge;
	s->page_bytes[STATS_PAGE_1G] += huge;
	s->page_bytes[STATS_PAGE_2M] += large;
	s->page_bytes[STATS_PAGE_4K] += ev->size - huge - large;
}

static void count_error(struct model_stats *s, __s32 err, __u64 nr)
{
	for (int i = 0; i < STATS_ERRORS_NR; i++) {
		if (s->map_errors[i].err && s->map_errors[i].err != err)
			continue;
		s->map_errors[i].err = err;
		s->map_errors[i].nr += nr;
		return;
	}
}

void stats__map(struct model_stats *s, const struct iot_map *ev)
{
	if (ev->ret) {
		s->map_failed++;
		count_error(s, ev->ret, 1);
		return;
	}
	s->maps++;
	s->map_bytes += ev->size;
	count_pages(s, ev);
}

void stats__unmap(struct model_stats *s, const struct iot_unmap *ev)
{
	s->unmaps++;
	s->unmap_bytes += ev->unmapped;
	s->unmaps_lazy += ev->mode == IOT_UNMAP_LAZY;
	s->unmaps_strict += ev->mode == IOT_UNMAP_STRICT;
}

void stats__flush(struct model_stats *s, const struct iot_flush *ev)
{
	__u8 kind = ev->kind < STATS_KIND_NR ? ev->kind : 0;

	s->flushes[ev->why < STATS_WHY_NR ? ev->why : IOT_WHY_UNKNOWN]++;
	s->kinds[kind]++;
	if (!ev->begin || ev->begin > ev->h.ts)
		return;
	s->kind_ns[kind] += ev->h.ts - ev->begin;
	hist__add(kind == IOT_FLUSH_SYNC_MAP ? &s->sync_map : &s->flush, ev->h.ts - ev->begin);
}

void stats__iova(struct model_stats *s, const struct iot_iova *ev)
{
	if (ev->h.id == IOT_EV_IOVA_FREE) {
		s->iova_frees++;
		return;
	}
	if (ev->iova)
		s->iova_allocs++;
	else
		s->iova_failed++;
	s->iova_slow += ev->h.flags & IOT_F_SLOW ? 1 : 0;
	if (ev->begin && ev->begin <= ev->h.ts)
		hist__add(&s->iova_time, ev->h.ts - ev->begin);
}

void stats__window(struct model_stats *s, bool lazy, __u8 kind, __u64 bytes, __u64 ns)
{
	kind = kind < STATS_KIND_NR ? kind : 0;
	hist__add(lazy ? &s->lazy : &s->strict, ns);
	s->covered[kind]++;
	s->covered_bytes[kind] += bytes;
	*(lazy ? &s->lazy_exposed : &s->strict_exposed) += (unsigned __int128)bytes * ns;
}

void stats__covered(struct model_stats *s, __u8 kind, __u64 unmaps)
{
	kind = kind < STATS_KIND_NR ? kind : 0;
	s->empty[kind] += !unmaps;
	if (unmaps > s->most[kind])
		s->most[kind] = unmaps;
}

static void add_up(__u64 *into, const __u64 *from, int nr)
{
	for (int i = 0; i < nr; i++)
		into[i] += from[i];
}

void stats__merge(struct model_stats *into, const struct model_stats *from)
{
	into->maps += from->maps;
	into->map_bytes += from->map_bytes;
	into->map_failed += from->map_failed;
	into->map_lists += from->map_lists;
	if (from->list_longest > into->list_longest)
		into->list_longest = from->list_longest;
	add_up(into->page_bytes, from->page_bytes, STATS_PAGE_NR);
	for (int i = 0; i < STATS_ERRORS_NR && from->map_errors[i].err; i++)
		count_error(into, from->map_errors[i].err, from->map_errors[i].nr);
	into->unmaps += from->unmaps;
	into->unmap_bytes += from->unmap_bytes;
	into->unmaps_lazy += from->unmaps_lazy;
	into->unmaps_strict += from->unmaps_strict;
	add_up(into->flushes, from->flushes, STATS_WHY_NR);
	add_up(into->kinds, from->kinds, STATS_KIND_NR);
	add_up(into->kind_ns, from->kind_ns, STATS_KIND_NR);
	add_up(into->empty, from->empty, STATS_KIND_NR);
	for (int i = 0; i < STATS_KIND_NR; i++)
		if (from->most[i] > into->most[i])
			into->most[i] = from->most[i];
	add_up(into->covered, from->covered, STATS_KIND_NR);
	add_up(into->covered_bytes, from->covered_bytes, STATS_KIND_NR);
	into->iova_allocs += from->iova_allocs;
	into->iova_failed += from->iova_failed;
	into->iova_frees += from->iova_frees;
	into->iova_slow += from->iova_slow;
	into->faults += from->faults;
	into->hangs += from->hangs;
	into->resets += from->resets;
	into->errors += from->errors;
	hist__merge(&into->lazy, &from->lazy);
	hist__merge(&into->strict, &from->strict);
	hist__merge(&into->flush, &from->flush);
	hist__merge(&into->sync_map, &from->sync_map);
	hist__merge(&into->iova_time, &from->iova_time);
	into->lazy_exposed += from->lazy_exposed;
	into->strict_exposed += from->strict_exposed;
}

void stats__clear_events(struct model_stats *s)
{
	*s = (struct model_stats){
		.faults = s->faults, .hangs = s->hangs, .resets = s->resets, .errors = s->errors
	};
}
