// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "early_init.h"
#include "opts.h"

/* The order is that of --help; the first is what plain `iommutop` runs. */
const struct cmd *const cmds[] = {
	&cmd_top,    &cmd_record, &cmd_analyze, &cmd_assert, &cmd_diff,    &cmd_session,
	&cmd_export, &cmd_list,   &cmd_probe,   &cmd_boot,   &cmd_version, NULL,
};

static void usage(FILE *out)
{
	fputs("Usage: iommutop [COMMAND] [OPTIONS]\n"
	      "Trace the IOMMU: maps, unmaps, IOTLB flushes, faults and device hangs, "
	      "explained.\n\nCommands:\n",
	      out);
	for (const struct cmd *const *c = cmds; *c; c++)
		fprintf(out, "  %-9s %s\n", (*c)->name, (*c)->summary);
	fputs("\nWithout a command: top. `iommutop COMMAND --help` shows its options, `man "
	      "iommutop` the rest.\n",
	      out);
}

static int run(int argc, char **argv)
{
	/* what libbpf has to say is for developers; our own messages name the cause */
	if (!getenv("IOMMUTOP_DEBUG"))
		libbpf_set_print(NULL);
	if (early_init__is_it(argv[0]))
		return early_init__run(argv);
	if (argc > 1 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))) {
		usage(stdout);
		return EXIT_OK;
	}
	if (argc > 1 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")))
		return opts__run(&cmd_version, 1, argv);
	if (argc < 2 || argv[1][0] == '-')
		return opts__run(cmds[0], argc, argv);
	for (const struct cmd *const *c = cmds; *c; c++)
		if (!strcmp(argv[1], (*c)->name))
			return opts__run(*c, argc - 1, argv + 1);
	cmd__complain("", "there is no command '%s'", argv[1]);
	usage(stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	return cmd__close_stdout(run(argc, argv));
}
