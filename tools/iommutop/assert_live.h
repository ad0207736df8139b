/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Assertions live: the collector's stream goes into the checks, and if a session is to be saved
 * into a flight recorder as well. Runs the command, marks the phases around it, and knows when to
 * end.
 */
#ifndef IOMMUTOP_ASSERT_LIVE_H
#define IOMMUTOP_ASSERT_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "assert/check.h"
#include "report/assert.h"
#include "util/error.h"

struct collect;

enum assert_until {
	UNTIL_COMMAND, /* its end */
	UNTIL_TIME,    /* length */
	UNTIL_SIGNAL,
	/* lines in the kernel's log; the first one ends each of them */
	UNTIL_MARK,     /* ASSERT_END_MARK */
	UNTIL_WORKLOAD, /* the mark of the phase shutdown */
	UNTIL_SHUTDOWN, /* what systemd says then; or SIGTERM */
};
#define ASSERT_END_MARK "iommutop: end"

struct assert_live_opts {
	char **command; /* NULL at its end; UNTIL_COMMAND */
	enum assert_until until;
	uint64_t length;  /* ns, UNTIL_TIME */
	uint64_t timeout; /* ns, 0 = none: then the command is ended, and the run is INCONCLUSIVE */
	bool ignore_command; /* its exit code doesn't matter */
	bool stacks, fault_records, quiet;
	uint32_t needs;                           /* NEED_*: what the rules must see */
	uint64_t cpu_buffer, rare_buffer, memory; /* bytes, as of record */
	const char *save;                         /* directory of the session, NULL = none */
	uint64_t ring;                            /* bytes of it that stay in memory */
	const char *progress;                     /* a file for what is known so far, NULL = none */
	uint64_t every;                           /* ns: how often it is written */
};

/*
 * Watches until the end that opts ask for, and leaves the checks ready for checks__finish(). r->run
 * is filled in, and notes are added to r. *ended: for collect__free(), which nobody who waits for
 * the report has to wait for; may be NULL. 0; negative errno and err: it could not begin, nothing
 * was watched and the command didn't run: -EPERM and such from the collector, or -EEXIST,
 * -ENOTEMPTY … if *bad_save is set and the session can't be made.
 */
int assert_live__watch(struct checks *c, const struct assert_live_opts *opts,
		       struct assert_run *run, struct assert_report *r, struct collect **ended,
		       bool *bad_save, struct error *err);

#endif
