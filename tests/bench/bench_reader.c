// SPDX-License-Identifier: GPL-2.0-only
/*
 * Speed of reading a session: hot events of two streams merged in time, from the page cache, no
 * analysis. Usage: bench_reader [DIR [ROUNDS]]; without DIR it makes a session of four million
 * events in $TMPDIR.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "session/reader.h"
#include "session/writer.h"

#define EVENTS 4000000
#define BATCH  1000

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int make_session(const char *dir)
{
	const struct session_env env = { .version = "bench" };
	const struct session_writer_opts opts = { .memory = 1u << 30 };
	static struct iot_map batch[BATCH];
	struct error err = { "" };
	struct session_writer *w;
	__u64 ts = 1000;
	int rc;

	rc = session_writer__open_with(&w, dir, &env, &opts, &err);
	for (int i = 0; !rc && i < EVENTS; i += BATCH) {
		for (int j = 0; j < BATCH; j++)
			batch[j] = (struct iot_map){ .h = { .ts = ts += 100,
							    .id = IOT_EV_MAP,
							    .len = IOT_HOT_SIZE,
							    .domain = 1,
							    .dev = 1 },
						     .iova = ts,
						     .size = 4096 };
		rc = session_writer__write(w, batch, sizeof(batch));
	}
	if (w)
		rc = session_writer__close(w, &err) ?: rc;
	if (rc)
		fprintf(stderr, "bench_reader: %s\n", err.text);
	return rc;
}

static int read_once(const char *dir, __u64 *events, __u64 *sum)
{
	const struct iot_event *ev;
	struct session_reader *r;
	struct error err = { "" };

	if (session_reader__open(&r, dir, &err)) {
		fprintf(stderr, "bench_reader: %s\n", err.text);
		return -1;
	}
	while (session_reader__next(r, &ev) == 1)
		*sum += ev->ts ^ ((const __u64 *)ev)[7];
	*events += session_reader__info(r)->events;
	session_reader__close(r);
	return 0;
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 5, rc = 0;
	char base[256], dir[300], clean[320];
	__u64 events = 0, sum = 0;
	double begin;

	if (argc > 1) {
		snprintf(dir, sizeof(dir), "%s", argv[1]);
	} else {
		snprintf(base, sizeof(base), "%s/bench_reader.XXXXXX", getenv("TMPDIR") ?: "/tmp");
		if (!mkdtemp(base))
			return 1;
		snprintf(dir, sizeof(dir), "%s/s", base);
		rc = make_session(dir);
	}
	begin = cpu_seconds();
	for (int i = 0; !rc && i < rounds; i++)
		rc = read_once(dir, &events, &sum);
	if (!rc)
		printf("reader: %llu events, %.1f M events/s of CPU time (sum %llx)\n", events,
		       (double)events / (cpu_seconds() - begin) / 1e6, sum);
	if (argc < 2) {
		snprintf(clean, sizeof(clean), "rm -rf '%s'", base);
		rc = system(clean) ? 1 : rc;
	}
	return rc ? 1 : 0;
}
