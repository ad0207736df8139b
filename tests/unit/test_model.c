// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/model.h"

#define PAGES 4096
#define BASE  0xffffffffff000000ULL /* the top page of the space is part of the test */

static __u64 page_addr(size_t page)
{
	return BASE + page * 0x1000;
}

/* --- the whole model against a list of everything that ever happened
 * ------------------------------------------- */

#define STEPS   6000
#define DOMAINS 3

struct naive_unmap {
	__u64 start, last, ts, begin, end;
	__u32 domain, mode, gather;
	bool flushed;
};

struct naive_model {
	__u64 mapped_at[DOMAINS + 1][PAGES]; /* 0 = not mapped */
	struct naive_unmap *unmaps;
	size_t nr;
};

static struct iot_event head(__u16 id, __u32 domain, __u64 ts)
{
	return (struct iot_event){
		.ts = ts, .id = id, .len = IOT_HOT_SIZE, .domain = domain, .dev = domain, .tid = 7
	};
}

static void random_map(struct model *m, struct naive_model *n, __u32 domain, __u64 ts)
{
	size_t page = (size_t)random() % PAGES, nr = 1 + (size_t)random() % 8;
	struct iot_map ev = { .h = head(IOT_EV_MAP, domain, ts),
			      .iova = page_addr(page),
			      .prot = 3 };

	if (page + nr > PAGES)
		nr = PAGES - page;
	ev.size = nr * 0x1000;
	model__event(m, &ev.h);
	for (size_t i = 0; i < nr; i++)
		n->mapped_at[domain][page + i] = ts;
}

static void random_unmap(struct model *m, struct naive_model *n, __u32 domain, __u64 ts)
{
	size_t page = (size_t)random() % PAGES, nr = 1 + (size_t)random() % 16;
	__u32 mode = random() % 2 ? IOT_UNMAP_LAZY : IOT_UNMAP_STRICT;
	struct iot_unmap ev = { .h = head(IOT_EV_UNMAP, domain, ts),
				.iova = page_addr(page),
				.mode = mode,
				.gather = mode == IOT_UNMAP_STRICT ? 1 + 256 * ((__u32)random() % 6)
								   : 0 };

	if (page + nr > PAGES)
		nr = PAGES - page;
	ev.size = ev.unmapped = nr * 0x1000;
	model__event(m, &ev.h);
	for (size_t i = 0; i < nr; i++)
		n->mapped_at[domain][page + i] = 0;
	n->unmaps[n->nr++] = (struct naive_unmap){ .start = ev.iova,
						   .last = ev.iova + ev.size - 1,
						   .ts = ts,
						   .domain = domain,
						   .mode = mode,
						   .gather = ev.gather };
}

static void random_flush(struct model *m, struct naive_model *n, __u32 domain, __u64 ts)
{
	struct iot_flush ev = { .h = head(IOT_EV_FLUSH, domain, ts),
				.begin = ts - (__u64)random() % 5000,
				.kind = random() % 2 ? IOT_FLUSH_ALL : IOT_FLUSH_SYNC };

	if (ev.kind == IOT_FLUSH_SYNC)
		ev.gather = 1 + 256 * ((__u32)random() % 6);
	model__event(m, &ev.h);
	for (size_t i = 0; i < n->nr; i++) {
		struct naive_unmap *u = &n->unmaps[i];
		bool strict = u->mode == IOT_UNMAP_STRICT;

		if (u->flushed || u->domain != domain)
			continue;
		if (ev.kind == IOT_FLUSH_SYNC
			    ? !strict || u->gather != ev.gather || u->ts > ev.begin
		    : strict ? u->ts > ev.begin
			     : u->ts >= ev.begin)
			continue;
		u->flushed = true;
		u->begin = ev.begin;
		u->end = ts;
	}
}

static void compare_models(struct model *m, const struct naive_model *n, const struct hist *lazy,
			   const struct hist *strict)
{
	model__add_up(m);
	for (__u32 d = 1; d <= DOMAINS; d++) {
		struct model_domain *dom = model__domain(m, d);
		__u64 bytes = 0;

		assert_non_null(dom);
		assert_true(ranges__sound(&dom->live));
		assert_memory_equal(&dom->stats.lazy, &lazy[d], sizeof(*lazy));
		assert_memory_equal(&dom->stats.strict, &strict[d], sizeof(*strict));
		for (size_t page = 0; page < PAGES; page++) {
			const struct range *r = ranges__find(&dom->live, page_addr(page));

			assert_int_equal(r ? r->ts : 0, n->mapped_at[d][page]);
			bytes += r ? 0x1000 : 0;
		}
		assert_int_equal(dom->live_bytes, bytes);
	}
}

static const struct dead *find_dead(const struct history *h, __u32 domain, __u64 addr)
{
	for (__u64 n = 1; n <= history__kept(h); n++) {
		const struct dead *d = history__get(h, h->next - n);

		if (d->domain == domain && d->start <= addr && addr <= d->last)
			return d;
	}
	return NULL;
}

/* The last unmap that held the page, and what covered it. */
static void compare_dead(struct model *m, const struct naive_model *n, __u32 domain, size_t page)
{
	const struct dead *d = find_dead(&m->history, domain, page_addr(page));
	const struct naive_unmap *u = NULL;

	for (size_t i = n->nr; i-- > 0 && !u;)
		if (n->unmaps[i].domain == domain && n->unmaps[i].start <= page_addr(page) &&
		    n->unmaps[i].last >= page_addr(page))
			u = &n->unmaps[i];
	/* A map over a live mapping ends that one as well; the list doesn't know. */
	if (d && d->replaced)
		return;
	assert_int_equal(d != NULL, u != NULL);
	if (!d)
		return;
	assert_int_equal(d->unmap_ts, u->ts);
	assert_int_equal(d->mode, u->mode);
	assert_int_equal(d->flushed, u->flushed);
	if (d->flushed) {
		assert_int_equal(d->flush_begin, u->begin);
		assert_int_equal(d->flush_end, u->end);
	}
}

static void the_model_agrees_with_a_list_of_all_events(void **state)
{
	struct hist *lazy = calloc(DOMAINS + 1, sizeof(*lazy)),
		    *strict = calloc(DOMAINS + 1, sizeof(*strict));
	struct naive_model *n = calloc(1, sizeof(*n));
	struct model m;

	(void)state;
	assert_int_equal(model__init(&m, 1 << 20), 0);
	n->unmaps = calloc(STEPS, sizeof(*n->unmaps));
	srandom(5);
	for (__u64 step = 0; step < STEPS; step++) {
		__u64 ts = 1000000 + step * 1000 + (__u64)random() % 1000;
		__u32 domain = 1 + (__u32)random() % DOMAINS;

		switch (random() % 8) {
		case 0:
			random_flush(&m, n, domain, ts);
			break;
		case 1:
		case 2:
		case 3:
			random_unmap(&m, n, domain, ts);
			break;
		default:
			random_map(&m, n, domain, ts);
		}
	}
	for (size_t i = 0; i < n->nr; i++) {
		const struct naive_unmap *u = &n->unmaps[i];

		if (u->flushed)
			hist__add(u->mode == IOT_UNMAP_LAZY ? &lazy[u->domain] : &strict[u->domain],
				  u->end - u->ts);
	}
	/* The mean doesn't depend on the order, the rest neither. */
	compare_models(&m, n, lazy, strict);
	for (__u32 d = 1; d <= DOMAINS; d++)
		for (size_t page = 0; page < PAGES; page += 3)
			compare_dead(&m, n, d, page);
	assert_int_equal(m.error, 0);
	model__free(&m);
	free(n->unmaps);
	free(n);
	free(lazy);
	free(strict);
}

static void history_forgets_the_oldest(void **state)
{
	struct history h;

	(void)state;
	assert_int_equal(history__init(&h, 4), 0);
	for (__u64 i = 0; i < 4; i++)
		assert_int_equal(history__add(&h, &(struct dead){ .domain = 1,
								  .start = i << 12,
								  .last = (i << 12) + 0xfff,
								  .unmap_ts = 100 + i }),
				 i);
	assert_int_equal(history__kept(&h), 4);
	assert_non_null(find_dead(&h, 1, 0));
	history__add(&h, &(struct dead){
				 .domain = 1, .start = 0x9000, .last = 0x9fff, .unmap_ts = 104 });
	assert_null(find_dead(&h, 1, 0));
	assert_null(history__get(&h, 0));
	assert_non_null(history__get(&h, 1));
	assert_null(find_dead(&h, 2, 0x1000));
	assert_int_equal(history__kept(&h), 4);
	assert_int_equal(history__get(&h, h.next - 4)->unmap_ts, 101);
	history__free(&h);
}

static struct dead *last_dead(struct model *m)
{
	return history__get(&m->history, m->history.next - 1);
}

static void an_unmap_over_a_hole_buries_what_was_there(void **state)
{
	struct iot_map map = {
		.h = head(IOT_EV_MAP, 1, 100), .iova = 0x10000, .size = 0x2000, .prot = 3
	};
	struct iot_unmap unmap = {
		.h = head(IOT_EV_UNMAP, 1, 200), .iova = 0x10000, .size = 0x8000, .unmapped = 0x2000
	};
	struct model m;

	(void)state;
	assert_int_equal(model__init(&m, 0), 0);
	model__event(&m, &map.h);
	model__event(&m, &unmap.h);
	assert_int_equal(m.history.next, 1);
	assert_int_equal(last_dead(&m)->last, 0x11fff);
	assert_int_equal(last_dead(&m)->map_ts, 100);
	assert_int_equal(model__domain(&m, 1)->live_bytes, 0);
	model__free(&m);
}

static void an_unmap_of_many_runs_of_one_list_is_one_entry(void **state)
{
	struct iot_map map = {
		.h = head(IOT_EV_MAP, 1, 100), .iova = 0x10000, .size = 0x1000, .prot = 3
	};
	struct iot_unmap unmap = { .h = head(IOT_EV_UNMAP, 1, 5000),
				   .iova = 0x10000,
				   .size = 0x100000,
				   .unmapped = 0x100000 };
	struct model m;

	(void)state;
	assert_int_equal(model__init(&m, 0), 0);
	for (int i = 0; i < 256; i++) {
		model__event(&m, &map.h);
		map.iova += 0x1000;
		map.paddr += 0x77000;
		map.h.ts += 10;
	}
	assert_int_equal(model__domain(&m, 1)->live.nr, 256);
	model__event(&m, &unmap.h);
	assert_int_equal(m.history.next, 1);
	assert_int_equal(last_dead(&m)->start, 0x10000);
	assert_int_equal(last_dead(&m)->last, 0x10ffff);
	model__free(&m);
}

static void unmaps_that_nobody_syncs_are_given_up_and_counted(void **state)
{
	struct iot_unmap unmap = { .h = head(IOT_EV_UNMAP, 1, 100),
				   .iova = 0x10000,
				   .size = 0x1000,
				   .unmapped = 0x1000,
				   .mode = IOT_UNMAP_STRICT,
				   .gather = 1 };
	struct model m;

	(void)state;
	assert_int_equal(model__init(&m, 0), 0);
	for (__u32 i = 0; i < PENDING_STRICT_MAX + 1; i++) {
		unmap.gather++;
		unmap.h.ts++;
		model__event(&m, &unmap.h);
	}
	assert_int_equal(model__domain(&m, 1)->pending.forgotten, PENDING_STRICT_MAX);
	model__free(&m);
}

static void losses_of_one_cause_that_touch_are_one(void **state)
{
	struct iot_loss loss = { .h = { .id = IOT_EV_LOSS, .len = sizeof(loss), .ts = 200 },
				 .begin = 100,
				 .count = 3,
				 .cause = IOT_LOST_RING };
	struct model m;

	(void)state;
	assert_int_equal(model__init(&m, 0), 0);
	model__event(&m, &loss.h);
	loss.begin = 150;
	loss.h.ts = 300;
	model__event(&m, &loss.h);
	assert_int_equal(m.nr_losses, 1);
	assert_int_equal(m.losses[0].count, 6);
	loss.begin = 1000;
	loss.h.ts = 1100;
	model__event(&m, &loss.h);
	assert_int_equal(m.nr_losses, 2);
	assert_non_null(model__lost(&m, 290, 500, 1U << IOT_LOST_RING));
	assert_null(model__lost(&m, 301, 999, 1U << IOT_LOST_RING));
	assert_null(model__lost(&m, 100, 200, 1U << IOT_LOST_RARE));
	model__free(&m);
}

static void the_span_is_what_is_marked_or_all_events(void **state)
{
	struct model m = { .first = 5, .last = 90 };
	__u64 begin, end;

	(void)state;
	model__span(&m, &begin, &end);
	assert_int_equal(begin, 5);
	assert_int_equal(end, 90);
	m.capture_begin = 10;
	m.capture_end = 80;
	model__span(&m, &begin, &end);
	assert_int_equal(begin, 10);
	assert_int_equal(end, 80);
	m.capture_end = 0; /* cut off */
	model__span(&m, &begin, &end);
	assert_int_equal(begin, 10);
	assert_int_equal(end, 90);
	m.capture_begin = 60; /* merged: the last one began after the first had ended */
	m.capture_end = 30;
	model__span(&m, &begin, &end);
	assert_int_equal(begin, 5);
	assert_int_equal(end, 90);
}

static void attach_moves_a_device_and_a_failed_one_does_not(void **state)
{
	struct iot_attach ev = {
		.h = { .id = IOT_EV_ATTACH, .len = sizeof(ev), .ts = 10, .dev = 5, .domain = 1 },
		.group = 2
	};
	struct model m;

	(void)state;
	assert_int_equal(model__init(&m, 0), 0);
	model__event(&m, &ev.h);
	ev.h.domain = 2;
	ev.ret = -22;
	model__event(&m, &ev.h);
	assert_int_equal(model__device(&m, 5)->domain, 1);
	ev.ret = 0;
	model__event(&m, &ev.h);
	assert_int_equal(model__device(&m, 5)->domain, 2);
	assert_int_equal(model__domain(&m, 1)->nr_devs, 0);
	assert_int_equal(model__domain(&m, 2)->nr_devs, 1);
	ev.h.id = IOT_EV_DETACH;
	model__event(&m, &ev.h);
	assert_int_equal(model__device(&m, 5)->domain, 0);
	model__free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_model_agrees_with_a_list_of_all_events),
		cmocka_unit_test(history_forgets_the_oldest),
		cmocka_unit_test(an_unmap_over_a_hole_buries_what_was_there),
		cmocka_unit_test(an_unmap_of_many_runs_of_one_list_is_one_entry),
		cmocka_unit_test(unmaps_that_nobody_syncs_are_given_up_and_counted),
		cmocka_unit_test(losses_of_one_cause_that_touch_are_one),
		cmocka_unit_test(the_span_is_what_is_marked_or_all_events),
		cmocka_unit_test(attach_moves_a_device_and_a_failed_one_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
