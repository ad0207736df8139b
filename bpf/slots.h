/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What waits from the entry of a function to its exit: an array as a hash table without chains,
 * each key in one of SLOT_WAYS neighbours. A hash look-up costs several times as much (shared.h).
 * Only the holder of a key uses its slot, so nothing but the key needs to be taken atomically. With
 * more holders than neighbours one loses its slot, which shows at its exit: slot__find() has none.
 * Holders are at most as many as CPUs, and what was preempted on them: with 8192 slots and 256
 * CPUs, all inside at once, five meet in one of two thousand such moments.
 */
#ifndef IOMMUTOP_BPF_SLOTS_H
#define IOMMUTOP_BPF_SLOTS_H

#include "state.h"

#define SLOT_WAYS 4

/* The map has 1 << bits values, each begins with its key. */
static __always_inline __u64 *slot__way(void *map, __u32 bits, __u64 key, __u32 way)
{
	/* the top bits of the hash are the good ones */
	__u32 k = (hash__ptr(key) >> (HASH_BITS - bits)) ^ way;

	return bpf_map_lookup_elem(map, &k);
}

/* NULL: none, it was never taken or is lost. */
static __always_inline void *slot__find(void *map, __u32 bits, __u64 key)
{
#pragma unroll
	for (__u32 way = 0; way < SLOT_WAYS; way++) {
		__u64 *slot = slot__way(map, bits, key, way);

		if (slot && *(volatile __u64 *)slot == key)
			return slot;
	}
	return NULL;
}

/*
 * A slot for key, which isn't 0; all but the key is as somebody left it. One that the holder left
 * behind (its exit was missed) is used again.
 */
static __always_inline void *slot__take(void *map, __u32 bits, __u64 key)
{
	__u64 *slot, old;

#pragma unroll
	for (__u32 way = 0; way < SLOT_WAYS; way++) {
		slot = slot__way(map, bits, key, way);
		if (!slot)
			return NULL;
		old = *(volatile __u64 *)slot;
		if (old == key || (!old && !__sync_val_compare_and_swap(slot, 0, key)))
			return slot;
	}
	slot = slot__way(map, bits, key, 0);
	if (slot)
		__sync_lock_test_and_set(slot, key);
	return slot;
}

static __always_inline void slot__free(void *slot)
{
	__sync_lock_test_and_set((__u64 *)slot, 0);
}

#endif
