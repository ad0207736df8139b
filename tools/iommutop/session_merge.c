// SPDX-License-Identifier: GPL-2.0-only
#include "session.h"
static const struct opt merge_table[] = { { .kind = OPT_END } };
static int merge_run(const void *values, int rest_nr, char **rest)
{
	(void)values;
	(void)rest_nr;
	(void)rest;
	return EXIT_USAGE;
}
const struct cmd cmd_session_merge = {
	.name = "session merge", .args = "", .summary = "", .opts = merge_table, .run = merge_run
};
