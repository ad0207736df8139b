// SPDX-License-Identifier: GPL-2.0-only
#include "session/align.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX  (1u << 20)
#define REPEATS    4u        /* a key seen more often than that tells little */
#define WINDOW     2000000ll /* ns: pairs that agree are this near each other */
#define MOMENTS    4u /* that pairs must agree at; what happens within a window is one moment */
#define TIMES_MORE 3u /* than agree on any other shift */

/* Events of equal content. */
struct pair {
	__s64 shift; /* from b's time to a's */
	__u64 at;    /* a's time */
};

static __u64 mix(__u64 hash, const void *data, size_t bytes)
{
	const unsigned char *p = data;

	while (bytes--)
		hash = (hash ^ *p++) * 0x100000001b3ull; /* FNV-1a */
	return hash;
}

static __u64 key_of(const struct iot_event *ev)
{
	const void *body = ev;
	__u64 hash = mix(0xcbf29ce484222325ull, &ev->id, sizeof(ev->id));

	switch (ev->id) {
	case IOT_EV_MAP: {
		const struct iot_map *map = body;

		return map->ret ? 0 : mix(hash, &map->iova, 8) ^ map->size;
	}
	case IOT_EV_UNMAP: {
		const struct iot_unmap *unmap = body;

		return mix(hash, &unmap->iova, 8) ^ unmap->size;
	}
	case IOT_EV_FAULT: {
		const struct iot_fault *fault = body;

		return fault->iova_known ? mix(hash, &fault->iova, 8) : 0;
	}
	case IOT_EV_LOG: {
		const struct iot_log *log = body;
		size_t len = strnlen(log->text, log->text_len);

		return len >= 16 ? mix(hash, log->text, len) : 0;
	}
	}
	return 0;
}

int align__see(struct align_seen *s, const struct iot_event *ev)
{
	size_t room = s->room ? 2 * s->room : 1024;
	__u64 key = ev->flags & IOT_F_SNAPSHOT ? 0 : key_of(ev);
	struct align_item *more;

	if (!key || s->nr == ITEMS_MAX)
		return 0;
	if (s->nr == s->room) {
		more = realloc(s->items, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		s->items = more;
		s->room = room;
	}
	s->items[s->nr++] = (struct align_item){ key, ev->ts };
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct align_item *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->ts < y->ts ? -1 : x->ts > y->ts;
}

static int by_shift(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return x->shift < y->shift ? -1 : x->shift > y->shift;
}

static int by_time(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static size_t run_of(const struct align_seen *s, size_t at)
{
	size_t end = at;

	while (end < s->nr && s->items[end].key == s->items[at].key)
		end++;
	return end - at;
}

/* What has one key and is as often in the one as in the other, in order. */
static size_t pair_up(const struct align_seen *a, const struct align_seen *b, struct pair *pairs)
{
	size_t i = 0, j = 0, nr = 0, n, k, next_i, next_j;

	while (i < a->nr && j < b->nr) {
		next_i = i + (a->items[i].key <= b->items[j].key ? run_of(a, i) : 0);
		next_j = j + (b->items[j].key <= a->items[i].key ? run_of(b, j) : 0);
		n = next_i - i;
		for (k = 0; n == next_j - j && n <= REPEATS && k < n; k++)
			pairs[nr++] =
				(struct pair){ (__s64)(a->items[i + k].ts - b->items[j + k].ts),
					       a->items[i + k].ts };
		i = next_i;
		j = next_j;
	}
	return nr;
}

/* The most of the sorted pairs in [from, to) whose shifts lie within a window; *begin is the first.
 */
static size_t densest(const struct pair *v, size_t from, size_t to, size_t *begin)
{
	size_t first = from, last, best = 0;

	for (last = from; last < to; last++) {
		while ((__u64)v[last].shift - (__u64)v[first].shift > WINDOW)
			first++;
		if (last - first + 1 > best) {
			best = last - first + 1;
			*begin = first;
		}
	}
	return best;
}

/*
 * At how many moments they happened, each a window or more after the one before. A map, its unmap
 * and their neighbours agree with each other in any two runs of one program: they are one witness,
 * not many. Sorts the pairs by time.
 */
static size_t moments(struct pair *v, size_t nr)
{
	size_t i, n = 0;
	__u64 last = 0;

	qsort(v, nr, sizeof(*v), by_time);
	for (i = 0; i < nr; i++) {
		if (n && v[i].at - last < WINDOW)
			continue;
		last = v[i].at;
		n++;
	}
	return n;
}

int align__estimate(struct align_seen *a, struct align_seen *b, struct align_result *out)
{
	size_t nr, begin = 0, end, other, unused;
	struct pair *pairs;

	*out = (struct align_result){ .seen = a->nr < b->nr ? a->nr : b->nr };
	pairs = malloc((out->seen + 1) * sizeof(*pairs));
	if (!pairs)
		return -ENOMEM;
	if (a->nr)
		qsort(a->items, a->nr, sizeof(*a->items), by_key);
	if (b->nr)
		qsort(b->items, b->nr, sizeof(*b->items), by_key);
	nr = pair_up(a, b, pairs);
	qsort(pairs, nr, sizeof(*pairs), by_shift);
	out->all = nr;
	out->pairs = densest(pairs, 0, nr, &begin);
	if (out->pairs) {
		end = begin + out->pairs;
		out->shift = pairs[begin + out->pairs / 2].shift;
		out->spread = (__u64)pairs[end - 1].shift - (__u64)pairs[begin].shift;
		out->elsewhere = densest(pairs, 0, begin, &unused);
		other = densest(pairs, end, nr, &unused);
		out->elsewhere = other > out->elsewhere ? other : out->elsewhere;
		out->sure = moments(pairs + begin, out->pairs) >= MOMENTS &&
			    out->pairs >= TIMES_MORE * out->elsewhere;
	}
	free(pairs);
	return 0;
}

void align__free(struct align_seen *s)
{
	free(s->items);
	*s = (struct align_seen){ 0 };
}
