// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/ranges.h"

/* The reference: one entry for each page of a small address space; owner 0 = not mapped. */
#define PAGES 4096
#define BASE  0xffffffffff000000ULL /* the top page of the space is part of the test */

struct naive {
	__u32 owner[PAGES];
	__u64 paddr[PAGES];
	size_t removed; /* pages */
};

struct collected {
	const struct naive *before;
	size_t pages;
	__u64 next;
};

static __u64 page_addr(size_t page)
{
	return BASE + page * 0x1000;
}

static void check_piece(const struct range *piece, void *ctx)
{
	struct collected *c = ctx;

	assert_true(piece->start >= c->next);
	c->next = piece->last;
	for (__u64 a = piece->start;; a += 0x1000) {
		size_t page = (size_t)((a - BASE) / 0x1000);

		assert_int_equal(c->before->owner[page], piece->tid);
		assert_true(c->before->paddr[page] == piece->paddr + (a - piece->start));
		c->pages++;
		if (piece->last - a < 0x1000)
			break;
	}
}

static size_t naive_remove(struct naive *n, size_t page, size_t nr)
{
	size_t removed = 0;

	for (size_t i = page; i < page + nr; i++) {
		removed += n->owner[i] != 0;
		n->owner[i] = 0;
	}
	return removed;
}

static void remove_both(struct ranges *t, struct naive *n, size_t page, size_t nr)
{
	struct naive before = *n;
	struct collected c = { .before = &before };

	assert_int_equal(ranges__remove(t, page_addr(page), page_addr(page) + nr * 0x1000 - 1,
					check_piece, &c),
			 0);
	assert_int_equal(c.pages, naive_remove(n, page, nr));
}

static void compare_everywhere(const struct ranges *t, const struct naive *n)
{
	for (size_t i = 0; i < PAGES; i++) {
		__u64 addr = page_addr(i) + (__u64)random() % 0x1000;
		const struct range *r = ranges__find(t, addr);

		if (!n->owner[i]) {
			assert_null(r);
			continue;
		}
		assert_non_null(r);
		assert_int_equal(r->tid, n->owner[i]);
		assert_true(r->paddr + (page_addr(i) - r->start) == n->paddr[i]);
	}
}

static void compare_neighbours(const struct ranges *t, __u64 addr)
{
	const struct range *below = ranges__below(t, addr), *above = ranges__above(t, addr);

	if (below)
		assert_true(below->start <= addr);
	if (above)
		assert_true(above->start > addr);
	if (below && above)
		assert_ptr_equal(ranges__above(t, below->start), above);
}

static void the_tree_agrees_with_a_page_array(unsigned int seed, size_t longest)
{
	struct ranges_pool *pool = ranges_pool__new();
	struct naive *n = calloc(1, sizeof(*n));
	struct ranges t;
	__u32 owner = 0;

	assert_non_null(pool);
	assert_non_null(n);
	srandom(seed);
	ranges__init(&t, pool);
	for (int step = 0; step < 20000; step++) {
		size_t page = (size_t)random() % PAGES, nr = 1 + (size_t)random() % longest;

		if (page + nr > PAGES)
			nr = PAGES - page;
		/* Phases of growth and of shrinking, so that both splits and merges happen at every
		 * level. */
		if (random() % 100 < (step / 2500 % 2 ? 25 : 75)) {
			struct range r = { .start = page_addr(page),
					   .last = page_addr(page) + nr * 0x1000 - 1,
					   .tid = ++owner,
					   .paddr = (__u64)random() << 12 };
			bool taken = false;

			/* It fits exactly where no page is taken. */
			for (size_t i = 0; i < nr; i++)
				taken |= n->owner[page + i] != 0;
			if (taken) {
				assert_int_equal(ranges__insert(&t, &r), -EEXIST);
				remove_both(&t, n, page, nr);
			}
			assert_int_equal(ranges__insert(&t, &r), 0);
			for (size_t i = 0; i < nr; i++) {
				n->owner[page + i] = owner;
				n->paddr[page + i] = r.paddr + i * 0x1000;
			}
		} else {
			remove_both(&t, n, page, random() % 400 ? nr : PAGES - page);
		}
		compare_neighbours(&t, page_addr((size_t)random() % PAGES));
		if (step % 50 == 0) {
			assert_true(ranges__sound(&t));
			compare_everywhere(&t, n);
		}
	}
	ranges__clear(&t);
	assert_int_equal(t.nr, 0);
	ranges_pool__free(pool);
	free(n);
}

static void single_pages_agree_with_a_page_array(void **state)
{
	(void)state;
	the_tree_agrees_with_a_page_array(1, 1);
}

static void short_runs_agree_with_a_page_array(void **state)
{
	(void)state;
	the_tree_agrees_with_a_page_array(2, 5);
}

static void long_runs_agree_with_a_page_array(void **state)
{
	(void)state;
	the_tree_agrees_with_a_page_array(3, 300);
}

static void drop(const struct range *piece, void *ctx)
{
	(void)piece;
	(*(size_t *)ctx)++;
}

/* Deep enough that inner nodes split and merge as well, in an order that empties whole sub-trees
 * from the left. */
static void a_deep_tree_stays_sound_when_it_shrinks(void **state)
{
	enum { NR = 40000 };
	struct ranges_pool *pool = ranges_pool__new();
	bool *there = calloc(NR, sizeof(*there));
	struct ranges t;

	(void)state;
	srandom(9);
	ranges__init(&t, pool);
	for (int round = 0; round < 6; round++) {
		size_t removed = 0, nr = 0, was = t.nr;

		for (__u64 i = 0; i < NR; i++) {
			struct range r = { .start = i << 12, .last = (i << 12) + 0xfff };

			if (there[i] || random() % 3 == 0)
				continue;
			assert_int_equal(ranges__insert(&t, &r), 0);
			there[i] = true;
			was++;
		}
		assert_true(ranges__sound(&t));
		for (int cut = 0; cut < 300; cut++) {
			__u64 at = (__u64)random() % NR,
			      len = 1 + (__u64)random() % (cut % 10 ? 100 : 1500);

			assert_int_equal(ranges__remove(&t, at << 12, ((at + len) << 12) - 1, drop,
							&removed),
					 0);
			for (__u64 i = at; i < at + len && i < NR; i++)
				there[i] = false;
			assert_true(ranges__sound(&t));
			/* Something new where a separator may have stayed behind. */
			if (!there[at]) {
				struct range r = { .start = at << 12, .last = (at << 12) + 0xfff };

				assert_int_equal(ranges__insert(&t, &r), 0);
				there[at] = true;
				was++;
				assert_true(ranges__sound(&t));
			}
		}
		for (__u64 i = 0; i < NR; i++) {
			assert_int_equal(ranges__find(&t, (i << 12) + 5) != NULL, there[i]);
			nr += there[i];
		}
		assert_int_equal(t.nr, nr);
		assert_int_equal(was - removed, nr);
	}
	ranges__clear(&t);
	ranges_pool__free(pool);
	free(there);
}

static void nodes_are_reused(void **state)
{
	struct ranges_pool *pool = ranges_pool__new();
	struct ranges t;
	size_t bytes = 0;

	(void)state;
	ranges__init(&t, pool);
	for (int round = 0; round < 20; round++) {
		for (__u64 i = 0; i < 5000; i++) {
			struct range r = { .start = (i * 7919 % 5000) << 12,
					   .last = ((i * 7919 % 5000) << 12) + 0xfff };

			assert_int_equal(ranges__insert(&t, &r), 0);
		}
		assert_int_equal(t.nr, 5000);
		if (!round)
			bytes = ranges_pool__bytes(pool);
		ranges__clear(&t);
	}
	assert_int_equal(ranges_pool__bytes(pool), bytes);
	ranges_pool__free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_pages_agree_with_a_page_array),
		cmocka_unit_test(short_runs_agree_with_a_page_array),
		cmocka_unit_test(long_runs_agree_with_a_page_array),
		cmocka_unit_test(a_deep_tree_stays_sound_when_it_shrinks),
		cmocka_unit_test(nodes_are_reused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
