// SPDX-License-Identifier: GPL-2.0-only
/* What makes a flight recorder dump, and what doesn't. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"
#include "trigger/trigger.h"

#define MS 1000000ULL

static struct trigger *t;
static struct trigger_hit hit;

static void want(const char *list)
{
	struct trigger_opts opts = { 0 };
	struct error err = { "" };

	trigger__free(t);
	if (trigger__parse(&opts, list, &err))
		fail_msg("%s", err.text);
	assert_int_equal(trigger__new(&t, &opts), 0);
}

static int teardown(void **state)
{
	(void)state;
	trigger__free(t);
	t = NULL;
	return 0;
}

static bool feed(const void *ev)
{
	int rc;

	memset(&hit, 0, sizeof(hit));
	rc = trigger__feed(t, ev, ((const struct iot_event *)ev)->len, &hit);
	assert_true(rc >= 0);
	return rc;
}

#define HEAD(ts_, id_, type_) \
	.h = { .ts = (ts_), .id = (id_), .len = sizeof(struct type_), .domain = 1 }

static bool map(uint32_t domain, uint64_t ts, uint64_t size, int ret)
{
	struct iot_map e = { HEAD(ts, IOT_EV_MAP, iot_map), .size = size, .ret = ret };

	e.h.domain = domain;
	return feed(&e);
}

static bool unmap(uint32_t domain, uint64_t ts, uint64_t size, uint32_t mode, uint32_t gather)
{
	struct iot_unmap e = { HEAD(ts, IOT_EV_UNMAP, iot_unmap), .size = size, .unmapped = size,
			       .mode = mode, .gather = gather };

	e.h.domain = domain;
	return feed(&e);
}
#define lazy(ts)           unmap(1, ts, 4096, IOT_UNMAP_LAZY, 0)
#define strict(ts, gather) unmap(1, ts, 4096, IOT_UNMAP_STRICT, gather)

static bool flush(uint64_t begin, uint64_t end, uint8_t kind, uint32_t gather)
{
	struct iot_flush e = { HEAD(end, IOT_EV_FLUSH, iot_flush), .begin = begin, .kind = kind,
			       .gather = gather };

	return feed(&e);
}
#define flush_all(begin, end)          flush(begin, end, IOT_FLUSH_ALL, 0)
#define flush_sync(begin, end, gather) flush(begin, end, IOT_FLUSH_SYNC, gather)

static bool trouble(uint16_t id, const char *what)
{
	struct iot_trouble e = { HEAD(5, id, iot_trouble) };

	snprintf(e.what, sizeof(e.what), "%s", what);
	return feed(&e);
}

static bool log_line(const char *text)
{
	struct {
		struct iot_log log;
		char text[256];
	} e = { .log = { HEAD(7, IOT_EV_LOG, iot_log), .text_len = sizeof(e.text) } };

	e.log.h.len = sizeof(e);
	snprintf(e.text, sizeof(e.text), "%s", text);
	return feed(&e);
}

static bool fault(uint64_t iova)
{
	struct iot_fault e = { HEAD(9, IOT_EV_FAULT, iot_fault), .iova = iova, .iova_known = 1 };

	return feed(&e);
}

static void a_list_is_read_to_its_end(void **state)
{
	struct trigger_opts o = { 0 };
	struct error err = { "" };
	static const char *const bad[] = { "",         "foo",      "fault,",    ",fault",
					   "window",   "window>",  "window>x",  "window>20",
					   "live>1ms", "flush>0s", "fault>1ms", "faults" };

	(void)state;
	assert_int_equal(trigger__parse(&o, "fault,hang,window>20ms,flush>5us,live>1G", &err), 0);
	assert_true(o.fault && o.hang && !o.reset && !o.error);
	assert_int_equal(o.window_ns, 20 * MS);
	assert_int_equal(o.flush_ns, 5000);
	assert_int_equal(o.live_bytes, 1ULL << 30);
	assert_int_equal(trigger__parse(&o, "reset,error", &err), 0);
	assert_true(o.fault && o.reset && o.error);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err.text[0] = 0;
		if (!strcmp(bad[i], "window>20")) /* a bare number is seconds */
			continue;
		if (!trigger__parse(&o, bad[i], &err))
			fail_msg("'%s' was taken", bad[i]);
		assert_non_null(strstr(err.text, "window>20ms"));
	}
}

static void only_what_was_asked_for_counts(void **state)
{
	static const char *const kinds[] = { "fault", "hang", "reset", "error" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		want(kinds[i]);
		assert_int_equal(fault(0x1000), i == 0);
		assert_int_equal(trouble(IOT_EV_HANG, "x"), i == 1);
		assert_int_equal(trouble(IOT_EV_RESET, "x"), i == 2);
		assert_int_equal(trouble(IOT_EV_ERROR, "x"), i == 3);
		assert_false(map(1, 10, 4096, 0) || lazy(11) || flush_all(12, 13 * MS));
	}
	want("fault");
	assert_true(fault(0xabc000));
	assert_int_equal(hit.ts, 9);
	assert_non_null(strstr(hit.what, "0xabc000"));
	assert_non_null(strstr(hit.what, "domain 1"));
}

static void lines_of_the_log_count_too(void **state)
{
	(void)state;
	want("fault");
	assert_true(log_line("DMAR: [DMA Write NO_PASID] Request device [00:03.0] fault addr "
			     "0xfffff000 [fault reason 0x05] PTE Write access is not set"));
	assert_int_equal(hit.ts, 7);
	assert_false(log_line("e1000e 0000:00:03.0 eth0: Detected Hardware Unit Hang:"));
	assert_false(log_line("usb 1-1: new high-speed USB device number 2"));
	want("hang");
	assert_true(log_line("e1000e 0000:00:03.0 eth0: Detected Hardware Unit Hang:"));
	assert_non_null(strstr(hit.what, "0000:00:03.0"));
}

static void a_slow_flush_counts_when_it_ends(void **state)
{
	(void)state;
	want("flush>5ms");
	assert_false(flush_all(10 * MS, 15 * MS));
	assert_true(flush_all(20 * MS, 25 * MS + 1));
	assert_int_equal(hit.ts, 25 * MS + 1);
	assert_non_null(strstr(hit.what, "5.000 ms"));
}

static void a_window_is_from_the_unmap_to_the_end_of_its_flush(void **state)
{
	(void)state;
	want("window>20ms");
	assert_false(lazy(100 * MS) || lazy(110 * MS));
	/* it began before the second unmap: covers the first alone, in time */
	assert_false(flush_all(105 * MS, 120 * MS));
	/* 20 ms to the tick are not more */
	assert_false(lazy(130 * MS));
	assert_true(flush_all(131 * MS, 132 * MS));
	assert_non_null(strstr(hit.what, "window of 22.000 ms"));
	assert_false(flush_all(140 * MS, 200 * MS));
	assert_false(lazy(300 * MS) || flush_all(310 * MS, 320 * MS));
}

static void a_flush_that_does_not_come_is_noticed_once(void **state)
{
	(void)state;
	want("window>20ms");
	assert_false(lazy(100 * MS) || map(2, 120 * MS, 4096, 0));
	assert_true(map(2, 121 * MS, 4096, 0));
	assert_non_null(strstr(hit.what, "at least 21.000 ms, domain 1"));
	assert_false(map(2, 130 * MS, 4096, 0));
	assert_false(flush_all(140 * MS, 150 * MS));
	assert_false(lazy(200 * MS));
	assert_true(map(2, 221 * MS, 4096, 0));
}

static void strict_unmaps_wait_for_their_own_flush(void **state)
{
	(void)state;
	want("window>1ms");
	assert_false(strict(10 * MS, 77) || flush_sync(10 * MS, 10 * MS + 1000, 77));
	assert_false(strict(20 * MS, 77) || flush_sync(20 * MS, 25 * MS, 78));
	assert_true(flush_sync(25 * MS, 26 * MS, 77));
	/* several gathered: the first one counts */
	assert_false(strict(30 * MS, 77) || strict(31 * MS, 77));
	assert_true(flush_sync(31 * MS, 31 * MS + 1, 77));
	/* a flush of all covers them as well */
	assert_false(strict(40 * MS, 77) || flush_all(40 * MS + 1, 40 * MS + 2));
	assert_false(flush_sync(50 * MS, 51 * MS, 77));
}

static void lost_flushes_give_no_alarm(void **state)
{
	struct iot_loss loss = { HEAD(110 * MS, IOT_EV_LOSS, iot_loss), .count = 1,
				 .cause = IOT_LOST_RING };
	struct iot_domain gone = { HEAD(310 * MS, IOT_EV_DOMAIN, iot_domain),
				   .what = IOT_DOMAIN_FREE };

	(void)state;
	want("window>20ms");
	assert_false(lazy(100 * MS) || feed(&loss) || map(2, 200 * MS, 4096, 0));
	assert_false(lazy(300 * MS) || feed(&gone) || map(2, 400 * MS, 4096, 0));
}

static void live_bytes_are_maps_less_unmaps_of_a_domain(void **state)
{
	const uint64_t gib = 1ULL << 30;

	(void)state;
	want("live>1G");
	assert_false(map(1, 1, gib, 0) || map(2, 2, gib, 0) || map(1, 3, gib, -12));
	assert_true(map(1, 4, 4096, 0));
	assert_non_null(strstr(hit.what, "1024 MiB"));
	/* once for each time that it grows beyond, not for each map around the limit */
	assert_false(unmap(1, 5, 4096, IOT_UNMAP_LAZY, 0) || map(1, 6, 8192, 0));
	assert_false(unmap(1, 7, gib / 2, IOT_UNMAP_LAZY, 0));
	assert_true(map(1, 8, gib, 0));
}

static void the_first_of_several_is_told_and_none_forgotten(void **state)
{
	struct {
		struct iot_fault fault;
		struct iot_unmap unmap;
		struct iot_trouble hang;
	} e = { .fault = { HEAD(1, IOT_EV_FAULT, iot_fault) },
		.unmap = { HEAD(2, IOT_EV_UNMAP, iot_unmap), .unmapped = 4096,
			   .mode = IOT_UNMAP_LAZY },
		.hang = { HEAD(3, IOT_EV_HANG, iot_trouble) } };

	(void)state;
	want("fault,hang,window>20ms");
	assert_int_equal(trigger__feed(t, &e, sizeof(e), &hit), 1);
	assert_int_equal(hit.ts, 1);
	assert_string_equal(hit.what, "fault, domain 1");
	/* the unmap behind it is remembered */
	assert_true(map(1, 30 * MS, 4096, 0));
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_list_is_read_to_its_end),
		TEST(only_what_was_asked_for_counts),
		TEST(lines_of_the_log_count_too),
		TEST(a_slow_flush_counts_when_it_ends),
		TEST(a_window_is_from_the_unmap_to_the_end_of_its_flush),
		TEST(a_flush_that_does_not_come_is_noticed_once),
		TEST(strict_unmaps_wait_for_their_own_flush),
		TEST(lost_flushes_give_no_alarm),
		TEST(live_bytes_are_maps_less_unmaps_of_a_domain),
		TEST(the_first_of_several_is_told_and_none_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
