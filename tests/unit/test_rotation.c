// SPDX-License-Identifier: GPL-2.0-only
/* The file that follows another in a rotation, and what it takes to find it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/rotation.h"

#define MANY 4096

static const struct stream *next_of(const struct stream *streams, size_t nr, size_t i)
{
	const struct stream *next;
	struct rotation r;

	assert_int_equal(rotation__init(&r, streams, nr), 0);
	next = rotation__next(&r, &streams[i]);
	rotation__free(&r);
	return next;
}

static void the_next_number_follows(void **state)
{
	static const struct stream s[] = {
		{ .name = "events_1", .first_ts = 5 },  { .name = "events_10", .first_ts = 5 },
		{ .name = "events_2", .first_ts = 5 },  { .name = "events_9", .first_ts = 5 },
		{ .name = "rare_2", .first_ts = 5 },    { .name = "rare_1", .first_ts = 5 },
		{ .name = "tables", .first_ts = 5 },    { .name = "tables_x", .first_ts = 5 },
		{ .name = "a_b_3.zst", .first_ts = 5 }, { .name = "a_b_4", .first_ts = 5 },
		{ .name = "a_b_4.zst", .first_ts = 5 },
	};
	/* by index; itself: none follows */
	static const size_t follows[] = { 2, 1, 2, 1, 4, 4, 6, 7, 10, 9, 10 };

	(void)state;
	for (size_t i = 0; i < sizeof(follows) / sizeof(follows[0]); i++) {
		const struct stream *want = follows[i] == i ? NULL : &s[follows[i]];

		assert_ptr_equal(next_of(s, sizeof(s) / sizeof(s[0]), i), want);
	}
}

static void a_file_without_events_says_nothing(void **state)
{
	static const struct stream s[] = {
		{ .name = "events_1", .first_ts = 5 },
		{ .name = "events_2" },
		{ .name = "events_2", .first_ts = 7 }, /* in the other directory */
		{ .name = "events_3" },
	};

	(void)state;
	assert_ptr_equal(next_of(s, 4, 0), &s[2]);
	assert_null(next_of(s, 4, 2));
}

static void the_next_of_all_is_found_without_looking_at_all(void **state)
{
	struct stream *s = calloc(MANY, sizeof(*s));
	struct rotation r;

	(void)state;
	assert_non_null(s);
	/* in some order */
	for (unsigned int i = 0; i < MANY; i++) {
		snprintf(s[i].name, sizeof(s[i].name), "events_%u", i * 1237 % MANY);
		s[i].first_ts = 1 + i;
	}
	assert_int_equal(rotation__init(&r, s, MANY), 0);
	for (unsigned int i = 0; i < MANY; i++) {
		const struct stream *next = rotation__next(&r, &s[i]);
		unsigned long number = strtoul(s[i].name + strlen("events_"), NULL, 10);

		if (number + 1 == MANY) {
			assert_null(next);
			continue;
		}
		assert_non_null(next);
		assert_int_equal(strtoul(next->name + strlen("events_"), NULL, 10), number + 1);
	}
	/* sorting takes n log n comparisons, each search log n and two more; n * n / 2 would be 8 M
	 */
	assert_in_range(r.compared, MANY, MANY * (12 + 12 + 3));
	rotation__free(&r);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_number_follows),
		cmocka_unit_test(a_file_without_events_says_nothing),
		cmocka_unit_test(the_next_of_all_is_found_without_looking_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
