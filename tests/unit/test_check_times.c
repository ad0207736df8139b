// SPDX-License-Identifier: GPL-2.0-only
/* window, flush-latency. */
#include "check_scene.h"

static void window_below(__u64 flush_end)
{
	start(IOT_TYPE_DMA_FQ);
	map_ok(100, IOVA, PAGE);
	unmap_ok(200, IOVA, PAGE, LAZY);
	flush_everything(210, flush_end);
	finish();
}

static void a_window_is_held_against_its_limit(void **state)
{
	(void)state;
	window_below(200 + 49999);
	expect_outcome(INV_WINDOW, OUTCOME_PASS);
	done();
	window_below(200 + 50000);
	FAILS(1, INV_WINDOW, INV_FLUSH_LATENCY);
	found_text(INV_WINDOW, "50.000 ms after its unmap");
	done();
}

static void flushes_that_take(int slow, int fast, __u64 percent)
{
	set.nr = 0;
	add_rule(INV_FLUSH_LATENCY)->params[1] = percent;
	start_with(IOT_TYPE_DMA_FQ, false, 0);
	for (int i = 0; i < slow + fast; i++)
		flush_everything(10000 + i * 2000, 10000 + i * 2000 + (i < slow ? 1000 : 999));
	finish();
}

static void latency_is_an_exact_share(void **state)
{
	(void)state;
	flushes_that_take(1, 99, 99000);
	expect_outcome(INV_FLUSH_LATENCY, OUTCOME_PASS);
	assert_non_null(strstr(result_of(INV_FLUSH_LATENCY)->says, "p99 of 100 flushes"));
	done();
	flushes_that_take(2, 99, 99000);
	expect_outcome(INV_FLUSH_LATENCY, OUTCOME_FAIL);
	done();
	flushes_that_take(1, 999, 99900);
	expect_outcome(INV_FLUSH_LATENCY, OUTCOME_PASS);
	done();
	flushes_that_take(1, 998, 99900);
	expect_outcome(INV_FLUSH_LATENCY, OUTCOME_FAIL);
	done();
	flushes_that_take(1, 99, 100000);
	expect_outcome(INV_FLUSH_LATENCY, OUTCOME_FAIL);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_is_held_against_its_limit),
		cmocka_unit_test(latency_is_an_exact_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
