// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions that aren't the common ones: compressed, rotated, of the other byte order, growing, cut
 * while they are read.
 */
#include <byteswap.h>
#include <errno.h>
#include <zstd.h>

#include "session/crc32c.h"
#include "session_fixture.h"

static struct crc32c crc;

static void sign(struct packet_head *h)
{
	h->crc32c = 0;
	h->crc32c = ~crc32c__update(&crc, CRC32C_START, h, h->content_size / 8);
}

/* A session of all kinds of events, in small packets, ten nanoseconds apart. */
static void make_all_kinds(const char *dir, unsigned int nr)
{
	const struct session_writer_opts opts = { .packet = PACKET };
	struct session_writer *w = must_open(dir, &opts);
	const struct tsdl_event *type = NULL;
	union any e;

	for (unsigned int i = 0; i < nr; i++) {
		type = tsdl__next(type) ?: tsdl__next(NULL);
		draw_event(&e, type, 1000 + 10 * i);
		if (type->id == IOT_EV_LOSS) /* else the reader may count on what it says */
			((struct iot_loss *)&e)->cause = IOT_LOST_RING;
		assert_int_equal(session_writer__write(w, &e, e.h.len), 0);
	}
	must_close(w);
}

static void same_events(const struct copy *a, const struct copy *b)
{
	assert_int_equal(a->nr, b->nr);
	assert_int_equal(a->bytes, b->bytes);
	assert_memory_equal(a->data, b->data, a->bytes);
}

static const char *const all_streams[] = { "events_0", "rare_0", "tables_0" };

/* Calls fn with the bytes of each stream that is there; it may change them. */
static void for_each_stream(const char *dir,
			    void (*fn)(const char *name, uint8_t *data, size_t bytes))
{
	char name[PATH_MAX + 64];
	struct stat st;
	uint8_t *data;
	size_t bytes;

	for (size_t i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s/ctf/%s", dir, all_streams[i]);
		if (stat(name, &st))
			continue;
		data = load(name, &bytes);
		fn(name, data, bytes);
		free(data);
	}
}

/* --- compressed */

static int turned; /* what pack() is given is of the other byte order */

/* ctf/X becomes zst/X.zst, a frame a packet. */
static void pack(const char *name, uint8_t *data, size_t bytes)
{
	size_t room = ZSTD_compressBound(bytes) + bytes, used = 0, at;
	uint8_t *packed = malloc(room);
	char to[PATH_MAX + 128];
	const char *slash = strrchr(name, '/');

	for (at = 0; at < bytes;) {
		const struct packet_head *h = (struct packet_head *)(data + at);
		uint64_t size = (turned ? bswap_64(h->packet_size) : h->packet_size) / 8;
		size_t n = ZSTD_compress(packed + used, room - used, h, size, 1);

		assert_false(ZSTD_isError(n));
		used += n;
		at += size;
	}
	snprintf(to, sizeof(to), "%.*s/zst/%s.zst", (int)(slash - name - 4), name, slash + 1);
	store(to, packed, used);
	unlink(name);
	free(packed);
}

static void a_compressed_session_reads_like_the_plain_one(void **state)
{
	struct copy plain, packed;

	(void)state;
	make_all_kinds(path("s"), 3000);
	must_read(&plain, path("s"));
	assert_int_equal(plain.nr, 3000);
	mkdir(path("s/zst"), 0700);
	for_each_stream(path("s"), pack);
	must_read(&packed, path("s"));
	same_events(&plain, &packed);
	assert_true(packed.info.compressed && !plain.info.compressed);
	assert_int_equal(packed.info.bytes, packed.info.total_bytes);
	assert_int_equal(packed.nr_losses, 0);
	copy_free(&plain);
	copy_free(&packed);
}

static void damage_in_a_compressed_session_costs_one_packet(void **state)
{
	size_t bytes, at, tried = 0;
	struct copy plain, c;
	char name[PATH_MAX + 64];
	uint8_t *file;

	(void)state;
	make_all_kinds(path("s"), 2000);
	must_read(&plain, path("s"));
	mkdir(path("s/zst"), 0700);
	for_each_stream(path("s"), pack);
	snprintf(name, sizeof(name), "%s", path("s/zst/tables_0.zst"));
	file = load(name, &bytes);
	for (at = 0; at < bytes; at += 1 + draw() % 200, tried++) {
		file[at] ^= 0x55;
		store(name, file, bytes);
		must_read(&c, path("s"));
		file[at] ^= 0x55;
		/* a packet holds a few dozen events at the most */
		if (c.nr < plain.nr - 100 || c.nr >= plain.nr || c.nr_losses != 1 ||
		    c.info.bytes + c.info.damaged_bytes + c.info.torn_bytes != c.info.total_bytes)
			fail_msg("flip at %zu: %zu events of %zu, %zu losses", at, c.nr, plain.nr,
				 c.nr_losses);
		copy_free(&c);
		store(name, file, at);
		must_read(&c, path("s"));
		if (c.info.bytes + c.info.torn_bytes != c.info.total_bytes || c.nr >= plain.nr ||
		    c.info.damaged_bytes)
			fail_msg("cut at %zu", at);
		copy_free(&c);
	}
	assert_true(tried > 50);
	free(file);
	copy_free(&plain);
}

/* --- the other byte order */

/*
 * Widths of the integers behind the head, by hand, so that an error of the table that the reader
 * turns them by would show: digits are bytes, "c" skips as many bytes as follow.
 */
static const struct {
	unsigned int id;
	const char *widths;
} layouts[] = {
	{ IOT_EV_MAP, "88844" },
	{ IOT_EV_UNMAP, "88844" },
	{ IOT_EV_FLUSH, "8884112" },
	{ IOT_EV_IOVA_ALLOC, "8888" },
	{ IOT_EV_IOVA_FREE, "8888" },
	{ IOT_EV_INVALIDATE, "8888" },
	{ IOT_EV_TABLE_ALLOC, "8888" },
	{ IOT_EV_TABLE_FREE, "8888" },
	{ IOT_EV_SUBMIT, "884411" },
	{ IOT_EV_FAULT, "844444112" },
	{ IOT_EV_HANG, "884444" },
	{ IOT_EV_RESET, "884444" },
	{ IOT_EV_ERROR, "884444" },
	{ IOT_EV_LOG, "44" },
	{ IOT_EV_DOMAIN, "4441111888888" },
	{ IOT_EV_ATTACH, "44" },
	{ IOT_EV_DETACH, "44" },
	{ IOT_EV_MODULE, "44" },
	{ IOT_EV_LOSS, "88844" },
	{ IOT_EV_COVERAGE, "88844" },
	{ IOT_EV_CAPTURE, "448" },
	{ IOT_EV_TEARDOWN, "8888" },
	{ IOT_EV_TALLY, "8888888888888888888888888888888888888888888888"
			"44" },
	{ IOT_EV_PAGE_REQUEST, "844411" },
	{ IOT_EV_PAGE_RESPONSE, "844441" },
	{ IOT_EV_DEVICE, "4411114" },
	{ IOT_EV_STACK, "44*" }, /* then 8 bytes each */
	{ IOT_EV_SYMBOL, "844" },
	{ IOT_EV_ATTR, "44" },
	{ IOT_EV_CLOCK, "88" },
	{ IOT_EV_REGION, "8844" },
};

static void reverse(uint8_t *p, int width)
{
	for (int i = 0; i < width / 2; i++) {
		uint8_t byte = p[i];

		p[i] = p[width - 1 - i];
		p[width - 1 - i] = byte;
	}
}

static void turn_event(uint8_t *e)
{
	struct iot_event h;
	uint8_t *at = e;
	const char *w;

	memcpy(&h, e, sizeof(h));
	for (w = "822224444"; *w; at += *w++ - '0')
		reverse(at, *w - '0');
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		if (layouts[i].id != h.id)
			continue;
		for (w = layouts[i].widths; *w && *w != '*'; at += *w++ - '0')
			reverse(at, *w - '0');
		for (; *w == '*' && at < e + h.len; at += 8)
			reverse(at, 8);
		return;
	}
	fail_msg("no layout of event %u", h.id);
}

static void turn_stream(const char *name, uint8_t *data, size_t bytes)
{
	uint8_t *at, *p, *end;

	for (at = data; at < data + bytes; at = end) {
		struct packet_head *h = (struct packet_head *)at;
		const char *w;

		end = at + h->packet_size / 8;
		for (p = at + sizeof(*h); p < end;) {
			uint16_t len = ((struct iot_event *)p)->len;

			turn_event(p);
			p += len;
		}
		h->crc32c = 0;
		p = at;
		reverse(p, 4);
		p += 4 + 16;
		for (w = "488888844"; *w; p += *w++ - '0')
			reverse(p, *w - '0');
		h->crc32c = bswap_32(~crc32c__update(&crc, CRC32C_START, at, (size_t)(end - at)));
	}
	store(name, data, bytes);
}

static void turn_metadata(const char *dir)
{
	char name[PATH_MAX + 64], *text, *order;
	size_t bytes;

	snprintf(name, sizeof(name), "%s/ctf/metadata", dir);
	text = (char *)load(name, &bytes);
	order = strstr(text, "byte_order = ");
	assert_non_null(order);
	order += strlen("byte_order = ");
	*order = *order == 'l' ? 'b' : 'l';
	store(name, text, bytes);
	free(text);
}

static void the_other_byte_order_reads_the_same(void **state)
{
	struct copy own, other;

	(void)state;
	make_all_kinds(path("s"), 3000);
	must_read(&own, path("s"));
	for_each_stream(path("s"), turn_stream);
	turn_metadata(path("s"));
	must_read(&other, path("s"));
	same_events(&own, &other);
	assert_true(other.info.other_byte_order && !own.info.other_byte_order);
	assert_int_equal(other.nr_losses, 0);
	copy_free(&other);
	mkdir(path("s/zst"), 0700);
	turned = 1;
	for_each_stream(path("s"), pack);
	turned = 0;
	must_read(&other, path("s"));
	same_events(&own, &other);
	assert_true(other.info.other_byte_order && other.info.compressed);
	copy_free(&other);
	copy_free(&own);
}

static void an_event_that_was_not_turned_is_no_event(void **state)
{
	struct packet_head *h;
	char name[PATH_MAX + 64];
	struct copy own, other;
	uint8_t first[IOT_HOT_SIZE], *data;
	size_t bytes, in_it;

	(void)state;
	make_all_kinds(path("s"), 300);
	must_read(&own, path("s"));
	snprintf(name, sizeof(name), "%s", path("s/ctf/events_0"));
	data = load(name, &bytes);
	memcpy(first, data + sizeof(*h), sizeof(first));
	free(data);
	for_each_stream(path("s"), turn_stream);
	turn_metadata(path("s"));
	data = load(name, &bytes);
	memcpy(data + sizeof(*h), first, sizeof(first));
	h = (struct packet_head *)data;
	h->crc32c = 0;
	h->crc32c =
		bswap_32(~crc32c__update(&crc, CRC32C_START, data, bswap_64(h->content_size) / 8));
	in_it = bswap_32(h->events);
	store(name, data, bytes);
	free(data);
	must_read(&other, path("s"));
	assert_int_equal(other.nr, own.nr - in_it);
	assert_int_equal(other.nr_losses, 1);
	assert_int_equal(other.info.damaged_packets, 1);
	copy_free(&own);
	copy_free(&other);
}

/* --- rotated */

/* events_0 of nr packets becomes nr files of a packet each. */
static void split(const char *dir)
{
	char name[PATH_MAX + 64];
	size_t bytes, at, nr = 0;
	uint8_t *data;

	snprintf(name, sizeof(name), "%s/ctf/events_0", dir);
	data = load(name, &bytes);
	unlink(name);
	for (at = 0; at < bytes; nr++) {
		struct packet_head *h = (struct packet_head *)(data + at);

		h->packet_seq_num = 0;
		sign(h);
		snprintf(name, sizeof(name), "%s/ctf/events_%zu", dir, nr);
		store(name, h, h->packet_size / 8);
		at += h->packet_size / 8;
	}
	free(data);
}

static void hundreds_of_files_are_one_session(void **state)
{
	const struct session_writer_opts opts = { .packet = PACKET };
	struct session_writer *w;
	struct copy one, many;
	char name[PATH_MAX + 64];
	uint64_t ts = 0;

	(void)state;
	w = must_open(path("s"), &opts);
	fill(w, 400 * HOT_PER_PACKET, &ts);
	must_close(w);
	must_read(&one, path("s"));
	split(path("s"));
	must_read(&many, path("s"));
	same_events(&one, &many);
	assert_true(many.info.nr_streams >= 400);
	copy_free(&many);

	/* what is torn in the one is over where the next one begins */
	snprintf(name, sizeof(name), "%s", path("s/ctf/events_100"));
	assert_int_equal(truncate(name, PACKET / 2), 0);
	must_read(&many, path("s"));
	assert_int_equal(many.nr_losses, 1);
	assert_int_equal(many.losses[0].end, 101 * HOT_PER_PACKET + 1);
	assert_int_equal(many.losses[0].begin, 100 * HOT_PER_PACKET + many.info.salvaged_events);
	copy_free(&many);
	copy_free(&one);
}

static void files_that_overlap_in_time_are_merged(void **state)
{
	char names[64][PATH_MAX];
	struct session_writer *w;
	struct iot_map map;
	struct copy c;

	(void)state;
	/* 40 sessions of interleaved times give streams that all have events at any time */
	must_close(must_open(path("s"), NULL));
	for (uint64_t n = 0; n < 40; n++) {
		uint8_t *data;
		size_t bytes, meta_bytes;
		char *meta;

		snprintf(names[n], sizeof(names[n]), "%s/t%llu", base, (unsigned long long)n);
		w = must_open(names[n], NULL);
		for (uint64_t i = 0; i < 500; i++) {
			hot_event(&map, 1 + i * 40 + n, i * 40 + n);
			session_writer__write(w, &map, sizeof(map));
		}
		must_close(w);
		strcat(names[n], "/ctf/events_0");
		data = load(names[n], &bytes);
		meta = (char *)load(path("s/ctf/metadata"), &meta_bytes);
		for (int i = 0; i < 16; i++) { /* of the uuid of the session that takes them in */
			unsigned int byte;
			const char *uuid = strstr(meta, "uuid = \"") + 8;
			static const int place[] = { 0,  2,  4,  6,  9,  11, 14, 16,
						     19, 21, 24, 26, 28, 30, 32, 34 };

			assert_int_equal(sscanf(uuid + place[i], "%2x", &byte), 1);
			((struct packet_head *)data)->uuid[i] = (uint8_t)byte;
		}
		sign((struct packet_head *)data);
		snprintf(names[n], sizeof(names[n]), "%s/s/ctf/cpu_%llu", base,
			 (unsigned long long)n);
		store(names[n], data, bytes);
		free(data);
		free(meta);
	}
	must_read(&c, path("s"));
	assert_int_equal(c.nr, 40 * 500);
	for (size_t i = 0; i < c.nr; i++)
		assert_int_equal(((struct iot_map *)c.data)[i].iova, i);
	assert_int_equal(c.nr_losses, 0);
	copy_free(&c);
}

/* --- while it is written, while it is cut */

static void a_session_is_read_as_far_as_it_was_when_opened(void **state)
{
	const struct session_writer_opts opts = { .packet = PACKET };
	struct session_writer *w = must_open(path("s"), &opts);
	const struct iot_event *ev;
	struct session_reader *r;
	struct error err = { "" };
	size_t bytes, nr = 0;
	uint64_t ts = 0;
	uint8_t *file;

	(void)state;
	fill(w, 10 * HOT_PER_PACKET, &ts);
	must_close(w);
	file = load(path("s/ctf/events_0"), &bytes);
	store(path("s/ctf/events_0"), file, bytes / 2 + 100);
	assert_int_equal(session_reader__open(&r, path("s"), &err), 0);
	store(path("s/ctf/events_0"), file, bytes); /* goes on in the same file */
	while (session_reader__next(r, &ev) == 1)
		nr += session_reader__file(r)[0] != 0;
	assert_true(nr >= 5 * HOT_PER_PACKET && nr < 6 * HOT_PER_PACKET);
	assert_true(session_reader__info(r)->growing);
	assert_int_equal(session_reader__info(r)->total_bytes, bytes / 2 + 100);
	session_reader__close(r);
	free(file);
}

static void a_file_that_is_cut_while_it_is_read_ends_there(void **state)
{
	struct session_writer *w = must_open(path("s"), NULL);
	const struct iot_event *ev;
	struct session_reader *r;
	struct error err = { "" };
	const struct session_info *info;
	char name[PATH_MAX + 64];
	size_t nr = 0, losses = 0;
	uint64_t ts = 0;

	(void)state;
	fill(w, 40000, &ts);
	must_close(w);
	snprintf(name, sizeof(name), "%s", path("s/ctf/events_0"));
	assert_int_equal(session_reader__open(&r, path("s"), &err), 0);
	assert_int_equal(session_reader__next(r, &ev), 1);
	assert_int_equal(truncate(name, 4096), 0);
	for (nr = 1; session_reader__next(r, &ev) == 1; nr++)
		losses += !session_reader__file(r)[0];
	info = session_reader__info(r);
	assert_true(nr < 40000 && losses == 1);
	assert_int_equal(info->torn_tail, 1);
	assert_int_equal(info->bytes + info->torn_bytes, info->total_bytes);
	session_reader__close(r);
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
		TEST(a_compressed_session_reads_like_the_plain_one),
		TEST(damage_in_a_compressed_session_costs_one_packet),
		TEST(the_other_byte_order_reads_the_same),
		TEST(an_event_that_was_not_turned_is_no_event),
		TEST(hundreds_of_files_are_one_session),
		TEST(files_that_overlap_in_time_are_merged),
		TEST(a_session_is_read_as_far_as_it_was_when_opened),
		TEST(a_file_that_is_cut_while_it_is_read_ends_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
