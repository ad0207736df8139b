// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdbool.h>

#include "session.h"
#include "session/repair.h"

struct repair_opts {
	bool dry_run;
	const char *output;
};

static const struct opt repair_table[] = {
	{ OPT_FLAG, 'n', "dry-run", NULL, "only say what would be done",
	  offsetof(struct repair_opts, dry_run), 0, 0 },
	{ OPT_STRING, 'o', "output", "DIR", "repair a copy in DIR; the original stays as it is",
	  offsetof(struct repair_opts, output), 0, 0 },
	{ .kind = OPT_END },
};

static void report(void *ctx, const struct repair_step *s)
{
	uint64_t *steps = ctx;

	++*steps;
	switch (s->action) {
	case REPAIR_CUT:
		printf("%s: cut behind its last whole packet, %" PRIu64 " bytes\n", s->file,
		       s->bytes);
		break;
	case REPAIR_CLOSE:
		printf("%s: cut within its last packet, %" PRIu64 " bytes; %" PRIu64
		       " events of that packet kept\n",
		       s->file, s->bytes, s->events);
		break;
	case REPAIR_REWRITE:
		printf("%s: written anew from what is whole, %" PRIu64 " bytes were not\n", s->file,
		       s->bytes);
		break;
	case REPAIR_LOSSES:
		printf("%s: %" PRIu64 " loss events say what is missing\n", s->file, s->events);
		break;
	}
}

static int repair_run(const void *values, int rest_nr, char **rest)
{
	const struct repair_opts *o = values;
	struct error err = { "" };
	uint64_t steps = 0;
	int rc = 0;

	if (rest_nr != 1 || (o->output && o->dry_run)) {
		cmd__complain("session repair", rest_nr != 1
							? "needs the session's directory"
							: "takes either --dry-run or --output");
		return EXIT_USAGE;
	}
	if (o->output)
		rc = session__copy(rest[0], o->output, &err);
	if (!rc)
		rc = session__repair(o->output ? o->output : rest[0], o->dry_run, report, &steps,
				     &err);
	if (rc) {
		cmd__complain("session repair", "%s", err.text);
		return EXIT_FAILED;
	}
	if (!steps)
		puts("nothing to repair");
	else if (o->dry_run)
		puts("nothing was changed (--dry-run)");
	return EXIT_OK;
}

const struct cmd cmd_session_repair = {
	.name = "session repair",
	.args = "DIR",
	.summary = "make a damaged session one that every CTF reader takes, nothing readable lost",
	.notes = "Exit status: 0 = it is whole now; 1 = it could not be repaired; 2 = usage.",
	.opts = repair_table,
	.values_size = sizeof(struct repair_opts),
	.options_anywhere = true,
	.run = repair_run,
};
