// SPDX-License-Identifier: GPL-2.0-only
#include "assert_live.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assert_progress.h"
#include "child.h"
#include "collect/collect.h"
#include "collect/facts.h"
#include "kmsg.h"
#include "opts.h"
#include "report/words.h"
#include "session/writer.h"

#define S 1000000000ULL
/* What a command is given to end after a signal was passed on, and to vanish after SIGKILL: one
 * that waits for a device that hangs may never do so, and what is known must be told. */
#define GRACE_NS           (10 * S)
#define VANISH_NS          (3 * S)
#define LOOK_NS            (S / 10)
#define ASSERT_REPORT_HEAD "iommutop-report: "
#define DUMP_NS            S /* what comes after a violation is saved with it */

/* How far a command that is to end before its time is on its way out. */
enum stage { STAGE_RUNS, STAGE_TOLD, STAGE_KILLED, STAGE_LEFT };

struct live {
	const struct assert_live_opts *opts;
	struct assert_report *report;
	struct checks *checks;
	struct collect *collect;
	struct session_writer *writer; /* NULL: nothing is saved */
	struct child child;
	enum stage stage;
	uint64_t patience; /* ns: the stage ends then */
	uint64_t next_progress;
	uint64_t begin, end; /* ns: when all was attached, and when it was enough */
	int signal;          /* the first that asked us to end */
	bool mark;           /* the line that ends it was seen */
	bool missed;         /* it had come before all was attached */
	int log;             /* the kernel's log since the begin of attaching, or negative */
	bool timed_out, dumped;
	int save_error;
};

static __attribute__((format(printf, 2, 3))) void note(struct live *l, const char *fmt, ...)
{
	struct assert_report *r = l->report;
	va_list ap;

	if (r->nr_notes == ASSERT_NOTES)
		return;
	va_start(ap, fmt);
	vsnprintf(r->notes[r->nr_notes++], sizeof(r->notes[0]), fmt, ap);
	va_end(ap);
}

/* By enum assert_until: the begin of the line that ends it. */
static const char *const end_lines[] = {
	[UNTIL_MARK] = ASSERT_END_MARK,
	[UNTIL_WORKLOAD] = "iommutop: phase shutdown",
	/* its first message: "Syncing filesystems and block devices." */
	[UNTIL_SHUTDOWN] = "systemd-shutdown[1]: ",
};

static bool begins(const char *text, size_t len, const char *line)
{
	return len > strlen(line) && !strncmp(text, line, strlen(line));
}

static bool is_end_line(void *ctx, const char *text, size_t len)
{
	const struct live *l = ctx;
	size_t mark = strlen(ASSERT_END_MARK);

	if (l->opts->until > UNTIL_MARK && begins(text, len, end_lines[l->opts->until]))
		return true;
	return begins(text, len, ASSERT_END_MARK) && (!text[mark] || text[mark] == '\n');
}

static bool is_end(struct live *l, const struct iot_event *ev)
{
	const struct iot_log *log = (const struct iot_log *)ev;

	return ev->id == IOT_EV_LOG && !(ev->flags & IOT_F_SNAPSHOT) &&
	       is_end_line(l, log->text, log->text_len);
}

/* A report in the kernel's log quotes lines of that log: they must not count again. */
static bool is_report(const struct iot_event *ev)
{
	const struct iot_log *log = (const struct iot_log *)ev;

	return ev->id == IOT_EV_LOG && begins(log->text, log->text_len, ASSERT_REPORT_HEAD);
}

static void save(struct live *l, const void *events, size_t bytes, uint64_t last)
{
	struct session_dump dump;
	int rc = session_writer__write(l->writer, events, bytes);

	if (rc && !l->save_error)
		l->save_error = rc;
	if (l->dumped || !checks__violations(l->checks))
		return;
	l->dumped = true;
	session_writer__dump(l->writer, last + DUMP_NS, &dump);
}

static int to_checks(void *ctx, const void *events, size_t bytes)
{
	const char *at = events, *end = at + bytes;
	struct live *l = ctx;
	uint64_t last = 0;

	while (at < end) {
		const struct iot_event *ev = (const struct iot_event *)at;

		/* without memory the checks go on, incomplete, and say so themselves */
		if (!is_report(ev))
			(void)checks__event(l->checks, ev);
		if (is_end(l, ev))
			l->mark = true;
		last = ev->ts;
		at += ev->len;
	}
	if (l->writer)
		save(l, events, bytes, last);
	return 0;
}

static bool command_runs(const struct live *l)
{
	return l->child.pid && !l->child.exited;
}

static void hasten(struct live *l, int sig)
{
	switch (l->stage) {
	case STAGE_RUNS:
		kill(l->child.pid, sig);
		l->patience = facts__now() + GRACE_NS;
		l->stage = STAGE_TOLD;
		break;
	case STAGE_TOLD:
		kill(l->child.pid, SIGKILL);
		l->patience = facts__now() + VANISH_NS;
		l->stage = STAGE_KILLED;
		break;
	default:
		l->stage = STAGE_LEFT;
	}
}

static bool is_over(const struct live *l)
{
	const struct assert_live_opts *o = l->opts;

	if (l->child.pid)
		return l->child.exited || l->stage == STAGE_LEFT;
	return l->signal || l->timed_out ||
	       (o->until == UNTIL_TIME && facts__now() >= l->begin + o->length) ||
	       (o->until >= UNTIL_MARK && (l->mark || l->missed));
}

static void look_around(struct live *l)
{
	uint64_t now = facts__now();
	int sig = l->child.signal;

	l->child.signal = 0;
	if (sig && !l->signal)
		l->signal = sig;
	if (!l->timed_out && l->opts->timeout && now >= l->begin + l->opts->timeout) {
		l->timed_out = true;
		if (l->stage == STAGE_RUNS)
			sig = SIGTERM;
	}
	if (command_runs(l) && (sig || (l->stage != STAGE_RUNS && now >= l->patience)))
		hasten(l, sig);
}

/* One that can't be written is told of in the report, once. */
static void tell_progress(struct live *l)
{
	struct error err = { "" };

	l->next_progress = facts__now() + l->opts->every;
	if (!assert_progress__write(l->opts->progress, l->checks, l->report->nr,
				    facts__now() - l->begin, &err))
		return;
	note(l, "%s.", err.text);
	l->next_progress = UINT64_MAX;
}

static int watch(struct live *l, struct error *err)
{
	l->next_progress = l->opts->progress ? 0 : UINT64_MAX;
	while (!is_over(l)) {
		int64_t wait = collect__poll(l->collect, err);

		if (wait < 0)
			return (int)wait;
		if (facts__now() >= l->next_progress)
			tell_progress(l);
		child__wait(&l->child, (uint64_t)wait);
		look_around(l);
	}
	return 0;
}

/* The capture failed, so the command is of no use any more. */
static void end_command(struct live *l)
{
	if (command_runs(l) && l->stage == STAGE_RUNS)
		hasten(l, SIGTERM);
	while (command_runs(l) && l->stage != STAGE_LEFT) {
		child__wait(&l->child, LOOK_NS);
		look_around(l);
	}
}

static void mark(struct live *l, const char *phase)
{
	char line[64];
	int rc;

	snprintf(line, sizeof(line), "iommutop: phase %s", phase);
	rc = kmsg__mark(line);
	if (rc)
		note(l,
		     "/dev/kmsg can't be written (%s): the phase %s isn't marked, so rules for "
		     "single phases see all of the run as \"workload\".",
		     strerror(-rc), phase);
}

static __attribute__((format(printf, 3, 4))) void told(struct assert_run *run, enum outcome o,
						       const char *fmt, ...)
{
	va_list ap;

	run->outcome = o;
	va_start(ap, fmt);
	vsnprintf(run->text, sizeof(run->text), fmt, ap);
	va_end(ap);
}

static void tell_command(const struct live *l, struct assert_run *run)
{
	const struct child *c = &l->child;

	if (!c->exited)
		told(run, OUTCOME_INCONCLUSIVE,
		     "the command still runs: neither SIG%s nor SIGKILL ended it",
		     l->signal ? sigabbrev_np(l->signal) : "TERM");
	else if (l->signal)
		told(run, OUTCOME_INCONCLUSIVE, "SIG%s came before the command had ended",
		     sigabbrev_np(l->signal));
	else if (l->timed_out)
		told(run, OUTCOME_INCONCLUSIVE, "the command had not ended after %s (--timeout)",
		     words__duration(l->opts->timeout).s);
	else if (c->code == 126 || c->code == 127)
		told(run, OUTCOME_INCONCLUSIVE,
		     "the command could not be run, or one that it needs (exit code %d)", c->code);
	else if (c->code > 128 && sigabbrev_np(c->code - 128))
		told(run, l->opts->ignore_command ? OUTCOME_PASS : OUTCOME_FAIL,
		     "the command ended with exit code %d (SIG%s)", c->code,
		     sigabbrev_np(c->code - 128));
	else
		told(run, c->code && !l->opts->ignore_command ? OUTCOME_FAIL : OUTCOME_PASS,
		     "the command ended with exit code %d", c->code);
}

static void tell_run(const struct live *l, struct assert_run *run)
{
	struct words took = words__duration(l->end - l->begin);

	if (l->child.pid)
		tell_command(l, run);
	else if (l->opts->until == UNTIL_SIGNAL ||
		 (l->opts->until == UNTIL_SHUTDOWN && l->signal == SIGTERM))
		told(run, OUTCOME_PASS, "%s were watched, until SIG%s", took.s,
		     sigabbrev_np(l->signal));
	else if (l->signal)
		told(run, OUTCOME_INCONCLUSIVE, "SIG%s ended it after %s, before %s%s%s",
		     sigabbrev_np(l->signal), took.s,
		     l->opts->until == UNTIL_TIME ? "its time was up" : "the line \"",
		     l->opts->until == UNTIL_TIME ? "" : end_lines[l->opts->until],
		     l->opts->until == UNTIL_TIME ? "" : "\" came");
	else if (l->missed)
		told(run, OUTCOME_INCONCLUSIVE,
		     "the line that ends it came before everything was watched");
	else if (l->timed_out)
		told(run, OUTCOME_INCONCLUSIVE, "the line \"%s\" didn't come within %s (--timeout)",
		     end_lines[l->opts->until], words__duration(l->opts->timeout).s);
	else if (l->opts->until == UNTIL_TIME)
		told(run, OUTCOME_PASS, "%s were watched", took.s);
	else
		told(run, OUTCOME_PASS, "%s were watched, until the line that ends it", took.s);
}

static void note_losses(struct live *l)
{
	struct collect_counts n;

	collect__counts(l->collect, &n);
	if (n.lost)
		note(l,
		     "%llu events were lost%s; why, and where they are missing, says --save with "
		     "`iommutop analyze`.",
		     (unsigned long long)n.lost,
		     n.no_room ? ", for there was no room (a larger --cpu-buffer may help)" : "");
}

static void finish_saving(struct live *l)
{
	struct session_writer_stats written;
	struct error err = { "" };
	int rc = session_writer__close_with(l->writer, &written, &err);

	if (!l->writer)
		return;
	l->report->saved = l->opts->save;
	rc = rc ?: l->save_error;
	if (rc)
		note(l, "The session %s is not complete: %s.", l->opts->save,
		     err.text[0] ? err.text : strerror(-rc));
}

static void say_gap(void *ctx, const char *line)
{
	const struct assert_live_opts *o = ctx;

	if (!o->quiet)
		cmd__complain("assert", "%s", line);
}

static int open_session(struct live *l, struct error *err)
{
	const struct assert_live_opts *o = l->opts;
	struct session_writer_opts wopts = { .memory = o->memory - o->memory / 4, .ring = o->ring };
	const struct session_env_entry ring = { "flight_recorder", NULL, (int64_t)o->ring };
	char *command = o->until == UNTIL_COMMAND ? child__command(o->command) : NULL;
	struct session_env env = {
		.version = IOMMUTOP_VERSION, .command = command, .more = &ring, .nr_more = 1
	};
	int rc = session_writer__open_with(&l->writer, o->save, &env, &wopts, err);

	free(command);
	return rc;
}

/* Everything is attached. */
static void run(struct live *l, struct assert_run *out)
{
	const struct assert_live_opts *o = l->opts;
	struct error err = { "" };
	int rc = 0, rc_stop;

	l->begin = facts__now();
	/* a machine may be so slow that what is to be watched is over by now */
	l->missed = l->log >= 0 && kmsg__has(l->log, is_end_line, l);
	if (o->until == UNTIL_COMMAND) {
		mark(l, "workload");
		rc = child__start(&l->child, o->command);
		if (rc)
			error__set(&err, rc, "cannot start the command: %s", strerror(-rc));
	}
	if (!rc)
		rc = watch(l, &err);
	if (rc)
		end_command(l);
	if (o->until == UNTIL_COMMAND)
		mark(l, "shutdown");
	l->end = facts__now();
	rc_stop = collect__stop(l->collect, &err);
	rc = rc ?: rc_stop;
	if (rc)
		told(out, OUTCOME_INCONCLUSIVE, "the capture failed: %s",
		     err.text[0] ? err.text : strerror(-rc));
	else
		tell_run(l, out);
	note_losses(l);
}

int assert_live__watch(struct checks *c, const struct assert_live_opts *o, struct assert_run *out,
		       struct assert_report *r, struct collect **ended, bool *bad_save,
		       struct error *err)
{
	struct collect_opts copts = {
		.stream = true,
		.stacks = o->stacks,
		.invariants = true,
		/* who saves a session may ask it for more than these rules */
		.iova = o->save || o->needs & NEED_IOVAS,
		.iova_times = o->save,
		.pages = o->save,
		.fault_records = o->fault_records,
		.tables = o->save || o->needs & NEED_TABLES,
		.ring_bytes = o->cpu_buffer,
		.rare_bytes = o->rare_buffer,
		.memory = o->memory / 4,
	};
	struct live l = { .opts = o, .report = r, .checks = c, .log = -1 };
	int rc = child__watch();

	*bad_save = false;
	*ended = NULL;
	if (rc)
		return error__set(err, rc, "cannot block signals: %s", strerror(-rc));
	if (o->until >= UNTIL_MARK)
		l.log = kmsg__open();
	rc = collect__new(&l.collect, &copts, to_checks, &l, err);
	if (!rc && o->save) {
		rc = open_session(&l, err);
		*bad_save = rc;
	}
	if (!rc)
		rc = collect__start(l.collect, err);
	if (!rc) {
		collect__gaps(l.collect, say_gap, (void *)o);
		run(&l, out);
	}
	if (l.log >= 0)
		close(l.log);
	finish_saving(&l);
	*ended = l.collect;
	return rc;
}
