// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/analysis.h"
#include "analyze/leaks.h"
#include "input.h"
#include "opts.h"
#include "outfile.h"
#include "report/folded.h"
#include "report/html.h"
#include "report/leaks.h"
#include "report/report.h"
#include "report/why.h"
#include "report/summary_tables.h"
#include "report/wrap.h"
#include "scope_opts.h"
#include "util/error.h"
#include "util/parse.h"

struct analyze_opts {
	bool json, leaks, why;
	const char *html, *klog, *tables, *iova, *folded, *weight;
	uint64_t history;
	struct scope_values scope;
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
	{ OPT_STRING, 0, "tables", "LIST",
	  "only these tables, like maps,flushes; 'help' lists them, 'none' is none of them",
	  offsetof(struct analyze_opts, tables), 0, 0 },
	{ OPT_STRING, 0, "iova", "ADDR", "the journey of one address: every event that touched it",
	  offsetof(struct analyze_opts, iova), 0, 0 },
	{ OPT_FLAG, 0, "leaks", NULL, "what is still mapped at the end, and who mapped it when",
	  offsetof(struct analyze_opts, leaks), 0, 0 },
	{ OPT_FLAG, 0, "why", NULL, "why each group is strict or lazy, and who decided",
	  offsetof(struct analyze_opts, why), 0, 0 },
	{ OPT_STRING, 0, "folded", "map|unmap|flush|fault",
	  "only stacks of these events, one to a line, for a flame graph",
	  offsetof(struct analyze_opts, folded), 0, 0 },
	{ OPT_STRING, 0, "weight", "count|bytes|time",
	  "what --folded adds up: events (default), bytes mapped or unmapped, or ns of flushes",
	  offsetof(struct analyze_opts, weight), 0, 0 },
	SCOPE_OPTS(analyze_opts, scope),
	{ .kind = OPT_END },
};

static void print_damage(FILE *out, const char *damage, const char *session)
{
	char *text;

	if (asprintf(&text, "%s `iommutop session verify %s` says where.", damage, session) < 0)
		return;
	wrap__print(out, "", text);
	free(text);
}

static void print_about(FILE *out, struct json_object *about, const char *session)
{
	static const char *const first[] = { "hostname", "kernel_release", "command_line", "klog" };
	struct json_object *damage = json_object_object_get(about, "damage"),
			   *times = json_object_object_get(about, "times");
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
	if (times)
		wrap__print(out, "", json_object_get_string(times));
	if (damage)
		print_damage(out, json_object_get_string(damage), session);
}

static int write_html(const char *path, const struct analysis *a, const struct leaks *leaks,
		      struct json_object *about, struct error *err)
{
	struct outfile file;
	int ret = outfile__open(&file, path, err);

	if (ret)
		return ret;
	ret = report__html(file.out, a, leaks, about);
	if (ret) {
		outfile__drop(&file);
		return error__set(err, ret, "cannot build the HTML report: %s", strerror(-ret));
	}
	return outfile__commit(&file, err);
}

static int feed(void *ctx, const struct iot_event *ev)
{
	return analysis__event(ctx, ev);
}

static bool tables_help(const struct analyze_opts *o)
{
	if (!o->tables || strcmp(o->tables, "help"))
		return false;
	summary__help(stdout);
	return true;
}

static bool wanted_tables(const char *list, __u32 *which)
{
	*which = strcmp(list, "none") ? summary__parse(list) : 0;
	if (*which || !strcmp(list, "none"))
		return true;
	cmd__complain("analyze",
		      "--tables takes names like maps,flushes, not '%s'; "
		      "`iommutop analyze --tables help` lists them",
		      list);
	return false;
}

/* What --iova, --folded and --weight ask for; false: it has been said what is wrong. */
static bool wanted_extras(const struct analyze_opts *o, struct analysis_opts *opts, __u64 *iova,
			  enum folded_weight *weight)
{
	static const struct {
		const char *name;
		__u16 id;
	} kinds[] = { { "map", IOT_EV_MAP },
		      { "unmap", IOT_EV_UNMAP },
		      { "flush", IOT_EV_FLUSH },
		      { "fault", IOT_EV_FAULT } };
	uint64_t v;

	if (o->iova) {
		if (parse__u64(o->iova, &v)) {
			cmd__complain("analyze",
				      "--iova takes an address like 0xfff0a000, not '%s'", o->iova);
			return false;
		}
		*iova = v;
		opts->iova = iova;
	}
	for (size_t i = 0; o->folded && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(o->folded, kinds[i].name))
			opts->folded = kinds[i].id;
	if (o->folded && (o->json || o->iova || o->tables || o->leaks || o->why)) {
		cmd__complain("analyze", "--folded prints stacks and nothing else: without --json, "
					 "--iova, --tables, --leaks and --why");
		return false;
	}
	if (!o->weight)
		return true;
	*weight = *o->weight == 'b' ? FOLDED_BYTES : *o->weight == 't' ? FOLDED_TIME : FOLDED_COUNT;
	if (!o->folded) {
		cmd__complain("analyze", "--weight is for --folded");
		return false;
	}
	if ((*weight == FOLDED_BYTES && opts->folded != IOT_EV_MAP &&
	     opts->folded != IOT_EV_UNMAP) ||
	    (*weight == FOLDED_TIME && opts->folded != IOT_EV_FLUSH)) {
		cmd__complain("analyze",
			      "--weight %s doesn't go with --folded %s: maps and unmaps "
			      "have bytes, flushes have time",
			      o->weight, o->folded);
		return false;
	}
	return true;
}

static int write_json(const struct analysis *a, const struct leaks *leaks,
		      struct json_object *about)
{
	struct json_object *json = report__json(a);

	if (!json)
		return -ENOMEM;
	if (leaks)
		json_object_object_add(json, "leaks", leaks__json(a, leaks));
	json_object_object_add(json, "source", json_object_get(about));
	puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY |
							  JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
	return 0;
}

/* leaks: NULL, they weren't asked for. */
static int write_report(const struct analyze_opts *o, const struct analysis *a, __u32 tables,
			enum folded_weight weight, const struct leaks *leaks,
			struct json_object *about, const char *session)
{
	if (o->folded)
		return folded__print(stdout, a, weight);
	if (o->json)
		return write_json(a, leaks, about);
	print_about(stdout, about, session);
	report__text_tables(stdout, a, tables);
	if (leaks)
		leaks__print(stdout, a, leaks);
	if (o->why) {
		fputs("\nWhy strict or lazy\n", stdout);
		report__why_text(stdout, a);
	}
	return 0;
}

static int analyze_run(const void *values, int rest_nr, char **rest)
{
	const struct analyze_opts *o = values;
	struct analysis_opts opts = { .history = o->history };
	struct json_object *about = NULL;
	struct analysis *a = NULL;
	struct leaks leaks = { 0 };
	struct error err = { "" };
	enum folded_weight weight = FOLDED_COUNT;
	__u32 tables = SUMMARY_ALL;
	__u64 iova;
	int ret, code = EXIT_FAILED;

	if (scope_opts__help(&o->scope) || tables_help(o))
		return EXIT_OK;
	if (rest_nr != (o->klog ? 0 : 1)) {
		cmd__complain("analyze", o->klog ? "takes either a session or --klog"
						 : "needs the session's directory, or --klog FILE");
		return EXIT_USAGE;
	}
	if (o->html && (o->json || o->folded || o->iova || o->tables)) {
		cmd__complain("analyze",
			      "--html makes a report of its own: without --json, --folded, "
			      "--iova and --tables");
		return EXIT_USAGE;
	}
	if ((o->tables && !wanted_tables(o->tables, &tables)) ||
	    !wanted_extras(o, &opts, &iova, &weight))
		return EXIT_USAGE;
	ret = scope_opts__make(&opts.scope, &o->scope, o->klog, "analyze");
	if (ret)
		return ret;
	ret = analysis__new(&a, &opts);
	if (ret) {
		cmd__complain("analyze", "cannot begin: %s", strerror(-ret));
		goto out;
	}
	ret = input__read(&(struct input){ .session = o->klog ? NULL : rest[0], .klog = o->klog },
			  feed, a, &about, &err);
	if (ret) {
		cmd__complain("analyze", "%s", err.text);
		goto out;
	}
	analysis__finish(a);
	scope_opts__warn(opts.scope, "analyze", o->klog ? o->klog : rest[0]);
	ret = o->leaks ? leaks__collect(a, &leaks) : 0;
	if (!ret && o->html) {
		if (write_html(o->html, a, o->leaks ? &leaks : NULL, about, &err)) {
			cmd__complain("analyze", "%s", err.text);
			goto out;
		}
	} else if (!ret) {
		ret = write_report(o, a, tables, weight, o->leaks ? &leaks : NULL, about, rest[0]);
	}
	if (ret) {
		cmd__complain("analyze", "cannot build the report: %s", strerror(-ret));
		goto out;
	}
	code = EXIT_OK;
out:
	leaks__free(&leaks);
	json_object_put(about);
	analysis__free(a);
	scope__free(opts.scope);
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
	.options_anywhere = true,
	.run = analyze_run,
};
