// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "session/merge.h"
#include "util/parse.h"

struct merge_opts {
	const char *output;
	struct opt_strings offsets;
};

static const struct opt merge_table[] = {
	{ OPT_STRING, 'o', "output", "DIR", "the new session", offsetof(struct merge_opts, output),
	  0, 0 },
	{ OPT_STRINGS, 0, "offset", "N:NS",
	  "add NS nanoseconds (may be negative) to the times of session N; the first is 0",
	  offsetof(struct merge_opts, offsets), 0, 0 },
	{ .kind = OPT_END },
};

/* "1:-2500" */
static int set_offset(struct merge_input *in, size_t nr, const char *text)
{
	const char *colon = strchr(text, ':'), *digits = colon ? colon + 1 : NULL;
	uint64_t n, ns;
	char number[16];

	if (!colon || colon - text >= (long)sizeof(number))
		return -1;
	snprintf(number, sizeof(number), "%.*s", (int)(colon - text), text);
	digits += *digits == '-' || *digits == '+';
	if (parse__u64(number, &n) || parse__u64(digits, &ns) || !n || n >= nr || ns > INT64_MAX)
		return -1;
	in[n].given = true;
	in[n].shift = colon[1] == '-' ? -(int64_t)ns : (int64_t)ns;
	return 0;
}

static void say_shift(const struct merge_input *in)
{
	switch (in->how) {
	case MERGE_FIRST:
		puts("its clock is the one that the others are put next to");
		break;
	case MERGE_GIVEN:
		printf("shifted by %" PRId64 " ns, as given\n", in->shift);
		break;
	case MERGE_SAME_BOOT:
		puts("the same boot as the first: one clock");
		break;
	case MERGE_CLOCKS:
		printf("shifted by %" PRId64
		       " ns, by the wall clocks of both; their samples differ "
		       "by %" PRIu64 " ns%s\n",
		       in->shift, in->unsure,
		       in->apart ? "; it doesn't overlap the first in time, so one of these clocks "
				   "may be wrong (--offset)"
				 : "");
		break;
	case MERGE_ESTIMATED:
		printf("shifted by %" PRId64
		       " ns, ESTIMATED: the clocks don't tell, but %zu pairs of "
		       "equal events agree within %" PRIu64 " ns (elsewhere at most %zu agree)\n",
		       in->shift, in->pairs, in->unsure, in->elsewhere);
		break;
	}
}

static int merge_run(const void *values, int rest_nr, char **rest)
{
	const struct merge_opts *o = values;
	size_t nr = (size_t)rest_nr;
	struct merge_input *in;
	struct error err = { "" };
	int rc = 0;

	if (!o->output || rest_nr < 2) {
		cmd__complain("session merge", "needs --output DIR and at least two sessions");
		return EXIT_USAGE;
	}
	in = calloc(nr, sizeof(*in));
	if (!in) {
		cmd__complain("session merge", "out of memory");
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < nr; i++)
		in[i].dir = rest[i];
	for (size_t i = 0; i < o->offsets.nr; i++) {
		if (!set_offset(in, nr, o->offsets.items[i])) {
			continue;
		}
		cmd__complain(
			"session merge",
			"--offset takes N:NS with N from 1 to %zu (like 1:-2500000), not '%s'",
			nr - 1, o->offsets.items[i]);
		free(in);
		return EXIT_USAGE;
	}
	rc = session__merge(o->output, in, nr, &err);
	if (rc) {
		cmd__complain("session merge", "%s", err.text);
	} else {
		for (size_t i = 0; i < nr; i++) {
			printf("origin %u: %s: %s, %" PRIu64 " events: ", in[i].origin, in[i].dir,
			       in[i].label, in[i].events);
			say_shift(&in[i]);
		}
	}
	free(in);
	return rc ? EXIT_FAILED : EXIT_OK;
}

const struct cmd cmd_session_merge = {
	.name = "session merge",
	.args = "DIR DIR ...",
	.summary = "put sessions of hosts and guests on one time line, in a new session",
	.notes = "Exit status: 0 = done; 1 = it could not be done, and why; 2 = usage.",
	.opts = merge_table,
	.values_size = sizeof(struct merge_opts),
	.options_anywhere = true,
	.run = merge_run,
};
