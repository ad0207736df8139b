// SPDX-License-Identifier: GPL-2.0-only
/*
 * The man page of the rule file and the code: examples are right, error messages are those that it
 * shows, and it names each invariant with its parameters and their defaults.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "assert/rule.h"

#define PAGE "docs/man/iommutop-rules.5" /* below the source's root, where tests run */

static char *page;

static int load(void **state)
{
	FILE *f = fopen(PAGE, "r");
	size_t size = 1 << 20, n;

	(void)state;
	if (!f)
		fail_msg("%s can't be read: tests run in the root of the source", PAGE);
	page = calloc(1, size);
	assert_non_null(page);
	n = fread(page, 1, size - 1, f);
	assert_int_equal(fclose(f), 0);
	return n ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	free(page);
	return 0;
}

static void examples(void **state)
{
	static const char begin[] = ".Bd -literal -offset indent\n";
	unsigned int right = 0;

	(void)state;
	for (const char *at = strstr(page, begin); at; at = strstr(at, begin)) {
		const char *end = strstr(at, "\n.Ed\n");
		struct error err = { "" };
		struct rule_set set;

		at += strlen(begin);
		assert_non_null(end);
		if (strncmp(at, "rules:", 6) != 0 && strncmp(at, "preset:", 7) != 0)
			continue;
		if (rules__parse(&set, PAGE, at, (size_t)(end - at), &err))
			fail_msg("%.*s\n%s", (int)(end - at), at, err.text);
		rules__free(&set);
		right++;
	}
	assert_int_equal(right, 5);
}

static void errors(void **state)
{
	static const char *const wrong[] = {
		"rules:\n  - invariant: window\n    params: {below: 20}\n",
		"rules:\n  - invariant: window\n    name: nic-window\n    selct: {driver: ixgbe}\n"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct error err = { "" };
		struct rule_set set;

		assert_true(rules__parse(&set, "nic.yaml", wrong[i], strlen(wrong[i]), &err) < 0);
		if (!strstr(page, err.text))
			fail_msg("%s has no \"%s\"", PAGE, err.text);
	}
}

/* The text between the head of an item and the next one: the caller's. */
static char *item_of(const char *list, const char *name)
{
	char head[80];
	const char *at, *end;

	snprintf(head, sizeof(head), "\n.It Cm %s\n", name);
	at = strstr(list, head);
	if (!at)
		fail_msg("%s doesn't list %s", PAGE, name);
	at += strlen(head) - 1; /* its line end */
	end = strstr(at, "\n.It ");
	if (!end || end > strstr(at, "\n.El\n"))
		end = strstr(at, "\n.El\n");
	assert_non_null(end);
	return strndup(at, (size_t)(end - at));
}

static void lists_invariants(void **state)
{
	const char *list = strstr(page, "\n.Sh INVARIANTS\n");

	(void)state;
	assert_non_null(list);
	for (size_t i = 0; i < INV_NR; i++) {
		const struct invariant *inv = &invariants[i];
		char *item = item_of(list, inv->name), want[80];

		for (const struct invariant_param *p = inv->params; p->name; p++) {
			snprintf(want, sizeof(want), "\n.Cm %s : %s", p->name,
				 p->preset ? p->preset : p->words[0]);
			if (!strstr(item, want))
				fail_msg("%s: %s has no \"%s\"", PAGE, inv->name, want + 1);
		}
		if (!inv->params[0].name)
			assert_string_equal(item, "");
		free(item);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples),
		cmocka_unit_test(errors),
		cmocka_unit_test(lists_invariants),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
