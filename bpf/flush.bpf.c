// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOTLB flushes, as templates by role: user space points one pair of programs at each flush
 * function that a live domain's ops name, whichever driver it belongs to. One object has the
 * programs for one function of each kind (with those of driver.bpf.c), and is opened as often as it
 * takes; the maps are shared with the rest.
 */
#define IOT_DEFINE_STATE
#include "ending.h"
#include "slots.h"

/* By IOT_FLUSH_*: which function this copy's programs are attached to, index of the attribute
 * flush_fn.<n>. */
const volatile __u32 flush_fns[IOT_FLUSH_SYNC_MAP + 1] = {};

SLOTS(inflight, IOT_INFLIGHT_BITS)

struct covered {
	__u64 begin, end;
	__u32 place;
	struct iot_live *hist;
	struct iot_live *ring;
};

/* Global, so that the verifier looks at its branches once and not at every path to every call. */
__noinline __u32 window__bucket(__u64 window)
{
	return hist__bucket(window);
}

static __always_inline void window__count(struct iot_live *l, __u32 lazy, __u32 bucket, __u64 n)
{
	barrier_var(bucket); /* as why in flush_live() */
	if (bucket < HIST_BUCKETS)
		__sync_fetch_and_add(&l->window[lazy][bucket], n);
}

#define BATCH 16

/*
 * Up to BATCH pending lazy unmaps of one CPU, oldest first; all of those that ended before the
 * flush began are covered. Another CPU's flush may be here at the same time: who moves the tail
 * counts them, so they are copied before.
 */
static long pending_step(__u32 i, struct covered *c)
{
	struct iot_live *r = c->ring, *h = c->hist;
	__u64 tail, nr, ts[BATCH], window, low = ~0ULL, count = 0;
	__u32 bucket = 0;
	int unseen;

	if (!r || !h)
		return 1;
	tail = *(volatile __u64 *)&r->pend_tail;
	nr = *(volatile __u64 *)&r->pend_head - tail;
	if (!nr)
		return 1;
	if (nr > BATCH)
		nr = BATCH;
	/* the newest of a full batch decides for all; near the end of the ring one by one */
	if (r->pend[(tail + nr - 1) & (IOT_PENDING - 1)] >= c->begin)
		nr = 1;
#pragma unroll
	for (__u32 k = 0; k < BATCH; k++)
		ts[k] = r->pend[(tail + k) & (IOT_PENDING - 1)];
	if (ts[0] >= c->begin)
		return 1;
	unseen = ts[0] < *(volatile __u64 *)&state.flushes_since;
	if (unseen)
		nr = 1;
	if (__sync_val_compare_and_swap(&r->pend_tail, tail, tail + nr) != tail)
		return 0;
	if (unseen) {
		__sync_fetch_and_add(&r->pend_dropped, 1);
		return 0;
	}
	window = c->end - ts[0];
	if (window > h->window_max[1])
		h->window_max[1] = window;
	/* windows only get shorter from here, so most stay in the bucket of the one before */
	for (__u32 k = 0; k < BATCH; k++) {
		if (k >= nr)
			break;
		window = c->end - ts[k];
		if (window < low) {
			if (count)
				window__count(h, 1, bucket, count);
			bucket = window__bucket(window);
			low = hist__low(bucket);
			count = 0;
		}
		count++;
	}
	window__count(h, 1, bucket, count);
	return 0;
}

static long cpu_step(__u32 cpu, struct covered *c)
{
	if (cpu >= knobs.nr_cpus)
		return 1;
	c->ring = live__of(cpu, c->place);
	bpf_loop(2 * IOT_PENDING, pending_step, c,
		 0); /* one by one and a lost race each, at the most */
	return 0;
}

static __always_inline void flush_live(__u32 cpu, int place, __u64 begin, __u64 end, __u32 kind,
				       __u32 why, __u64 first_unmap)
{
	struct iot_live *l = place >= 0 ? live__of(cpu, (__u32)place) : NULL;
	struct covered c;

	/* always in range, which the compiler knows and the verifier doesn't */
	barrier_var(why);
	if (!l || why >= IOT_WHY_NR)
		return;
	__sync_fetch_and_add(&l->flushes[why], 1);
	if (!begin)
		return;
	__sync_fetch_and_add(&l->flush_ns, end - begin);
	if (kind == IOT_FLUSH_SYNC && first_unmap) {
		window__count(l, 0, window__bucket(end - first_unmap), 1);
		if (end - first_unmap > l->window_max[0])
			l->window_max[0] = end - first_unmap;
	}
	if (kind == IOT_FLUSH_ALL) {
		c.begin = begin;
		c.end = end;
		c.place = (__u32)place;
		c.hist = l;
		c.ring = NULL;
		bpf_loop(knobs.nr_cpus, cpu_step, &c, 0);
	}
}

/*
 * Whose begin this is: the gather is on its caller's stack and so unique; without one, who runs and
 * which kind of flush he is in (two tasks may flush one domain at once, and a task be interrupted
 * by a flush of the same domain). A task's address has its low six bits free.
 */
static __always_inline __u64 flush__key(__u64 gather, __u32 kind)
{
	return gather ?: kernel__runner() | kind << 2;
}

static __always_inline int flush__begin(__u64 dom, __u64 gather, __u32 kind)
{
	__u64 key = flush__key(gather, kind);
	struct iot_inflight *f = NULL;

	if (knobs.mode == IOT_MODE_LIVE) /* its unmap may have taken the slot */
		f = slot__at(&inflight, inflight__find(&key));
	if (!f) {
		f = slot__at(&inflight, inflight__take(&key));
		if (!f)
			return 0;
		f->domain = gather ? 0 : dom;
		f->first_unmap = 0;
	}
	f->begin = bpf_ktime_get_ns();
	return 0;
}

__noinline int flush__count(__u32 cpu, int place, __u64 length)
{
	struct iot_counts *n = counts__of(cpu, place);
	__u32 slot = number__bits(length >> 9); /* IOT_TALLY_LOG2: the first ends at 512 ns */

	if (!n)
		return 0;
	count__add(&n->flushes, 1);
	count__max(&n->flush_longest, length);
	if (slot >= IOT_TALLY_LOG2)
		slot = IOT_TALLY_LOG2 - 1;
	barrier_var(slot);
	if (slot < IOT_TALLY_LOG2)
		count__add(&n->flush[slot], 1);
	return 0;
}

/* IOT_INSIDE_*, or 0. */
__noinline __u32 inside__what(void)
{
	__u64 runner = kernel__runner();
	__u32 *what = bpf_map_lookup_elem(&inside, &runner);

	return what ? *what : 0;
}

/*
 * A flush queue counts its flush before it calls the driver (fq_flush_iotlb(), inlined on 7.x): a
 * count beyond those already recognised makes this one of them, and the timer's own function tells
 * which kind. Counting, not comparing with the last value, keeps two concurrent flushes of one
 * domain apart.
 */
static __always_inline __u32 queue__why(__u64 dom)
{
	int place = dom__place(dom);
	struct iot_dom *d = place >= 0 ? dom__at(place) : NULL;
	struct iot_cpu *c = cpu__this(bpf_get_smp_processor_id());
	struct iommu_dma_cookie *cookie;
	__u64 started, seen;

	cookie = (void *)(d ? d->cookie : kernel__dma_cookie((void *)dom));
	if (!cookie)
		return IOT_WHY_OTHER;
	if (!bpf_core_field_exists(cookie->fq_flush_start_cnt))
		return IOT_WHY_UNKNOWN;
	/* The core flushes a domain that it is still making
	 * (iommu_create_device_direct_mappings()): one that nobody was told of, and without a
	 * queue. */
	if (!d)
		return BPF_CORE_READ(cookie, fq_domain) ? IOT_WHY_UNKNOWN : IOT_WHY_OTHER;
	/* in this order: another CPU's flush that is counted and recognised in between raises both
	 */
	seen = *(volatile __u64 *)&d->fq_seen;
	started = BPF_CORE_READ(cookie, fq_flush_start_cnt.counter);
	if (started <= seen)
		return IOT_WHY_OTHER;
	__sync_fetch_and_add(&d->fq_seen, 1);
	return c->in_fq_timer ? IOT_WHY_TIMER : IOT_WHY_QUEUE_FULL;
}

/*
 * Why this domain is flushed; what: IOT_INSIDE_* that the caller is. iotlb_sync comes from whoever
 * unmapped, when he has, or from the driver, in the middle of it.
 */
__noinline __u32 flush__why(const __u64 *dom, __u32 kind, __u32 what)
{
	if (kind == IOT_FLUSH_SYNC_MAP)
		return IOT_WHY_MAP;
	if (what == IOT_INSIDE_ATTACH || what == IOT_INSIDE_FREE)
		return IOT_WHY_DETACH;
	if (kind == IOT_FLUSH_ALL)
		return dom ? queue__why(*dom) : IOT_WHY_UNKNOWN;
	if (what == IOT_INSIDE_UNMAP)
		return IOT_WHY_RANGE;
	return *(volatile __u64 *)&state.unmaps_told ? IOT_WHY_STRICT : IOT_WHY_UNKNOWN;
}

static __always_inline int flush__end(__u64 dom, __u64 gather, __u32 kind, __u64 iova, __u64 size)
{
	__u64 key = flush__key(gather, kind), begin = 0, first = 0, ts;
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	const __u32 mode = knobs.mode;
	struct iot_flush *e = NULL;
	struct iot_inflight *f;
	__u32 what = 0, why;
	int place;

	if (kind != IOT_FLUSH_SYNC_MAP) /* each map has one of these */
		what = inside__what();
	why = flush__why(&dom, kind, what);
	if (mode == IOT_MODE_STREAM)
		e = (void *)hot__reserve(c);
	ts = bpf_ktime_get_ns();
	f = slot__at(&inflight, inflight__find(&key));
	place = dom__place(dom);
	/* also before the capture is on: or it would seem to be under way until the next one */
	if (f) {
		begin = f->begin;
		first = f->first_unmap;
		f->begin = 0;
		slot__free(f);
	}
	if (mode == IOT_MODE_STREAM && !hot__active(c))
		return 0;
	if (place < 0 && kind == IOT_FLUSH_SYNC_MAP)
		what = inside__what();
	if (place < 0 && what != IOT_INSIDE_FREE) /* its end was told */
		place = dom__add(kernel__number(dom), -1, IOT_SEEN_EVENT);
	if (!begin)
		__sync_fetch_and_add(&c->no_begin, 1);
	if (mode == IOT_MODE_LIVE) {
		flush_live(cpu, place, begin, ts, kind, why, first);
		return 0;
	}
	if (knobs.invariants && begin && kind != IOT_FLUSH_SYNC_MAP)
		flush__count(cpu, place, ts - begin);
	if (!e)
		return 0;
	hot__fill(&e->h, IOT_EV_FLUSH, cpu, dom__or_null(place), 0);
	if (!begin)
		e->h.flags |= IOT_F_NO_BEGIN;
	e->begin = begin;
	e->iova = iova;
	e->size = size;
	e->gather = kernel__low32(gather);
	e->kind = (__u8)kind;
	e->why = (__u8)why;
	e->fn = (__u16)flush_fns[kind];
	hot__publish(&e->h, ts);
	return 0;
}

SEC("?fentry")
int BPF_PROG(flush_all_entry, struct iommu_domain *dom)
{
	return flush__begin((__u64)dom, 0, IOT_FLUSH_ALL);
}

SEC("?fexit")
int BPF_PROG(flush_all_exit, struct iommu_domain *dom)
{
	return flush__end((__u64)dom, 0, IOT_FLUSH_ALL, 0, 0);
}

SEC("?fentry")
int BPF_PROG(sync_entry, struct iommu_domain *dom, struct iommu_iotlb_gather *gather)
{
	return flush__begin((__u64)dom, (__u64)gather, IOT_FLUSH_SYNC);
}

SEC("?fexit")
int BPF_PROG(sync_exit, struct iommu_domain *dom, struct iommu_iotlb_gather *gather)
{
	__u64 start = gather->start, end = gather->end;
	int empty = start >= end; /* nothing gathered: start is ULONG_MAX (include/linux/iommu.h) */

	return flush__end((__u64)dom, (__u64)gather, IOT_FLUSH_SYNC, empty ? 0 : start,
			  empty ? 0 : end - start + 1);
}

SEC("?fentry")
int BPF_PROG(sync_map_entry, struct iommu_domain *dom)
{
	return flush__begin((__u64)dom, 0, IOT_FLUSH_SYNC_MAP);
}

SEC("?fexit")
int BPF_PROG(sync_map_exit, struct iommu_domain *dom, unsigned long iova, u64 size)
{
	return flush__end((__u64)dom, 0, IOT_FLUSH_SYNC_MAP, iova, size);
}

/*
 * The same by kprobe and kretprobe, for functions without BTF: modules built against a kernel that
 * has none. On return the arguments are gone, so they wait here, by task and whether in an
 * interrupt.
 */
#define CALLS_BITS 13
struct call {
	__u64 key; /* kernel__runner(); 0 = free */
	__u64 dom;
	__u64 arg1, arg2; /* gather; or iova and size */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << CALLS_BITS);
	__type(key, __u32);
	__type(value, struct call);
} calls SEC(".maps");

SLOTS(calls, CALLS_BITS)

static __always_inline void call__enter(__u64 dom, __u64 arg1, __u64 arg2)
{
	__u64 runner = kernel__runner();
	struct call *c = slot__at(&calls, calls__take(&runner));

	if (!c)
		return;
	c->dom = dom;
	c->arg1 = arg1;
	c->arg2 = arg2;
}

/* 0: entered before we were attached, or no slot was left; the flush can't be told from none. */
static __always_inline int call__leave(struct call *out)
{
	struct iot_cpu *cpu = cpu__this(bpf_get_smp_processor_id());
	__u64 runner = kernel__runner();
	struct call *c = slot__at(&calls, calls__find(&runner));

	if (!c) {
		__sync_fetch_and_add(&cpu->no_begin, 1);
		return 0;
	}
	*out = *c;
	slot__free(c);
	return 1;
}

SEC("?kprobe")
int BPF_KPROBE(flush_all_kentry, struct iommu_domain *dom)
{
	call__enter((__u64)dom, 0, 0);
	return flush__begin((__u64)dom, 0, IOT_FLUSH_ALL);
}

SEC("?kretprobe")
int flush_all_kexit(void *ctx)
{
	struct call c;

	if (!call__leave(&c))
		return 0;
	return flush__end(c.dom, 0, IOT_FLUSH_ALL, 0, 0);
}

SEC("?kprobe")
int BPF_KPROBE(sync_kentry, struct iommu_domain *dom, struct iommu_iotlb_gather *gather)
{
	call__enter((__u64)dom, (__u64)gather, 0);
	return flush__begin((__u64)dom, (__u64)gather, IOT_FLUSH_SYNC);
}

SEC("?kretprobe")
int sync_kexit(void *ctx)
{
	struct iommu_iotlb_gather *gather;
	__u64 start, end;
	struct call c;

	if (!call__leave(&c))
		return 0;
	gather = (void *)c.arg1;
	start = BPF_CORE_READ(gather, start);
	end = BPF_CORE_READ(gather, end);
	return flush__end(c.dom, c.arg1, IOT_FLUSH_SYNC, start >= end ? 0 : start,
			  start >= end ? 0 : end - start + 1);
}

SEC("?kprobe")
int BPF_KPROBE(sync_map_kentry, struct iommu_domain *dom, unsigned long iova, u64 size)
{
	call__enter((__u64)dom, iova, size);
	return flush__begin((__u64)dom, 0, IOT_FLUSH_SYNC_MAP);
}

SEC("?kretprobe")
int sync_map_kexit(void *ctx)
{
	struct call c;

	if (!call__leave(&c))
		return 0;
	return flush__end(c.dom, 0, IOT_FLUSH_SYNC_MAP, c.arg1, c.arg2);
}

/*
 * A driver's domain free, the same way: how long it takes and the longest stretch in which its task
 * neither sleeps nor offers to (ending.bpf.c).
 */
static __always_inline int ending__begin(struct iommu_domain *dom)
{
	__u64 task = bpf_get_current_task();
	struct iot_ending t = { .ptr = (__u64)dom };
	int place = dom__place((__u64)dom);
	struct iot_dom *d = place >= 0 ? dom__at(place) : NULL;

	if (!d)
		return 0;
	dom__end((__u64)dom, 1); /* if no hook of the core has */
	t.place = (__u32)place;
	t.domain = d->id;
	t.dev = d->dev;
	t.seen = offers__seen();
	t.begin = t.mark = bpf_ktime_get_ns();
	if (!bpf_map_update_elem(&endings, &task, &t, BPF_ANY))
		__sync_fetch_and_add(&state.endings, 1);
	return 0;
}

static __always_inline int ending__end(void)
{
	__u64 task = bpf_get_current_task();
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_ending *t = bpf_map_lookup_elem(&endings, &task);
	struct iot_counts *n;
	struct iot_teardown *e;
	struct iot_dom *d;

	if (!t) /* a domain that we never knew, or entered before we were attached */
		return 0;
	__sync_fetch_and_add(&state.endings, -1);
	ending__stretch(t, bpf_ktime_get_ns());
	e = rare__reserve(sizeof(*e));
	if (e) {
		event__init(&e->h, IOT_EV_TEARDOWN, sizeof(*e), t->domain, t->dev);
		e->begin = t->begin;
		e->longest = t->seen ? t->longest : 0;
		e->tables = t->tables;
		e->offers = t->offers;
		rare__submit(e);
	}
	n = counts__of(cpu, (int)t->place);
	if (n && t->seen)
		count__max(&n->teardown_longest, t->longest);
	d = dom__at((int)t->place);
	if (d->ptr == t->ptr)
		__sync_lock_test_and_set(&d->ptr, IOT_DOM_DEAD);
	bpf_map_delete_elem(&endings, &task);
	return 0;
}

SEC("?fentry")
int BPF_PROG(free_entry, struct iommu_domain *dom)
{
	return ending__begin(dom);
}

SEC("?fexit")
int BPF_PROG(free_exit)
{
	return ending__end();
}

SEC("?kprobe")
int BPF_KPROBE(free_kentry, struct iommu_domain *dom)
{
	return ending__begin(dom);
}

SEC("?kretprobe")
int free_kexit(void *ctx)
{
	return ending__end();
}

char LICENSE[] SEC("license") = "GPL";
