// SPDX-License-Identifier: GPL-2.0-only
/* diff: what changed from one set of sessions to another. */
#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "diff/diff.h"
#include "diff/resample.h"
#include "input.h"
#include "opts.h"
#include "report/diff.h"
#include "scope_opts.h"

struct diff_opts {
	struct opt_strings a, b;
	bool json, markdown;
	uint64_t matters;
	struct scope_values scope;
};

static const struct opt diff_table[] = {
	{ OPT_STRINGS, 'a', "from", "DIR", "a session of the side before (may be given again)",
	  offsetof(struct diff_opts, a), 0, 0 },
	{ OPT_STRINGS, 'b', "to", "DIR", "a session of the side after (may be given again)",
	  offsetof(struct diff_opts, b), 0, 0 },
	{ OPT_U64, 'm', "matters", "PERCENT",
	  "a figure must change by this much to count (default: 10)",
	  offsetof(struct diff_opts, matters), 1, 1000 },
	{ .kind = OPT_GROUP, .help = "Output" },
	{ OPT_FLAG, 0, "json", NULL, "as JSON", offsetof(struct diff_opts, json), 0, 0 },
	{ OPT_FLAG, 0, "markdown", NULL, "as Markdown tables", offsetof(struct diff_opts, markdown),
	  0, 0 },
	SCOPE_OPTS(diff_opts, scope),
	{ .kind = OPT_END },
};

struct side {
	struct diff_run run[RESAMPLE_RUNS], *list[RESAMPLE_RUNS];
	struct scope *scope[RESAMPLE_RUNS]; /* of each run: it knows the session's devices */
	size_t nr;
};

static int feed(void *ctx, const struct iot_event *ev)
{
	return diff_run__event(ctx, ev);
}

static int say(int rc, const struct error *err)
{
	if (rc)
		cmd__complain("diff", "%s", err->text);
	return rc ? EXIT_FAILED : EXIT_OK;
}

/* 0, or the exit code; then what is wrong has been said. */
static int read_run(struct side *side, const char *dir, const struct scope_values *asked)
{
	struct diff_run *run = &side->run[side->nr];
	struct scope **scope = &side->scope[side->nr];
	struct json_object *about = NULL;
	struct error err = { "" };
	int rc;

	if (side->nr == RESAMPLE_RUNS)
		return say(error__set(&err, -E2BIG, "more than %u sessions on one side",
				      RESAMPLE_RUNS),
			   &err);
	rc = scope_opts__make(scope, asked, false, "diff");
	if (rc)
		return rc;
	rc = diff_run__init(run, dir, 0, *scope);
	if (rc) {
		scope__free(*scope);
		return say(error__set(&err, rc, "cannot begin with %s: %s", dir, strerror(-rc)),
			   &err);
	}
	side->list[side->nr++] = run;
	rc = input__read(&(struct input){ .session = dir }, feed, run, &about, &err);
	json_object_put(about);
	if (!rc) {
		diff_run__end(run);
		scope_opts__warn(*scope, "diff", dir);
	}
	return say(rc, &err);
}

static int read_side(struct side *side, const struct opt_strings *dirs,
		     const struct scope_values *asked)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < dirs->nr; i++)
		rc = read_run(side, dirs->items[i], asked);
	return rc;
}

static void free_side(struct side *side)
{
	for (size_t i = 0; i < side->nr; i++) {
		diff_run__free(&side->run[i]);
		scope__free(side->scope[i]);
	}
}

static int print(const struct diff_opts *o, const struct report_diff *r)
{
	struct json_object *json;

	if (o->json) {
		json = report_diff__json(r);
		if (!json)
			return -ENOMEM;
		puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY |
								  JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(json);
	} else if (o->markdown) {
		report_diff__markdown(stdout, r);
	} else {
		report_diff__text(stdout, r);
	}
	return 0;
}

static int compare(const struct diff_opts *o, struct side *a, struct side *b)
{
	struct diff *d = malloc(sizeof(*d));
	struct error err = { "" };
	int rc = -ENOMEM;

	if (d)
		rc = diff__compare(d, a->list, a->nr, b->list, b->nr, (double)o->matters / 100);
	if (!rc)
		rc = print(o, &(struct report_diff){ .diff = d,
						     .a = &a->run[0].analysis->model,
						     .b = &b->run[0].analysis->model,
						     .name_a = a->run[0].name,
						     .name_b = b->run[0].name,
						     .only = scope__text(a->scope[0]) });
	free(d);
	if (rc)
		error__set(&err, rc, "cannot compare: %s", strerror(-rc));
	return say(rc, &err);
}

static int diff_run(const void *values, int rest_nr, char **rest)
{
	const struct diff_opts *o = values;
	struct opt_strings a = o->a, b = o->b;
	struct side *sides;
	int rc;

	if (scope_opts__help(&o->scope))
		return EXIT_OK;

	if (rest_nr == 2 && !a.nr && !b.nr) {
		a = (struct opt_strings){ (const char **)&rest[0], 1 };
		b = (struct opt_strings){ (const char **)&rest[1], 1 };
		rest_nr = 0;
	}
	if (rest_nr || !a.nr || !b.nr || (o->json && o->markdown)) {
		cmd__complain("diff",
			      o->json && o->markdown
				      ? "takes one of --json and --markdown"
				      : "takes two sessions, or -a and -b, each once or more");
		return EXIT_USAGE;
	}
	sides = calloc(2, sizeof(*sides));
	if (!sides) {
		cmd__complain("diff", "out of memory");
		return EXIT_FAILED;
	}
	rc = read_side(&sides[0], &a, &o->scope);
	if (!rc)
		rc = read_side(&sides[1], &b, &o->scope);
	if (!rc)
		rc = compare(o, &sides[0], &sides[1]);
	free_side(&sides[0]);
	free_side(&sides[1]);
	free(sides);
	return rc;
}

const struct cmd cmd_diff = {
	.name = "diff",
	.args = "A B | -a DIR… -b DIR…",
	.summary = "say what differs between sessions, and how sure that is",
	.notes = "With three sessions of each side or more, what runs of the same thing differ by "
		 "is "
		 "known, too.\n"
		 "Exit status: 0 = compared, whatever came out; 1 = a session could not be read; 2 "
		 "= "
		 "usage.",
	.opts = diff_table,
	.values_size = sizeof(struct diff_opts),
	.options_anywhere = true,
	.run = diff_run,
};
