// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/analysis.h"
#include "input.h"
#include "opts.h"
#include "report/html.h"
#include "report/report.h"
#include "util/error.h"

struct analyze_opts {
	bool json;
	const char *html;
	const char *klog;
	uint64_t history;
};

static const struct opt analyze_table[] = {
	{ OPT_FLAG, 0, "json", NULL, "as JSON", offsetof(struct analyze_opts, json), 0, 0 },
	{ OPT_STRING, 0, "html", "FILE", "as one HTML file; - is standard output",
	  offsetof(struct analyze_opts, html), 0, 0 },
	{ OPT_STRING, 0, "klog", "FILE",
	  "read a saved kernel log instead of a session; - is standard input",
	  offsetof(struct analyze_opts, klog), 0, 0 },
	{ OPT_U64, 0, "history", "N",
	  "remember N mappings after their unmap (default 65536, 128 bytes each)",
	  offsetof(struct analyze_opts, history), 16, 1 << 28 },
	{ .kind = OPT_END },
};

static void print_about(FILE *out, struct json_object *about)
{
	static const char *const first[] = { "hostname", "kernel_release", "command", "klog" };
	bool any = false;

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		struct json_object *v = json_object_object_get(about, first[i]);

		if (!v)
			continue;
		fprintf(out, "%s%s", any ? ", " : "", json_object_get_string(v));
		any = true;
	}
	if (any)
		fputc('\n', out);
	if (json_object_get_int64(json_object_object_get(about, "boots")) > 1)
		fputs("The log holds more than one boot: times of each further one begin an hour "
		      "behind the one before.\n",
		      out);
	if (json_object_get_boolean(json_object_object_get(about, "torn_tail")))
		fputs("The session's end is torn: it was read up to the tear.\n", out);
}

/* The file comes to be in whole or not at all: a report that is there already isn't harmed. */
static int write_html(const char *path, const struct analysis *a, struct json_object *about,
		      struct error *err)
{
	bool is_stdout = !strcmp(path, "-");
	char *part = NULL;
	FILE *out = stdout;
	int ret = 0;

	if (!is_stdout) {
		if (asprintf(&part, "%s.part", path) < 0)
			return error__set(err, -ENOMEM, "out of memory");
		out = fopen(part, "we");
		if (!out) {
			ret = error__set(err, -errno, "cannot write %s: %s", part, strerror(errno));
			goto out;
		}
	}
	ret = report__html(out, a, about);
	if (!ret && (fflush(out) || ferror(out)))
		ret = -(errno ?: EIO);
	if (!is_stdout) {
		if (fclose(out) && !ret)
			ret = -errno;
		if (!ret && rename(part, path))
			ret = -errno;
		if (ret)
			remove(part);
	}
	if (ret)
		error__set(err, ret, "cannot write the HTML report to %s: %s", path,
			   strerror(-ret));
out:
	free(part);
	return ret;
}

static int feed(void *ctx, const struct iot_event *ev)
{
	return analysis__event(ctx, ev);
}

static int analyze_run(const void *values, int rest_nr, char **rest)
{
	const struct analyze_opts *o = values;
	struct analysis_opts opts = { .history = o->history };
	struct json_object *about = NULL, *json = NULL;
	struct analysis *a = NULL;
	struct error err = { "" };
	int ret, code = EXIT_FAILED;

	if (rest_nr != (o->klog ? 0 : 1)) {
		cmd__complain("analyze", o->klog ? "takes either a session or --klog"
						 : "needs the session's directory, or --klog FILE");
		return EXIT_USAGE;
	}
	if (o->html && o->json) {
		cmd__complain("analyze", "makes either --html or --json");
		return EXIT_USAGE;
	}
	ret = analysis__new(&a, &opts);
	if (ret) {
		cmd__complain("analyze", "cannot begin: %s", strerror(-ret));
		return EXIT_FAILED;
	}
	ret = input__read(&(struct input){ .session = o->klog ? NULL : rest[0], .klog = o->klog },
			  feed, a, &about, &err);
	if (ret) {
		cmd__complain("analyze", "%s", err.text);
		goto out;
	}
	analysis__finish(a);
	if (o->html) {
		if (write_html(o->html, a, about, &err)) {
			cmd__complain("analyze", "%s", err.text);
			goto out;
		}
	} else if (o->json) {
		json = report__json(a);
		if (!json) {
			cmd__complain("analyze", "cannot build the JSON report: out of memory");
			goto out;
		}
		json_object_object_add(json, "source", json_object_get(about));
		puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY |
								  JSON_C_TO_STRING_NOSLASHESCAPE));
	} else {
		print_about(stdout, about);
		report__text(stdout, a);
	}
	code = EXIT_OK;
	if (fflush(stdout) || ferror(stdout)) {
		cmd__complain("analyze", "cannot write the report: %s", strerror(errno));
		code = EXIT_FAILED;
	}
out:
	json_object_put(json);
	json_object_put(about);
	analysis__free(a);
	return code;
}

const struct cmd cmd_analyze = {
	.name = "analyze",
	.args = "DIR | --klog FILE",
	.summary = "say what happened in a session or in a kernel log",
	.notes = "Exit status: 0 = the report was made, whatever it says; 1 = the input could not "
		 "be read; 2 = usage.",
	.opts = analyze_table,
	.values_size = sizeof(struct analyze_opts),
	.run = analyze_run,
};
