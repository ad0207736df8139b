// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/libbpf.h>
#include <json-c/json_c_version.h>
#include <stdbool.h>

#include "event.h"
#include "opts.h"

struct version_opts {
	bool json;
};

static const struct opt version_table[] = {
	{ OPT_FLAG, 0, "json", NULL, "as JSON", offsetof(struct version_opts, json), 0, 0 },
	{ .kind = OPT_END },
};

static int version_run(const void *values, int rest_nr, char **rest)
{
	const struct version_opts *o = values;

	if (rest_nr) {
		cmd__complain("version", "takes no argument, not '%s'", rest[0]);
		return EXIT_USAGE;
	}
	if (o->json)
		printf("{\"schema\": 1, \"version\": \"%s\", \"session_format\": %d, \"libbpf\": "
		       "\"%s\", \"json_c\": \"%s\"}\n",
		       IOMMUTOP_VERSION, IOT_FORMAT_VERSION, libbpf_version_string(),
		       JSON_C_VERSION);
	else
		printf("iommutop %s\nsession format %d, %s %s, json-c %s\n", IOMMUTOP_VERSION,
		       IOT_FORMAT_VERSION, "libbpf", libbpf_version_string(), JSON_C_VERSION);
	return EXIT_OK;
}

const struct cmd cmd_version = {
	.name = "version",
	.args = "",
	.summary = "show the version and what it was built with",
	.opts = version_table,
	.values_size = sizeof(struct version_opts),
	.run = version_run,
};
