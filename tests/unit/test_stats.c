// SPDX-License-Identifier: GPL-2.0-only
/* What is counted, with values worked out by hand; times are µs after the capture's begin. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/leaks.h"
#include "analyze/whatif.h"
#include "model/cells.h"
#include "model/series.h"

#include "scene.h"

#define PAGE 0x1000ULL
#define MIB  (1ULL << 20)

/* Counters of the domain of the scene. */
static const struct model_stats *counted(void)
{
	analysis__finish(a);
	return &model__domain(&a->model, DOM)->stats;
}

static void map_on(__u64 us, __u64 iova, __u64 size, __u16 cpu, __u32 tid, __u16 flags)
{
	struct iot_map ev = { .h = head(IOT_EV_MAP, sizeof(ev), us), .iova = iova, .size = size };

	ev.h.cpu = cpu;
	ev.h.tid = tid;
	ev.h.flags = flags;
	feed(&ev);
}

static void map_to(__u64 us, __u64 iova, __u64 paddr, __u64 size, __s32 ret)
{
	struct iot_map ev = { .h = head(IOT_EV_MAP, sizeof(ev), us),
			      .iova = iova,
			      .paddr = paddr,
			      .size = size,
			      .ret = ret };

	feed(&ev);
}

static void iova_event(__u16 id, __u64 us, __u64 iova, __u64 took_ns, __u16 flags)
{
	struct iot_iova ev = { .h = head(id, sizeof(ev), us), .iova = iova, .size = PAGE };

	ev.begin = took_ns ? ev.h.ts - took_ns : 0;
	ev.h.flags = flags;
	feed(&ev);
}

static void attribute(const char *text)
{
	struct {
		struct iot_attr a;
		char text[64];
	} ev = { .a = { .h = head(IOT_EV_ATTR, sizeof(ev), 0), .text_len = sizeof(ev.text) } };

	strncpy(ev.text, text, sizeof(ev.text) - 1);
	feed(&ev);
}

/* --- lists */

static void neighbours_in_a_row_are_one_list(void **state)
{
	(void)state;
	for (__u64 i = 0; i < 30; i++)
		map_on(100 + i, IOVA + i * PAGE, PAGE, 0, 61, 0);
	map_on(200, IOVA + 64 * PAGE, 30 * PAGE, 0, 61, 0);
	assert_int_equal(counted()->maps, 31);
	assert_int_equal(counted()->map_lists, 2);
	assert_int_equal(counted()->list_longest, 30);
}

static void another_cpu_task_context_or_a_gap_begins_a_list(void **state)
{
	(void)state;
	map_on(100, IOVA, PAGE, 0, 61, 0);
	map_on(101, IOVA + PAGE, PAGE, 1, 61, 0);
	map_on(102, IOVA + 2 * PAGE, PAGE, 1, 62, 0);
	map_on(103, IOVA + 3 * PAGE, PAGE, 1, 62, IOT_F_IRQ);
	map_on(1103, IOVA + 4 * PAGE, PAGE, 1, 62, IOT_F_IRQ); /* 1 ms: the same */
	map_on(2104, IOVA + 5 * PAGE, PAGE, 1, 62, IOT_F_IRQ); /* 1.001 ms: another */
	assert_int_equal(counted()->map_lists, 5);
	assert_int_equal(counted()->list_longest, 2);
}

static void an_interrupt_between_does_not_end_a_list(void **state)
{
	(void)state;
	map_on(100, IOVA, PAGE, 0, 61, 0);
	map_on(101, IOVA + 8 * PAGE, PAGE, 0, 61, IOT_F_IRQ);
	map_on(102, IOVA + PAGE, PAGE, 0, 61, 0);
	assert_int_equal(counted()->map_lists, 2);
	assert_int_equal(counted()->list_longest, 2);
}

static void unmaps_flushes_and_allocations_end_a_list_but_a_flush_after_map_does_not(void **state)
{
	(void)state;
	map_at(100, IOVA, PAGE, RW);
	flush_at(101, 102, IOT_FLUSH_SYNC_MAP);
	map_at(103, IOVA + PAGE, PAGE, RW);
	assert_int_equal(counted()->map_lists, 1);
	unmap_at(104, IOVA + 9 * PAGE, PAGE, IOT_UNMAP_LAZY);
	map_at(105, IOVA + 2 * PAGE, PAGE, RW);
	assert_int_equal(counted()->map_lists, 2);
	flush_at(106, 107, IOT_FLUSH_ALL);
	map_at(108, IOVA + 3 * PAGE, PAGE, RW);
	assert_int_equal(counted()->map_lists, 3);
	iova_event(IOT_EV_IOVA_ALLOC, 109, IOVA + 4 * PAGE, 0, 0);
	map_at(110, IOVA + 4 * PAGE, PAGE, RW);
	assert_int_equal(counted()->map_lists, 4);
	map_to(111, IOVA + 5 * PAGE, 0, PAGE, -12);
	map_at(112, IOVA + 5 * PAGE, PAGE, RW);
	assert_int_equal(counted()->map_lists, 5);
}

/* --- pages and errors */

static void pages_follow_address_iova_and_size(void **state)
{
	const struct model_stats *s;

	(void)state;
	map_to(100, 0x40000000, 0x80000000, 1024 * MIB, 0);       /* 1 GiB page */
	map_to(101, 0x100000000, 0x200200000, 1024 * MIB, 0);     /* in step by 2 MiB only */
	map_to(102, 0x200000000, 0x300001000, 4 * MIB, 0);        /* not even that */
	map_to(103, 0x3001ff000, 0x4001ff000, 2 * MIB + PAGE, 0); /* one page, then 2 MiB */
	map_to(104, 0x4001ff000, 0x5001ff000, 2 * MIB, 0);        /* no whole 2 MiB in it */
	map_to(105, 0x500000000, 0x600000000, 2 * MIB - PAGE, 0); /* too short */
	s = counted();
	assert_int_equal(s->page_bytes[STATS_PAGE_1G], 1024 * MIB);
	assert_int_equal(s->page_bytes[STATS_PAGE_2M], (1024 + 2) * MIB);
	assert_int_equal(s->page_bytes[STATS_PAGE_4K], 4 * MIB + PAGE + 2 * MIB + 2 * MIB - PAGE);
	assert_int_equal(s->map_bytes, s->page_bytes[0] + s->page_bytes[1] + s->page_bytes[2]);
}

static void failed_maps_are_counted_by_error_and_map_nothing(void **state)
{
	const struct model_stats *s;

	(void)state;
	map_to(100, IOVA, 0, PAGE, -12);
	map_to(101, IOVA, 0, PAGE, -22);
	map_to(102, IOVA, 0, PAGE, -12);
	for (int e = 1; e <= 8; e++)
		map_to(103, IOVA, 0, PAGE, -100 - e); /* two more kinds than there is room for */
	s = counted();
	assert_int_equal(s->map_failed, 11);
	assert_int_equal(s->maps, 0);
	assert_int_equal(s->map_bytes, 0);
	assert_int_equal(s->map_errors[0].err, -12);
	assert_int_equal(s->map_errors[0].nr, 2);
	assert_int_equal(s->map_errors[1].err, -22);
	assert_int_equal(s->map_errors[1].nr, 1);
	assert_int_equal(s->map_errors[7].err, -106);
}

/* --- flushes */

static void a_flush_tells_what_it_covered(void **state)
{
	const struct model_stats *s;

	(void)state;
	map_at(100, IOVA, 16 * PAGE, RW);
	unmap_at(110, IOVA, 4 * PAGE, IOT_UNMAP_LAZY);
	unmap_at(120, IOVA + 4 * PAGE, 2 * PAGE, IOT_UNMAP_LAZY);
	flush_at(130, 140, IOT_FLUSH_ALL); /* both: windows of 30 and 20 us */
	flush_at(150, 155, IOT_FLUSH_ALL); /* nothing */
	unmap_at(160, IOVA + 6 * PAGE, PAGE, IOT_UNMAP_STRICT);
	flush_at(162, 165, IOT_FLUSH_SYNC); /* 5 us */
	flush_at(170, 172, IOT_FLUSH_SYNC_MAP);
	s = counted();
	assert_int_equal(s->kinds[IOT_FLUSH_ALL], 2);
	assert_int_equal(s->kind_ns[IOT_FLUSH_ALL], 15000);
	assert_int_equal(s->empty[IOT_FLUSH_ALL], 1);
	assert_int_equal(s->covered[IOT_FLUSH_ALL], 2);
	assert_int_equal(s->covered_bytes[IOT_FLUSH_ALL], 6 * PAGE);
	assert_int_equal(s->most[IOT_FLUSH_ALL], 2);
	assert_int_equal(s->covered[IOT_FLUSH_SYNC], 1);
	assert_int_equal(s->empty[IOT_FLUSH_SYNC], 0);
	assert_int_equal(s->empty[IOT_FLUSH_SYNC_MAP], 0);
	assert_int_equal(s->sync_map.nr, 1);
	assert_int_equal(s->sync_map.sum, 2000);
	assert_int_equal(s->flush.nr, 3);
	assert_int_equal(s->flush.sum, 18000);
	assert_int_equal((__u64)s->lazy_exposed, 4 * PAGE * 30000 + 2 * PAGE * 20000);
	assert_int_equal((__u64)s->strict_exposed, PAGE * 5000);
}

/* --- sums */

static void sums_are_those_of_all_cells(void **state)
{
	struct iot_map stray = { .h = head(IOT_EV_MAP, sizeof(stray), 105), .size = PAGE };

	(void)state;
	map_on(100, IOVA, PAGE, 0, 61, 0);
	stray.h.dev = 0; /* of several devices */
	feed(&stray);
	stray.h.domain = 0; /* of a domain there was no room for */
	feed(&stray);
	analysis__finish(a);
	assert_int_equal(a->model.total.maps, 3);
	assert_int_equal(model__domain(&a->model, DOM)->stats.maps, 2);
	assert_int_equal(model__device(&a->model, DEV)->stats.maps, 1);
	/* Again, after more: nothing is counted twice. */
	map_on(200, IOVA + 9 * PAGE, PAGE, 0, 61, 0);
	analysis__finish(a);
	assert_int_equal(a->model.total.maps, 4);
	assert_int_equal(model__device(&a->model, DEV)->stats.maps, 2);
}

static void too_many_pairs_are_in_the_totals_alone(void **state)
{
	(void)state;
	for (__u32 i = 0; i < CELLS_PAIRS_MAX + 10; i++) {
		struct iot_map ev = { .h = head(IOT_EV_MAP, sizeof(ev), 100), .size = PAGE };

		ev.h.domain = 1000 + i;
		ev.h.dev = 0;
		feed(&ev);
	}
	analysis__finish(a);
	assert_int_equal(a->model.total.maps, CELLS_PAIRS_MAX + 10);
	assert_int_equal(a->model.uncounted, 10);
}

/* --- NUMA */

static void numa_tells_own_from_other_nodes(void **state)
{
	struct iot_device dev = { .h = head(IOT_EV_DEVICE, sizeof(dev), 0),
				  .group = 5,
				  .node_known = 1,
				  .node = 1,
				  .name = "refdma.0" };
	static const __u16 cpus[] = { 0, 3, 4, 7, 8, 900 }; /* other, other, own, own, other, ? */
	struct model_stats *s = malloc(sizeof(*s));

	(void)state;
	assert_non_null(s);
	attribute("node.0=0-3,8");
	attribute("node.1=4-7");
	attribute("node.x=9");
	feed(&dev);
	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++)
		map_on(100 + i, IOVA + 2 * i * PAGE, PAGE, cpus[i], 61, 0);
	cells__of_device(&a->model, DEV, PLACE_LOCAL, s);
	assert_int_equal(s->maps, 2);
	cells__of_device(&a->model, DEV, PLACE_REMOTE, s);
	assert_int_equal(s->maps, 3);
	cells__of_device(&a->model, DEV, PLACE_UNKNOWN, s);
	assert_int_equal(s->maps, 1);
	free(s);
}

static void a_window_belongs_to_the_place_of_its_unmap(void **state)
{
	struct iot_device dev = { .h = head(IOT_EV_DEVICE, sizeof(dev), 0),
				  .node_known = 1,
				  .name = "refdma.0" };
	struct iot_unmap un = { .h = head(IOT_EV_UNMAP, sizeof(un), 100),
				.iova = IOVA,
				.size = PAGE,
				.unmapped = PAGE,
				.mode = IOT_UNMAP_LAZY };
	struct model_stats *s = malloc(sizeof(*s));

	(void)state;
	assert_non_null(s);
	attribute("node.0=0");
	attribute("node.1=1");
	feed(&dev);
	un.h.cpu = 1;
	feed(&un);
	flush_at(110, 120, IOT_FLUSH_ALL); /* by cpu 0 */
	cells__of_device(&a->model, DEV, PLACE_REMOTE, s);
	assert_int_equal(s->lazy.nr, 1);
	assert_int_equal(s->lazy.max, 20000);
	assert_int_equal(s->flush.nr, 0);
	cells__of_device(&a->model, DEV, PLACE_LOCAL, s);
	assert_int_equal(s->flush.nr, 1);
	free(s);
}

static void a_merged_session_has_nodes_for_each_host(void **state)
{
	static struct numa n;
	struct iot_event ev = { .cpu = 3, .flags = 2 << IOT_F_ORIGIN_SHIFT };

	(void)state;
	numa__learn(&n, 0, "node.5=0-7");
	assert_int_equal(numa__node(&n, &ev), -1);
	numa__learn(&n, 2, "node.6=0-3");
	assert_int_equal(numa__node(&n, &ev), 6);
	ev.flags = 0;
	assert_int_equal(numa__node(&n, &ev), 5);
	ev.cpu = 0xffff;
	assert_int_equal(numa__node(&n, &ev), -1);
	/* Of a stranger's session: nothing breaks. */
	numa__learn(&n, 0, "node.99999999999999999999=1");
	numa__learn(&n, 0, "node.1=0-99999999999999999999,");
	numa__learn(&n, 0, "node.1=-");
	ev.cpu = 1023;
	assert_int_equal(numa__node(&n, &ev), 1);
}

/* --- the IOVA allocator */

static void iova_allocations_by_path_and_time(void **state)
{
	const struct model_stats *s;
	const struct series *t;
	struct series_bin sum;
	__u64 ns;

	(void)state;
	iova_event(IOT_EV_IOVA_ALLOC, 0, IOVA, 0, 0);
	iova_event(IOT_EV_IOVA_ALLOC, 1500, 0, 0, IOT_F_SLOW); /* fails, in the second bin */
	/* 8 s, one allocation a ms; in the last 2 s each is slow and takes 9 us instead of 1. */
	for (__u64 i = 2; i < 8000; i++)
		iova_event(IOT_EV_IOVA_ALLOC, 1000 * i, IOVA, i < 6000 ? 1000 : 9000,
			   i < 6000 ? 0 : IOT_F_SLOW);
	iova_event(IOT_EV_IOVA_ALLOC, 7999000, 0, 0, IOT_F_SLOW);
	iova_event(IOT_EV_IOVA_FREE, 7999000, IOVA, 0, 0);
	s = counted();
	assert_int_equal(s->iova_allocs, 7999);
	assert_int_equal(s->iova_failed, 2);
	assert_int_equal(s->iova_slow, 2002);
	assert_int_equal(s->iova_frees, 1);
	assert_int_equal(s->iova_time.nr, 7998);
	assert_int_equal(s->iova_time.sum, 5998 * 1000 + 2000 * 9000);
	t = model__domain(&a->model, DOM)->iovas;
	assert_non_null(t);
	/* Bins of 1 ms hold 64 ms; they double until 64 of them hold 8 s: 128 ms each. */
	assert_int_equal(t->width, 128 * MS);
	assert_int_equal(series__used(t), 63);
	sum = series__sum(t, 0, 15, &ns); /* 1.92 s */
	assert_int_equal(ns, 15 * 128 * MS);
	assert_int_equal(sum.allocs, 1919);
	assert_int_equal(sum.failed, 1);
	assert_int_equal(sum.slow, 1);
	assert_int_equal(sum.timed, 1918);
	assert_int_equal(sum.ns, 1918 * 1000);
	sum = series__sum(t, 48, 63, &ns); /* from 6.144 s to the last event */
	assert_int_equal(ns, 7999 * MS - 48 * 128 * MS);
	assert_int_equal(sum.allocs, 8000 - 6144);
	assert_int_equal(sum.slow, 8000 - 6144 + 1);
	assert_int_equal(sum.failed, 1);
}

/* --- strict or lazy */

static void end_at(__u64 us)
{
	struct iot_capture ev = { .h = head(IOT_EV_CAPTURE, sizeof(ev), us),
				  .what = IOT_CAPTURE_END };

	feed(&ev);
}

static void what_lazy_leaves_exposed_and_what_strict_would_cost(void **state)
{
	struct whatif w;

	(void)state;
	map_at(100, IOVA, 8 * PAGE, RW);
	unmap_at(1000, IOVA, 4 * PAGE, IOT_UNMAP_LAZY);
	unmap_at(2000, IOVA + 4 * PAGE, 2 * PAGE, IOT_UNMAP_LAZY);
	flush_at(2900, 3000, IOT_FLUSH_ALL);
	unmap_at(5000, IOVA + 6 * PAGE, PAGE, IOT_UNMAP_LAZY);
	end_at(10000);
	analysis__finish(a);
	w = whatif__domain(a, model__domain(&a->model, DOM));
	assert_int_equal(w.span, 10 * MS);
	assert_int_equal(w.strict.unmaps, 0);
	assert_int_equal(w.lazy.unmaps, 3);
	assert_int_equal(w.lazy.covered, 2);
	assert_int_equal(w.lazy.waiting, 1);
	/* 16 KiB for 2 ms and 8 KiB for 1 ms, over 10 ms: 4096 bytes at any time. */
	assert_float_equal(w.lazy.exposed, 16384 * 0.002 + 8192 * 0.001, 1e-9);
	assert_float_equal(w.lazy.exposed_mean, 4096, 1e-6);
	assert_int_equal(w.lazy.window_max, 2 * MS);
	/* No sync was seen: as long as the flush of all, 100 us. */
	assert_false(w.lazy.by_sync);
	assert_int_equal(w.lazy.strict_ns, 3 * 100000);
	unmap_at(6000, IOVA + 7 * PAGE, PAGE, IOT_UNMAP_STRICT);
	flush_at(6001, 6005, IOT_FLUSH_SYNC);
	analysis__finish(a);
	w = whatif__domain(a, model__domain(&a->model, DOM));
	assert_true(w.lazy.by_sync);
	assert_int_equal(w.lazy.strict_ns, 3 * 4000);
}

static void what_strict_costs_and_what_lazy_would(void **state)
{
	struct whatif w;

	(void)state;
	for (__u64 i = 0; i < 1000; i++) {
		map_at(100 + 50 * i, IOVA, PAGE, RW);
		unmap_at(110 + 50 * i, IOVA, PAGE, IOT_UNMAP_STRICT);
		flush_at(111 + 50 * i, 113 + 50 * i, IOT_FLUSH_SYNC);
	}
	end_at(100000);
	analysis__finish(a);
	w = whatif__domain(a, model__domain(&a->model, DOM));
	assert_int_equal(w.lazy.unmaps, 0);
	assert_int_equal(w.strict.unmaps, 1000);
	assert_int_equal(w.strict.flushes, 1000);
	assert_int_equal(w.strict.ns, 1000 * 2000);
	/* 1000 / 256 full queues, and the timer ten times in 100 ms, and once more. */
	assert_int_equal(w.strict.lazy_flushes, 3 + 10 + 1);
	assert_float_equal(w.strict.lazy_exposed, 1000 * 4096 * 0.01, 1e-6);
}

/* --- what is still mapped */

static void leaks_by_task_with_their_time(void **state)
{
	struct leaks l;

	(void)state;
	map_on(100, IOVA, PAGE, 0, 7, 0);
	map_on(200, IOVA + 2 * PAGE, PAGE, 0, 8, 0);
	unmap_at(300, IOVA + 2 * PAGE, PAGE, IOT_UNMAP_LAZY);
	map_on(41000, IOVA + 4 * PAGE, 2 * PAGE, 0, 8, 0); /* in the fifth eighth of 80 ms */
	map_on(79999, IOVA + 8 * PAGE, 4 * PAGE, 0, 8, 0); /* in the last */
	end_at(80000);
	analysis__finish(a);
	assert_int_equal(leaks__collect(a, &l), 0);
	assert_int_equal(l.nr, 2);
	assert_int_equal(l.mappings, 3);
	assert_int_equal(l.bytes, 7 * PAGE);
	assert_false(l.stacks);
	assert_int_equal(l.list[0].tid, 8);
	assert_int_equal(l.list[0].dev, DEV);
	assert_int_equal(l.list[0].nr, 2);
	assert_int_equal(l.list[0].bytes, 6 * PAGE);
	assert_int_equal(l.list[0].oldest, AT(41000));
	assert_int_equal(l.list[0].newest, AT(79999));
	assert_int_equal(l.list[0].parts[4], 2 * PAGE);
	assert_int_equal(l.list[0].parts[7], 4 * PAGE);
	assert_int_equal(l.list[1].tid, 7);
	assert_int_equal(l.list[1].parts[0], PAGE);
	leaks__free(&l);
}

static void leaks_by_stack_where_maps_have_one(void **state)
{
	struct iot_map ev = { .h = head(IOT_EV_MAP, sizeof(ev), 100), .size = PAGE };
	struct leaks l;

	(void)state;
	ev.h.stack = 5;
	feed(&ev);
	ev.h.tid++; /* another task, the same place in the code */
	ev.iova = 2 * PAGE;
	feed(&ev);
	end_at(1000);
	assert_int_equal(leaks__collect(a, &l), 0);
	assert_int_equal(l.nr, 1);
	assert_int_equal(l.list[0].nr, 2);
	assert_int_equal(l.list[0].stack, 5);
	assert_true(l.stacks);
	leaks__free(&l);
}

static void submit(__u64 us, __u64 took_us, __u8 by, __u8 kind, __u32 commands, __s32 ret)
{
	struct iot_submit ev = { .h = head(IOT_EV_SUBMIT, sizeof(ev), us),
				 .begin = AT(us) - took_us * 1000,
				 .commands = commands,
				 .ret = ret,
				 .kind = kind,
				 .by = by };

	feed(&ev);
}

static void submissions_are_told_apart_by_function_and_kind(void **state)
{
	const struct submits_cell *iotlb, *irq, *unknown;

	(void)state;
	assert_null(a->model.submits);
	submit(10, 2, IOT_BY_QI_SUBMIT, IOT_SUBMIT_IOTLB, 3, 0);
	submit(20, 4, IOT_BY_QI_SUBMIT, IOT_SUBMIT_IOTLB, 1, -EINVAL);
	submit(30, 1, IOT_BY_QI_SUBMIT, IOT_SUBMIT_IRQ, 1, 0);
	submit(40, 9, IOT_BY_AMD_WAIT, IOT_SUBMIT_WAIT, 0, 0);
	/* of a newer iommutop, and of a damaged session: its begin is behind its end */
	submit(50, 1, IOT_BY_NR, IOT_SUBMIT_NR, 1, 0);
	submit(60, (__u64)-5, 255, 255, 1, 0);
	end_at(1000);
	assert_non_null(a->model.submits);
	iotlb = &a->model.submits->cells[IOT_BY_QI_SUBMIT][IOT_SUBMIT_IOTLB];
	irq = &a->model.submits->cells[IOT_BY_QI_SUBMIT][IOT_SUBMIT_IRQ];
	unknown = &a->model.submits->cells[0][IOT_SUBMIT_OTHER];
	assert_int_equal(iotlb->time.nr, 2);
	assert_int_equal(iotlb->time.sum, 6000);
	assert_int_equal(iotlb->commands, 4);
	assert_int_equal(iotlb->failed, 1);
	assert_int_equal(irq->time.nr, 1);
	assert_int_equal(irq->failed, 0);
	assert_int_equal(unknown->time.nr, 2);
	assert_int_equal(unknown->time.sum, 1000);
	assert_int_equal(a->model.submits->cells[IOT_BY_AMD_WAIT][IOT_SUBMIT_WAIT].time.sum, 9000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(neighbours_in_a_row_are_one_list),
		SCENE(another_cpu_task_context_or_a_gap_begins_a_list),
		SCENE(an_interrupt_between_does_not_end_a_list),
		SCENE(unmaps_flushes_and_allocations_end_a_list_but_a_flush_after_map_does_not),
		SCENE(pages_follow_address_iova_and_size),
		SCENE(failed_maps_are_counted_by_error_and_map_nothing),
		SCENE(a_flush_tells_what_it_covered),
		SCENE(sums_are_those_of_all_cells),
		SCENE(too_many_pairs_are_in_the_totals_alone),
		SCENE(numa_tells_own_from_other_nodes),
		SCENE(a_window_belongs_to_the_place_of_its_unmap),
		SCENE(a_merged_session_has_nodes_for_each_host),
		SCENE(iova_allocations_by_path_and_time),
		SCENE(what_lazy_leaves_exposed_and_what_strict_would_cost),
		SCENE(what_strict_costs_and_what_lazy_would),
		SCENE(leaks_by_task_with_their_time),
		SCENE(leaks_by_stack_where_maps_have_one),
		SCENE(submissions_are_told_apart_by_function_and_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
