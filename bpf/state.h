/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps, and the few verbs on them that every program uses. Sizes marked 1 are set before load.
 */
#ifndef IOMMUTOP_BPF_STATE_H
#define IOMMUTOP_BPF_STATE_H

#include "kernel.h"
#include "shared.h"

/*
 * Global data is defined by the one file of an object that says IOT_DEFINE_STATE: the static linker
 * would keep a weak copy's section of every file, and the section's size is the size of the map,
 * which two objects share.
 */
#ifdef IOT_DEFINE_STATE
const volatile struct iot_knobs knobs = {};
struct iot_state state SEC(".data.state") = {};
#else
extern const volatile struct iot_knobs knobs;
extern struct iot_state state;
#endif

/* weak: each file of bpf/ declares them, the static linker keeps one */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__uint(value_size, IOT_HOT_SIZE);
} hot SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct iot_live);
} live SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct iot_live_submit);
} live_submits SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, IOT_INFLIGHT);
	__type(key, __u32);
	__type(value, struct iot_inflight);
} inflight SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct iot_dev);
} devs SEC(".maps") __weak;

/* struct iova_domain * -> struct iommu_domain *: an IOVA is freed with nothing but its allocator at
 * hand. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u64);
} allocators SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} rare SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16384);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, IOT_STACK_MAX * sizeof(__u64));
} stacks SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct iot_counts);
} tallies SEC(".maps") __weak;

/* Tasks inside of a driver's domain free. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, struct iot_ending);
} endings SEC(".maps") __weak;

/* kernel__runner() -> IOT_INSIDE_*. An unmap is within none of the others: the last one counts. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u32);
} inside SEC(".maps") __weak;

/* The functions that free domains and are hooked; user space fills it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, __u32);
} free_fns SEC(".maps") __weak;

/* Who is inside of a driver's own function for pages of tables. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u32);
} in_table_fn SEC(".maps") __weak;

/* Counters of what was handed out: [0] domains, [1] devices. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps") __weak;

#define NUMBER_DOMAIN 0
#define NUMBER_DEVICE 1

static __always_inline __u32 number__next(__u32 what)
{
	__u64 *n = bpf_map_lookup_elem(&numbers, &what);

	return n ? (__u32)__sync_fetch_and_add(n, 1) + 1 : 0;
}

/* How many bits a number has: 0 of 0, 64 at the most. */
static __always_inline __u32 number__bits(__u64 value)
{
	__u32 bits = 0;

#pragma unroll
	for (__u32 step = 32; step; step >>= 1) {
		if (value >> step) {
			bits += step;
			value >>= step;
		}
	}
	return bits + (__u32)value;
}

static __always_inline struct iot_cpu *cpu__this(__u32 cpu)
{
	return &state.cpus[cpu & (IOT_CPUS_MAX - 1)];
}

/* Fibonacci hashing: pointers differ in their middle bits, the multiplication carries them to the
 * top. HASH_BITS of them. */
#define HASH_BITS 20
static __always_inline __u32 hash__ptr(__u64 ptr)
{
	return (kernel__low32(ptr) * 0x9e3779b1U) >> (32 - HASH_BITS);
}

static __always_inline struct iot_live *live__of(__u32 cpu, __u32 place)
{
	__u32 key = cpu * (knobs.dom_mask + 1) + place;

	return bpf_map_lookup_elem(&live, &key);
}

/* place < 0: of what has none. */
static __always_inline struct iot_counts *counts__of(__u32 cpu, int place)
{
	__u32 places = knobs.dom_mask + 1;
	__u32 key = cpu * (places + 1) + (place < 0 ? places : (__u32)place);

	return bpf_map_lookup_elem(&tallies, &key);
}

static __always_inline void count__add(__u64 *counter, __u64 n)
{
	__sync_fetch_and_add(counter, n);
}

#define MAX_TRIES 8 /* as many may raise it meanwhile */

static __always_inline void count__max(__u64 *max, __u64 value)
{
	for (int i = 0; i < MAX_TRIES; i++) {
		__u64 old = *(volatile __u64 *)max;

		if (value <= old || __sync_val_compare_and_swap(max, old, value) == old)
			return;
	}
}

/*
 * Rare events go through a BPF ring buffer of their own, so that no storm of maps drowns them. The
 * consumer polls by the clock, so nobody is woken here. Returns NULL, counted as lost, if the ring
 * is full.
 */
static __always_inline void *rare__reserve(__u32 size)
{
	void *p = bpf_ringbuf_reserve(&rare, size, 0);

	if (!p) {
		__u32 cpu = bpf_get_smp_processor_id();
		struct iot_cpu *c = cpu__this(cpu);

		__sync_fetch_and_add(&c->rare_lost, 1);
	}
	return p;
}

static __always_inline void rare__submit(void *p)
{
	bpf_ringbuf_submit(p, BPF_RB_NO_WAKEUP);
}

/* As kernel__preempt_count(), for programs that are rarely run. */
static __always_inline int cpu__preempt_count(__u32 cpu)
{
	int count = 0;

	bpf_probe_read_kernel(&count, sizeof(count), (void *)cpu__this(cpu)->preempt_count);
	return count;
}

static __always_inline int cpu__in_irq(__u32 cpu)
{
	return (cpu__preempt_count(cpu) & PREEMPT_IRQ_BITS) != 0;
}

/* The same as kernel__runner(). */
static __always_inline __u64 cpu__runner(void)
{
	return runner__at(cpu__preempt_count(bpf_get_smp_processor_id()));
}

static __always_inline void event__init(struct iot_event *e, __u16 id, __u16 len, __u32 domain,
					__u32 dev)
{
	__u32 cpu = bpf_get_smp_processor_id();

	e->ts = bpf_ktime_get_ns();
	e->id = id;
	e->len = len;
	e->cpu = (__u16)cpu;
	e->flags = cpu__in_irq(cpu) ? IOT_F_IRQ : 0;
	e->tid = (__u32)bpf_get_current_pid_tgid();
	e->domain = domain;
	e->dev = dev;
	e->stack = 0;
}

/*
 * Number of the kernel stack from the traced function on, without the two frames of the program
 * itself and of its trampoline; 0 if the stack map has no room: a collision loses the stack, not
 * the event.
 */
static __always_inline __u32 stack__number(void *ctx)
{
	long id = bpf_get_stackid(ctx, &stacks, BPF_F_FAST_STACK_CMP | 2);

	return id < 0 ? 0 : (__u32)id + 1;
}

/* Is the capture on? Once it is, limit is never 0 again until it is switched off. */
static __always_inline int hot__active(const struct iot_cpu *c)
{
	return *(volatile __u64 *)&c->limit != 0;
}

/*
 * A slot of this CPU's ring; NULL: the capture is off, or the ring is full (counted as lost). The
 * caller fills everything but ts, then calls hot__publish(). Several programs may be between the
 * two at once on one CPU, nested by interrupts: each has its own slot.
 */
static __always_inline struct iot_event *hot__reserve(struct iot_cpu *c)
{
	__u64 pos, limit = *(volatile __u64 *)&c->limit;
	__u32 key;

	if (c->head >= limit) {
		if (limit)
			__sync_fetch_and_add(&c->lost, 1);
		return NULL;
	}
	pos = __sync_fetch_and_add(&c->head, 1);
	key = c->ring_first + ((__u32)pos & knobs.ring_mask);
	return bpf_map_lookup_elem(&hot, &key);
}

/* The reader takes a slot whose ts isn't 0, and sets it back to 0. The exchange orders it behind
 * the other fields. */
static __always_inline void hot__publish(struct iot_event *e, __u64 ts)
{
	__sync_lock_test_and_set(&e->ts, ts);
}

/* The header but for ts, in three stores: two fields a word, the lower one first (CPUs that BPF
 * runs on differ). */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PAIR(lower, upper, bits) ((__u64)(lower) | (__u64)(upper) << (bits))
#else
#define PAIR(lower, upper, bits) ((__u64)(lower) << (64 - (bits)) | (__u64)(upper))
#endif
struct hot_header {
	__u64 ts;
	__u32 id_len;
	__u16 cpu, flags;
	__u64 tid_domain;
	__u64 dev_stack;
};
_Static_assert(sizeof(struct hot_header) == sizeof(struct iot_event), "the same header");

static __always_inline void hot__fill(struct iot_event *e, __u16 id, __u32 cpu,
				      const struct iot_dom *d, __u32 stack)
{
	struct hot_header *h = (void *)e;

	e->id = id;
	e->len = IOT_HOT_SIZE;
	h->cpu = (__u16)cpu;
	h->flags = (__u16)kernel__in_irq(); /* IOT_F_IRQ is 1 */
	h->tid_domain = PAIR((__u32)bpf_get_current_pid_tgid(), d ? d->id : 0, 32);
	h->dev_stack = PAIR(d ? d->dev : 0, stack, 32);
}
_Static_assert(IOT_F_IRQ == 1, "hot__fill() stores kernel__in_irq() as it is");

/* The domain's place in the table, or a negative number. */
static __always_inline int dom__place(__u64 ptr)
{
	__u32 h = hash__ptr(ptr);

#pragma unroll
	for (__u32 i = 0; i < IOT_DOM_PROBES; i++) {
		__u32 k = (h + i) & knobs.dom_mask & (IOT_DOMS_MAX - 1);

		if (state.doms[k].ptr == ptr)
			return (int)k;
	}
	return -1;
}

static __always_inline struct iot_dom *dom__at(int place)
{
	return &state.doms[(__u32)place & (IOT_DOMS_MAX - 1)];
}

static __always_inline __u8 dom__user(struct iommu_domain *dom, const struct iot_dom *d)
{
	if (d->type & DOMAIN_DMA_API_BIT)
		return IOT_USER_DMA_API;
	if (kernel__by_iommufd(dom))
		return IOT_USER_IOMMUFD;
	if (d->type != IOT_TYPE_UNMANAGED)
		return IOT_USER_UNKNOWN;
	return d->life & IOT_DOM_CLAIMED ? IOT_USER_VFIO : IOT_USER_UNMANAGED;
}

/* Everything about a domain that its kernel structures say now; what: IOT_DOMAIN_*. */
static __always_inline void dom__tell(struct iommu_domain *dom, const struct iot_dom *d, __u32 what,
				      __u16 flags)
{
	struct iommu_dma_cookie *cookie = (void *)d->cookie;
	const struct iommu_domain_ops *ops;
	struct iot_domain *e;

	e = rare__reserve(sizeof(*e));
	if (!e)
		return;
	event__init(&e->h, IOT_EV_DOMAIN, sizeof(*e), d->id, d->dev);
	e->h.flags |= flags;
	e->what = what;
	e->type = d->type;
	e->group = d->group;
	e->fq_active = 0;
	e->fq_known = 0;
	e->user = dom__user(dom, d);
	e->pad[0] = 0;
	e->fq_started = e->fq_finished = 0;
	if (cookie && bpf_core_field_exists(cookie->fq_domain)) {
		e->fq_known = 1;
		e->fq_active = BPF_CORE_READ(cookie, fq_domain) != NULL;
		e->fq_started = BPF_CORE_READ(cookie, fq_flush_start_cnt.counter);
		e->fq_finished = BPF_CORE_READ(cookie, fq_flush_finish_cnt.counter);
	}
	ops = BPF_CORE_READ(dom, ops);
	e->owner = (__u64)ops;
	e->flush_all = (__u64)BPF_CORE_READ(ops, flush_iotlb_all);
	e->sync = (__u64)BPF_CORE_READ(ops, iotlb_sync);
	e->sync_map = (__u64)BPF_CORE_READ(ops, iotlb_sync_map);
	rare__submit(e);
}

/* For the collector alone, which hooks it. */
static __always_inline void dom__tell_free(struct iommu_domain *dom)
{
	const struct iommu_domain_ops *ops;
	struct iot_raw_free *e;

	if (!knobs.invariants)
		return;
	e = rare__reserve(sizeof(*e));
	if (!e)
		return;
	event__init(&e->h, IOT_RAW_FREE, sizeof(*e), 0, 0);
	ops = BPF_CORE_READ(dom, ops);
	e->fn = (__u64)BPF_CORE_READ(ops, free);
	rare__submit(e);
}

static __always_inline void dom__tell_allocator(const struct iot_dom *d, __u64 ptr)
{
	__u64 key = d->cookie + bpf_core_field_offset(struct iommu_dma_cookie, iovad);

	if (d->cookie)
		bpf_map_update_elem(&allocators, &key, &ptr, BPF_ANY);
}

#define BUSY_TRIES 64

/*
 * Takes a free place. 1: taken; 0: somebody else has it; -1: somebody is filling it and doesn't
 * end, as when we interrupted him: whose it will be can't be known.
 */
static __always_inline int dom__take(struct iot_dom *d)
{
	if (__sync_val_compare_and_swap(&d->ptr, IOT_DOM_FREE, IOT_DOM_BUSY) == IOT_DOM_FREE)
		return 1;
#pragma clang loop unroll(disable)
	for (int i = 0; i < BUSY_TRIES; i++)
		if (*(volatile __u64 *)&d->ptr != IOT_DOM_BUSY)
			return 0;
	return -1;
}

/* What the domain's structures say of its type and its DMA cookie, which come after the allocation.
 */
static __always_inline void dom__look(struct iommu_domain *dom, struct iot_dom *d)
{
	struct iommu_dma_cookie *cookie;

	d->type = (__u16)BPF_CORE_READ(dom, type);
	d->cookie = kernel__dma_cookie(dom);
	cookie = (void *)d->cookie;
	d->fq_seen = 0;
	if (cookie && bpf_core_field_exists(cookie->fq_flush_start_cnt))
		d->fq_seen = BPF_CORE_READ(cookie, fq_flush_start_cnt.counter);
	d->fq_base = d->fq_seen;
	dom__tell_allocator(d, (__u64)dom);
}

static __always_inline void dom__note_begin(int place)
{
	struct iot_counts *n = counts__of(bpf_get_smp_processor_id(), place);

	if (n)
		n->begin = bpf_ktime_get_ns();
}

static __always_inline void dom__introduce(struct iommu_domain *dom, const struct iot_dom *d)
{
	dom__tell(dom, d, IOT_DOMAIN_SEEN, d->seen_by == IOT_SEEN_SNAPSHOT ? IOT_F_SNAPSHOT : 0);
	dom__tell_free(dom);
}

/* A place for a domain that has none. negative: there is none; *mine 0: somebody else has given it
 * one meanwhile. */
static __always_inline int dom__claim(__u64 ptr, int *mine)
{
	__u32 h = hash__ptr(ptr);

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < IOT_DOM_PROBES; i++) {
		__u32 k = (h + i) & knobs.dom_mask & (IOT_DOMS_MAX - 1);
		int taken = dom__take(&state.doms[k]);

		*mine = taken;
		if (taken < 0)
			return -1;
		/* two CPUs may meet a new domain at once: the other one was first */
		if (taken || state.doms[k].ptr == ptr)
			return (int)k;
	}
	return -1;
}

/*
 * Finds the domain or gives it a place and a number and tells the stream of it. Not on the hot path
 * but for the first event of a domain that never was attached where we look (VFIO maps first). -1:
 * no place (counted by the caller). how: IOT_SEEN_*.
 *
 * Global, as all that is large or branches much: the verifier looks at it once, not on every path
 * that leads to a call of it. A global function takes numbers, which ptr has to be for the
 * verifier: kernel__number(). (Pointers to the stack it may take too, but 7.x looks at the function
 * once more then for each call.)
 */
__weak __noinline int dom__add(__u64 ptr, __s32 group, __u32 how)
{
	struct iommu_domain *dom = (void *)ptr;
	int place = dom__place(ptr), mine = 0;
	struct iot_dom *d;

	if (place >= 0) {
		d = dom__at(place);
		if (d->life & IOT_DOM_GOING) {
			/* a new one at the address of one whose end we missed */
			__sync_lock_test_and_set(&d->ptr, IOT_DOM_DEAD);
			place = -1;
		} else if (d->life & IOT_DOM_TOLD || how == IOT_SEEN_TABLE) {
			return place;
		} else {
			d->life = IOT_DOM_TOLD;
		}
	}
	if (place < 0) {
		place = dom__claim(ptr, &mine);
		if (place < 0 || !mine)
			return place;
		d = dom__at(place);
		d->id = number__next(NUMBER_DOMAIN);
		d->seen_by = (__u8)how;
		d->life = how == IOT_SEEN_TABLE ? 0 : IOT_DOM_TOLD;
		d->group = group;
		d->dev_xor = 0;
		d->dev = 0;
		d->nr_devs = 0;
	}
	d = dom__at(place);
	dom__look(dom, d);
	if (mine) {
		if (knobs.invariants)
			dom__note_begin(place);
		__sync_lock_test_and_set(&d->ptr, ptr);
	}
	if (how != IOT_SEEN_TABLE)
		dom__introduce(dom, d);
	return place;
}

static __always_inline struct iot_dom *dom__or_null(int place)
{
	return place < 0 ? NULL : dom__at(place);
}

/* The place of a domain that may not have been attached where we look; negative: the table is full.
 */
static __always_inline int dom__find_or_add(__u64 ptr)
{
	int place = dom__place(ptr);

	return place >= 0 ? place : dom__add(kernel__number(ptr), -1, IOT_SEEN_EVENT);
}

#endif
