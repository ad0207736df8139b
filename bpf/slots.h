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

/*
 * Whose begin it is. For hot programs; others: cpu__runner(). Global, so there is one mention of
 * the variable in each program; not in kernel.h, for libbpf looks for it wherever it is mentioned.
 */
__weak __noinline __u64 kernel__runner(void)
{
	return runner__at(kernel__preempt_count());
}

#define SLOT_WAYS 4
#define SLOT_NONE 0xffffffffU /* no map has it */

/* The map has 1 << bits values, each begins with its key. */
static __always_inline __u32 slot__way(__u32 bits, __u64 key, __u32 way)
{
	/* the top bits of the hash are the good ones */
	return (hash__ptr(key) >> (HASH_BITS - bits)) ^ way;
}

/* SLOT_NONE: none, it was never taken or is lost. */
static __always_inline __u32 slot__find(void *map, __u32 bits, __u64 key)
{
#pragma unroll
	for (__u32 way = 0; way < SLOT_WAYS; way++) {
		__u32 k = slot__way(bits, key, way);
		__u64 *slot = bpf_map_lookup_elem(map, &k);

		if (slot && *(volatile __u64 *)slot == key)
			return k;
	}
	return SLOT_NONE;
}

/*
 * A slot for key, which isn't 0; all but the key is as somebody left it. One that the holder left
 * behind (its exit was missed) is used again.
 */
static __always_inline __u32 slot__take(void *map, __u32 bits, __u64 key)
{
	__u64 *slot, old;
	__u32 k;

#pragma unroll
	for (__u32 way = 0; way < SLOT_WAYS; way++) {
		k = slot__way(bits, key, way);
		slot = bpf_map_lookup_elem(map, &k);
		if (!slot)
			return SLOT_NONE;
		old = *(volatile __u64 *)slot;
		if (old == key || (!old && !__sync_val_compare_and_swap(slot, 0, key)))
			return k;
	}
	k = slot__way(bits, key, 0);
	slot = bpf_map_lookup_elem(map, &k);
	if (slot)
		__sync_lock_test_and_set(slot, key);
	return k;
}

/*
 * MAP__find() and MAP__take() of a map: global, for the verifier would try what follows once for
 * each way (dom__add() says more). They return an index, since no global function returns a
 * pointer.
 */
#define SLOTS(map, bits)                                               \
	__weak __noinline __u32 map##__find(const __u64 *key)          \
	{                                                              \
		return key ? slot__find(&map, bits, *key) : SLOT_NONE; \
	}                                                              \
	__weak __noinline __u32 map##__take(const __u64 *key)          \
	{                                                              \
		return key ? slot__take(&map, bits, *key) : SLOT_NONE; \
	}

/* What they found; NULL: nothing. */
static __always_inline void *slot__at(void *map, __u32 k)
{
	return bpf_map_lookup_elem(map, &k);
}

static __always_inline void slot__free(void *slot)
{
	__sync_lock_test_and_set((__u64 *)slot, 0);
}

#endif
