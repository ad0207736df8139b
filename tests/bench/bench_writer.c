// SPDX-License-Identifier: GPL-2.0-only
/*
 * What writing costs: the events of a real session, written again plain, compressed, and watched by
 * the triggers of a flight recorder. CPU time of the thread that hands events over, and of the one
 * that writes; bytes on disk. Usage: bench_writer SESSION [DIRECTORY]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "event.h"
#include "session/reader.h"
#include "session/writer.h"
#include "trigger/trigger.h"

#define BATCH (64 << 10)
#define LEAST 2000000 /* events: the session is written again and again until there are so many */

struct events {
	char *data;
	size_t bytes, room, nr;
};

static void fail(const char *what)
{
	fprintf(stderr, "bench_writer: %s\n", what);
	exit(1);
}

static void read_all(struct events *e, const char *dir)
{
	const struct iot_event *ev;
	struct session_reader *r;
	struct error err = { "" };

	if (session_reader__open(&r, dir, &err))
		fail(err.text);
	while (session_reader__next(r, &ev) == 1) {
		if (e->bytes + ev->len > e->room) {
			e->room = 2 * e->room + (1 << 20);
			e->data = realloc(e->data, e->room);
			if (!e->data)
				fail("out of memory");
		}
		memcpy(e->data + e->bytes, ev, ev->len);
		e->bytes += ev->len;
		e->nr++;
	}
	session_reader__close(r);
	if (!e->nr)
		fail("the session is empty");
}

static double cpu(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Whole events, BATCH bytes at most: what the collector's sink gets. */
static size_t batch(const struct events *e, size_t from)
{
	size_t at = from;

	while (at < e->bytes && at - from < BATCH - IOT_EVENT_MAX)
		at += ((const struct iot_event *)(e->data + at))->len;
	return at - from;
}

static void measure(const char *name, const struct events *e, const char *dir, int level)
{
	struct session_writer_opts opts = { .memory = 2ULL << 30, .compress = level };
	const struct session_env env = { .version = "bench" };
	double producer, all, begin = cpu(CLOCK_PROCESS_CPUTIME_ID);
	struct session_writer_stats stats;
	struct session_writer *w;
	struct error err = { "" };
	char path[4096];
	size_t n, at, nr = 0;
	uint64_t lost;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (session_writer__open_with(&w, path, &env, &opts, &err))
		fail(err.text);
	producer = cpu(CLOCK_THREAD_CPUTIME_ID);
	do {
		for (at = 0; at < e->bytes; at += n) {
			n = batch(e, at);
			session_writer__write(w, e->data + at, n);
		}
		nr += e->nr;
	} while (nr < LEAST);
	producer = cpu(CLOCK_THREAD_CPUTIME_ID) - producer;
	session_writer__stats(w, &stats);
	lost = stats.lost;
	do { /* the last packets are written a second after their first event */
		usleep(10000);
		session_writer__stats(w, &stats);
	} while (stats.events + lost < nr);
	if (session_writer__close(w, &err))
		fail(err.text);
	all = cpu(CLOCK_PROCESS_CPUTIME_ID) - begin;
	if (lost)
		fail("events were lost: less memory than expected");
	printf("%-24s %9zu events %6.1f bytes each, %5.1f ns to hand over, %6.1f ns to write: "
	       "%5.2f M "
	       "events/s\n",
	       name, nr, (double)stats.bytes / (double)nr, producer / (double)nr * 1e9,
	       (all - producer) / (double)nr * 1e9, (double)nr / (all - producer) / 1e6);
}

static void measure_triggers(const char *list, const struct events *e)
{
	struct trigger_opts opts = { 0 };
	struct error err = { "" };
	struct trigger_hit hit;
	struct trigger *t;
	size_t n, at, nr = 0;
	double begin;

	if (trigger__parse(&opts, list, &err) || trigger__new(&t, &opts))
		fail(err.text);
	begin = cpu(CLOCK_THREAD_CPUTIME_ID);
	do {
		for (at = 0; at < e->bytes; at += n) {
			n = batch(e, at);
			trigger__feed(t, e->data + at, n, &hit);
		}
		nr += e->nr;
	} while (nr < LEAST);
	printf("--dump-on %-37s %5.1f ns an event\n", list,
	       (cpu(CLOCK_THREAD_CPUTIME_ID) - begin) / (double)nr * 1e9);
	trigger__free(t);
}

int main(int argc, char **argv)
{
	char dir[4096], command[8192];
	struct events e = { 0 };

	if (argc < 2)
		fail("usage: bench_writer SESSION [DIRECTORY]");
	read_all(&e, argv[1]);
	snprintf(dir, sizeof(dir), "%s/bench_writer.XXXXXX", argc > 2 ? argv[2] : "/tmp");
	if (!mkdtemp(dir))
		fail("cannot make a directory");
	measure("plain", &e, dir, 0);
	measure("zstd-1", &e, dir, 1);
	measure("zstd-3", &e, dir, 3);
	measure_triggers("fault,hang,reset,error", &e);
	measure_triggers("fault,flush>5ms,live>1G", &e);
	measure_triggers("fault,flush>5ms,live>1G,window>20ms", &e);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	free(e.data);
	return system(command) != 0;
}
