// SPDX-License-Identifier: GPL-2.0-only
/* Where in time the reader says that something is missing, and what the analysis makes of it. */
#include "analyze/analysis.h"
#include "session/crc32c.h"
#include "session_fixture.h"

static struct crc32c crc;

static void sign(struct packet_head *h)
{
	h->crc32c = 0;
	h->crc32c = ~crc32c__update(&crc, CRC32C_START, h, h->content_size / 8);
}

/* A session of ten packets of events that are 1 ms apart. */
static uint8_t *make_spaced(size_t *bytes, uint64_t discarded_in)
{
	const struct session_writer_opts opts = { .packet = PACKET };
	struct session_writer *w = must_open(path("s"), &opts);
	struct packet_head *h;
	struct iot_map map;
	uint8_t *file;

	for (uint64_t i = 1; i <= 10 * HOT_PER_PACKET; i++) {
		hot_event(&map, i * 1000000, i << 12);
		session_writer__write(w, &map, sizeof(map));
	}
	must_close(w);
	file = load(path("s/ctf/events_0"), bytes);
	assert_int_equal(*bytes, 10 * (sizeof(*h) + HOT_PER_PACKET * IOT_HOT_SIZE));
	for (size_t i = 0; i < 10; i++) {
		h = (struct packet_head *)(file + i * (*bytes / 10));
		h->events_discarded = discarded_in && i >= discarded_in ? 7 : 0;
		sign(h);
	}
	return file;
}

static void damage_is_told_between_its_neighbours(void **state)
{
	const uint64_t packet_ns = HOT_PER_PACKET * 1000000;
	size_t bytes;
	uint8_t *file = make_spaced(&bytes, 0);
	struct copy c;

	(void)state;
	file[bytes / 10 * 4 + 500] ^= 1;
	store(path("s/ctf/events_0"), file, bytes);
	must_read(&c, path("s"));
	assert_int_equal(c.nr_losses, 1);
	assert_int_equal(c.losses[0].cause, IOT_LOST_DAMAGE);
	assert_int_equal(c.losses[0].begin, 4 * packet_ns);
	assert_int_equal(c.losses[0].end, 5 * packet_ns + 1000000);
	assert_string_equal(c.losses[0].what, "events_0: damaged");
	copy_free(&c);

	/* two packets taken out: nothing is damaged, and two are missing */
	file[bytes / 10 * 4 + 500] ^= 1;
	memmove(file + bytes / 10 * 4, file + bytes / 10 * 6, bytes / 10 * 4);
	store(path("s/ctf/events_0"), file, bytes / 10 * 8);
	must_read(&c, path("s"));
	assert_int_equal(c.nr_losses, 1);
	assert_int_equal(c.info.missing_packets, 2);
	assert_int_equal(c.losses[0].count, 2);
	assert_int_equal(c.losses[0].begin, 4 * packet_ns);
	assert_int_equal(c.losses[0].end, 6 * packet_ns + 1000000);
	assert_string_equal(c.losses[0].what, "events_0: packets missing");
	copy_free(&c);
	free(file);
}

static void discarded_events_are_told_once(void **state)
{
	const uint64_t packet_ns = HOT_PER_PACKET * 1000000;
	struct iot_loss loss = { .h = { .id = IOT_EV_LOSS, .len = sizeof(loss) },
				 .count = 7,
				 .cause = IOT_LOST_WRITER };
	size_t bytes, rare_bytes;
	struct session_writer *w;
	struct packet_head *h;
	uint8_t *file, *rare;
	struct copy c;

	(void)state;
	file = make_spaced(&bytes, 3);
	store(path("s/ctf/events_0"), file, bytes);
	must_read(&c, path("s"));
	assert_int_equal(c.info.discarded_events, 7);
	assert_int_equal(c.nr_losses, 1);
	assert_int_equal(c.losses[0].cause, IOT_LOST_WRITER);
	assert_int_equal(c.losses[0].count, 7);
	assert_int_equal(c.losses[0].begin, 3 * packet_ns);
	assert_int_equal(c.losses[0].end, 4 * packet_ns);
	copy_free(&c);

	/* the recorder told of it itself */
	w = must_open(path("t"), NULL);
	loss.h.ts = loss.end = 4 * packet_ns;
	loss.begin = 3 * packet_ns;
	session_writer__write(w, &loss, sizeof(loss));
	must_close(w);
	rare = load(access(path("t/ctf/rare_0"), F_OK) ? path("t/ctf/events_0")
						       : path("t/ctf/rare_0"),
		    &rare_bytes);
	h = (struct packet_head *)rare;
	assert_true(rare_bytes > sizeof(*h));
	memcpy(h->uuid, ((struct packet_head *)file)->uuid, 16);
	sign(h);
	store(path("s/ctf/rare_0"), rare, rare_bytes);
	must_read(&c, path("s"));
	assert_int_equal(c.nr_losses, 0);
	copy_free(&c);
	free(rare);
	free(file);
}

/* --- what the analysis makes of it */

static void feed_session(struct analysis *a, const char *dir)
{
	const struct iot_event *ev;
	struct session_reader *r;
	struct error err = { "" };

	assert_int_equal(session_reader__open(&r, dir, &err), 0);
	while (session_reader__next(r, &ev) == 1)
		assert_int_equal(analysis__event(a, ev), 0);
	session_reader__close(r);
}

/*
 * Two faults, each two packets behind the unmap of its address: in packets 1 and 3, and 6 and 8.
 * Events are 20 ms apart, so the faults are no burst.
 */
static void make_two_faults(const char *dir)
{
	const struct session_writer_opts opts = { .packet = PACKET };
	struct session_writer *w = must_open(dir, &opts);
	struct iot_map map;

	for (uint64_t i = 1; i <= 10 * HOT_PER_PACKET; i++) {
		const uint64_t ts = i * 20000000, of = i / HOT_PER_PACKET % 5,
			       in = i % HOT_PER_PACKET;
		const struct iot_event h = { .ts = ts, .domain = 1, .dev = 1 };
		struct iot_unmap unmap = { .h = h,
					   .iova = (i - 10) << 12,
					   .size = 4096,
					   .unmapped = 4096,
					   .mode = IOT_UNMAP_LAZY };
		struct iot_fault fault = { .h = h,
					   .iova = (i - 2 * HOT_PER_PACKET - 10) << 12,
					   .iova_known = 1,
					   .access = IOT_ACCESS_WRITE,
					   .source = IOT_SRC_REPORT };

		hot_event(&map, ts, i << 12);
		session_writer__write(w, &map, sizeof(map));
		unmap.h.id = IOT_EV_UNMAP;
		unmap.h.len = sizeof(unmap);
		fault.h.id = IOT_EV_FAULT;
		fault.h.len = sizeof(fault);
		if (of == 1 && in == 20)
			session_writer__write(w, &unmap, sizeof(unmap));
		if (of == 3 && in == 20)
			session_writer__write(w, &fault, sizeof(fault));
	}
	must_close(w);
}

static void verdicts(enum verdict found[2])
{
	struct analysis *a;

	assert_int_equal(analysis__new(&a, NULL), 0);
	feed_session(a, path("s"));
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
	for (int i = 0; i < 2; i++)
		found[i] = a->incidents.list[i]->judgement.verdict;
	analysis__free(a);
}

static void only_verdicts_near_the_damage_cannot_be_known(void **state)
{
	enum verdict found[2], known;
	size_t bytes;
	uint8_t *file;

	(void)state;
	make_two_faults(path("s"));
	verdicts(found);
	assert_int_not_equal(found[0], VERDICT_CANNOT_KNOW);
	assert_int_equal(found[1], found[0]);

	/* between the unmap of the first and its fault, and nowhere else */
	file = load(path("s/ctf/events_0"), &bytes);
	known = found[0];
	file[2 * (bytes / 10) + 1000] ^= 1;
	store(path("s/ctf/events_0"), file, bytes);
	verdicts(found);
	assert_int_equal(found[0], VERDICT_CANNOT_KNOW);
	assert_int_equal(found[1], known);
	free(file);
}

static void what_a_killed_flight_recorder_had_in_memory_is_missing(void **state)
{
	const struct session_env_entry more = { "flight_recorder", NULL, 1 << 20 };
	const struct session_env env = { .version = "test", .more = &more, .nr_more = 1 };
	struct iot_module rare = { .h = { .ts = 900, .id = IOT_EV_MODULE, .len = sizeof(rare) } };
	struct iot_capture end = { .h = { .ts = 950, .id = IOT_EV_CAPTURE, .len = sizeof(end) },
				   .what = IOT_CAPTURE_END };
	struct error err = { "" };
	struct session_writer *w;
	uint64_t ts = 0;
	struct copy c;

	(void)state;
	for (int ended = 0; ended < 2; ended++) {
		remove_tree(path("s"));
		assert_int_equal(session_writer__open(&w, path("s"), &env, &err), 0);
		ts = 0;
		fill(w, 100, &ts);
		session_writer__write(w, &rare, sizeof(rare));
		if (ended)
			session_writer__write(w, &end, sizeof(end));
		must_close(w);
		must_read(&c, path("s"));
		assert_int_equal(c.nr_losses, !ended);
		if (!ended) {
			assert_int_equal(c.losses[0].cause, IOT_LOST_OVERWRITTEN);
			assert_int_equal(c.losses[0].begin, 100); /* the last hot event */
			assert_int_equal(c.losses[0].h.ts, 900);
		}
		copy_free(&c);
	}
}

static int setup(void **state)
{
	crc32c__init(&crc);
	return fixture_setup(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(damage_is_told_between_its_neighbours),
		TEST(discarded_events_are_told_once),
		TEST(what_a_killed_flight_recorder_had_in_memory_is_missing),
		TEST(only_verdicts_near_the_damage_cannot_be_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
