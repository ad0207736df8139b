/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of sessions share: a directory per test, random events, whole sessions read back.
 */
#ifndef IOMMUTOP_TESTS_SESSION_FIXTURE_H
#define IOMMUTOP_TESTS_SESSION_FIXTURE_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "event.h"
#include "session/check.h"
#include "session/packet.h"
#include "session/reader.h"
#include "session/tsdl.h"
#include "session/writer.h"

#define PACKET         4096
#define HOT_PER_PACKET ((PACKET - sizeof(struct packet_head)) / IOT_HOT_SIZE)

static char base[PATH_MAX / 2]; /* a directory for this run */

static inline const char *path(const char *name)
{
	static char text[PATH_MAX];

	snprintf(text, sizeof(text), "%s/%s", base, name);
	return text;
}

static inline int remove_one(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(name);
}

static inline void remove_tree(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static uint64_t random_state;

static inline uint64_t draw(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

union any {
	struct iot_event h;
	struct iot_map map;
	struct iot_stack stack;
	struct iot_log log;
	struct iot_attr attr;
	uint8_t bytes[IOT_EVENT_MAX];
	uint64_t words[IOT_EVENT_MAX / 8];
};

/* A valid event of that type with random values; texts of random length, the empty one included. */
static inline void draw_event(union any *e, const struct tsdl_event *type, uint64_t ts)
{
	const struct tsdl_field *f;
	uint32_t count, room;
	size_t i;

	for (i = 0; i < IOT_EVENT_MAX / 8; i++)
		e->words[i] = draw();
	e->h.ts = ts;
	e->h.id = type->id;
	e->h.len = type->size;
	for (f = type->fields; f < type->fields + type->nr_fields; f++) {
		room = f->count;
		if (f->count == TSDL_COUNT_IN_FIELD) {
			count = f->show == TSDL_TEXT
					? 8 * (1 + (uint32_t)draw() %
							   ((IOT_EVENT_MAX - type->size) / 8u))
					: (uint32_t)(draw() % (IOT_STACK_MAX + 1));
			memcpy(e->bytes + f->count_offset, &count, sizeof(count));
			e->h.len += count * f->width;
			room = count;
		}
		if (f->show == TSDL_TEXT && room)
			e->bytes[f->offset + draw() % room] = 0;
	}
}

static inline void hot_event(struct iot_map *e, uint64_t ts, uint64_t iova)
{
	*e = (struct iot_map){
		.h = { .ts = ts, .id = IOT_EV_MAP, .len = sizeof(*e), .domain = 1, .dev = 1 },
		.iova = iova,
		.size = 4096,
	};
}

struct copy {
	uint8_t *data;
	size_t bytes, nr;
	struct session_info info; /* without env */
	struct iot_loss *losses;  /* that the reader made; not among the events */
	size_t nr_losses;
};

static inline void copy_add(struct copy *c, const struct iot_event *ev)
{
	if ((c->bytes & (c->bytes - 1)) == 0 || (c->bytes ^ (c->bytes + ev->len)) > c->bytes)
		c->data = realloc(c->data, 2 * (c->bytes + ev->len) + IOT_EVENT_MAX);
	memcpy(c->data + c->bytes, ev, ev->len);
	c->bytes += ev->len;
	c->nr++;
}

static inline void copy_loss(struct copy *c, const struct iot_loss *loss)
{
	assert_int_equal(loss->h.id, IOT_EV_LOSS);
	assert_int_equal(loss->h.len, sizeof(*loss));
	c->losses = realloc(c->losses, (c->nr_losses + 1) * sizeof(*loss));
	c->losses[c->nr_losses++] = *loss;
}

static inline void copy_free(struct copy *c)
{
	free(c->data);
	free(c->losses);
	*c = (struct copy){ 0 };
}

static inline int read_session(struct copy *c, const char *dir, struct error *err)
{
	const struct iot_event *ev;
	struct session_reader *r;
	uint64_t last = 0;
	int rc;

	*c = (struct copy){ 0 };
	rc = session_reader__open(&r, dir, err);
	if (rc)
		return rc;
	while ((rc = session_reader__next(r, &ev)) == 1) {
		assert_true(ev->ts >= last);
		last = ev->ts;
		if (session_reader__file(r)[0])
			copy_add(c, ev);
		else
			copy_loss(c, (const struct iot_loss *)ev);
	}
	assert_int_equal(session_reader__next(r, &ev), 0);
	c->info = *session_reader__info(r);
	assert_int_equal(c->info.told_losses, c->nr_losses);
	assert_int_equal(c->info.events, c->nr);
	session_reader__close(r);
	return rc;
}

static inline void must_read(struct copy *c, const char *dir)
{
	struct error err = { "" };

	if (read_session(c, dir, &err))
		fail_msg("%s", err.text);
}

static inline void count_damage(void *ctx, const struct check_finding *f)
{
	*(unsigned int *)ctx += (unsigned int)check__is_damage(f);
}

/* Damage that the check finds in the test's session. */
static inline unsigned int findings(void)
{
	struct check_total total;
	struct error err = { "" };
	struct session_dir d;
	unsigned int nr = 0;

	assert_int_equal(session_dir__open(&d, path("s"), &err), 0);
	assert_int_equal(check__session(&d, count_damage, &nr, &total, &err), 0);
	session_dir__close(&d);
	return nr;
}

/* A packet that is not full is not written because the machine stood still, unless opts says when.
 */
static inline struct session_writer *must_open(const char *dir,
					       const struct session_writer_opts *opts)
{
	const struct session_env env = { .version = "test" };
	struct session_writer_opts o = opts ? *opts : (struct session_writer_opts){ 0 };
	struct error err = { "" };
	struct session_writer *w;

	o.max_age_ns = o.max_age_ns ?: 3600000000000;
	if (session_writer__open_with(&w, dir, &env, &o, &err))
		fail_msg("%s", err.text);
	return w;
}

static inline void must_close(struct session_writer *w)
{
	struct error err = { "" };

	if (session_writer__close(w, &err))
		fail_msg("%s", err.text);
}

static inline uint8_t *load(const char *name, size_t *bytes)
{
	struct stat st;
	uint8_t *data;
	int fd;

	fd = open(name, O_RDONLY);
	assert_true(fd >= 0 && !fstat(fd, &st));
	data = malloc((size_t)st.st_size + 1);
	assert_int_equal(read(fd, data, (size_t)st.st_size), st.st_size);
	data[st.st_size] = 0;
	close(fd);
	*bytes = (size_t)st.st_size;
	return data;
}

static inline void store(const char *name, const void *data, size_t bytes)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, bytes), bytes);
	close(fd);
}

static inline double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static inline void fill(struct session_writer *w, unsigned int nr, uint64_t *ts)
{
	struct iot_map map;

	while (nr--) {
		++*ts;
		hot_event(&map, *ts, *ts);
		session_writer__write(w, &map, sizeof(map));
	}
}

static inline int fixture_setup(void **state)
{
	(void)state;
	random_state = 1;
	snprintf(base, sizeof(base), "%s/test_session.XXXXXX", getenv("TMPDIR") ?: "/tmp");
	return mkdtemp(base) ? 0 : -1;
}

static inline int fixture_teardown(void **state)
{
	(void)state;
	remove_tree(base);
	return 0;
}

#endif
