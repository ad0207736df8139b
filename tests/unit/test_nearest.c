// SPDX-License-Identifier: GPL-2.0-only
/* Mistyped words find the one that was meant, and others none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/nearest.h"

static const char *const words[] = { "window",  "no-fault",      "no-hang",     "domain-type",
				     "no-leak", "flush-latency", "detach-empty" };

static const char *nearest(const char *word)
{
	struct nearest n = { .word = word };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		nearest__offer(&n, words[i]);
	return n.best ? n.best : "";
}

static void finds(void **state)
{
	(void)state;
	assert_string_equal(nearest("windwo"), "window"); /* neighbours changed places */
	assert_string_equal(nearest("windw"), "window");
	assert_string_equal(nearest("windoow"), "window");
	assert_string_equal(nearest("WINDOW"), "window");
	assert_string_equal(nearest("no_hang"), "no-hang");
	assert_string_equal(nearest("no-lead"), "no-leak"); /* nearer than no-hang */
	assert_string_equal(nearest("fault"), "no-fault");
	assert_string_equal(nearest("no-heak"), "no-leak"); /* no-hang takes two */
	assert_string_equal(nearest("latency"), "flush-latency");
	assert_string_equal(nearest("the-domain-type"), "domain-type");
}

static void first_of_equals(void **state)
{
	struct nearest n = { .word = "bat" };

	(void)state;
	nearest__offer(&n, "cat");
	nearest__offer(&n, "rat");
	assert_string_equal(n.best, "cat");
	nearest__offer(&n, "BAT");
	assert_string_equal(n.best, "BAT");
}

static void finds_none(void **state)
{
	char longer[NEAREST_MAX + 2];

	(void)state;
	assert_string_equal(nearest(""), "");
	assert_string_equal(nearest("no"), ""); /* a part of several, too short to tell */
	assert_string_equal(nearest("strict"), "");
	assert_string_equal(nearest("wdw"), "");
	memset(longer, 'w', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_string_equal(nearest(longer), "");
}

static void hints(void **state)
{
	struct nearest n = { .word = "winow" };

	(void)state;
	assert_string_equal(nearest__hint(&n).s, "there is none");
	nearest__offer(&n, "no-leak");
	assert_string_equal(nearest__hint(&n).s, "choose from no-leak");
	nearest__offer(&n, "no-hang");
	assert_string_equal(nearest__hint(&n).s, "choose from no-leak, no-hang");
	nearest__offer(&n, "window");
	assert_string_equal(nearest__hint(&n).s, "did you mean \"window\"?");
	for (int i = 0; i < 200; i++) /* more than there is room for */
		nearest__offer(&n, "detach-empty");
	assert_string_equal(n.best, "window");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(first_of_equals),
		cmocka_unit_test(finds_none),
		cmocka_unit_test(hints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
