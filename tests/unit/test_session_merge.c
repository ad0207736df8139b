// SPDX-License-Identifier: GPL-2.0-only
/* Sessions of a host and a guest on one time line: by their clocks, by what both saw, as told. */
#include <errno.h>

#include "analyze/analysis.h"
#include "session/emit.h"
#include "session/merge.h"
#include "session_fixture.h"

#define SECOND     1000000000ull
#define HOST_BOOT  "11111111-1111-4111-8111-111111111111"
#define GUEST_BOOT "22222222-2222-4222-8222-222222222222"

struct made { /* a session that is being made */
	struct session_emitter *e;
	uint64_t ts;
};

static struct made make(const char *name, const char *boot, int64_t offset_ns)
{
	const struct session_env_entry env[] = {
		{ "tracer_name", "iommutop", 0 },
		{ "format_version", NULL, IOT_FORMAT_VERSION },
		{ "hostname", name, 0 },
	};
	struct tsdl_trace trace = { .env = env, .nr_env = 3 };
	struct error err = { "" };
	struct made m = { 0 };

	strcpy(trace.clock.boot_id, boot);
	trace.clock.offset_ns = offset_ns;
	if (session_emitter__open(&m.e, path(name), &trace, &err))
		fail_msg("%s", err.text);
	return m;
}

static void finish(struct made *m)
{
	struct error err = { "" };

	assert_int_equal(session_emitter__close(m->e, &err), 0);
}

static void put(struct made *m, void *event, uint16_t id, uint16_t len, uint64_t ts)
{
	struct iot_event *h = event;

	h->ts = ts;
	h->id = id;
	h->len = len;
	assert_int_equal(session_emitter__event(m->e, h), 0);
}

static void put_clock(struct made *m, uint64_t ts, uint64_t real)
{
	struct iot_clock clock = { .real = real };

	put(m, &clock, IOT_EV_CLOCK, sizeof(clock), ts);
}

static void put_device(struct made *m, uint64_t ts, uint32_t nr, const char *name,
		       const char *driver)
{
	struct iot_device dev = { .h = { .dev = nr }, .group = 3, .rid = 0x18, .rid_known = 1 };

	strcpy(dev.name, name);
	strcpy(dev.driver, driver);
	put(m, &dev, IOT_EV_DEVICE, sizeof(dev), ts);
}

static void put_text(struct made *m, uint16_t id, uint64_t ts, const char *text)
{
	union {
		struct iot_attr attr;
		struct iot_log log;
		uint8_t bytes[200];
	} e = { 0 };
	const uint32_t len = ((uint32_t)strlen(text) + 8) / 8 * 8;

	strcpy(id == IOT_EV_LOG ? e.log.text : e.attr.text, text);
	e.attr.text_len = len;
	if (id == IOT_EV_LOG)
		e.log.full_len = (uint32_t)strlen(text);
	put(m, &e, id, (uint16_t)(40 + len), ts);
}

static void put_map(struct made *m, uint64_t ts, uint32_t domain, uint32_t dev, uint64_t iova)
{
	struct iot_map map = { .h = { .domain = domain, .dev = dev }, .iova = iova, .size = 4096 };

	put(m, &map, IOT_EV_MAP, sizeof(map), ts);
}

static void put_flush(struct made *m, uint64_t ts, uint64_t begin, uint32_t domain, uint16_t fn)
{
	struct iot_flush flush = {
		.h = { .domain = domain }, .begin = begin, .kind = IOT_FLUSH_ALL, .fn = fn
	};

	put(m, &flush, IOT_EV_FLUSH, sizeof(flush), ts);
}

/* The merged session of host and guest. */
static void merge(struct merge_input in[2], struct copy *c)
{
	char dirs[2][PATH_MAX];
	struct error err = { "" };

	remove_tree(path("out"));
	for (int i = 0; i < 2; i++) {
		snprintf(dirs[i], sizeof(dirs[i]), "%s", path(i ? "guest" : "host"));
		in[i].dir = dirs[i];
	}
	if (session__merge(path("out"), in, 2, &err))
		fail_msg("%s", err.text);
	must_read(c, path("out"));
	assert_int_equal(c->nr_losses, 0);
}

static const struct iot_event *find(const struct copy *c, uint16_t id, unsigned int origin,
				    unsigned int skip)
{
	const struct iot_event *ev;

	for (size_t at = 0; at < c->bytes; at += ev->len) {
		ev = (const struct iot_event *)(c->data + at);
		if (ev->id == id && IOT_ORIGIN(ev->flags) == origin && !skip--)
			return ev;
	}
	fail_msg("no event %u of origin %u", id, origin);
	return NULL;
}

static const char *find_attr(const struct copy *c, unsigned int origin, const char *key)
{
	const struct iot_event *ev;

	for (size_t at = 0; at < c->bytes; at += ev->len) {
		ev = (const struct iot_event *)(c->data + at);
		if (ev->id == IOT_EV_ATTR && IOT_ORIGIN(ev->flags) == origin &&
		    !strncmp(((const struct iot_attr *)ev)->text, key, strlen(key)))
			return ((const struct iot_attr *)ev)->text;
	}
	fail_msg("no attribute %s of origin %u", key, origin);
	return NULL;
}

/*
 * The host booted 500 s before the guest. Both have a device 0000:00:03.0, and the same numbers of
 * device, domain and function for different things.
 */
static void make_host_and_guest(int with_clocks)
{
	const uint64_t epoch = 1700000000 * SECOND;
	struct made host = make("host", HOST_BOOT, with_clocks ? (int64_t)epoch : 0),
		    guest = make("guest", GUEST_BOOT,
				 with_clocks ? (int64_t)(epoch + 500 * SECOND) : 0);

	if (with_clocks) {
		put_clock(&host, 600 * SECOND, epoch + 600 * SECOND + 1000);
		put_clock(&guest, 100 * SECOND, epoch + 600 * SECOND);
	}
	put_device(&host, 600 * SECOND, 1, "0000:00:03.0", "vfio-pci");
	put_device(&guest, 100 * SECOND, 1, "0000:00:03.0", "e1000e");
	put_text(&host, IOT_EV_ATTR, 600 * SECOND, "flush_fn.0=intel_flush_iotlb_all");
	put_text(&guest, IOT_EV_ATTR, 100 * SECOND, "flush_fn.0=viommu_flush_iotlb_all");
	put_text(&guest, IOT_EV_ATTR, 100 * SECOND, "task.7=guest-task");
	put_text(&host, IOT_EV_ATTR, 600 * SECOND, "task.7=host-task");
	for (unsigned int i = 0; i < 40; i++) {
		const uint64_t at = i * SECOND / 10 + i * i * 1000000;

		put_map(&guest, 101 * SECOND + at, 1, 1, 0x100000 + i * 0x1000);
		put_map(&host, 601 * SECOND + at + 20000 + i * 500, 1, 1, 0x100000 + i * 0x1000);
	}
	put_flush(&host, 610 * SECOND, 610 * SECOND - 777, 1, 0);
	put_flush(&guest, 110 * SECOND, 110 * SECOND - 777, 1, 0);
	finish(&host);
	finish(&guest);
}

static void clocks_put_them_on_one_time_line(void **state)
{
	struct merge_input in[2] = { 0 };
	const struct iot_flush *flush[2];
	char key[32];
	struct copy c;

	(void)state;
	make_host_and_guest(1);
	merge(in, &c);
	assert_int_equal(in[1].how, MERGE_CLOCKS);
	assert_in_range(in[1].shift, 500 * SECOND - 1000, 500 * SECOND + 1000);
	assert_int_equal(in[1].unsure, 500);
	assert_false(in[1].apart);
	assert_int_equal(c.nr, in[0].events + in[1].events + 2);

	flush[0] = (const struct iot_flush *)find(&c, IOT_EV_FLUSH, 0, 0);
	flush[1] = (const struct iot_flush *)find(&c, IOT_EV_FLUSH, 1, 0);
	assert_int_equal(flush[0]->h.ts, 610 * SECOND);
	assert_int_equal(flush[1]->h.ts, 110 * SECOND + (uint64_t)in[1].shift);
	for (int i = 0; i < 2; i++) /* times in the events go with them */
		assert_int_equal(flush[i]->h.ts - flush[i]->begin, 777);

	/* numbers never mean two things */
	assert_int_not_equal(flush[0]->h.domain, flush[1]->h.domain);
	assert_int_not_equal(flush[0]->fn, flush[1]->fn);
	assert_int_not_equal(find(&c, IOT_EV_DEVICE, 0, 0)->dev,
			     find(&c, IOT_EV_DEVICE, 1, 0)->dev);
	assert_int_equal(find(&c, IOT_EV_DEVICE, 1, 0)->dev, find(&c, IOT_EV_MAP, 1, 5)->dev);
	for (int i = 0; i < 2; i++) {
		snprintf(key, sizeof(key), "flush_fn.%u=%s", flush[i]->fn, i ? "viommu" : "intel");
		find_attr(&c, (unsigned int)i, key);
	}
	assert_non_null(strstr(find_attr(&c, 0, "origin.0="), "host"));
	assert_non_null(strstr(find_attr(&c, 1, "origin.1="), "guest"));
	assert_non_null(strstr(find_attr(&c, 1, "origin.1="), "wall clock"));
	copy_free(&c);
}

static void without_clocks_it_is_estimated_and_said(void **state)
{
	struct merge_input in[2] = { 0 };
	struct copy c;

	(void)state;
	make_host_and_guest(0);
	merge(in, &c);
	assert_int_equal(in[1].how, MERGE_ESTIMATED);
	/* the host maps what the guest maps 20 to 40 us later */
	assert_in_range(in[1].shift, 500 * SECOND + 20000, 500 * SECOND + 40000);
	assert_int_equal(in[1].pairs, 40);
	assert_in_range(in[1].unsure, 1, 20000);
	assert_non_null(strstr(find_attr(&c, 1, "origin.1="), "estimated"));
	copy_free(&c);
}

/*
 * Steady clocks that put the two an hour apart, and maps of the same addresses in both. Of 60
 * pairs, `agree` say that they ran at the same time, as equal guests' may by chance; the others are
 * anywhere.
 */
static void make_an_hour_apart(unsigned int agree)
{
	const uint64_t epoch = 1700000000 * SECOND, hour = 3600 * SECOND;
	struct made one = make("host", HOST_BOOT, (int64_t)epoch),
		    two = make("guest", GUEST_BOOT, (int64_t)(epoch + hour));

	put_clock(&one, 100 * SECOND, epoch + 100 * SECOND);
	put_clock(&two, 100 * SECOND, epoch + hour + 100 * SECOND);
	for (unsigned int i = 0; i < 60; i++) {
		const uint64_t at = (101 + i) * SECOND, aside = i < agree ? 0 : i * SECOND / 100;

		put_map(&one, at, 1, 1, 0x100000 + i * 0x1000);
		put_map(&two, at + aside, 1, 1, 0x100000 + i * 0x1000);
	}
	finish(&one);
	finish(&two);
}

static void steady_clocks_outweigh_what_agrees_by_chance(void **state)
{
	(void)state;
	for (int most = 0; most < 2; most++) {
		struct merge_input in[2] = { 0 };
		struct copy c;

		remove_tree(path("host"));
		remove_tree(path("guest"));
		make_an_hour_apart(most ? 31 : 29);
		merge(in, &c);
		assert_int_equal(in[1].how, most ? MERGE_ESTIMATED : MERGE_CLOCKS);
		assert_int_equal(in[1].apart, !most);
		copy_free(&c);
	}
}

/*
 * Two guests that ran the same program, 1000 maps each. A few that lie next to each other have the
 * same address and distance: that is one witness. And a few here and there prove nothing against
 * steady clocks.
 */
static void equal_programs_prove_nothing(void **state)
{
	const uint64_t epoch = 1700000000 * SECOND, hour = 3600 * SECOND;

	(void)state;
	for (int clocks = 0; clocks < 2; clocks++) {
		struct made one = make("host", HOST_BOOT, clocks ? (int64_t)epoch : 0),
			    two = make("guest", GUEST_BOOT, clocks ? (int64_t)(epoch + hour) : 0);
		struct merge_input in[2] = { 0 };
		struct error err = { "" };
		char dirs[2][PATH_MAX];

		remove_tree(path("out"));
		for (unsigned int i = 0; i < 1000; i++) {
			const uint64_t same = (clocks ? i % 150 : i >= 6) ? 1 + i : 0;

			put_map(&one, SECOND + i * 20000, 1, 1, (1 + 2 * same + 10000 * i) << 12);
			put_map(&two, 9 * SECOND + i * 20500, 1, 1, (1 + same + 10000 * i) << 12);
		}
		finish(&one);
		finish(&two);
		for (int i = 0; i < 2; i++) {
			snprintf(dirs[i], sizeof(dirs[i]), "%s", path(i ? "guest" : "host"));
			in[i].dir = dirs[i];
		}
		assert_int_equal(session__merge(path("out"), in, 2, &err), clocks ? 0 : -EDOM);
		if (clocks)
			assert_int_equal(in[1].how, MERGE_CLOCKS);
		remove_tree(path("host"));
		remove_tree(path("guest"));
	}
}

static void what_nothing_tells_is_refused(void **state)
{
	struct made host = make("host", HOST_BOOT, 0), guest = make("guest", GUEST_BOOT, 0);
	char dirs[2][PATH_MAX];
	struct merge_input in[2] = { 0 };
	struct error err = { "" };

	(void)state;
	for (uint64_t i = 1; i < 200; i++) { /* addresses in common, at times that don't fit */
		put_map(&host, i * SECOND, 1, 1, (i * 7 % 199) << 12);
		put_map(&guest, i * SECOND, 1, 1, (i * i % 199) << 12);
	}
	finish(&host);
	finish(&guest);
	for (int i = 0; i < 2; i++) {
		snprintf(dirs[i], sizeof(dirs[i]), "%s", path(i ? "guest" : "host"));
		in[i].dir = dirs[i];
	}
	assert_int_equal(session__merge(path("out"), in, 2, &err), -EDOM);
	assert_non_null(strstr(err.text, "--offset 1:NS"));
	assert_int_not_equal(access(path("out"), F_OK), 0);
}

static void a_given_offset_is_taken(void **state)
{
	struct merge_input in[2] = { { 0 }, { .given = 1, .shift = -100 * (int64_t)SECOND } };
	struct copy c;

	(void)state;
	make_host_and_guest(1);
	merge(in, &c);
	assert_int_equal(in[1].how, MERGE_GIVEN);
	/* no time before the begin of the clock: all are moved */
	assert_int_equal(find(&c, IOT_EV_FLUSH, 1, 0)->ts, 110 * SECOND);
	assert_int_equal(find(&c, IOT_EV_FLUSH, 0, 0)->ts, 710 * SECOND);
	copy_free(&c);
}

static void one_boot_has_one_clock(void **state)
{
	struct made host = make("host", HOST_BOOT, 5), guest = make("guest", HOST_BOOT, 99999);
	struct merge_input in[2] = { 0 };
	struct copy c;

	(void)state;
	put_map(&host, 10, 1, 1, 0);
	put_map(&host, 12, 1, 1, 0x1000);
	put_map(&guest, 11, 1, 1, 0);
	finish(&host);
	finish(&guest);
	merge(in, &c);
	assert_int_equal(in[1].how, MERGE_SAME_BOOT);
	assert_int_equal(find(&c, IOT_EV_MAP, 1, 0)->ts, 11);
	copy_free(&c);
}

static void a_merged_session_can_be_merged_again(void **state)
{
	struct merge_input in[2] = { 0 };
	struct error err = { "" };
	char dirs[2][PATH_MAX];
	struct copy c;

	(void)state;
	make_host_and_guest(1);
	merge(in, &c);
	copy_free(&c);
	snprintf(dirs[0], sizeof(dirs[0]), "%s", path("host"));
	snprintf(dirs[1], sizeof(dirs[1]), "%s", path("out"));
	in[0].dir = dirs[0];
	in[1].dir = dirs[1];
	assert_int_equal(session__merge(path("again"), in, 2, &err), 0);
	assert_int_equal(in[1].origin, 1);
	assert_int_equal(in[1].nr_origins, 2);
	must_read(&c, path("again"));
	assert_non_null(strstr(find_attr(&c, 2, "origin.2="), "guest"));
	find(&c, IOT_EV_MAP, 2, 39);
	copy_free(&c);
}

static void a_name_means_the_device_of_its_own_origin(void **state)
{
	static const char line[] = "e1000e 0000:00:03.0 eth0: Detected Hardware Unit Hang:";
	struct merge_input in[2] = { 0 };
	const struct iot_event *ev;
	const struct model_device *dev;
	struct made more;
	struct analysis *a;
	struct copy c;

	(void)state;
	make_host_and_guest(1);
	remove_tree(path("guest"));
	more = make("guest", GUEST_BOOT, 1700000500 * (int64_t)SECOND);
	put_device(&more, 100 * SECOND, 1, "0000:00:03.0", "e1000e");
	put_map(&more, 101 * SECOND, 1, 1, 0x5000);
	put_text(&more, IOT_EV_LOG, 105 * SECOND, line);
	finish(&more);
	merge(in, &c);
	assert_int_equal(analysis__new(&a, NULL), 0);
	for (size_t at = 0; at < c.bytes; at += ev->len) {
		ev = (const struct iot_event *)(c.data + at);
		assert_int_equal(analysis__event(a, ev), 0);
	}
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 1);
	dev = model__device(&a->model, a->incidents.list[0]->hang.dev);
	assert_non_null(dev);
	assert_int_equal(dev->origin, 1);
	assert_string_equal(dev->driver, "e1000e");
	assert_string_equal(dev->name, "0000:00:03.0");
	assert_int_equal(a->model.devices.nr, 2); /* the log made none of its own */
	analysis__free(a);
	copy_free(&c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(clocks_put_them_on_one_time_line),
		TEST(without_clocks_it_is_estimated_and_said),
		TEST(equal_programs_prove_nothing),
		TEST(steady_clocks_outweigh_what_agrees_by_chance),
		TEST(what_nothing_tells_is_refused),
		TEST(a_given_offset_is_taken),
		TEST(one_boot_has_one_clock),
		TEST(a_merged_session_can_be_merged_again),
		TEST(a_name_means_the_device_of_its_own_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
