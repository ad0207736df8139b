// SPDX-License-Identifier: GPL-2.0-only
/*
 * What drivers do beside their ops, as templates: invalidations, and pages of page tables. User
 * space points one pair of programs at each function of its table (src/collect/drivers.c) that the
 * kernel has: see flush.bpf.c, which is in the same object.
 */
#include "slots.h"

/* Of this copy's programs of each kind. */
const volatile struct iot_driver_fn inval_fn = {}, alloc_fn = {}, free_fn = {}, submit_fn = {};

/* Calls under way, by who runs. */
#define CALLS_BITS 13
struct driver_call {
	__u64 key;   /* kernel__runner(); 0 = free */
	__u64 begin; /* ns */
	__u64 args[3];
};

struct calls {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << CALLS_BITS);
	__type(key, __u32);
	__type(value, struct driver_call);
};

/* A page may be allocated while an invalidation is under way, so each kind has its own. */
struct calls inval_calls SEC(".maps"), alloc_calls SEC(".maps"), submit_calls SEC(".maps");

SLOTS(inval_calls, CALLS_BITS)
SLOTS(alloc_calls, CALLS_BITS)
SLOTS(submit_calls, CALLS_BITS)

/* c: its slot; NULL: none was left. */
static __always_inline void call__enter(struct driver_call *c, __u64 a0, __u64 a1, __u64 a2)
{
	if (!c)
		return;
	c->args[0] = a0;
	c->args[1] = a1;
	c->args[2] = a2;
	c->begin = bpf_ktime_get_ns();
}

#define CALL_ENTER(calls, a0, a1, a2)                                              \
	({                                                                         \
		__u64 runner = kernel__runner();                                   \
                                                                                   \
		call__enter(slot__at(&calls, calls##__take(&runner)), a0, a1, a2); \
		0;                                                                 \
	})

/* 0: entered before we were attached, its entry skipped, or no slot left; counted. what:
 * IOT_CALL_*. */
static __always_inline int call__leave(struct driver_call *c, __u32 what, struct driver_call *out)
{
	struct iot_cpu *cpu = cpu__this(bpf_get_smp_processor_id());

	if (!c) {
		if (hot__active(cpu) || *(volatile __u64 *)&state.calls_count)
			__sync_fetch_and_add(&cpu->no_call[what], 1);
		return 0;
	}
	*out = *c;
	slot__free(c);
	return 1;
}

#define CALL_LEAVE(calls, what, out)                                              \
	({                                                                        \
		__u64 runner = kernel__runner();                                  \
                                                                                  \
		call__leave(slot__at(&calls, calls##__find(&runner)), what, out); \
	})

/* The domain's place; negative: not known. It is never added here: it may be on its way out. */
static __always_inline int fn__place(const volatile struct iot_driver_fn *fn, __u64 holder)
{
	return fn->domain ? dom__place(holder + fn->domain_at) : -1;
}

static __always_inline int inval__end(void)
{
	__u64 ts, last;
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	struct iot_invalidate *e;
	struct driver_call call;

	if (!CALL_LEAVE(inval_calls, IOT_CALL_INVALIDATE, &call))
		return 0;
	e = (void *)hot__reserve(c);
	if (!e)
		return 0;
	ts = bpf_ktime_get_ns();
	hot__fill(&e->h, IOT_EV_INVALIDATE, cpu, dom__or_null(fn__place(&inval_fn, call.args[0])),
		  0);
	e->begin = call.begin;
	e->iova = inval_fn.range == IOT_RANGE_ALL ? 0 : call.args[1];
	last = call.args[2];
	/* drivers have different sizes for everything; none of them fits behind its begin */
	if (inval_fn.range == IOT_RANGE_SIZE)
		last = last && last < (1ULL << 62) ? call.args[1] + last - 1 : ~0ULL;
	if (inval_fn.range == IOT_RANGE_ALL)
		last = ~0ULL;
	e->last = last;
	e->pad = 0;
	hot__publish(&e->h, ts);
	return 0;
}

/* Invalidation descriptors, VT-d specification 6.5.2: the type is in bits 3:0. */
static __always_inline __u8 vtd__kind(__u64 desc)
{
	__u64 qw0 = 0;

	if (bpf_probe_read_kernel(&qw0, sizeof(qw0), (void *)desc))
		return IOT_SUBMIT_OTHER;
	switch (qw0 & 0xf) {
	case 1: /* context cache */
	case 7: /* PASID cache */
		return IOT_SUBMIT_CONTEXT;
	case 2:
	case 6: /* by PASID */
		return IOT_SUBMIT_IOTLB;
	case 3:
	case 8: /* by PASID */
		return IOT_SUBMIT_DEV_TLB;
	case 4:
		return IOT_SUBMIT_IRQ;
	case 5:
		return IOT_SUBMIT_WAIT;
	}
	return IOT_SUBMIT_OTHER;
}

/* Commands, AMD I/O Virtualization Technology specification 2.4: the opcode is in bits 63:60. */
static __always_inline __u8 amdvi__kind(__u64 command)
{
	__u64 first = 0;

	if (bpf_probe_read_kernel(&first, sizeof(first), (void *)command))
		return IOT_SUBMIT_OTHER;
	switch (first >> 60) {
	case 1:
		return IOT_SUBMIT_WAIT;
	case 2: /* device table entry */
		return IOT_SUBMIT_CONTEXT;
	case 3:
	case 8: /* everything */
		return IOT_SUBMIT_IOTLB;
	case 4:
		return IOT_SUBMIT_DEV_TLB;
	case 5:
		return IOT_SUBMIT_IRQ;
	}
	return IOT_SUBMIT_OTHER;
}

/* What is told, or counted, of a submission. */
struct submission {
	__u32 commands;
	__u8 kind;
};

static __always_inline struct submission submit__read(const struct driver_call *call)
{
	struct submission s = { .kind = (__u8)submit_fn.submit };

	if (submit_fn.told == IOT_TOLD_VTD) {
		s.kind = vtd__kind(call->args[1]);
		s.commands = (__u32)call->args[2];
	} else if (submit_fn.told == IOT_TOLD_AMDVI) {
		s.kind = amdvi__kind(call->args[1]);
		s.commands = 1;
	}
	return s;
}

static __always_inline void submit__count(__u32 cpu, const struct driver_call *call, __s32 ret)
{
	__u64 ns = bpf_ktime_get_ns() - call->begin;
	struct submission s = submit__read(call);
	__u32 key = (cpu * IOT_BY_NR + submit_fn.by) * IOT_SUBMIT_NR + s.kind;
	struct iot_live_submit *l = bpf_map_lookup_elem(&live_submits, &key);
	__u32 bucket = hist__bucket(ns);

	if (!l)
		return;
	count__add(&l->commands, s.commands);
	count__add(&l->failed, ret != 0);
	count__add(&l->ns, ns);
	count__max(&l->longest, ns);
	count__max(&l->shortest, ~ns);
	if (bucket < HIST_BUCKETS)
		count__add(&l->time[bucket], 1);
}

static __always_inline int submit__end(__s32 ret)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	struct driver_call call;
	struct submission s;
	struct iot_submit *e;
	__u64 ts;

	if (!CALL_LEAVE(submit_calls, IOT_CALL_SUBMIT, &call))
		return 0;
	if (knobs.mode == IOT_MODE_LIVE) {
		submit__count(cpu, &call, ret);
		return 0;
	}
	e = (void *)hot__reserve(c);
	if (!e)
		return 0;
	ts = bpf_ktime_get_ns();
	hot__fill(&e->h, IOT_EV_SUBMIT, cpu, dom__or_null(fn__place(&submit_fn, call.args[0])), 0);
	e->begin = call.begin;
	e->iommu = submit_fn.iommu ? call.args[0] : 0;
	e->ret = ret;
	s = submit__read(&call);
	e->commands = s.commands;
	e->kind = s.kind;
	e->by = (__u8)submit_fn.by;
	__builtin_memset(e->pad, 0, sizeof(e->pad));
	hot__publish(&e->h, ts);
	return 0;
}

static __always_inline int table__tell(__u16 id, int place, __u64 page, __u64 bytes)
{
	__u64 ts, task = bpf_get_current_task();
	__u32 cpu = bpf_get_smp_processor_id();
	struct iot_cpu *c = cpu__this(cpu);
	struct iot_dom *d = dom__or_null(place);
	struct iot_ending *ending;
	struct iot_counts *n;
	struct iot_table *e;

	/* 6.1 forgets what it knows of a number of 32 bits on the stack: place is not to be asked
	 * again */
	barrier_var(d);
	if (id == IOT_EV_TABLE_FREE && *(volatile __u64 *)&state.endings) {
		ending = bpf_map_lookup_elem(&endings, &task);
		if (ending)
			ending->tables++;
	}
	if (!hot__active(c))
		return 0;
	n = counts__of(cpu, place);
	if (n)
		count__add(id == IOT_EV_TABLE_FREE ? &n->tables_freed : &n->tables_allocated, 1);
	e = (void *)hot__reserve(c);
	if (!e)
		return 0;
	ts = bpf_ktime_get_ns();
	hot__fill(&e->h, id, cpu, d, 0);
	e->page = page;
	e->bytes = bytes;
	e->pad[0] = e->pad[1] = 0;
	hot__publish(&e->h, ts);
	return 0;
}

/* A driver's own function may call the kernel's: the page is told once. */
static __always_inline int table__is_told(const volatile struct iot_driver_fn *fn)
{
	__u64 runner = kernel__runner();

	return fn->inner && bpf_map_lookup_elem(&in_table_fn, &runner);
}

static __always_inline void table__enter(const volatile struct iot_driver_fn *fn)
{
	__u64 runner = kernel__runner();
	__u32 one = 1;

	if (!fn->inner && bpf_map_update_elem(&in_table_fn, &runner, &one, BPF_ANY))
		__sync_fetch_and_add(
			&cpu__this(bpf_get_smp_processor_id())->no_call[IOT_CALL_TABLE], 1);
}

static __always_inline void table__leave(const volatile struct iot_driver_fn *fn)
{
	__u64 runner = kernel__runner();

	if (!fn->inner)
		bpf_map_delete_elem(&in_table_fn, &runner);
}

/* page: NULL = the allocation failed. The first page of a domain comes before anybody knows it. */
static __always_inline int alloc__end(__u64 page)
{
	struct driver_call call;
	int place = -1;

	table__leave(&alloc_fn);
	if (!CALL_LEAVE(alloc_calls, IOT_CALL_TABLE, &call) || !page || table__is_told(&alloc_fn))
		return 0;
	if (alloc_fn.domain)
		place = dom__add(call.args[0] + alloc_fn.domain_at, -1, IOT_SEEN_TABLE);
	return table__tell(IOT_EV_TABLE_ALLOC, place, page, alloc_fn.bytes ?: call.args[2]);
}

/* The address of the page that a struct page stands for (x86: arch/x86/include/asm/page_64.h,
 * pgtable_64.h). 0: can't be read. */
static __always_inline __u64 page__address(__u64 page)
{
	__u64 map = 0, offset = 0;

	if (bpf_probe_read_kernel(&map, sizeof(map), (void *)free_fn.vmemmap_base) ||
	    bpf_probe_read_kernel(&offset, sizeof(offset), (void *)free_fn.page_offset_base))
		return 0;
	return (page - map) / bpf_core_type_size(struct page) * 4096 + offset;
}

/* On entry: as soon as it is free, another CPU may allocate it. */
static __always_inline int page__free(__u64 a0, __u64 a1)
{
	int is_struct = free_fn.page == IOT_PAGE_STRUCT;

	if (table__is_told(&free_fn))
		return 0;
	table__enter(&free_fn);
	return table__tell(IOT_EV_TABLE_FREE, fn__place(&free_fn, a0),
			   is_struct ? page__address(a0) : a1, free_fn.bytes);
}

/* Argument n of the traced function, 0 if it hasn't got so many. */
static __always_inline __u64 arg(void *ctx, __u32 n)
{
	__u64 value = 0;

	bpf_get_func_arg(ctx, n, &value);
	return value;
}

SEC("?fentry")
int inval_entry(void *ctx)
{
	return CALL_ENTER(inval_calls, arg(ctx, 0), arg(ctx, 1), arg(ctx, 2));
}

SEC("?fexit")
int inval_exit(void *ctx)
{
	return inval__end();
}

SEC("?kprobe")
int inval_kentry(struct pt_regs *ctx)
{
	return CALL_ENTER(inval_calls, PT_REGS_PARM1_CORE(ctx), PT_REGS_PARM2_CORE(ctx),
			  PT_REGS_PARM3_CORE(ctx));
}

SEC("?kretprobe")
int inval_kexit(void *ctx)
{
	return inval__end();
}

SEC("?fentry")
int submit_entry(void *ctx)
{
	return CALL_ENTER(submit_calls, arg(ctx, 0), arg(ctx, 1), arg(ctx, 2));
}

SEC("?kprobe")
int submit_kentry(struct pt_regs *ctx)
{
	return CALL_ENTER(submit_calls, PT_REGS_PARM1_CORE(ctx), PT_REGS_PARM2_CORE(ctx),
			  PT_REGS_PARM3_CORE(ctx));
}

/* 32 bits of what it returns, if it returns anything (submit_fn.told). */
SEC("?fexit")
int submit_exit(void *ctx)
{
	__u64 ret = 0;

	if (submit_fn.told == IOT_TOLD_VTD)
		bpf_get_func_ret(ctx, &ret);
	return submit__end((__s32)ret);
}

SEC("?kretprobe")
int submit_kexit(struct pt_regs *ctx)
{
	return submit__end(submit_fn.told == IOT_TOLD_VTD ? (__s32)PT_REGS_RC_CORE(ctx) : 0);
}

SEC("?fentry")
int alloc_entry(void *ctx)
{
	table__enter(&alloc_fn);
	return CALL_ENTER(alloc_calls, arg(ctx, 0), arg(ctx, 1), arg(ctx, 2));
}

SEC("?fexit")
int alloc_exit(void *ctx)
{
	__u64 page = 0;

	bpf_get_func_ret(ctx, &page);
	return alloc__end(page);
}

SEC("?kprobe")
int alloc_kentry(struct pt_regs *ctx)
{
	table__enter(&alloc_fn);
	return CALL_ENTER(alloc_calls, PT_REGS_PARM1_CORE(ctx), PT_REGS_PARM2_CORE(ctx),
			  PT_REGS_PARM3_CORE(ctx));
}

SEC("?kretprobe")
int alloc_kexit(struct pt_regs *ctx)
{
	return alloc__end(PT_REGS_RC_CORE(ctx));
}

SEC("?fentry")
int page_free_entry(void *ctx)
{
	return page__free(arg(ctx, 0), arg(ctx, 1));
}

SEC("?fexit")
int page_free_exit(void *ctx)
{
	table__leave(&free_fn);
	return 0;
}

SEC("?kprobe")
int page_free_kentry(struct pt_regs *ctx)
{
	return page__free(PT_REGS_PARM1_CORE(ctx), PT_REGS_PARM2_CORE(ctx));
}

SEC("?kretprobe")
int page_free_kexit(void *ctx)
{
	table__leave(&free_fn);
	return 0;
}
