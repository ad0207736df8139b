// SPDX-License-Identifier: GPL-2.0-only
/* Sessions: what goes in comes out. */
#include <errno.h>

#include "session/crc32c.h"
#include "session_fixture.h"

/*
 * --- the table and the checksum
 * ---------------------------------------------------------------------------------
 */

static void the_table_describes_every_byte_of_every_struct(void **state)
{
	const struct tsdl_event *type;
	const struct tsdl_field *f;
	size_t nr, i, at, types = 0;

	(void)state;
	f = tsdl__header(&nr);
	at = offsetof(struct iot_event, len);
	for (i = 0; i < nr; at += f[i++].width)
		assert_int_equal(f[i].offset, at);
	assert_int_equal(at, sizeof(struct iot_event));

	for (type = tsdl__next(NULL); type; type = tsdl__next(type)) {
		types++;
		at = sizeof(struct iot_event);
		for (f = type->fields; f < type->fields + type->nr_fields; f++) {
			assert_int_equal(f->offset, at);
			if (f->show == TSDL_ENUM)
				assert_int_equal(f->width * 8, f->labels->bits);
			if (f->count == TSDL_COUNT_IN_FIELD)
				assert_ptr_equal(f, type->fields + type->nr_fields - 1);
			else
				at += (size_t)f->width * (f->count ? f->count : 1);
		}
		assert_int_equal(at, type->size);
		assert_int_equal(type->size % 8, 0);
	}
	assert_int_equal(types, 31);
}

static void crc32c_is_castagnoli_on_every_path(void **state)
{
	static struct crc32c best, portable;
	uint8_t data[300];
	uint32_t a, b;
	size_t i, from;

	(void)state;
	crc32c__init(&best);
	crc32c__init_portable(&portable);
	assert_int_equal(~crc32c__update(&best, CRC32C_START, "123456789", 9), 0xe3069283u);
	assert_int_equal(~crc32c__update(&portable, CRC32C_START, "123456789", 9), 0xe3069283u);
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)draw();
	for (i = 0; i < sizeof(data); i++) {
		from = draw() % (i + 1);
		a = crc32c__update(&best, CRC32C_START, data + from, i - from);
		b = crc32c__update(&portable, CRC32C_START, data + from, i - from);
		assert_int_equal(a, b);
	}
}

/*
 * --- in and out
 * -------------------------------------------------------------------------------------------------
 */

static void every_class_comes_back_byte_for_byte(void **state)
{
	const struct tsdl_event *type = NULL;
	struct copy in = { 0 }, out;
	struct session_writer *w;
	size_t sent = 0;
	union any e;
	int i;

	(void)state;
	w = must_open(path("s"), NULL);
	for (i = 0; i < 31 * 400; i++) {
		type = tsdl__next(type) ?: tsdl__next(NULL);
		draw_event(&e, type, 1000 + (uint64_t)i * 3);
		copy_add(&in, &e.h);
		if (i % 50 == 49) { /* in batches */
			assert_int_equal(session_writer__write(w, in.data + sent, in.bytes - sent),
					 0);
			sent = in.bytes;
		}
	}
	must_close(w);
	must_read(&out, path("s"));
	assert_int_equal(out.nr, in.nr);
	assert_int_equal(out.bytes, in.bytes);
	assert_memory_equal(out.data, in.data, in.bytes);
	assert_int_equal(out.info.nr_streams, 3);
	assert_int_equal(out.info.torn_bytes + out.info.damaged_bytes + out.info.discarded_events,
			 0);
	assert_int_equal(out.info.missing_packets + out.info.unknown_events, 0);
	assert_int_equal(out.info.bytes, in.bytes + out.info.packets * sizeof(struct packet_head));
	copy_free(&in);
	copy_free(&out);
}

static void tables_come_before_events_of_the_same_time(void **state)
{
	struct session_writer *w = must_open(path("s"), NULL);
	struct iot_map map;
	struct iot_clock table = { .h = { .ts = 5, .id = IOT_EV_CLOCK, .len = sizeof(table) } };
	struct copy c;

	(void)state;
	hot_event(&map, 5, 0x1000);
	session_writer__write(w, &map, sizeof(map));
	session_writer__write(w, &table, sizeof(table));
	must_close(w);
	must_read(&c, path("s"));
	assert_int_equal(c.nr, 2);
	assert_int_equal(((struct iot_event *)c.data)->id, IOT_EV_CLOCK);
	copy_free(&c);
}

static void time_never_goes_back_in_a_stream(void **state)
{
	static const uint64_t in[] = { 10, 30, 20, 5, 31 }, out[] = { 10, 30, 30, 30, 31 };
	struct session_writer *w = must_open(path("s"), NULL);
	struct session_writer_stats stats;
	struct iot_map map;
	struct copy c;
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		hot_event(&map, in[i], i);
		assert_int_equal(session_writer__write(w, &map, sizeof(map)), 0);
		assert_int_equal(map.h.ts, in[i]);
	}
	session_writer__stats(w, &stats);
	assert_int_equal(stats.clamped, 2);
	must_close(w);
	must_read(&c, path("s"));
	assert_int_equal(c.nr, 5);
	for (i = 0; i < 5; i++)
		assert_int_equal(((struct iot_map *)c.data)[i].h.ts, out[i]);
	copy_free(&c);
}

static void what_is_said_of_the_session_comes_back(void **state)
{
	const struct session_env_entry more[] = {
		{ "smallest", NULL, INT64_MIN + 1 },
		{ "text", "a\"\\\n\t\r\x01\x7f\xff*/ // };", 0 },
		{ "none", "", 0 },
	};
	const struct session_env env = { .host = "h",
					 .kernel = "6.1",
					 .version = "0.1",
					 .command = "record -o \"x y\"",
					 .boot_id = "01234567-89ab-cdef-0123-456789abcdef",
					 .more = more,
					 .nr_more = 3 };
	const struct session_info *info;
	struct error err = { "" };
	struct session_reader *r;
	struct session_writer *w;
	struct timespec real, mono;
	int64_t offset;

	(void)state;
	assert_int_equal(session_writer__open(&w, path("s"), &env, &err), 0);
	must_close(w);
	assert_int_equal(session_reader__open(&r, path("s"), &err), 0);
	info = session_reader__info(r);
	assert_string_equal(session_info__env(info, "hostname")->text, "h");
	assert_string_equal(session_info__env(info, "kernel_release")->text, "6.1");
	assert_string_equal(session_info__env(info, "iommutop_version")->text, "0.1");
	assert_string_equal(session_info__env(info, "command_line")->text, "record -o \"x y\"");
	assert_string_equal(session_info__env(info, "text")->text, more[1].text);
	assert_string_equal(session_info__env(info, "none")->text, "");
	assert_true(session_info__env(info, "smallest")->number == INT64_MIN + 1);
	assert_null(session_info__env(info, "smallest")->text);
	assert_null(session_info__env(info, "nothing"));
	assert_string_equal(info->clock.boot_id, env.boot_id);
	assert_int_equal(info->format_version, IOT_FORMAT_VERSION);
	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	offset = (real.tv_sec - mono.tv_sec) * 1000000000ll + real.tv_nsec - mono.tv_nsec;
	assert_true(llabs(offset - info->clock.offset_ns) < 1000000000);
	session_reader__close(r);
}

static void the_machine_fills_in_what_is_not_said(void **state)
{
	const struct session_env env = { 0 };
	struct error err = { "" };
	struct session_reader *r;
	struct session_writer *w;
	char host[256];

	(void)state;
	assert_int_equal(session_writer__open(&w, path("s"), &env, &err), 0);
	must_close(w);
	assert_int_equal(session_reader__open(&r, path("s"), &err), 0);
	gethostname(host, sizeof(host));
	assert_string_equal(session_info__env(session_reader__info(r), "hostname")->text, host);
	assert_null(session_info__env(session_reader__info(r), "command_line"));
	session_reader__close(r);
}

static void events_that_are_not_as_they_say_are_left_out(void **state)
{
	struct session_writer *w = must_open(path("s"), NULL);
	const struct tsdl_event *type;
	const struct tsdl_field *f;
	struct session_writer_stats stats;
	uint64_t wrong = 0, good = 0;
	uint32_t count;
	struct copy c;
	union any e;

	(void)state;
	for (type = tsdl__next(NULL); type; type = tsdl__next(type)) {
		f = &type->fields[type->nr_fields - 1];
		draw_event(&e, type, 1);
		if (f->count == TSDL_COUNT_IN_FIELD) { /* room for one more than it says */
			count = f->show == TSDL_TEXT ? 8 : 1;
			e.h.len = (uint16_t)(type->size + 8);
			memcpy(e.bytes + f->count_offset, &count, 4);
			e.bytes[type->size] = 0;
		}
		assert_int_equal(session_writer__write(w, &e, e.h.len), 0);
		good++;
		e.h.len += 8;
		assert_int_equal(session_writer__write(w, &e, e.h.len), -EINVAL);
		e.h.len -= 16;
		assert_int_equal(session_writer__write(w, &e, e.h.len), -EINVAL);
		e.h.len = 24;
		assert_int_equal(session_writer__write(w, &e, sizeof(e)), -EINVAL);
		e.h.len = type->size + 4;
		assert_int_equal(session_writer__write(w, &e, sizeof(e)), -EINVAL);
		wrong += 4;
		draw_event(&e, type, 1);
		for (; f >= type->fields; f--) { /* a text without end, a count that is none */
			if (f->show != TSDL_TEXT)
				continue;
			memset(e.bytes + f->offset, 'x',
			       f->count == TSDL_COUNT_IN_FIELD ? e.h.len - f->offset : f->count);
			assert_int_equal(session_writer__write(w, &e, e.h.len), -EINVAL);
			wrong++;
			if (f->count == TSDL_COUNT_IN_FIELD) {
				count = 0;
				memcpy(e.bytes + f->count_offset, &count, 4);
				e.h.len = type->size;
				assert_int_equal(session_writer__write(w, &e, e.h.len), -EINVAL);
				wrong++;
			}
		}
	}
	draw_event(&e, tsdl__event(IOT_EV_STACK), 1);
	e.stack.nr = IOT_STACK_MAX + 1;
	e.h.len = (uint16_t)(sizeof(e.stack) + 8 * e.stack.nr);
	assert_int_equal(session_writer__write(w, &e, e.h.len), -EINVAL);
	draw_event(&e, tsdl__event(IOT_EV_MAP), 1);
	e.h.id = IOT_EV_HOT_LAST + 1;
	assert_int_equal(session_writer__write(w, &e, e.h.len), -EINVAL);
	e.h.id = IOT_EV_MAP;
	assert_int_equal(session_writer__write(w, &e, 63), -EINVAL);
	wrong += 3;
	session_writer__stats(w, &stats);
	assert_int_equal(stats.rejected, wrong);
	must_close(w);
	must_read(&c, path("s"));
	assert_int_equal(c.nr, good);
	copy_free(&c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_table_describes_every_byte_of_every_struct),
		TEST(crc32c_is_castagnoli_on_every_path),
		TEST(every_class_comes_back_byte_for_byte),
		TEST(tables_come_before_events_of_the_same_time),
		TEST(time_never_goes_back_in_a_stream),
		TEST(what_is_said_of_the_session_comes_back),
		TEST(the_machine_fills_in_what_is_not_said),
		TEST(events_that_are_not_as_they_say_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
