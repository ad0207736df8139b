// SPDX-License-Identifier: GPL-2.0-only
/* Paragraphs and first columns of the text report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/wrap.h"

static void a_name_that_fits_is_a_column(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	wrap__name(f, "refdma.0", 8);
	fputs(" 1\n", f);
	wrap__name(f, "nic", 8);
	fputs(" 2\n", f);
	fclose(f);
	assert_string_equal(text, "  refdma.0 1\n"
				  "  nic      2\n");
	free(text);
}

static void a_name_that_does_not_fit_moves_no_column(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	wrap__name(f, "arm-smmu-v3.0.auto sid 0x100", 8);
	fputs(" 1\n", f);
	fclose(f);
	assert_string_equal(text, "  arm-smmu-v3.0.auto sid 0x100\n"
				  "           1\n");
	free(text);
}

static void a_number_stays_with_its_unit(void **state)
{
	char *text = NULL, long_text[128];
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	memset(long_text, 'x', 96);
	strcpy(long_text + 96, " 1 ms");
	wrap__print(f, "", long_text);
	fclose(f);
	assert_string_equal(text + 96, "\n1 ms\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_that_fits_is_a_column),
		cmocka_unit_test(a_name_that_does_not_fit_moves_no_column),
		cmocka_unit_test(a_number_stays_with_its_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
