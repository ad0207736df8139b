// SPDX-License-Identifier: GPL-2.0-only
/* Damaged sessions are repaired: nothing readable is lost, all is whole afterwards, loss is told.
 */
#include <errno.h>
#include <zstd.h>

#include "session/repair.h"
#include "session_fixture.h"

static char stream[PATH_MAX + 64]; /* the file that is damaged */

static uint8_t *make_victim(const char *kind, size_t *bytes)
{
	const struct session_writer_opts opts = { .packet = PACKET };
	struct session_writer *w = must_open(path("s"), &opts);
	const struct tsdl_event *type = NULL;
	uint8_t *file, *packed;
	size_t used = 0, at, n;
	union any e;

	for (unsigned int i = 0; i < 1500; i++) {
		type = tsdl__next(type) ?: tsdl__next(NULL);
		draw_event(&e, type, 1000 + 10 * i);
		if (type->id == IOT_EV_LOSS)
			((struct iot_loss *)&e)->cause = IOT_LOST_RING;
		session_writer__write(w, &e, e.h.len);
	}
	must_close(w);
	snprintf(stream, sizeof(stream), "%s", path("s/ctf/events_0"));
	if (strcmp(kind, "packed"))
		return load(stream, bytes);
	mkdir(path("s/zst"), 0700);
	file = load(stream, bytes);
	packed = malloc(2 * *bytes + 4096);
	for (at = 0; at < *bytes; at += ((struct packet_head *)(file + at))->packet_size / 8) {
		n = ZSTD_compress(packed + used, 2 * *bytes + 4096 - used, file + at,
				  ((struct packet_head *)(file + at))->packet_size / 8, 1);
		assert_false(ZSTD_isError(n));
		used += n;
	}
	unlink(stream);
	snprintf(stream, sizeof(stream), "%s", path("s/zst/events_0.zst"));
	store(stream, packed, used);
	free(packed);
	free(file);
	return load(stream, bytes);
}

static void count_step(void *ctx, const struct repair_step *step)
{
	(void)step;
	++*(unsigned int *)ctx;
}

/* Events of a session, the losses that a repair put there counted instead. */
static void read_but_losses(struct copy *c, size_t *losses)
{
	const struct iot_event *ev;
	struct copy all;

	*losses = 0;
	must_read(&all, path("s"));
	*c = (struct copy){ .info = all.info, .nr_losses = all.nr_losses };
	for (size_t at = 0; at < all.bytes; at += ev->len) {
		ev = (const struct iot_event *)(all.data + at);
		if (ev->id == IOT_EV_LOSS &&
		    ((const struct iot_loss *)ev)->cause == IOT_LOST_DAMAGE)
			++*losses;
		else
			copy_add(c, ev);
	}
	copy_free(&all);
}

static void damage(uint8_t *file, size_t *bytes)
{
	size_t at = draw() % *bytes, n = 1 + draw() % 6000;

	n = n < *bytes - at ? n : *bytes - at;
	switch (draw() % 6) {
	case 0:
		*bytes = at;
		break;
	case 1:
		memset(file + at, 0, n);
		break;
	case 2:
		memset(file + at, 0, *bytes - at);
		break;
	case 3:
		while (n--)
			file[at + n] = (uint8_t)draw();
		break;
	case 4:
		file[at] ^= (uint8_t)(1 << draw() % 8);
		break;
	case 5: /* some bytes are gone, as of a sector that wasn't written */
		n = n / 8 * 8;
		memmove(file + at, file + at + n, *bytes - at - n);
		*bytes -= n;
		break;
	}
}

static uint8_t *rare; /* what rare_0 held before any repair; NULL: it wasn't there */
static size_t rare_bytes;

static void keep_rare(void)
{
	rare = access(path("s/ctf/rare_0"), F_OK) ? NULL : load(path("s/ctf/rare_0"), &rare_bytes);
}

static void put_back_rare(void)
{
	unlink(path("s/zst/rare_0.zst"));
	unlink(path("s/ctf/rare_0"));
	if (rare)
		store(path("s/ctf/rare_0"), rare, rare_bytes);
}

static void check_repairs(const char *kind)
{
	size_t bytes, whole, losses, before_losses, i;
	unsigned int steps, dry_steps, damaged = 0;
	uint8_t *original, *file, *again;
	struct copy before, after;
	struct error err = { "" };

	original = make_victim(kind, &whole);
	keep_rare();
	file = malloc(whole);
	for (i = 0; i < 250; i++) {
		bytes = whole;
		memcpy(file, original, whole);
		damage(file, &bytes);
		if (bytes && draw() % 3 == 0)
			damage(file, &bytes);
		store(stream, file, bytes);
		put_back_rare();
		read_but_losses(&before, &before_losses);

		dry_steps = steps = 0;
		assert_int_equal(session__repair(path("s"), true, count_step, &dry_steps, &err), 0);
		again = load(stream, &bytes);
		assert_memory_equal(again, file, bytes);
		free(again);

		if (session__repair(path("s"), false, count_step, &steps, &err))
			fail_msg("%s", err.text);
		assert_int_equal(steps, dry_steps);
		read_but_losses(&after, &losses);
		damaged += before.nr_losses > 0;
		if (findings() || after.nr != before.nr || after.bytes != before.bytes ||
		    memcmp(after.data, before.data, after.bytes) || after.nr_losses ||
		    losses != before.nr_losses || after.info.torn_tail ||
		    after.info.damaged_bytes || after.info.missing_packets)
			fail_msg("%zu: %u findings, %zu events of %zu, %zu losses of %zu", i,
				 findings(), after.nr, before.nr, losses, before.nr_losses);
		copy_free(&before);
		copy_free(&after);
	}
	assert_true(damaged > 200);
	free(rare);
	free(file);
	free(original);
}

static void a_repaired_session_is_whole_and_lacks_nothing(void **state)
{
	(void)state;
	check_repairs("plain");
}

static void a_repaired_packed_session_is_whole_and_lacks_nothing(void **state)
{
	(void)state;
	check_repairs("packed");
}

static void a_whole_session_is_left_alone(void **state)
{
	unsigned int steps = 0;
	struct error err = { "" };
	size_t bytes;

	(void)state;
	free(make_victim("plain", &bytes));
	assert_int_equal(session__repair(path("s"), false, count_step, &steps, &err), 0);
	assert_int_equal(steps, 0);
	assert_int_equal(findings(), 0);
}

static void a_copy_is_repaired_and_the_original_stays(void **state)
{
	char from[PATH_MAX];
	uint8_t *file, *again;
	struct error err = { "" };
	unsigned int steps = 0;
	size_t bytes, now;

	(void)state;
	file = make_victim("plain", &bytes);
	file[bytes / 2] ^= 1;
	store(stream, file, bytes);
	snprintf(from, sizeof(from), "%s", path("s"));
	assert_int_equal(session__copy(from, path("copy"), &err), 0);
	assert_int_equal(session__repair(path("copy"), false, count_step, &steps, &err), 0);
	assert_true(steps >= 2);
	again = load(stream, &now);
	assert_int_equal(now, bytes);
	assert_memory_equal(again, file, bytes);
	assert_int_equal(session__copy(from, path("copy"), &err), -EEXIST);
	free(again);
	free(file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_repaired_session_is_whole_and_lacks_nothing),
		TEST(a_repaired_packed_session_is_whole_and_lacks_nothing),
		TEST(a_whole_session_is_left_alone),
		TEST(a_copy_is_repaired_and_the_original_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
