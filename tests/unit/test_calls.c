// SPDX-License-Identifier: GPL-2.0-only
/* Calls of a function are found in machine code by where they lead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/calls.h"

#define ADDR   0xffffffff81000000ULL
#define CALLEE 0xffffffff80ff0000ULL /* 0x10000 below */

/* push %rbp; call CALLEE; call elsewhere; nop; call CALLEE; an opcode too near to the end */
static const uint8_t code[] = {
	0x55,                         /* 0 */
	0xe8, 0xfa, 0xff, 0xfe, 0xff, /* 1: 6 - 0x10006 */
	0xe8, 0xfa, 0xff, 0xfe, 0xff, /* 6: the same distance leads 5 bytes further */
	0x90,                         /* 11 */
	0xe8, 0xef, 0xff, 0xfe, 0xff, /* 12: 17 - 0x10011 */
	0xe8, 0xea, 0xff, 0xfe,       /* 17: cut */
};

static void those_that_lead_there_are_found(void **state)
{
	size_t at[4] = { 0 };

	(void)state;
	assert_int_equal(calls__find(code, sizeof(code), ADDR, CALLEE, at, 4), 2);
	assert_int_equal(at[0], 1);
	assert_int_equal(at[1], 12);
	/* another address, other targets */
	assert_int_equal(calls__find(code, sizeof(code), ADDR + 5, CALLEE + 5, at, 4), 2);
	assert_int_equal(calls__find(code, sizeof(code), ADDR, CALLEE + 5, at, 4), 1);
	assert_int_equal(at[0], 6);
	assert_int_equal(calls__find(code, sizeof(code), ADDR, CALLEE + 1, at, 4), 0);
}

static void a_call_forwards_too(void **state)
{
	static const uint8_t forward[] = { 0xe8, 0x00, 0x01, 0x00, 0x00 };
	size_t at[1];

	(void)state;
	assert_int_equal(calls__find(forward, sizeof(forward), ADDR, ADDR + 0x105, at, 1), 1);
	assert_int_equal(calls__find(forward, sizeof(forward) - 1, ADDR, ADDR + 0x105, at, 1), 0);
}

static void more_than_there_is_room_for_are_counted(void **state)
{
	size_t at[2] = { 0, 77 };

	(void)state;
	assert_int_equal(calls__find(code, sizeof(code), ADDR, CALLEE, at, 1), 2);
	assert_int_equal(at[0], 1);
	assert_int_equal(at[1], 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_that_lead_there_are_found),
		cmocka_unit_test(a_call_forwards_too),
		cmocka_unit_test(more_than_there_is_room_for_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
