// SPDX-License-Identifier: GPL-2.0-only
/* Sessions: compressed, rotated, from a flight recorder; what is not kept is said. */
#include <errno.h>
#include <stdbool.h>
#include <zstd.h>

#include "session_fixture.h"

#define DEADLINE_S 30

/* --- helpers --- */

static void wait_for_events(struct session_writer *w, uint64_t nr)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	double end = seconds() + DEADLINE_S;
	struct session_writer_stats stats;

	do {
		session_writer__stats(w, &stats);
		if (stats.events >= nr)
			return;
		nanosleep(&pause, NULL);
	} while (seconds() < end);
	fail_msg("%llu events on disk, not %llu", (unsigned long long)stats.events,
		 (unsigned long long)nr);
}

static bool exists(const char *name)
{
	struct stat st;

	return !stat(path(name), &st);
}

static void rare_event(struct session_writer *w, uint64_t ts)
{
	struct iot_fault fault = { .h = { .ts = ts, .id = IOT_EV_FAULT, .len = sizeof(fault) } };

	assert_int_equal(session_writer__write(w, &fault, sizeof(fault)), 0);
}

/* The loss events of a session, all of cause OVERWRITTEN; the number of them. */
static unsigned int losses(const struct copy *c, struct iot_loss out[], unsigned int max)
{
	const struct iot_event *ev;
	unsigned int nr = 0;

	for (size_t at = 0; at < c->bytes; at += ev->len) {
		ev = (const struct iot_event *)(c->data + at);
		if (ev->id != IOT_EV_LOSS)
			continue;
		assert_true(nr < max);
		memcpy(&out[nr], ev, sizeof(out[0]));
		assert_int_equal(out[nr].cause, IOT_LOST_OVERWRITTEN);
		nr++;
	}
	return nr;
}

/* Each of the times from 1 to nr is in exactly one place: a map of the session, or a loss. */
static void check_accounted(const struct copy *c, uint64_t nr)
{
	struct iot_loss loss[64];
	unsigned int n = losses(c, loss, 64);
	uint64_t missing = 0, maps = 0, ts;
	uint8_t *seen = calloc(nr + 1, 1);
	const struct iot_event *ev;

	for (size_t at = 0; at < c->bytes; at += ev->len) {
		ev = (const struct iot_event *)(c->data + at);
		if (ev->id != IOT_EV_MAP)
			continue;
		assert_true(ev->ts >= 1 && ev->ts <= nr && !seen[ev->ts]);
		seen[ev->ts] = 1;
		maps++;
	}
	for (unsigned int i = 0; i < n; i++) {
		assert_true(loss[i].begin <= loss[i].end && loss[i].end <= loss[i].h.ts);
		assert_int_equal(loss[i].count, loss[i].end - loss[i].begin + 1);
		missing += loss[i].count;
		for (ts = loss[i].begin; ts <= loss[i].end; ts++) {
			assert_int_equal(seen[ts], 0);
			seen[ts] = 1;
		}
	}
	assert_int_equal(maps + missing, nr);
	free(seen);
}

/* --- compression --- */

/*
 * Unpacks zst/NAME.zst to ctf/NAME, frame by frame: each must say its size and hold one packet.
 * Returns the bytes it took.
 */
static size_t unpack(const char *name)
{
	char from[64], to[64];
	unsigned long long size;
	size_t bytes, frame, at, packed;
	uint8_t *file, *out = malloc(PACKET_MAX);
	int fd;

	snprintf(from, sizeof(from), "s/zst/%s.zst", name);
	snprintf(to, sizeof(to), "s/ctf/%s", name);
	file = load(path(from), &bytes);
	fd = open(path(to), O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	for (at = 0; at < bytes; at += frame) {
		const struct packet_head *h = (const struct packet_head *)out;

		frame = ZSTD_findFrameCompressedSize(file + at, bytes - at);
		assert_false(ZSTD_isError(frame));
		size = ZSTD_getFrameContentSize(file + at, frame);
		packed = ZSTD_decompress(out, PACKET_MAX, file + at, frame);
		assert_int_equal(packed, size);
		assert_int_equal(h->magic, PACKET_MAGIC);
		assert_int_equal(h->packet_size, size * 8);
		assert_int_equal(write(fd, out, packed), packed);
	}
	close(fd);
	free(file);
	free(out);
	return bytes;
}

static void compressed_packets_unpack_to_a_plain_session(void **state)
{
	const struct session_writer_opts opts = { .packet = PACKET, .compress = 1 };
	struct iot_clock table = { .h = { .ts = 1, .id = IOT_EV_CLOCK, .len = sizeof(table) } };
	const unsigned int nr = 100 * HOT_PER_PACKET;
	struct session_writer_stats stats;
	struct session_writer *w;
	size_t packed = 0;
	struct stat st;
	uint64_t ts = 0;
	struct copy c;

	(void)state;
	w = must_open(path("s"), &opts);
	session_writer__write(w, &table, sizeof(table));
	fill(w, nr, &ts);
	rare_event(w, ts);
	wait_for_events(w, nr - HOT_PER_PACKET);
	session_writer__stats(w, &stats);
	must_close(w);
	assert_false(exists("s/ctf/events_0") || exists("s/ctf/rare_0") ||
		     exists("s/ctf/tables_0"));
	packed += unpack("events_0") + unpack("rare_0") + unpack("tables_0");
	assert_true(stats.bytes <= packed && stats.bytes > packed / 2);
	stat(path("s/ctf/events_0"), &st);
	assert_true(packed < (size_t)st.st_size / 2);

	remove_tree(path("s/zst"));
	must_read(&c, path("s"));
	assert_int_equal(c.nr, nr + 2);
	assert_int_equal(c.info.torn_bytes + c.info.damaged_bytes + c.info.discarded_events, 0);
	assert_int_equal(c.info.missing_packets, 0);
	copy_free(&c);
}

/* --- rotation --- */

static void a_new_file_begins_when_the_size_is_reached(void **state)
{
	const struct session_writer_opts opts = { .packet = PACKET, .rotate_bytes = 3 * PACKET };
	struct session_writer *w;
	uint64_t ts = 0;
	struct copy c;
	char name[32];
	struct stat st;

	(void)state;
	w = must_open(path("s"), &opts);
	fill(w, 10 * HOT_PER_PACKET, &ts);
	rare_event(w, ts);
	must_close(w);
	for (int i = 0; i < 4; i++) {
		size_t bytes;
		uint8_t *file;

		snprintf(name, sizeof(name), "s/ctf/events_%d", i);
		file = load(path(name), &bytes);
		assert_true(bytes <= 3 * PACKET);
		assert_int_equal(((struct packet_head *)file)->packet_seq_num, 0);
		assert_int_equal(((struct packet_head *)file)->timestamp_begin,
				 i * 3 * HOT_PER_PACKET + 1);
		free(file);
	}
	assert_false(exists("s/ctf/events_4"));
	assert_int_equal(stat(path("s/ctf/rare_0"), &st), 0);
	must_read(&c, path("s"));
	assert_int_equal(c.nr, 10 * HOT_PER_PACKET + 1);
	assert_int_equal(c.info.missing_packets, 0);
	check_accounted(&c, ts);
	copy_free(&c);
}

static void a_new_file_begins_when_the_time_is_over(void **state)
{
	/* events are 1 ns apart, so a packet spans HOT_PER_PACKET - 1 */
	const struct session_writer_opts opts = { .packet = PACKET,
						  .rotate_ns = 2 * HOT_PER_PACKET };
	struct session_writer *w;
	uint64_t ts = 0;
	struct copy c;

	(void)state;
	w = must_open(path("s"), &opts);
	fill(w, 6 * HOT_PER_PACKET, &ts);
	must_close(w);
	assert_true(exists("s/ctf/events_2"));
	assert_false(exists("s/ctf/events_3"));
	must_read(&c, path("s"));
	assert_int_equal(c.nr, 6 * HOT_PER_PACKET);
	copy_free(&c);
}

static void removed_files_are_told_as_loss(void **state)
{
	const struct session_writer_opts opts = { .packet = PACKET,
						  .rotate_bytes = 2 * PACKET,
						  .keep = 3 };
	struct session_writer_stats stats;
	struct session_writer *w;
	uint64_t ts = 0;
	struct copy c;

	(void)state;
	w = must_open(path("s"), &opts);
	fill(w, 20 * HOT_PER_PACKET, &ts);
	rare_event(w, ts);
	wait_for_events(w, 19 * HOT_PER_PACKET);
	must_close(w);
	for (int i = 0; i < 10; i++) {
		char name[32];

		snprintf(name, sizeof(name), "s/ctf/events_%d", i);
		assert_int_equal(exists(name), i >= 7);
	}
	must_read(&c, path("s"));
	check_accounted(&c, ts);
	assert_int_equal(c.info.discarded_events + c.info.missing_packets, 0);
	copy_free(&c);

	/* a second run, with the numbers that the writer tells */
	remove_tree(path("s"));
	ts = 0;
	w = must_open(path("s"), &opts);
	fill(w, 9 * HOT_PER_PACKET, &ts);
	/* telling the first loss brings the events before it to the disk: the last packet too */
	wait_for_events(w, 9 * HOT_PER_PACKET);
	session_writer__stats(w, &stats);
	assert_int_equal(stats.overwritten, 4 * HOT_PER_PACKET);
	assert_int_equal(stats.lost, 0);
	must_close(w);
}

/* A session that is killed at any moment must not have lost a file without a word. */
static void a_file_is_removed_after_its_loss_is_on_disk(void **state)
{
	const struct session_writer_opts opts = { .packet = PACKET,
						  .rotate_bytes = PACKET,
						  .keep = 1 };
	const struct timespec pause = { .tv_nsec = 1000000 };
	double end = seconds() + DEADLINE_S;
	struct session_writer *w;
	struct iot_loss loss[64];
	uint64_t ts = 0, told = 0;
	unsigned int n;
	struct copy c;

	(void)state;
	w = must_open(path("s"), &opts);
	fill(w, 5 * HOT_PER_PACKET + 1, &ts);
	/* telling of the first removal brings the last event to the disk */
	while ((!exists("s/ctf/events_5") || exists("s/ctf/events_4")) && seconds() < end)
		nanosleep(&pause, NULL);
	assert_false(exists("s/ctf/events_4"));
	must_read(&c, path("s")); /* while it is being written */
	n = losses(&c, loss, 64);
	for (unsigned int i = 0; i < n; i++)
		told += loss[i].count;
	assert_int_equal(told, 5 * HOT_PER_PACKET);
	copy_free(&c);
	must_close(w);
}

/* --- the flight recorder --- */

#define RING 8 /* packets */
static const struct session_writer_opts flight = { .packet = PACKET,
						   .ring = RING * PACKET,
						   .max_age_ns = 20000000 };

static void the_newest_events_are_written_at_the_end(void **state)
{
	const unsigned int nr = 50 * HOT_PER_PACKET + 7;
	struct session_writer_stats stats;
	struct session_writer *w;
	uint64_t ts = 0;
	struct copy c;

	(void)state;
	w = must_open(path("s"), &flight);
	fill(w, nr, &ts);
	rare_event(w, ts);
	wait_for_events(w, 1); /* the rare one, alone: its age is over, those in memory stay */
	session_writer__stats(w, &stats);
	assert_int_equal(stats.events, 1);
	assert_int_equal(stats.lost, 0);
	assert_int_equal(stats.overwritten, (50 - RING) * HOT_PER_PACKET);
	must_close(w);

	must_read(&c, path("s"));
	assert_int_equal(c.nr, RING * HOT_PER_PACKET + 7 + 1 + 1);
	assert_int_equal(c.info.discarded_events + c.info.missing_packets, 0);
	check_accounted(&c, ts);
	copy_free(&c);
}

static void each_dump_is_a_file_and_says_what_is_missing_before_it(void **state)
{
	struct session_writer *w;
	struct session_dump d;
	uint64_t ts = 0;
	struct copy c;

	(void)state;
	w = must_open(path("s"), &flight);
	fill(w, 20 * HOT_PER_PACKET + 5, &ts);
	assert_int_equal(session_writer__dump(w, ts + 10, &d), 0);
	assert_int_equal(d.file, 0);
	assert_int_equal(d.forgotten, (20 - RING) * HOT_PER_PACKET);
	assert_int_equal(d.end, ts);
	assert_int_equal(d.end - d.begin + 1, d.events);
	fill(w, 10, &ts);
	/* still within the aftermath: the same dump, longer */
	assert_int_equal(session_writer__dump(w, ts + HOT_PER_PACKET, &d), 1);
	fill(w, 30 * HOT_PER_PACKET, &ts);
	assert_int_equal(session_writer__dump(w, ts, &d), 0);
	assert_int_equal(d.file, 1);
	assert_true(d.forgotten > 0);
	must_close(w);

	assert_true(exists("s/ctf/events_1"));
	assert_false(exists("s/ctf/events_2"));
	must_read(&c, path("s"));
	check_accounted(&c, ts);
	copy_free(&c);
}

static void dumps_without_a_gap_lose_nothing(void **state)
{
	struct session_writer *w;
	struct session_dump d;
	struct iot_loss loss[1];
	uint64_t ts = 0;
	struct copy c;

	(void)state;
	w = must_open(path("s"), &flight);
	for (unsigned int i = 0; i < 5; i++) {
		fill(w, 2 * HOT_PER_PACKET, &ts);
		assert_int_equal(session_writer__dump(w, ts, &d), 0);
		assert_int_equal(d.file, i);
		assert_int_equal(d.events, 2 * HOT_PER_PACKET);
	}
	must_close(w);
	must_read(&c, path("s"));
	assert_int_equal(c.nr, ts);
	assert_int_equal(losses(&c, loss, 1), 0);
	copy_free(&c);
}

static void what_follows_a_dump_is_in_it_up_to_its_time(void **state)
{
	struct session_writer *w;
	struct session_dump d;
	struct copy c;
	uint64_t ts = 0, last = 0;

	(void)state;
	w = must_open(path("s"), &flight);
	fill(w, HOT_PER_PACKET, &ts);
	assert_int_equal(session_writer__dump(w, ts + 50 * HOT_PER_PACKET, &d), 0);
	/* far more than the ring holds, and all of it is on disk without another dump */
	fill(w, 50 * HOT_PER_PACKET, &ts);
	wait_for_events(w, 51 * HOT_PER_PACKET);
	fill(w, 100 * HOT_PER_PACKET, &ts);
	last = ts;
	must_close(w);
	must_read(&c, path("s"));
	check_accounted(&c, last);
	copy_free(&c);
}

static void dumps_are_refused_without_a_flight_recorder(void **state)
{
	const struct session_writer_opts both = { .ring = 1 << 20, .rotate_bytes = 1 << 20 };
	const struct session_env env = { 0 };
	struct error err = { "" };
	struct session_writer *w;
	struct session_dump d;

	(void)state;
	w = must_open(path("s"), NULL);
	assert_int_equal(session_writer__dump(w, 1, &d), -EINVAL);
	must_close(w);
	assert_int_equal(session_writer__open_with(&w, path("t"), &env, &both, &err), -EINVAL);
	assert_non_null(strstr(err.text, "flight recorder"));
	assert_false(exists("t"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(compressed_packets_unpack_to_a_plain_session),
		TEST(a_new_file_begins_when_the_size_is_reached),
		TEST(a_new_file_begins_when_the_time_is_over),
		TEST(removed_files_are_told_as_loss),
		TEST(a_file_is_removed_after_its_loss_is_on_disk),
		TEST(the_newest_events_are_written_at_the_end),
		TEST(each_dump_is_a_file_and_says_what_is_missing_before_it),
		TEST(dumps_without_a_gap_lose_nothing),
		TEST(what_follows_a_dump_is_in_it_up_to_its_time),
		TEST(dumps_are_refused_without_a_flight_recorder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
