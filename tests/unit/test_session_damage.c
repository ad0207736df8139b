// SPDX-License-Identifier: GPL-2.0-only
/* Sessions that were torn, damaged or forged: all that is whole is read, and nothing else. */
#include <errno.h>

#include "session/crc32c.h"
#include "session_fixture.h"

/*
 * --- damage --------------------------------------------------------------------------------------
 * ---------------
 */

#define DAMAGE_PACKETS 6

/* A session of a few small packets of hot events, nothing else; the bytes of its stream. */
static uint8_t *make_victim(size_t *bytes)
{
	const struct session_writer_opts opts = { .packet = PACKET };
	struct session_writer *w = must_open(path("s"), &opts);
	uint64_t ts = 0;

	fill(w, DAMAGE_PACKETS * HOT_PER_PACKET, &ts);
	must_close(w);
	return load(path("s/ctf/events_0"), bytes);
}

/* Hot events that a packet with `bytes` bytes left holds as a whole. */
static size_t events_in(size_t bytes)
{
	return bytes < sizeof(struct packet_head)
		       ? 0
		       : (bytes - sizeof(struct packet_head)) / IOT_HOT_SIZE;
}

/*
 * The stream's first `whole` packets must be read, `salvaged` events behind them, and nothing else;
 * every byte must be accounted for, and the loss be told where it is.
 */
static void check_tail(size_t whole, size_t salvaged, size_t file_bytes, const char *what,
		       size_t at)
{
	const size_t nr = whole * HOT_PER_PACKET + salvaged;
	struct copy c;
	size_t i;

	must_read(&c, path("s"));
	if (c.nr != nr || c.info.salvaged_events != salvaged ||
	    c.info.torn_tail != (c.info.bytes != file_bytes) ||
	    c.info.bytes + c.info.torn_bytes != file_bytes || c.info.damaged_bytes)
		fail_msg("%s at %zu: %zu events and not %zu, %llu bytes torn", what, at, c.nr, nr,
			 (unsigned long long)c.info.torn_bytes);
	for (i = 0; i < c.nr; i++)
		assert_int_equal(((struct iot_map *)c.data)[i].iova, i + 1);
	assert_int_equal(c.nr_losses, c.info.torn_tail);
	if (c.nr_losses) {
		assert_int_equal(c.losses[0].cause, IOT_LOST_DAMAGE);
		assert_string_equal(c.losses[0].what, "events_0: torn");
		assert_int_equal(c.losses[0].begin, nr);
		assert_true(c.losses[0].end >= nr && c.losses[0].count);
		if (salvaged) {
			assert_int_equal(c.losses[0].end, (whole + 1) * HOT_PER_PACKET);
			assert_int_equal(c.losses[0].count, HOT_PER_PACKET - salvaged);
		}
	}
	copy_free(&c);
}

/*
 * Zeros from byte `at` of the packet behind the `whole` ones. Each event before them must be there,
 * but the last: where zeros begin within an event, or right behind one, it can't be told whether
 * all of it was written. None may be there that has been touched.
 */
static void check_zeros(size_t whole, size_t at, size_t packet, size_t file_bytes)
{
	const size_t untouched = whole * HOT_PER_PACKET + events_in(at);
	struct copy c;
	size_t salvaged;

	must_read(&c, path("s"));
	if (whole * packet == file_bytes) {
		assert_int_equal(c.nr, whole * HOT_PER_PACKET);
	} else if (c.nr < whole * HOT_PER_PACKET || c.nr > untouched ||
		   c.nr + 1 < untouched - (packet - at < 512 + IOT_HOT_SIZE ? HOT_PER_PACKET : 0)) {
		fail_msg("zeros at %zu: %zu events of %zu", at, c.nr, untouched);
	}
	salvaged = c.info.salvaged_events;
	copy_free(&c);
	check_tail(whole, salvaged, file_bytes, "zeros", at);
}

static void a_torn_tail_never_hides_what_is_before_it(void **state)
{
	size_t bytes, at, packet, i;
	uint8_t *file, *copy;
	char name[PATH_MAX];

	(void)state;
	file = make_victim(&bytes);
	copy = malloc(bytes + PACKET);
	snprintf(name, sizeof(name), "%s", path("s/ctf/events_0"));
	packet = bytes / DAMAGE_PACKETS;
	assert_int_equal(packet * DAMAGE_PACKETS, bytes);
	for (at = bytes - 3 * packet; at <= bytes;
	     at += at % packet < 100 || at % packet > packet - 20 ? 1 : 13) {
		store(name, file, at);
		check_tail(at / packet, events_in(at % packet), at, "cut", at);

		memcpy(copy, file, bytes);
		memset(copy + at, 0, bytes - at);
		store(name, copy, bytes);
		/*
		 * Zeros over bytes that are zero change nothing: ask the bytes how many packets are
		 * whole, and how far. The event before the zeros may have lost bytes of its own.
		 */
		for (i = at / packet;
		     i < DAMAGE_PACKETS && !memcmp(copy + i * packet, file + i * packet, packet);
		     i++)
			;
		check_zeros(i, at % packet, packet, bytes);

		for (i = at; i < bytes; i++)
			copy[i] = (uint8_t)~draw();
		if (at < bytes && copy[at] == file[at])
			copy[at]++;
		store(name, copy, bytes);
		check_tail(at / packet, 0, bytes, "garbage", at);

		memcpy(copy, file, at);
		memset(copy + at, 0, PACKET);
		store(name, copy, at + PACKET);
		if (at % packet == 0)
			check_tail(at / packet, 0, at + PACKET, "zeros appended", at);
	}
	free(copy);
	free(file);
}

static void damage_in_the_middle_costs_one_packet(void **state)
{
	size_t bytes, packet, i, bit;
	struct copy c;
	uint8_t *file;

	(void)state;
	file = make_victim(&bytes);
	packet = bytes / DAMAGE_PACKETS;
	for (i = 0; i < 3000; i++) {
		bit = draw() % (packet * (DAMAGE_PACKETS - 1) * 8);
		file[bit / 8] ^= (uint8_t)(1 << bit % 8);
		store(path("s/ctf/events_0"), file, bytes);
		must_read(&c, path("s"));
		if (c.nr != (DAMAGE_PACKETS - 1) * HOT_PER_PACKET || c.info.damaged_packets != 1 ||
		    c.info.damaged_bytes != packet || c.info.missing_packets != 1 ||
		    c.info.torn_tail)
			fail_msg("bit %zu: %zu events, %llu bytes damaged", bit, c.nr,
				 (unsigned long long)c.info.damaged_bytes);
		copy_free(&c);
		file[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	free(file);
}

static void sign_packet(struct packet_head *h)
{
	struct crc32c crc;

	crc32c__init(&crc);
	h->crc32c = 0;
	h->crc32c = ~crc32c__update(&crc, CRC32C_START, h, h->content_size / 8);
}

/* A writer that lies: the checksum is right, an event is not. */
static void a_wrong_event_costs_the_rest_of_its_packet(void **state)
{
	static const struct {
		uint16_t id, len;
		int ts, unknown;
	} lies[] = {
		{ IOT_EV_MAP, 0, 0, 0 },     { IOT_EV_MAP, 56, 0, 0 },
		{ IOT_EV_MAP, 65528, 0, 0 }, { IOT_EV_MAP, 67, 0, 0 },
		{ IOT_EV_DOMAIN, 64, 0, 0 }, { IOT_EV_CAPTURE, 40, 0, 0 },
		{ IOT_EV_CLOCK, 64, 0, 0 },  { IOT_EV_MAP, 64, -1, 0 },
		{ 500, 64, 0, 1 },           { 500, 16, 0, 0 },
	};
	size_t bytes, packet, i, nr = 10, bad_at;
	struct packet_head *h;
	struct iot_map *events;
	uint8_t *file, *copy;
	struct copy c;

	(void)state;
	file = make_victim(&bytes);
	copy = malloc(bytes);
	packet = bytes / DAMAGE_PACKETS;
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		memcpy(copy, file, bytes);
		h = (struct packet_head *)(copy + packet);
		events = (struct iot_map *)(h + 1);
		events[nr].h.id = lies[i].id;
		events[nr].h.len = lies[i].len;
		if (lies[i].ts)
			events[nr].h.ts = 1;
		sign_packet(h);
		store(path("s/ctf/events_0"), copy, bytes);
		must_read(&c, path("s"));
		bad_at = lies[i].unknown ? 1 : HOT_PER_PACKET - nr;
		if (c.nr != DAMAGE_PACKETS * HOT_PER_PACKET - bad_at ||
		    c.info.unknown_events != (uint64_t)lies[i].unknown ||
		    c.info.damaged_packets != !lies[i].unknown)
			fail_msg("lie %zu: %zu events", i, c.nr);
		copy_free(&c);
	}
	free(copy);
	free(file);
}

static void random_damage_is_survived(void **state)
{
	const struct session_writer_opts opts = { .packet = PACKET };
	struct session_writer *w = must_open(path("s"), &opts);
	const struct tsdl_event *type = NULL;
	size_t bytes, i, j, n;
	struct packet_head *h;
	uint8_t *file, *copy;
	struct copy c;
	union any e;

	(void)state;
	for (i = 0; i < 600; i++) {
		type = tsdl__next(type) ?: tsdl__next(NULL);
		draw_event(&e, type, i);
		session_writer__write(w, &e, e.h.len);
	}
	must_close(w);
	file = load(path("s/ctf/tables_0"), &bytes);
	copy = malloc(bytes);
	for (i = 0; i < 3000; i++) {
		memcpy(copy, file, bytes);
		for (n = 1 + draw() % 20; n; n--) {
			j = draw() % (bytes / 2) * 2;
			switch (draw() % 3) {
			case 0:
				copy[j] = (uint8_t)draw();
				break;
			case 1:
				copy[j] = 0, copy[j + 1] = 0xff;
				break;
			case 2:
				memmove(copy + j, copy + draw() % bytes / 2, (bytes - j) / 2);
				break;
			}
		}
		/*
		 * half of the time the checksum is made right again, so that damage reaches the
		 * events
		 */
		h = (struct packet_head *)copy;
		if (i % 2 && h->magic == PACKET_MAGIC && h->content_size <= bytes * 8 &&
		    h->content_size >= sizeof(*h) * 8)
			sign_packet(h);
		store(path("s/ctf/tables_0"), copy, bytes - draw() % 2 * (draw() % bytes));
		must_read(&c, path("s"));
		copy_free(&c);
	}
	free(copy);
	free(file);
}

static void a_file_of_heads_does_not_cost_its_square(void **state)
{
	const size_t bytes = 4 << 20, head = sizeof(struct packet_head);
	double begin = seconds();
	struct packet_head h;
	uint8_t *file, *first;
	size_t old, at;
	struct copy c;

	(void)state;
	first = make_victim(&old);
	memcpy(&h, first, head);
	h.content_size = h.packet_size = (PACKET_MAX - 8) * 8ull;
	file = malloc(bytes);
	for (at = 0; at + head <= bytes; at += head)
		memcpy(file + at, &h, head);
	store(path("s/ctf/events_0"), file, at);
	must_read(&c, path("s"));
	assert_int_equal(c.nr, 0);
	assert_int_equal(c.info.torn_bytes, at);
	assert_true(seconds() - begin < 5);
	free(file);
	free(first);
	copy_free(&c);
}

/*
 * --- what is no session
 * -----------------------------------------------------------------------------------------
 */

static void check_refused(int code, const char *says)
{
	struct error err = { "" };
	struct copy c;
	int rc;

	rc = read_session(&c, path("s"), &err);
	if (rc != code || !strstr(err.text, says) || !strstr(err.text, base))
		fail_msg("%d, not %d with \"%s\": %s", rc, code, says, err.text);
}

static char *with(const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);
	char *result;

	assert_non_null(at);
	assert_true(asprintf(&result, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old)) >
		    0);
	return result;
}

static void refuse_metadata(const char *text, int code, const char *says)
{
	store(path("s/ctf/metadata"), text, strlen(text));
	check_refused(code, says);
}

static void what_is_no_session_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *old, *new;
		int code;
		const char *says;
	} changes[] = {
		{ "\"iommutop\"", "\"lttng\"", -ENOTSUP, "not one that iommutop wrote" },
		{ "format_version = 1", "format_version = 2", -ENOTSUP, "newer" },
		{ "format_version = 1", "format_version = -1", -ENOTSUP, "newer" },
		{ "byte_order = le", "byte_order = xe", -EBADMSG, "byte order" },
		{ "\tuuid", "\tabcd", -EBADMSG, "uuid" },
		{ "freq = 1000000000", "freq = 1000000", -EBADMSG, "nanoseconds" },
		{ "offset_s = ", "offset_s = 999999999999", -EBADMSG, "offset" },
		{ "/* CTF 1.8 */", "[1, 2]", -EBADMSG, "begin as CTF" },
		{ "hostname = \"", "hostname = \"\\000", -EBADMSG, "not TSDL" },
		{ "};\n\nenv", "}};\n\nenv", -EBADMSG, "';' was expected" },
	};
	size_t bytes, i;
	char *text, *changed;

	(void)state;
	check_refused(-ENOENT, "No such file");
	mkdir(path("s"), 0700);
	check_refused(-ENOENT, "it is no session");
	mkdir(path("s/ctf"), 0700);
	check_refused(-ENOENT, "ctf/metadata");
	rmdir(path("s/ctf"));
	rmdir(path("s"));
	must_close(must_open(path("s"), NULL));
	text = (char *)load(path("s/ctf/metadata"), &bytes);
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		changed = with(text, changes[i].old, changes[i].new);
		refuse_metadata(changed, changes[i].code, changes[i].says);
		free(changed);
	}
	refuse_metadata("", -EBADMSG, "empty");
	text[strlen(text) / 2] = 0;
	refuse_metadata(text, -EBADMSG, "ends in the middle");
	free(text);
	assert_int_equal(truncate(path("s/ctf/metadata"), 2 << 20), 0);
	check_refused(-EBADMSG, "bytes");
	unlink(path("s/ctf/metadata"));
	assert_int_equal(mkfifo(path("s/ctf/metadata"), 0600), 0);
	check_refused(-EBADMSG, "plain file");
	unlink(path("s/ctf/metadata"));
	assert_int_equal(symlink("/dev/zero", path("s/ctf/metadata")), 0);
	check_refused(-ELOOP, "metadata");
}

static void damaged_metadata_is_survived(void **state)
{
	uint8_t *text, *copy;
	struct error err;
	struct copy c;
	size_t bytes, i, n;

	(void)state;
	must_close(must_open(path("s"), NULL));
	text = load(path("s/ctf/metadata"), &bytes);
	copy = malloc(bytes);
	for (i = 0; i < 5000; i++) {
		memcpy(copy, text, bytes);
		for (n = 1 + draw() % 4; n; n--)
			copy[10 + draw() % 1600] =
				draw() % 2 ? (uint8_t)draw() : (uint8_t) "{};\"\\=-0"[draw() % 8];
		store(path("s/ctf/metadata"), copy, i % 4 ? bytes : draw() % bytes);
		err.text[0] = 0;
		if (read_session(&c, path("s"), &err))
			assert_true(err.text[0]);
		copy_free(&c);
	}
	free(copy);
	free(text);
}

static void other_files_in_the_trace_are_no_streams(void **state)
{
	struct copy c;

	(void)state;
	must_close(must_open(path("s"), NULL));
	mkdir(path("s/ctf/index"), 0700);
	assert_int_equal(symlink("/dev/zero", path("s/ctf/zero")), 0);
	assert_int_equal(mkfifo(path("s/ctf/fifo"), 0600), 0);
	store(path("s/ctf/.hidden"), "x", 1);
	must_read(&c, path("s"));
	assert_int_equal(c.info.nr_streams, 3);
	assert_int_equal(c.info.torn_bytes, 0);
	copy_free(&c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_torn_tail_never_hides_what_is_before_it),
		TEST(damage_in_the_middle_costs_one_packet),
		TEST(a_wrong_event_costs_the_rest_of_its_packet),
		TEST(random_damage_is_survived),
		TEST(a_file_of_heads_does_not_cost_its_square),
		TEST(what_is_no_session_is_refused_with_the_reason),
		TEST(damaged_metadata_is_survived),
		TEST(other_files_in_the_trace_are_no_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
