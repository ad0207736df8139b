// SPDX-License-Identifier: GPL-2.0-only
#include "session/merge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/align.h"
#include "session/emit.h"
#include "session/reader.h"
#include "session/renumber.h"
#include "session/stream.h"
#include "util/text.h"

#define SECOND       1000000000ll
#define CLOCK_SPREAD (SECOND / 10) /* samples further apart: somebody set the clock */
#define NO_BOOT      "00000000-0000-0000-0000-000000000000"

/* One of the sessions, read through once. */
struct survey {
	uint8_t uuid[16];
	char boot_id[37], host[80], kernel[80];
	bool has_clock;
	int64_t real_min, real_max; /* CLOCK_REALTIME - CLOCK_MONOTONIC, of the samples */
	uint64_t first, last;
	struct align_seen seen;
};

struct merge {
	struct merge_input *in;
	size_t nr;
	struct survey *surveys;
	struct session_reader **readers;
	const struct iot_event **next; /* NULL: this one is at its end */
	struct renumber *numbers;
	struct renumber_next counters;
	struct session_emitter *out;
	struct error *err;
};

static void copy_env(char *to, size_t size, const struct session_info *info, const char *key)
{
	const struct session_env_entry *e = session_info__env(info, key);

	if (e && e->text)
		text__copy(to, size, e->text, strlen(e->text));
}

/*
 * ns: real time from 36 years before to 146 years after 1970. Anything else is damage, and
 * differences of it could overflow.
 */
#define CLOCK_LEAST (-(INT64_C(1) << 60))
#define CLOCK_MOST  (INT64_C(1) << 62)

static void add_sample(struct survey *s, int64_t offset)
{
	if (offset < CLOCK_LEAST || offset > CLOCK_MOST)
		return;
	s->real_min = !s->has_clock || offset < s->real_min ? offset : s->real_min;
	s->real_max = !s->has_clock || offset > s->real_max ? offset : s->real_max;
	s->has_clock = true;
}

static int look(struct survey *s, struct merge_input *in, const struct iot_event *ev)
{
	if (IOT_ORIGIN(ev->flags) >= in->nr_origins)
		in->nr_origins = IOT_ORIGIN(ev->flags) + 1u;
	in->events++;
	if (ev->id == IOT_EV_CLOCK && !IOT_ORIGIN(ev->flags))
		add_sample(s, (int64_t)(((const struct iot_clock *)ev)->real - ev->ts));
	if (ev->id >= IOT_EV_DEVICE || ev->id == IOT_EV_LOSS)
		return 0;
	s->first = s->first ? s->first : ev->ts;
	s->last = ev->ts;
	return align__see(&s->seen, ev);
}

static int survey(struct merge *m, size_t i)
{
	struct merge_input *in = &m->in[i];
	struct survey *s = &m->surveys[i];
	const struct session_info *info;
	const struct iot_event *ev;
	struct session_reader *r;
	char command[80] = "";
	int rc;

	rc = session_reader__open(&r, in->dir, m->err);
	if (rc)
		return rc;
	info = session_reader__info(r);
	memcpy(s->uuid, info->uuid, sizeof(s->uuid));
	memcpy(s->boot_id, info->clock.boot_id, sizeof(s->boot_id));
	copy_env(s->host, sizeof(s->host), info, "hostname");
	copy_env(s->kernel, sizeof(s->kernel), info, "kernel_release");
	copy_env(command, sizeof(command), info, "command_line");
	snprintf(in->label, sizeof(in->label), "%.60s, %.40s%s%.50s", s->host, s->kernel,
		 command[0] ? ", " : "", command);
	in->nr_origins = 1;
	in->events = 0;
	while ((rc = session_reader__next(r, &ev)) > 0) {
		rc = look(s, in, ev);
		if (rc)
			break;
	}
	/* what the metadata says was true when recording began */
	if (info->clock.offset_ns)
		add_sample(s, info->clock.offset_ns);
	session_reader__close(r);
	if (rc)
		error__set(m->err, rc, "cannot read session %s to its end: %s", in->dir,
			   strerror(-rc));
	return rc;
}

static bool clocks_are_steady(const struct survey *s)
{
	return s->has_clock && s->real_max - s->real_min <= CLOCK_SPREAD;
}

static int64_t real_offset(const struct survey *s)
{
	return s->real_min + (s->real_max - s->real_min) / 2;
}

static bool overlap(const struct survey *a, const struct survey *b, int64_t shift)
{
	/* times are whatever the file says */
	return (__int128)b->first + shift <= (__int128)a->last + SECOND &&
	       (__int128)b->last + shift + SECOND >= (__int128)a->first;
}

/* By the clocks of both. False: they can't be trusted, or put the two apart in time. */
static bool by_clocks(const struct survey *a, const struct survey *b, struct merge_input *in)
{
	if (!clocks_are_steady(a) || !clocks_are_steady(b))
		return false;
	in->how = MERGE_CLOCKS;
	in->shift = real_offset(b) - real_offset(a);
	in->unsure = (uint64_t)((a->real_max - a->real_min) + (b->real_max - b->real_min)) / 2;
	return overlap(a, b, in->shift);
}

/* A session and its copy are easily given together, and each event would count twice. */
static int refuse_copies(const struct merge *m)
{
	for (size_t i = 0; i < m->nr; i++)
		for (size_t k = 0; k < i; k++)
			if (!memcmp(m->surveys[i].uuid, m->surveys[k].uuid,
				    sizeof(m->surveys[i].uuid)))
				return error__set(m->err, -EEXIST,
						  "cannot merge %s with %s: they are the same "
						  "session; leave one of them out",
						  m->in[i].dir, m->in[k].dir);
	return 0;
}

static int find_shift(struct merge *m, size_t i)
{
	struct survey *a = &m->surveys[0], *b = &m->surveys[i];
	struct merge_input *in = &m->in[i];
	struct align_result found;
	int rc;

	if (!i) {
		in->how = MERGE_FIRST;
		in->shift = 0;
		return 0;
	}
	if (in->given) {
		in->how = MERGE_GIVEN;
	} else if (!strcmp(a->boot_id, b->boot_id) && strcmp(a->boot_id, NO_BOOT)) {
		in->how = MERGE_SAME_BOOT;
		in->shift = 0;
	} else if (!by_clocks(a, b, in)) {
		rc = align__estimate(&a->seen, &b->seen, &found);
		if (rc)
			return error__set(m->err, rc, "cannot merge: out of memory");
		/* a guest may have no clock; but steady ones are wrong only if most of what both
		 * saw says so, and that isn't next to nothing: two guests that do the same agree
		 * on something, too */
		if (found.sure && (in->how != MERGE_CLOCKS || (2 * found.pairs >= found.all &&
							       10 * found.pairs >= found.seen))) {
			in->how = MERGE_ESTIMATED;
			in->shift = found.shift;
			in->unsure = found.spread;
			in->pairs = found.pairs;
			in->elsewhere = found.elsewhere;
		} else if (in->how != MERGE_CLOCKS) {
			return error__set(
				m->err, -EDOM,
				"cannot merge %s with %s: their clocks %s, and too few events that "
				"both saw (%zu pairs agree, elsewhere %zu) tell how far they are "
				"apart; say it with --offset %zu:NS",
				in->dir, m->in[0].dir,
				a->has_clock && b->has_clock ? "were set while they were recorded"
							     : "aren't in both of them",
				found.pairs, found.elsewhere, i);
		}
	}
	in->apart = !overlap(a, b, in->shift);
	return 0;
}

/* No time may be before the begin of the clock that all are put on. Returns what is added to all.
 */
static uint64_t lowest(const struct merge *m)
{
	int64_t least = 0;
	size_t i;

	for (i = 0; i < m->nr; i++)
		least = m->in[i].shift < least ? m->in[i].shift : least;
	return 0 - (uint64_t)least;
}

static int give_origins(struct merge *m)
{
	unsigned int origin = 0;
	size_t i;

	for (i = 0; i < m->nr; i++) {
		m->in[i].origin = origin;
		origin += m->in[i].nr_origins;
	}
	if (origin > IOT_ORIGINS)
		return error__set(m->err, -E2BIG,
				  "cannot merge: they have %u origins together, at most %d fit",
				  origin, IOT_ORIGINS);
	return 0;
}

static void join_names(char *to, size_t size, const struct merge *m, size_t offset)
{
	size_t at = 0, i;

	to[0] = 0;
	for (i = 0; i < m->nr && at < size; i++) {
		const char *name = (const char *)&m->surveys[i] + offset;

		if (i && !strcmp(name, (const char *)&m->surveys[0] + offset))
			continue;
		at += (size_t)snprintf(to + at, size - at, "%s%s", i ? " + " : "", name);
	}
}

static int open_output(struct merge *m, const char *out, uint64_t base)
{
	char hosts[512], kernels[512];
	const struct survey *first = &m->surveys[0];
	const struct session_env_entry env[] = {
		{ "tracer_name", "iommutop", 0 },
		{ "format_version", NULL, IOT_FORMAT_VERSION },
		{ "iommutop_version", IOMMUTOP_VERSION, 0 },
		{ "hostname", hosts, 0 },
		{ "kernel_release", kernels, 0 },
		{ "command_line", "iommutop session merge", 0 },
		{ "merged_sessions", NULL, (int64_t)m->nr },
	};
	struct tsdl_trace trace = { .env = env, .nr_env = sizeof(env) / sizeof(env[0]) };

	join_names(hosts, sizeof(hosts), m, offsetof(struct survey, host));
	join_names(kernels, sizeof(kernels), m, offsetof(struct survey, kernel));
	memcpy(trace.clock.boot_id, base ? NO_BOOT : first->boot_id, sizeof(trace.clock.boot_id));
	trace.clock.offset_ns = first->has_clock ? real_offset(first) - (int64_t)base : 0;
	return session_emitter__open(&m->out, out, &trace, m->err);
}

static const char *say_how(const struct merge_input *in, char *text, size_t size)
{
	switch (in->how) {
	case MERGE_FIRST:
		return "the first";
	case MERGE_GIVEN:
		return "offset given";
	case MERGE_SAME_BOOT:
		return "the same clock";
	case MERGE_CLOCKS:
		snprintf(text, size, "by its wall clock, samples within %llu ns%s",
			 (unsigned long long)in->unsure, in->apart ? ", at another time" : "");
		return text;
	case MERGE_ESTIMATED:
		snprintf(text, size,
			 "estimated: %zu pairs of events agree within %llu ns, elsewhere %zu",
			 in->pairs, (unsigned long long)in->unsure, in->elsewhere);
		return text;
	}
	return "";
}

static int fetch(struct merge *m, size_t i)
{
	int rc = session_reader__next(m->readers[i], &m->next[i]);

	if (rc < 0)
		return error__set(m->err, rc, "cannot read session %s to its end: %s", m->in[i].dir,
				  strerror(-rc));
	if (!rc)
		m->next[i] = NULL;
	return 0;
}

static bool comes_before(const struct merge *m, size_t a, size_t b)
{
	const uint64_t at = m->next[a]->ts + m->numbers[a].shift,
		       bt = m->next[b]->ts + m->numbers[b].shift;

	if (at != bt)
		return at < bt;
	return stream__rank(m->next[a]->id) < stream__rank(m->next[b]->id);
}

/* The session whose event comes next, or m->nr at the end of all. */
static size_t choose(const struct merge *m)
{
	size_t best = m->nr, i;

	for (i = 0; i < m->nr; i++) {
		if (m->next[i] && (best == m->nr || comes_before(m, i, best)))
			best = i;
	}
	return best;
}

/* An event that a hostile session dates beyond the end of time would wrap around. */
static bool is_in_time(const struct merge *m, size_t i)
{
	return m->next[i]->ts + m->numbers[i].shift >= m->next[i]->ts;
}

static int tell_origins(struct merge *m)
{
	const size_t first = choose(m);
	union any_event e;
	char how[160];
	uint64_t ts;
	size_t i;
	int rc = 0;

	if (first == m->nr)
		return 0;
	ts = m->next[first]->ts + m->numbers[first].shift;
	for (i = 0; !rc && i < m->nr; i++) {
		renumber__attr(&e, ts, m->in[i].origin, "origin.%u=%s (%s; shifted by %lld ns)",
			       m->in[i].origin, m->in[i].label,
			       say_how(&m->in[i], how, sizeof(how)),
			       (long long)m->numbers[i].shift);
		rc = session_emitter__event(m->out, &e.h);
	}
	return rc;
}

static int write_all_events(struct merge *m)
{
	union any_event e;
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < m->nr; i++)
		rc = fetch(m, i);
	if (!rc)
		rc = tell_origins(m);
	while (!rc && (i = choose(m)) < m->nr) {
		if (!is_in_time(m, i))
			return error__set(m->err, -ERANGE,
					  "cannot merge %s: it has events at the end of time",
					  m->in[i].dir);
		rc = renumber__event(&m->numbers[i], m->next[i], &e);
		if (!rc)
			rc = session_emitter__event(m->out, &e.h);
		if (!rc)
			rc = fetch(m, i);
	}
	return rc;
}

static int open_inputs(struct merge *m, uint64_t base)
{
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < m->nr; i++) {
		m->numbers[i] = (struct renumber){ .next = &m->counters,
						   .shift = (uint64_t)m->in[i].shift + base,
						   .origin = m->in[i].origin };
		rc = session_reader__open(&m->readers[i], m->in[i].dir, m->err);
	}
	return rc;
}

static void free_merge(struct merge *m)
{
	size_t i;

	for (i = 0; i < m->nr; i++) {
		if (m->surveys)
			align__free(&m->surveys[i].seen);
		if (m->readers)
			session_reader__close(m->readers[i]);
		if (m->numbers)
			renumber__free(&m->numbers[i]);
	}
	free(m->surveys);
	free(m->readers);
	free(m->numbers);
	free(m->next);
}

int session__merge(const char *out, struct merge_input *in, size_t nr, struct error *err)
{
	struct merge m = { .in = in, .nr = nr, .err = err };
	uint64_t base = 0;
	size_t i;
	int rc = 0;

	m.surveys = calloc(nr, sizeof(*m.surveys));
	m.readers = calloc(nr, sizeof(struct session_reader *));
	m.numbers = calloc(nr, sizeof(*m.numbers));
	m.next = calloc(nr, sizeof(struct iot_event *));
	if (!m.surveys || !m.readers || !m.numbers || !m.next)
		rc = error__set(err, -ENOMEM, "cannot merge: out of memory");
	for (i = 0; !rc && i < nr; i++)
		rc = survey(&m, i);
	if (!rc)
		rc = refuse_copies(&m);
	for (i = 0; !rc && i < nr; i++)
		rc = find_shift(&m, i);
	if (!rc)
		rc = give_origins(&m);
	for (i = 0; !rc && i < nr; i++)
		align__free(&m.surveys[i].seen);
	if (!rc) {
		base = lowest(&m);
		rc = open_output(&m, out, base);
	}
	if (!rc)
		rc = open_inputs(&m, base);
	if (!rc)
		rc = write_all_events(&m);
	if (m.out)
		rc = session_emitter__close(m.out, err) ?: rc;
	if (rc)
		error__set(err, rc, "cannot merge to %s: %s", out, strerror(-rc));
	free_merge(&m);
	return rc;
}
