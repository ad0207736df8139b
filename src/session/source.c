// SPDX-License-Identifier: GPL-2.0-only
#include "session/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Room for a packet of the default size and the head of the next; more would fall out of the CPU's
 * second cache between the check and the use.
 */
#define WINDOW (260u << 10)
#define ALIGN  64u

int source__open(struct source *s, int fd)
{
	struct stat st;

	*s = (struct source){ .fd = -1 };
	if (fstat(fd, &st))
		return -errno;
	s->fd = fd;
	s->size = s->limit = (uint64_t)st.st_size;
	return 0;
}

void source__open_memory(struct source *s, const void *data, size_t bytes)
{
	*s = (struct source){ .fd = -1, .memory = data, .size = bytes, .limit = bytes };
}

void source__put_away(struct source *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	free(s->window);
	s->window = NULL;
	s->room = s->have = 0;
}

void source__reopen(struct source *s, int fd)
{
	s->fd = fd;
}

void source__close(struct source *s)
{
	source__put_away(s);
}

static void end_here(struct source *s, int error)
{
	s->limit = s->begin + s->have;
	if (error && !s->error)
		s->error = error;
}

/* Room for want bytes from s->begin on. 0 or -ENOMEM. */
static int make_room(struct source *s, size_t want)
{
	size_t room = want > WINDOW ? want : WINDOW;
	uint8_t *window;

	if (s->room >= want)
		return 0;
	window = aligned_alloc(ALIGN, (room + ALIGN - 1) / ALIGN * ALIGN);
	if (!window)
		return -ENOMEM;
	if (s->have)
		memcpy(window, s->window, s->have);
	free(s->window);
	s->window = window;
	s->room = room;
	return 0;
}

/* The window begins at `at` from now on; what it has of that stays. */
static void move_to(struct source *s, uint64_t at)
{
	uint64_t end = s->begin + s->have;

	if (at >= s->begin && at < end) {
		s->have = (size_t)(end - at);
		memmove(s->window, s->window + (at - s->begin), s->have);
	} else {
		s->have = 0;
	}
	s->begin = at;
}

static void fill(struct source *s, size_t want)
{
	size_t most;
	ssize_t n;

	if (make_room(s, want)) {
		end_here(s, -ENOMEM);
		return;
	}
	while (s->have < want) {
		most = s->room - s->have;
		if (most > s->limit - s->begin - s->have)
			most = (size_t)(s->limit - s->begin - s->have);
		n = pread(s->fd, s->window + s->have, most, (off_t)(s->begin + s->have));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) { /* 0: it has been cut */
			end_here(s, n ? -errno : 0);
			return;
		}
		s->have += (size_t)n;
	}
}

const uint8_t *source__bytes(struct source *s, uint64_t at, size_t want, size_t *got)
{
	static const uint8_t none[ALIGN];
	uint64_t base = at / ALIGN * ALIGN;
	size_t skip = (size_t)(at - base);

	*got = 0;
	if (at >= s->limit)
		return none;
	if (want > s->limit - at)
		want = (size_t)(s->limit - at);
	if (s->memory) {
		*got = (size_t)(s->limit - at);
		return s->memory + at;
	}
	if (at < s->begin || at + want > s->begin + s->have) {
		move_to(s, base);
		fill(s, skip + want);
		if (s->have <= skip)
			return none;
	}
	*got = (size_t)(s->begin + s->have - at);
	return s->window + (at - s->begin);
}

int source__has_grown(const struct source *s)
{
	struct stat st;

	return s->fd >= 0 && !fstat(s->fd, &st) && (uint64_t)st.st_size > s->size;
}
