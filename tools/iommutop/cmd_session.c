// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "opts.h"
#include "session.h"

static const struct cmd *const parts[] = {
	&cmd_session_info, &cmd_session_verify, &cmd_session_repair,
	&cmd_session_cat,  &cmd_session_merge,  NULL,
};

static const struct opt session_table[] = {
	{ .kind = OPT_END },
};

/* The last word of "session info". */
static const char *part_name(const struct cmd *c)
{
	return strchr(c->name, ' ') + 1;
}

static int session_run(const void *values, int rest_nr, char **rest)
{
	(void)values;
	if (!rest_nr) {
		cmd__complain("session", "needs to know what to do: info, verify, repair, cat or "
					 "merge; try iommutop session --help");
		return EXIT_USAGE;
	}
	for (const struct cmd *const *c = parts; *c; c++)
		if (!strcmp(rest[0], part_name(*c)))
			return opts__run(*c, rest_nr, rest);
	cmd__complain("session", "there is no 'session %s'; try iommutop session --help", rest[0]);
	return EXIT_USAGE;
}

const struct cmd cmd_session = {
	.name = "session",
	.args = "info|verify|repair|cat|merge ...",
	.summary = "look at recorded sessions, check, repair, print and merge them",
	.notes = "  info     what is in a session\n"
		 "  verify   check every byte of it\n"
		 "  repair   make a damaged one fit for every CTF reader\n"
		 "  cat      print its events, or copy some of them to a new session\n"
		 "  merge    put several, of hosts and guests, on one time line\n\n"
		 "`iommutop session WHAT --help` shows the options of each.",
	.opts = session_table,
	.run = session_run,
};
