// SPDX-License-Identifier: GPL-2.0-only
/* record: every event into a session directory, until COMMAND ends, the time is up, or Ctrl-C. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "child.h"
#include "collect/collect.h"
#include "collect/facts.h"
#include "event.h"
#include "opts.h"
#include "session/writer.h"
#include "trigger/trigger.h"
#include "util/parse.h"

struct record_opts {
	const char *output;
	uint64_t duration;
	bool stacks, iova, fault_records, coverage, invariants, hw, quiet;
	uint64_t cpu_buffer, rare_buffer, memory;
	uint64_t compress, keep, ring, dump_after;
	struct opt_strings rotate, dump_on;
};

static const struct opt record_table[] = {
	{ OPT_STRING, 'o', "output", "DIR",
	  "the session; must not exist, or be empty (default: iommutop.session)",
	  offsetof(struct record_opts, output), 0, 0 },
	{ OPT_DURATION, 'd', "duration", "TIME",
	  "end after this time, without COMMAND: 10s, 5m (default: until Ctrl-C)",
	  offsetof(struct record_opts, duration), 1, 0 },
	{ .kind = OPT_GROUP, .help = "What is recorded" },
	{ OPT_FLAG, 's', "stacks", NULL, "kernel stacks on unmaps and faults: who unmapped it",
	  offsetof(struct record_opts, stacks), 0, 0 },
	{ OPT_FLAG, 0, "iova", NULL, "allocation and freeing of IOVAs too (doubles the events)",
	  offsetof(struct record_opts, iova), 0, 0 },
	{ OPT_FLAG, 0, "fault-records", NULL,
	  "VT-d, virtio: every fault that the IOMMU recorded, not only those logged",
	  offsetof(struct record_opts, fault_records), 0, 0 },
	{ OPT_FLAG, 0, "coverage", NULL, "hold our hooks against the kernel's own tracepoints",
	  offsetof(struct record_opts, coverage), 0, 0 },
	{ OPT_FLAG, 0, "hw", NULL, "what drivers submit to the hardware, and how long it takes",
	  offsetof(struct record_opts, hw), 0, 0 },
	{ OPT_FLAG, 0, "invariants", NULL,
	  "what `iommutop assert` needs: implies --iova, --coverage",
	  offsetof(struct record_opts, invariants), 0, 0 },
	{ .kind = OPT_GROUP, .help = "How much is kept" },
	{ OPT_LEVEL, 'z', "compress", "LEVEL", "compress with zstd, level 1 (default) to 19",
	  offsetof(struct record_opts, compress), 1, 19 },
	{ OPT_STRINGS, 0, "rotate", "SIZE|TIME",
	  "a new file of events when one reaches 64M, or spans 10m; both may be given",
	  offsetof(struct record_opts, rotate), 0, 0 },
	{ OPT_U64, 0, "keep", "N", "keep the newest N files of events (with --rotate or --ring)",
	  offsetof(struct record_opts, keep), 1, 1 << 20 },
	{ .kind = OPT_GROUP, .help = "Flight recorder" },
	{ OPT_SIZE, 0, "ring", "SIZE",
	  "keep the newest events in memory; to disk on SIGUSR2, at the end, or:",
	  offsetof(struct record_opts, ring), 1 << 20, 1ULL << 40 },
	{ OPT_STRINGS, 0, "dump-on", "LIST", "fault,hang,reset,error,window>20ms,flush>5ms,live>1G",
	  offsetof(struct record_opts, dump_on), 0, 0 },
	{ OPT_DURATION, 0, "dump-after", "TIME",
	  "what comes after that is in the dump too (default: 1s)",
	  offsetof(struct record_opts, dump_after), 0, 0 },
	{ .kind = OPT_GROUP, .help = "How" },
	{ OPT_SIZE, 'm', "cpu-buffer", "SIZE",
	  "the kernel's buffer for each CPU (default: 4M; 1M beyond 16 CPUs)",
	  offsetof(struct record_opts, cpu_buffer), 1024, 1ULL << 30 },
	{ OPT_SIZE, 0, "rare-buffer", "SIZE",
	  "its buffer of faults, hangs, log lines, domains (default: 1M)",
	  offsetof(struct record_opts, rare_buffer), 4096, 1ULL << 30 },
	{ OPT_SIZE, 0, "memory", "SIZE",
	  "events that wait to be sorted, or for a slow disk (default: 64M)",
	  offsetof(struct record_opts, memory), 8 << 20, 1ULL << 40 },
	{ OPT_FLAG, 'q', "quiet", NULL, "say nothing on stderr but errors",
	  offsetof(struct record_opts, quiet), 0, 0 },
	{ .kind = OPT_END },
};

static void record_defaults(void *values)
{
	struct record_opts *o = values;

	o->output = "iommutop.session";
	o->memory = 64 << 20;
	o->dump_after = 1000000000;
}

struct recording {
	const struct record_opts *opts;
	struct session_writer *writer;
	struct collect *collect;
	struct trigger *trigger; /* NULL: no --dump-on */
	uint64_t writer_lost;    /* told to the collector, which counts it as lost */
};

/* The flight recorder's memory to disk. until: ns, what comes up to then is added. */
static void dump(struct recording *r, uint64_t until, const char *why)
{
	struct session_dump d;

	/* 1: more of the same while a dump goes on; it is longer now, and nothing is to be said */
	if (session_writer__dump(r->writer, until, &d) || r->opts->quiet)
		return;
	cmd__complain("record", "dump to events_%u: %s; %llu events of the %.3f s before", d.file,
		      why, (unsigned long long)d.events, (double)(d.end - d.begin) / 1e9);
}

static int to_session(void *ctx, const void *events, size_t bytes)
{
	struct recording *r = ctx;
	struct trigger_hit hit;
	int rc = session_writer__write(r->writer, events, bytes), found = 0;

	/* a stream that failed doesn't keep the others from their end; poll_until_done() sees it */
	if (rc == session_writer__error(r->writer))
		rc = 0;
	if (r->trigger)
		found = trigger__feed(r->trigger, events, bytes, &hit);
	if (found > 0)
		dump(r, hit.ts + r->opts->dump_after, hit.what);
	return rc ? rc : found < 0 ? found : 0;
}

/*
 * What the writer dropped since the last time goes into the stream as loss, placed in time: events
 * wait to be sorted before they come to it, so they may be much older than the time before.
 */
static void note_writer_loss(struct recording *r)
{
	uint64_t begin, lost = session_writer__take_lost(r->writer, &begin);

	if (lost)
		collect__note_loss(r->collect, IOT_LOST_WRITER, begin, lost, "disk");
	r->writer_lost += lost;
}

static int poll_until_done(struct recording *r, struct child *child, uint64_t deadline,
			   struct error *err)
{
	while (!child->signal && !child->exited && facts__now() < deadline) {
		int64_t wait = collect__poll(r->collect, err);

		if (wait < 0)
			return (int)wait;
		note_writer_loss(r);
		if (session_writer__error(r->writer))
			return session_writer__error(r->writer);
		child__wait(child, (uint64_t)wait);
		if (child->usr2)
			dump(r, facts__now() + r->opts->dump_after, "SIGUSR2");
		child->usr2 = false;
	}
	return 0;
}

static void say_result(const struct recording *r, const struct session_writer_stats *written)
{
	const struct record_opts *o = r->opts;
	char not_kept[64] = "";
	struct collect_counts n;
	uint64_t lost;

	if (o->quiet)
		return;
	collect__counts(r->collect, &n);
	lost = n.lost - r->writer_lost + written->lost;
	if (o->ring || o->keep)
		snprintf(not_kept, sizeof(not_kept), "; not kept: %llu",
			 (unsigned long long)written->overwritten);
	fprintf(stderr, "iommutop record: %llu events in %s%s; lost: %llu%s\n",
		(unsigned long long)(written->events - written->removed), o->output, not_kept,
		(unsigned long long)lost, lost ? " (where and why: iommutop analyze)" : "");
}

static void say_gap(void *ctx, const char *line)
{
	const struct record_opts *o = ctx;

	if (!o->quiet)
		cmd__complain("record", "%s", line);
}

/* Which of the two a value means, its unit says. */
static int parse_rotate(const char *text, struct session_writer_opts *w)
{
	size_t len = strlen(text);

	if (len && strchr("0123456789", text[len - 1]))
		return -EINVAL;
	if (!parse__duration(text, &w->rotate_ns))
		return w->rotate_ns < 1000000000 ? -ERANGE : 0;
	if (!parse__size(text, &w->rotate_bytes))
		return w->rotate_bytes < 1 << 20 ? -ERANGE : 0;
	return -EINVAL;
}

/* What the table of options can't check. 0 or an exit code. */
static int check_opts(const struct record_opts *o, struct session_writer_opts *w,
		      struct trigger_opts *t)
{
	struct error err = {};
	size_t i;
	int rc;

	for (i = 0; i < o->rotate.nr; i++) {
		rc = parse_rotate(o->rotate.items[i], w);
		if (rc)
			cmd__complain("record",
				      rc == -ERANGE
					      ? "--rotate %s is out of range: 1M or 1s at least"
					      : "--rotate takes a size or a time with its unit "
						"(like 64M or 10m), not '%s'",
				      o->rotate.items[i]);
		if (rc)
			return EXIT_USAGE;
	}
	for (i = 0; i < o->dump_on.nr; i++) {
		if (trigger__parse(t, o->dump_on.items[i], &err)) {
			cmd__complain("record", "%s", err.text);
			return EXIT_USAGE;
		}
	}
	if (o->ring && o->rotate.nr)
		cmd__complain("record", "--ring and --rotate exclude each other: each dump of a "
					"flight recorder is a file anyway");
	else if (o->dump_on.nr && !o->ring)
		cmd__complain("record", "--dump-on needs a flight recorder: give --ring SIZE too");
	else if (o->keep && !o->ring && !o->rotate.nr)
		cmd__complain("record", "--keep needs --rotate or --ring");
	else
		return 0;
	return EXIT_USAGE;
}

static int record(struct recording *r, const struct session_writer_opts *wopts, char **rest,
		  struct child *child, struct error *err)
{
	const struct record_opts *o = r->opts;
	struct collect_opts copts = {
		.stream = true,
		.stacks = o->stacks,
		.iova = o->iova || o->invariants,
		.iova_times = o->iova || o->invariants,
		.pages = true,
		.fault_records = o->fault_records,
		.coverage = o->coverage,
		.invariants = o->invariants,
		.tables = o->invariants,
		.hw = o->hw,
		.ring_bytes = o->cpu_buffer,
		.rare_bytes = o->rare_buffer,
		.memory = o->memory / 4,
	};
	const struct session_env_entry ring = { "flight_recorder", NULL, (int64_t)o->ring };
	char *command = *rest ? child__command(rest) : NULL;
	struct session_env env = { .version = IOMMUTOP_VERSION,
				   .command = command,
				   .more = &ring,
				   .nr_more = o->ring ? 1 : 0 };
	int rc, rc_stop;

	/* privileges and hooks first: a session that can't be filled isn't begun */
	rc = collect__new(&r->collect, &copts, to_session, r, err);
	if (!rc)
		rc = session_writer__open_with(&r->writer, o->output, &env, wopts, err);
	if (!rc)
		rc = collect__start(r->collect, err);
	if (rc)
		goto out;
	collect__gaps(r->collect, say_gap, (void *)o);
	if (*rest)
		rc = child__start(child, rest);
	if (!rc)
		rc = poll_until_done(
			r, child, o->duration && !*rest ? facts__now() + o->duration : UINT64_MAX,
			err);
	child__end(child);
	note_writer_loss(r);
	rc_stop = collect__stop(r->collect, err);
	if (o->ring)
		dump(r, UINT64_MAX, "the recording ends");
	rc = rc ? rc : rc_stop;
out:
	free(command);
	return rc;
}

static int record_run(const void *values, int rest_nr, char **rest)
{
	const struct record_opts *o = values;
	struct session_writer_opts wopts = { .memory = o->memory - o->memory / 4,
					     .compress = (int)o->compress,
					     .keep = (unsigned int)o->keep,
					     .ring = o->ring };
	struct recording r = { .opts = o };
	struct error err = {}, late = {};
	struct trigger_opts topts = {};
	struct session_writer_stats written;
	struct child child = {};
	int rc, rc_close;

	rc = check_opts(o, &wopts, &topts);
	if (rc)
		return rc;
	rc = child__watch();
	if (!rc && o->dump_on.nr)
		rc = trigger__new(&r.trigger, &topts);
	if (!rc)
		rc = record(&r, &wopts, rest, &child, &err);
	if (r.writer) {
		rc_close = session_writer__close_with(r.writer, &written, &late);
		if (rc_close)
			cmd__complain("record", "%s", late.text);
		else if (!rc)
			say_result(&r, &written);
		rc = rc ? rc : rc_close;
	}
	if (rc && (err.text[0] || !late.text[0]))
		cmd__complain("record", "%s", err.text[0] ? err.text : strerror(-rc));
	collect__free(r.collect);
	trigger__free(r.trigger);
	if (rc)
		return EXIT_FAILED;
	return rest_nr ? child.code : EXIT_OK;
}

const struct cmd cmd_record = {
	.name = "record",
	.args = "[-- COMMAND…]",
	.summary = "record every event into a session directory",
	.notes = "Ends with COMMAND, after --duration, or on Ctrl-C or SIGTERM; whatever ends it, "
		 "the session is complete.\n"
		 "Exit code: that of COMMAND; without one 0; 1 if recording failed (what was "
		 "recorded stays readable).",
	.opts = record_table,
	.values_size = sizeof(struct record_opts),
	.defaults = record_defaults,
	.run = record_run,
};
