/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scenes for the tests of the checkers: a rule of each invariant with its defaults, for all devices
 * and phases; a device in a domain, and events. Times are µs after the capture's begin.
 */
#ifndef IOMMUTOP_TESTS_CHECK_SCENE_H
#define IOMMUTOP_TESTS_CHECK_SCENE_H

#include <stdio.h>

#include "assert/check.h"
#include "assert/rule_value.h"

static struct checks *checks;

#define SCENE_EVENT(ev) checks__event(checks, ev)
#include "scene.h"

#define LAZY    IOT_UNMAP_LAZY
#define STRICT  IOT_UNMAP_STRICT
#define PAGE    0x1000ULL
#define TASK    61
#define FN      1
#define ALL_END (~0ULL)

static struct rule rules[64];
static struct rule_set set = { .rules = rules, .name = "scene" };

static inline struct rule *add_rule(enum invariant_id id)
{
	struct rule *r = &rules[set.nr++];

	*r = (struct rule){ .invariant = &invariants[id],
			    .name = (char *)(uintptr_t)invariants[id].name,
			    .selector = { .group = -1, .type = -1 },
			    .phases = PHASE_ALL };
	for (int i = 0; i < INVARIANT_PARAMS && r->invariant->params[i].name; i++) {
		const struct invariant_param *p = &r->invariant->params[i];

		/* where a file must say it: the first word */
		if (rule_value__param(p, p->preset ? p->preset : p->words[0], &r->params[i], NULL))
			fail();
	}
	return r;
}

static inline void attr(__u64 us, const char *text)
{
	struct {
		struct iot_attr attr;
		char text[120];
	} ev = { .attr = { .h = head(IOT_EV_ATTR, sizeof(ev), us), .text_len = sizeof(ev.text) } };

	ev.attr.h.domain = ev.attr.h.dev = 0;
	strncpy(ev.text, text, sizeof(ev.text) - 1);
	feed(&ev);
}

static inline void capture(__u64 us, __u32 what)
{
	struct iot_capture ev = { .h = head(IOT_EV_CAPTURE, sizeof(ev), us), .what = what };

	ev.h.domain = ev.h.dev = 0;
	feed(&ev);
}

static inline void domain_state(__u64 us, __u32 domain, __u32 what, __u32 type, bool fq,
				bool sync_map, __u16 flags)
{
	struct iot_domain ev = { .h = head(IOT_EV_DOMAIN, sizeof(ev), us),
				 .what = what,
				 .type = type,
				 .group = -1,
				 .fq_active = fq,
				 .fq_known = 1,
				 .flush_all = 0xffffffffc0001000,
				 .sync = 0xffffffffc0002000,
				 .sync_map = sync_map ? 0xffffffffc0003000 : 0,
				 .owner = 0xffffffffc0004000 };

	ev.h.domain = domain;
	ev.h.dev = 0;
	ev.h.flags = flags;
	feed(&ev);
}

/* Rules must have been added. type: of DOM, in which DEV is. */
static inline void start_with(__u32 type, bool sync_map, __u16 flags)
{
	assert_int_equal(analysis__new(&a, NULL), 0);
	assert_int_equal(checks__new(&checks, &set, a, 20000), 0);
	attr(0, "flush_fn.1=iotlb_sync refiommu_iotlb_sync refiommu, fentry");
	device(DEV, "refdma.0", "refdma", "", 5);
	domain_state(1, DOM, IOT_DOMAIN_SEEN, type, type == IOT_TYPE_DMA_FQ, sync_map, flags);
	attach(1, DEV, DOM);
	capture(2, IOT_CAPTURE_BEGIN);
}

static inline void all_rules(void)
{
	set.nr = 0;
	for (int id = 0; id < INV_NR; id++)
		add_rule(id);
}

/* Where domain-type asks for the type that there is. */
static inline void rules_for(__u32 type)
{
	all_rules();
	rules[INV_DOMAIN_TYPE].params[0] = type == IOT_TYPE_DMA         ? 1
					   : type == IOT_TYPE_IDENTITY  ? 2
					   : type == IOT_TYPE_UNMANAGED ? 3
									: 0;
}

static inline void start(__u32 type)
{
	rules_for(type);
	start_with(type, false, 0);
}

static inline void see_invalidations(void)
{
	attr(3, "invalidate.refiommu_=refiommu_inval_range");
}

static inline void see_tables(void)
{
	attr(3, "tables.refiommu_=refiommu_table_alloc refiommu_table_free");
	attr(3, "teardown.refiommu_=refiommu_domain_free");
}

static inline void map_by(__u64 us, __u32 tid, __u64 iova, __u64 size, __s32 ret)
{
	struct iot_map ev = { .h = head(IOT_EV_MAP, sizeof(ev), us),
			      .iova = iova,
			      .size = size,
			      .prot = RW,
			      .ret = ret };

	ev.h.tid = tid;
	feed(&ev);
}

static inline void map_ok(__u64 us, __u64 iova, __u64 size)
{
	map_by(us, TASK, iova, size, 0);
}

static inline void unmap_full(__u64 us, __u32 tid, __u64 iova, __u64 size, __u64 unmapped,
			      __u32 mode, __u32 gather)
{
	struct iot_unmap ev = { .h = head(IOT_EV_UNMAP, sizeof(ev), us),
				.iova = iova,
				.size = size,
				.unmapped = unmapped,
				.mode = mode,
				.gather = gather };

	ev.h.tid = tid;
	feed(&ev);
}

static inline void unmap_ok(__u64 us, __u64 iova, __u64 size, __u32 mode)
{
	unmap_full(us, TASK, iova, size, size, mode, 77);
}

static inline void flush_full(__u64 begin, __u64 end, __u32 tid, __u8 kind, __u64 iova, __u64 size,
			      __u32 gather)
{
	struct iot_flush ev = { .h = head(IOT_EV_FLUSH, sizeof(ev), end),
				.begin = AT(begin),
				.iova = iova,
				.size = size,
				.gather = gather,
				.kind = kind,
				.fn = FN };

	ev.h.tid = tid;
	feed(&ev);
}

static inline void sync_of(__u64 begin, __u64 end, __u64 iova, __u64 size)
{
	flush_full(begin, end, TASK, IOT_FLUSH_SYNC, iova, size, 77);
}

static inline void flush_everything(__u64 begin, __u64 end)
{
	flush_full(begin, end, TASK, IOT_FLUSH_ALL, 0, 0, 0);
}

static inline void invalidate(__u64 begin, __u64 end, __u32 tid, __u32 domain, __u64 first,
			      __u64 last)
{
	struct iot_invalidate ev = { .h = head(IOT_EV_INVALIDATE, sizeof(ev), end),
				     .begin = AT(begin),
				     .iova = first,
				     .last = last };

	ev.h.tid = tid;
	ev.h.domain = domain;
	feed(&ev);
}

static inline void iova_event(__u64 us, __u16 id, __u64 iova, __u64 size)
{
	struct iot_iova ev = { .h = head(id, sizeof(ev), us), .iova = iova, .size = size };

	feed(&ev);
}

static inline void table(__u64 us, __u16 id, __u64 page, __u32 domain)
{
	struct iot_table ev = { .h = head(id, sizeof(ev), us), .page = page, .bytes = PAGE };

	ev.h.domain = domain;
	feed(&ev);
}

static inline void teardown(__u64 begin, __u64 end, __u64 longest)
{
	struct iot_teardown ev = { .h = head(IOT_EV_TEARDOWN, sizeof(ev), end),
				   .begin = AT(begin),
				   .longest = longest };

	feed(&ev);
}

static inline void domain_free(__u64 us)
{
	const struct model_domain *dom = model__domain(&a->model, DOM);

	detach(us - 1, DEV, DOM);
	domain_state(us, DOM, IOT_DOMAIN_FREE, dom->type, false, false, 0);
}

static inline void mark(__u64 us, const char *phase)
{
	char text[64];

	snprintf(text, sizeof(text), "iommutop: phase %s\n", phase);
	log_line(us, text);
}

/* What the DMA API does in a strict domain, twenty times. */
static inline void clean(void)
{
	for (int i = 0; i < 20; i++) {
		iova_event(100 + i * 20, IOT_EV_IOVA_ALLOC, IOVA, PAGE);
		map_ok(101 + i * 20, IOVA, PAGE);
		unmap_ok(110 + i * 20, IOVA, PAGE, STRICT);
		sync_of(111 + i * 20, 112 + i * 20, IOVA, PAGE);
		iova_event(113 + i * 20, IOT_EV_IOVA_FREE, IOVA, PAGE);
	}
}

static inline void lose(__u64 begin, __u64 end, __u32 cause, const char *what)
{
	struct iot_loss ev = { .h = head(IOT_EV_LOSS, sizeof(ev), end),
			       .begin = AT(begin),
			       .count = 5,
			       .cause = cause };

	strncpy(ev.what, what, sizeof(ev.what) - 1);
	feed(&ev);
}

static inline void finish_at(__u64 us)
{
	capture(us, IOT_CAPTURE_END);
	assert_int_equal(checks__finish(checks), 0);
}

static inline void done(void)
{
	checks__free(checks);
	analysis__free(a);
}

static inline void finish(void)
{
	finish_at(10000000);
}

static inline const struct check_result *result_of(enum invariant_id id)
{
	for (size_t i = 0; i < set.nr; i++)
		if (rules[i].invariant == &invariants[id])
			return checks__result(checks, i);
	fail_msg("no rule %s", invariants[id].name);
	return NULL;
}

static inline void print_results(void)
{
	for (size_t i = 0; i < set.nr; i++) {
		const struct check_result *r = checks__result(checks, i);

		printf("%s: %s, %llu looked at, %llu violations\n", rules[i].name,
		       outcome__name(r->outcome), r->looked_at, r->violations);
		for (__u32 n = 0; n < r->nr_findings; n++)
			printf("  found: %s\n", r->findings[n].text);
		for (__u32 n = 0; n < r->nr_why; n++)
			printf("  why: %s\n", r->why[n]);
	}
}

static inline void expect_outcome(enum invariant_id id, enum outcome o)
{
	if (result_of(id)->outcome == o)
		return;
	print_results();
	fail_msg("%s is %s, not %s", invariants[id].name, outcome__name(result_of(id)->outcome),
		 outcome__name(o));
}

/* These fail, by so many violations, and nothing else does. ids ends with INV_NR. */
static inline void fails(__u64 violations, const enum invariant_id *ids)
{
	for (size_t i = 0; i < set.nr; i++) {
		const struct check_result *r = checks__result(checks, i);
		bool expected = false;

		for (const enum invariant_id *id = ids; *id != INV_NR; id++)
			expected |= rules[i].invariant == &invariants[*id];
		if ((r->outcome == OUTCOME_FAIL) != expected ||
		    (expected && r->violations != violations)) {
			print_results();
			fail_msg("%s: %s", rules[i].name, outcome__name(r->outcome));
		}
	}
}
#define FAILS(n, ...)   fails(n, (const enum invariant_id[]){ __VA_ARGS__, INV_NR })
#define NOTHING_FAILS() fails(0, (const enum invariant_id[]){ INV_NR })

static inline void found_text(enum invariant_id id, const char *words)
{
	const struct check_result *r = result_of(id);

	for (__u32 n = 0; n < r->nr_findings; n++)
		if (strstr(r->findings[n].text, words))
			return;
	print_results();
	fail_msg("no finding says: %s", words);
}

static inline void why_text(enum invariant_id id, const char *words)
{
	const struct check_result *r = result_of(id);

	for (__u32 n = 0; n < r->nr_why; n++)
		if (strstr(r->why[n], words))
			return;
	print_results();
	fail_msg("no reason says: %s", words);
}

#endif
