// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "export/export.h"
#include "export/redact.h"
#include "input.h"
#include "opts.h"
#include "scope_opts.h"
#include "util/error.h"

struct export_cmd {
	const char *format;
	const char *output;
	const char *klog;
	const char *table;
	const char *weight;
	uint64_t row_group;
	bool uncompressed;
	const char *redact;
	bool keep_offset;
	struct scope_values scope;
};

static const struct opt export_table[] = {
	{ OPT_STRING, 'f', "format", "jsonl|csv|folded|perfetto|parquet", "which one; no default",
	  offsetof(struct export_cmd, format), 0, 0 },
	{ OPT_STRING, 'o', "output", "PATH",
	  "file, or - for standard output (default); parquet: a new directory",
	  offsetof(struct export_cmd, output), 0, 0 },
	{ OPT_STRING, 0, "klog", "FILE",
	  "read a saved kernel log instead of a session; - is standard input",
	  offsetof(struct export_cmd, klog), 0, 0 },
	{ OPT_STRING, 0, "table", "NAME", "csv, parquet: one table only, with columns of its own",
	  offsetof(struct export_cmd, table), 0, 0 },
	{ OPT_STRING, 0, "weight", "count|bytes", "folded: what a stack counts (default count)",
	  offsetof(struct export_cmd, weight), 0, 0 },
	{ OPT_U64, 0, "row-group", "N", "parquet: rows in a row group (default 262144)",
	  offsetof(struct export_cmd, row_group), 1, 1 << 24 },
	{ OPT_FLAG, 0, "uncompressed", NULL, "parquet: without zstd",
	  offsetof(struct export_cmd, uncompressed), 0, 0 },
	{ OPT_STRING, 0, "redact", "addresses|names|addresses,names",
	  "replace them by tokens made for this export", offsetof(struct export_cmd, redact), 0,
	  0 },
	{ OPT_FLAG, 0, "keep-page-offset", NULL, "--redact: leave the low 12 bits of addresses",
	  offsetof(struct export_cmd, keep_offset), 0, 0 },
	SCOPE_OPTS(export_cmd, scope),
	{ .kind = OPT_END },
};

/* Whose error ended the reading is not for the input to say. */
struct sink {
	struct exporter *exporter;
	int error;
};

static int feed(void *ctx, const struct iot_event *ev)
{
	struct sink *to = ctx;

	to->error = export__event(to->exporter, ev);
	return to->error;
}

static unsigned int redact_of(const char *what)
{
	unsigned int mask = 0;

	if (what && strstr(what, "addresses"))
		mask |= REDACT_ADDRESSES;
	if (what && strstr(what, "names"))
		mask |= REDACT_NAMES;
	return mask;
}

static int wrong_use(const struct export_cmd *o, int rest_nr)
{
	if (rest_nr != (o->klog ? 0 : 1))
		cmd__complain("export", o->klog ? "takes either a session or --klog"
						: "needs the session's directory, or --klog FILE");
	else if (!o->format)
		cmd__complain("export", "needs --format, one of %s", export_table[0].arg);
	else if (o->weight && strcmp(o->format, "folded"))
		cmd__complain("export", "--weight is for the format folded only");
	else if ((o->row_group || o->uncompressed) && strcmp(o->format, "parquet"))
		cmd__complain("export",
			      "--row-group and --uncompressed are for the format parquet only");
	else if (o->keep_offset && !(redact_of(o->redact) & REDACT_ADDRESSES))
		cmd__complain("export", "--keep-page-offset needs --redact addresses");
	else if (isatty(STDOUT_FILENO) && (!o->output || !strcmp(o->output, "-")) &&
		 (!strcmp(o->format, "perfetto") || !strcmp(o->format, "parquet")))
		cmd__complain("export", "%s is no text for a terminal: name a file with -o",
			      o->format);
	else
		return 0;
	return EXIT_USAGE;
}

/* That it is only a part must be in it. */
static void tell_scope(struct json_object *about, const struct scope *scope)
{
	if (scope)
		json_object_object_add(about, "only", json_object_new_string(scope__text(scope)));
}

/* Of a format that has no place for it. */
static void warn_of_part(const struct export_format *format, const struct scope *scope)
{
	if (scope && !format->says_source)
		cmd__complain("export",
			      "%s has no place to say that it is a part of the session only; "
			      "remember what is in it: %s",
			      format->name, scope__text(scope));
}

static int export_run(const void *values, int rest_nr, char **rest)
{
	const struct export_cmd *o = values;
	const struct export_format *format;
	struct json_object *about = NULL;
	struct sink to = { NULL, 0 };
	struct scope *scope = NULL;
	struct error err = { "" };
	int ret;

	if (scope_opts__help(&o->scope))
		return EXIT_OK;
	ret = wrong_use(o, rest_nr);
	if (!ret)
		ret = scope_opts__make(&scope, &o->scope, o->klog, "export");
	if (ret)
		return ret;
	format = export__format(o->format);
	/* A reader that goes away is an error of a write. */
	signal(SIGPIPE, SIG_IGN);
	ret = export__open(&to.exporter, format,
			   &(struct export_opts){
				   .path = o->output ? o->output : "-",
				   .table = o->table,
				   .weight = o->weight && !strcmp(o->weight, "bytes")
						     ? EXPORT_BYTES
						     : EXPORT_COUNT,
				   .row_group = o->row_group,
				   .uncompressed = o->uncompressed,
				   .redact = redact_of(o->redact),
				   .keep_offset = o->keep_offset,
				   .scope = scope,
			   },
			   &err);
	if (ret) {
		cmd__complain("export", "%s", err.text);
		scope__free(scope);
		return ret == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
	}
	ret = input__read(&(struct input){ .session = o->klog ? NULL : rest[0], .klog = o->klog },
			  feed, &to, &about, &err);
	if (ret) {
		export__abort(to.exporter);
	} else {
		tell_scope(about, scope);
		ret = export__close(to.exporter, about, &err);
	}
	json_object_put(about);
	if (!ret) {
		scope_opts__warn(scope, "export", o->klog ? o->klog : rest[0]);
		warn_of_part(format, scope);
	}
	scope__free(scope);
	/* `| head` has what it wanted: that is no failure */
	if (ret == -EPIPE)
		clearerr(stdout);
	if (!ret || ret == -EPIPE)
		return EXIT_OK;
	if (to.error)
		cmd__complain("export", "cannot write %s: %s; nothing is left of it",
			      o->output ? o->output : "standard output", strerror(-ret));
	else
		cmd__complain("export", "%s", err.text);
	return EXIT_FAILED;
}

const struct cmd cmd_export = {
	.name = "export",
	.args = "DIR | --klog FILE",
	.summary = "write a session in another format: JSON lines, CSV, Parquet, Perfetto, folded "
		   "stacks",
	.notes = "Exit status: 0 = all of it was written, or its reader went away; 1 = the input "
		 "could not be read\nor the output not written, and no part of it is left; 2 = "
		 "usage.",
	.opts = export_table,
	.values_size = sizeof(struct export_cmd),
	.options_anywhere = true,
	.run = export_run,
};
