// SPDX-License-Identifier: GPL-2.0-only
/* What a flight recorder did not keep is never taken for something that did not happen. */
#include <stdbool.h>

#include "analyze/analysis.h"
#include "session/forgotten.h"
#include "session_fixture.h"

#define T0   100000000000ULL
#define IOVA 0xfff0000ULL
#define DOM  3
#define DEV  1
#define RING 8 /* packets */

static struct session_writer *writer;
static uint64_t now; /* of the event written last */

static void put(void *event, uint16_t id, size_t len)
{
	struct iot_event *ev = event;

	now += 1000;
	*ev = (struct iot_event){
		.ts = now, .id = id, .len = (uint16_t)len, .domain = DOM, .dev = DEV, .tid = 7
	};
	assert_int_equal(session_writer__write(writer, ev, len), 0);
}

static void put_map(uint64_t iova)
{
	struct iot_map ev = { .iova = iova, .size = 4096, .prot = 3 };

	put(&ev, IOT_EV_MAP, sizeof(ev));
}

static void put_unmap(uint64_t iova)
{
	struct iot_unmap ev = {
		.iova = iova, .size = 4096, .unmapped = 4096, .mode = IOT_UNMAP_LAZY
	};

	put(&ev, IOT_EV_UNMAP, sizeof(ev));
}

static void put_flush(void)
{
	struct iot_flush ev = { .begin = now + 500, .kind = IOT_FLUSH_ALL, .why = IOT_WHY_TIMER };

	put(&ev, IOT_EV_FLUSH, sizeof(ev));
}

static void put_fault(void)
{
	struct iot_fault ev = {
		.iova = IOVA, .iova_known = 1, .access = IOT_ACCESS_WRITE, .source = IOT_SRC_REPORT
	};

	now += 5000000; /* the device is not that fast */
	put(&ev, IOT_EV_FAULT, sizeof(ev));
}

/* Far more than the ring holds, of other addresses. */
static void flood(void)
{
	for (unsigned int i = 0; i < 10 * RING * HOT_PER_PACKET; i++) {
		put_map(0x1000 + 0x1000 * (uint64_t)(i % 64));
		put_unmap(0x1000 + 0x1000 * (uint64_t)(i % 64));
		if (i % 64 == 63)
			put_flush();
	}
}

static int setup(void **state)
{
	const struct session_writer_opts opts = { .packet = PACKET, .ring = RING * PACKET };
	struct iot_capture capture = { .what = IOT_CAPTURE_BEGIN, .attach_begin = T0 };
	struct iot_device device = { .group = 5, .name = "refdma.0", .driver = "refdma" };
	struct iot_domain domain = { .what = IOT_DOMAIN_SEEN,
				     .type = IOT_TYPE_DMA_FQ,
				     .group = 5,
				     .fq_active = 1,
				     .fq_known = 1 };
	struct iot_attach attach = { .group = 5 };

	if (fixture_setup(state))
		return -1;
	now = T0;
	writer = must_open(path("s"), &opts);
	put(&capture, IOT_EV_CAPTURE, sizeof(capture));
	put(&device, IOT_EV_DEVICE, sizeof(device));
	put(&domain, IOT_EV_DOMAIN, sizeof(domain));
	put(&attach, IOT_EV_ATTACH, sizeof(attach));
	return 0;
}

static void expect(enum verdict verdict)
{
	struct iot_capture capture = { .what = IOT_CAPTURE_END };
	struct analysis *a;
	struct copy c;

	put(&capture, IOT_EV_CAPTURE, sizeof(capture));
	must_close(writer);
	must_read(&c, path("s"));
	assert_int_equal(analysis__new(&a, NULL), 0);
	for (size_t at = 0; at < c.bytes;) {
		const struct iot_event *ev = (const struct iot_event *)(c.data + at);

		assert_int_equal(analysis__event(a, ev), 0);
		at += ev->len;
	}
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 1);
	assert_int_equal(a->incidents.list[0]->judgement.verdict, verdict);
	analysis__free(a);
	copy_free(&c);
}

/*
 * The recorder was killed: the session ends before CAPTURE, and the files of the events that were
 * not dumped are not there. What it has is judged with and without that knowledge.
 */
static void expect_killed(enum verdict verdict, enum verdict ignorant)
{
	struct forgotten forgotten = { 0 };
	struct session_info info = { 0 };
	const struct session_env_entry env = { "flight_recorder", NULL, RING * PACKET };
	enum verdict found[2];
	struct iot_loss loss;
	struct analysis *a;
	struct copy c;

	must_close(writer);
	unlink(path("s/ctf/events_1"));
	must_read(&c, path("s"));
	info.env = &env;
	info.nr_env = 1;
	for (int told = 0; told < 2; told++) {
		assert_int_equal(analysis__new(&a, NULL), 0);
		for (size_t at = 0; at < c.bytes;) {
			const struct iot_event *ev = (const struct iot_event *)(c.data + at);

			forgotten__see(&forgotten, ev);
			assert_int_equal(analysis__event(a, ev), 0);
			at += ev->len;
		}
		assert_true(forgotten__loss(&forgotten, &info, &loss));
		if (told)
			assert_int_equal(analysis__event(a, &loss.h), 0);
		analysis__finish(a);
		assert_int_equal(a->incidents.nr, 1);
		found[told] = a->incidents.list[0]->judgement.verdict;
		analysis__free(a);
	}
	copy_free(&c);
	assert_int_equal(found[0], ignorant);
	assert_int_equal(found[1], verdict);
}

static void of_what_was_in_memory_when_it_was_killed_nothing_is_known(void **state)
{
	struct session_dump d;

	(void)state;
	put_map(IOVA + 0x100000);
	assert_int_equal(session_writer__dump(writer, now, &d), 0);
	put_map(IOVA);
	put_unmap(IOVA);
	put_flush();
	put_fault();
	expect_killed(VERDICT_CANNOT_KNOW, VERDICT_NEVER_MAPPED);
}

static void what_was_dumped_before_it_was_killed_is_known(void **state)
{
	struct session_dump d;

	(void)state;
	put_map(IOVA);
	put_unmap(IOVA);
	put_flush();
	put_fault();
	now += 1000;
	put_map(IOVA + 0x100000);
	assert_int_equal(session_writer__dump(writer, now, &d), 0);
	put_map(IOVA);
	expect_killed(VERDICT_UNMAPPED_FLUSHED, VERDICT_UNMAPPED_FLUSHED);
}

static void a_mapping_that_was_forgotten_may_have_been_the_one(void **state)
{
	(void)state;
	put_map(IOVA);
	flood();
	put_fault();
	expect(VERDICT_CANNOT_KNOW);
}

static void one_that_never_was_cannot_be_told_from_it(void **state)
{
	(void)state;
	flood();
	put_fault();
	expect(VERDICT_CANNOT_KNOW);
}

static void as_long_as_nothing_is_forgotten_it_is_known(void **state)
{
	(void)state;
	put_map(IOVA + 0x100000);
	put_fault();
	expect(VERDICT_NEVER_MAPPED);
}

static void what_is_in_the_dump_is_as_good_as_in_any_session(void **state)
{
	struct session_dump d;

	(void)state;
	flood();
	put_map(IOVA);
	put_unmap(IOVA);
	put_flush();
	put_fault();
	assert_int_equal(session_writer__dump(writer, now + 1000, &d), 0);
	assert_true(d.forgotten > 0);
	flood();
	expect(VERDICT_UNMAPPED_FLUSHED);
}

static void an_unmap_that_was_forgotten_leaves_nothing_mapped(void **state)
{
	struct session_dump d;

	(void)state;
	put_map(IOVA);
	assert_int_equal(session_writer__dump(writer, now, &d), 0);
	put_unmap(IOVA);
	flood();
	put_fault();
	/* the map is in the dump, the unmap isn't: "mapped, and still it faults" would be wrong */
	expect(VERDICT_CANNOT_KNOW);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_mapping_that_was_forgotten_may_have_been_the_one),
		TEST(one_that_never_was_cannot_be_told_from_it),
		TEST(as_long_as_nothing_is_forgotten_it_is_known),
		TEST(what_is_in_the_dump_is_as_good_as_in_any_session),
		TEST(an_unmap_that_was_forgotten_leaves_nothing_mapped),
		TEST(of_what_was_in_memory_when_it_was_killed_nothing_is_known),
		TEST(what_was_dumped_before_it_was_killed_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
