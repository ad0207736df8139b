// SPDX-License-Identifier: GPL-2.0-only
/* top: the live table. Counters stay in the kernel; only faults, hangs and the like come out one by
 * one. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/analysis.h"
#include "child.h"
#include "collect/collect.h"
#include "collect/facts.h"
#include "event.h"
#include "opts.h"
#include "ui/table.h"

struct top_opts {
	bool batch, json, hw, fault_records;
	uint64_t delay, count;
};

static const struct opt top_table[] = {
	{ OPT_DURATION, 'd', "delay", "TIME", "time between two tables (default: 2s)",
	  offsetof(struct top_opts, delay), 1000000, 0 },
	{ OPT_U64, 'n', "count", "N", "end after N tables (default: until Ctrl-C)",
	  offsetof(struct top_opts, count), 1, 0 },
	{ OPT_FLAG, 'b', "batch", NULL, "one table below the other, for files and pipes",
	  offsetof(struct top_opts, batch), 0, 0 },
	{ OPT_FLAG, 'j', "json", NULL, "one JSON object a line instead of a table",
	  offsetof(struct top_opts, json), 0, 0 },
	{ OPT_FLAG, 0, "hw", NULL, "count what drivers submit to the hardware, too",
	  offsetof(struct top_opts, hw), 0, 0 },
	{ OPT_FLAG, 0, "fault-records", NULL,
	  "VT-d, virtio: every fault that the IOMMU recorded, not only those logged",
	  offsetof(struct top_opts, fault_records), 0, 0 },
	{ .kind = OPT_END },
};

static void top_defaults(void *values)
{
	((struct top_opts *)values)->delay = 2000000000;
}

static int on_events(void *ctx, const void *events, size_t bytes)
{
	struct analysis *a = ctx;
	int err = 0;

	for (const char *p = events, *end = p + bytes; !err && p < end;
	     p += ((const struct iot_event *)p)->len)
		err = analysis__event(a, (const void *)p);
	return err;
}

struct top {
	const struct top_opts *opts;
	struct analysis *analysis;
	struct collect *collect;
	struct table *table;
	struct child child;
	uint64_t begin;
};

static void say_gap(void *ctx, const char *line)
{
	fprintf(ctx, "%s\n", line);
}

/* 0, or -errno; -EPIPE when the reader of our output is gone. */
static int show(struct top *t)
{
	struct table_totals totals = {};
	struct collect_counts counts;
	int err;

	err = table__update(t->table, t->collect, t->analysis, facts__now());
	if (err)
		return err;
	collect__counts(t->collect, &counts);
	totals.lost = counts.lost;
	totals.elapsed = facts__now() - t->begin;
	if (t->opts->json) {
		table__json(t->table, t->analysis, &totals, stdout);
	} else {
		if (!t->opts->batch)
			fputs("\033[H\033[J", stdout);
		table__text(t->table, t->analysis, &totals, stdout);
		collect__gaps(t->collect, say_gap, stdout);
		if (t->opts->batch)
			putchar('\n');
	}
	return fflush(stdout) ? -errno : 0;
}

static int wait_until(struct top *t, uint64_t deadline, struct error *err)
{
	while (!t->child.signal) {
		int64_t wait = collect__poll(t->collect, err);
		uint64_t now = facts__now(),
			 least = t->analysis->model.requests.devs.nr ? 10000000 : 50000000;

		if (wait < 0)
			return (int)wait;
		if (now >= deadline)
			return 0;
		/* counters wait in the kernel; only faults and the like are behind the poll, and 50
		 * ms is fast for those, but page requests may fill their ring */
		if ((uint64_t)wait < least)
			wait = (int64_t)least;
		child__wait(&t->child,
			    (uint64_t)wait < deadline - now ? (uint64_t)wait : deadline - now);
	}
	return 0;
}

static int top_run(const void *values, int rest_nr, char **rest)
{
	struct top t = { .opts = values };
	struct top_opts plain = *t.opts;
	struct collect_opts copts = { .pages = true,
				      .hw = t.opts->hw,
				      .fault_records = t.opts->fault_records };
	struct error err = {};
	int rc;

	if (rest_nr) {
		cmd__complain("top", "takes no argument, not '%s'", rest[0]);
		return EXIT_USAGE;
	}
	/* nobody wants cursor movements in a file */
	plain.batch = plain.batch || !isatty(STDOUT_FILENO);
	t.opts = &plain;
	t.table = table__new();
	rc = t.table ? analysis__new(&t.analysis, NULL) : -ENOMEM;
	if (!rc)
		rc = child__watch();
	if (!rc)
		rc = collect__new(&t.collect, &copts, on_events, t.analysis, &err);
	if (!rc)
		rc = collect__start(t.collect, &err);
	if (rc)
		goto out;
	if (plain.json)
		collect__gaps(t.collect, say_gap, stderr);
	t.begin = facts__now();
	rc = table__update(t.table, t.collect, t.analysis, t.begin);
	for (uint64_t n = 1; !rc && !t.child.signal; n++) {
		rc = wait_until(&t, t.begin + n * plain.delay, &err);
		if (!rc)
			rc = show(&t);
		if (n == plain.count)
			break;
	}
	if (rc == -EPIPE) {
		clearerr(stdout);
		rc = 0;
	}
	if (!rc)
		rc = collect__stop(t.collect, &err);
out:
	if (rc)
		cmd__complain("top", "%s", err.text[0] ? err.text : strerror(-rc));
	collect__free(t.collect);
	analysis__free(t.analysis);
	table__free(t.table);
	return rc ? EXIT_FAILED : EXIT_OK;
}

const struct cmd cmd_top = {
	.name = "top",
	.args = "",
	.summary = "show maps, unmaps, flushes, windows, faults and hangs of each domain, live",
	.notes = "SYNC … OTHER count flushes since the start, by what caused them. WINDOW is the "
		 "time from an unmap to the end of\n"
		 "the flush that covers it: as long may the device still reach the memory.",
	.opts = top_table,
	.values_size = sizeof(struct top_opts),
	.defaults = top_defaults,
	.run = top_run,
};
