// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/analysis.h"
#include "klog/logfile.h"
#include "opts.h"
#include "report/report.h"
#include "session/reader.h"
#include "util/error.h"
#include "util/text.h"

struct analyze_opts {
	bool json;
	const char *klog;
	uint64_t history;
};

static const struct opt analyze_table[] = {
	{ OPT_FLAG, 0, "json", NULL, "as JSON", offsetof(struct analyze_opts, json), 0, 0 },
	{ OPT_STRING, 0, "klog", "FILE",
	  "read a saved kernel log instead of a session; - is standard input",
	  offsetof(struct analyze_opts, klog), 0, 0 },
	{ OPT_U64, 0, "history", "N",
	  "remember N mappings after their unmap (default 65536, 128 bytes each)",
	  offsetof(struct analyze_opts, history), 16, 1 << 28 },
	{ .kind = OPT_END },
};

/* What the reader could not read is missing anywhere in the session, and nobody else says so. */
static void tell_damage(struct analysis *a, const struct session_info *info)
{
	uint64_t damage = info->damaged_packets + info->missing_packets + (info->torn_tail ? 1 : 0);
	struct iot_loss loss = {
		.h = { .ts = a->model.last, .id = IOT_EV_LOSS, .len = sizeof(loss), .cpu = 0xffff },
		.begin = a->model.first,
		.count = damage + info->discarded_events,
		.cause = IOT_LOST_WRITER,
	};

	if (!loss.count)
		return;
	text__copy(loss.what, sizeof(loss.what), damage ? "session damaged" : "session",
		   sizeof(loss.what));
	analysis__event(a, &loss.h);
}

static void add_env(struct json_object *about, const struct session_env_entry *e)
{
	char text[512];

	if (!e->text) {
		json_object_object_add(about, e->key, json_object_new_int64(e->number));
		return;
	}
	text__copy(text, sizeof(text), e->text, sizeof(text));
	json_object_object_add(about, e->key, json_object_new_string(text));
}

static int read_session(struct analysis *a, const char *dir, struct json_object **about,
			struct error *err)
{
	struct session_reader *r;
	const struct session_info *info;
	const struct iot_event *ev;
	int ret;

	ret = session_reader__open(&r, dir, err);
	if (ret)
		return ret;
	while ((ret = session_reader__next(r, &ev)) > 0) {
		ret = analysis__event(a, ev);
		if (ret)
			break;
	}
	info = session_reader__info(r);
	tell_damage(a, info);
	*about = json_object_new_object();
	for (size_t i = 0; i < info->nr_env; i++)
		add_env(*about, &info->env[i]);
	json_object_object_add(*about, "torn_tail", json_object_new_boolean(info->torn_tail));
	json_object_object_add(*about, "damaged_bytes",
			       json_object_new_uint64(info->damaged_bytes));
	if (ret < 0)
		error__set(err, ret, "cannot read session %s to its end: %s", dir, strerror(-ret));
	session_reader__close(r);
	return ret;
}

static int feed_log(const struct iot_log *ev, void *ctx)
{
	return analysis__event(ctx, &ev->h);
}

static int read_klog(struct analysis *a, const char *path, struct json_object **about,
		     struct error *err)
{
	bool is_stdin = !strcmp(path, "-");
	struct logfile_info info;
	FILE *in = is_stdin ? stdin : fopen(path, "re");
	int ret;

	if (!in)
		return error__set(err, -errno, "cannot open kernel log %s: %s", path,
				  strerror(errno));
	ret = logfile__read(in, feed_log, a, &info);
	if (ret)
		error__set(err, ret, "cannot read kernel log %s: %s", path, strerror(-ret));
	else if (!info.records)
		ret = error__set(err, -ENODATA,
				 "kernel log %s is empty; give the output of `dmesg` or "
				 "`journalctl -k`",
				 path);
	if (!is_stdin)
		fclose(in);
	*about = json_object_new_object();
	json_object_object_add(*about, "klog", json_object_new_string(path));
	json_object_object_add(*about, "lines", json_object_new_uint64(info.lines));
	json_object_object_add(*about, "lines_without_time",
			       json_object_new_uint64(info.without_time));
	json_object_object_add(*about, "boots", json_object_new_uint64(info.boots));
	return ret;
}

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
	ret = analysis__new(&a, &opts);
	if (ret) {
		cmd__complain("analyze", "cannot begin: %s", strerror(-ret));
		return EXIT_FAILED;
	}
	ret = o->klog ? read_klog(a, o->klog, &about, &err)
		      : read_session(a, rest[0], &about, &err);
	if (ret) {
		cmd__complain("analyze", "%s", err.text);
		goto out;
	}
	analysis__finish(a);
	if (o->json) {
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
