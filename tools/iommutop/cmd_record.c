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

struct record_opts {
	const char *output;
	uint64_t duration;
	bool stacks, iova, coverage, quiet;
	uint64_t ring, rare_ring, memory;
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
	{ OPT_FLAG, 0, "coverage", NULL, "hold our hooks against the kernel's own tracepoints",
	  offsetof(struct record_opts, coverage), 0, 0 },
	{ .kind = OPT_GROUP, .help = "How" },
	{ OPT_SIZE, 'r', "ring", "SIZE", "ring per CPU (default: 4M; 1M beyond 16 CPUs)",
	  offsetof(struct record_opts, ring), 1024, 1ULL << 30 },
	{ OPT_SIZE, 0, "rare-ring", "SIZE",
	  "ring of faults, hangs, log lines, domains (default: 1M)",
	  offsetof(struct record_opts, rare_ring), 4096, 1ULL << 30 },
	{ OPT_SIZE, 'm', "memory", "SIZE", "what may wait for a slow disk (default: 64M)",
	  offsetof(struct record_opts, memory), 1 << 20, 1ULL << 40 },
	{ OPT_FLAG, 'q', "quiet", NULL, "no closing line", offsetof(struct record_opts, quiet), 0,
	  0 },
	{ .kind = OPT_END },
};

static void record_defaults(void *values)
{
	struct record_opts *o = values;

	o->output = "iommutop.session";
}

struct recording {
	struct session_writer *writer;
	struct collect *collect;
	uint64_t lost_told, last_check;
};

static int to_session(void *ctx, const void *events, size_t bytes)
{
	struct recording *r = ctx;

	return session_writer__write(r->writer, events, bytes);
}

/* What the writer dropped since the last time goes into the stream as loss, placed in time. */
static void note_writer_loss(struct recording *r)
{
	uint64_t lost = session_writer__lost(r->writer), now = facts__now();

	if (lost > r->lost_told)
		collect__note_loss(r->collect, IOT_LOST_WRITER, r->last_check, lost - r->lost_told,
				   "disk");
	r->lost_told = lost;
	r->last_check = now;
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
	}
	return 0;
}

static void say_result(const struct record_opts *o, const struct recording *r)
{
	struct collect_counts n;

	if (o->quiet)
		return;
	collect__counts(r->collect, &n);
	fprintf(stderr, "iommutop record: %llu events in %s; lost: %llu%s\n",
		(unsigned long long)n.delivered, o->output, (unsigned long long)n.lost,
		n.lost ? " (where and why: iommutop analyze)" : "");
}

static void say_gap(void *ctx, const char *line)
{
	const struct record_opts *o = ctx;

	if (!o->quiet)
		cmd__complain("record", "%s", line);
}

static char *join(char **words)
{
	size_t len = 1;
	char *text;

	for (char **w = words; *w; w++)
		len += strlen(*w) + 1;
	text = calloc(1, len);
	for (char **w = words; text && *w; w++) {
		strcat(text, *w);
		if (w[1])
			strcat(text, " ");
	}
	return text;
}

static int record_run(const void *values, int rest_nr, char **rest)
{
	const struct record_opts *o = values;
	struct collect_opts copts = {
		.stream = true,
		.stacks = o->stacks,
		.iova = o->iova,
		.coverage = o->coverage,
		.ring_bytes = o->ring,
		.rare_bytes = o->rare_ring,
	};
	struct session_writer_opts wopts = { .memory = o->memory };
	struct session_env env = { .version = IOMMUTOP_VERSION };
	struct error err = {}, late = {};
	struct recording r = {};
	struct child child = {};
	char *command = NULL;
	int rc, rc_close;

	if (rest_nr)
		env.command = command = join(rest);
	rc = child__watch();
	/* privileges and hooks first: a session that can't be filled isn't begun */
	if (!rc)
		rc = collect__new(&r.collect, &copts, to_session, &r, &err);
	if (rc)
		goto out;
	rc = session_writer__open_with(&r.writer, o->output, &env, &wopts, &err);
	if (rc)
		goto out;
	rc = collect__start(r.collect, &err);
	if (rc)
		goto out;
	collect__gaps(r.collect, say_gap, (void *)o);
	if (rest_nr)
		rc = child__start(&child, rest);
	r.last_check = facts__now();
	if (!rc)
		rc = poll_until_done(
			&r, &child,
			o->duration && !rest_nr ? facts__now() + o->duration : UINT64_MAX, &err);
	child__end(&child);
	note_writer_loss(&r);
	rc_close = collect__stop(r.collect, &err);
	rc = rc ? rc : rc_close;
out:
	if (r.writer) {
		rc_close = session_writer__close(r.writer, &late);
		if (rc_close)
			cmd__complain("record", "%s", late.text);
		else if (!rc)
			say_result(o, &r);
		rc = rc ? rc : rc_close;
	}
	if (rc && (err.text[0] || !late.text[0]))
		cmd__complain("record", "%s", err.text[0] ? err.text : strerror(-rc));
	collect__free(r.collect);
	free(command);
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
