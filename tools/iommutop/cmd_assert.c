// SPDX-License-Identifier: GPL-2.0-only
/* assert: holds rules against what a command, a stretch of time or a session shows. */
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "assert/check.h"
#include "assert_live.h"
#include "assert_list.h"
#include "assert_out.h"
#include "child.h"
#include "collect/collect.h"
#include "input.h"
#include "opts.h"
#include "report/early.h"
#include "util/text.h"

/* Beside EXIT_OK and EXIT_USAGE; kselftest has the same for what was skipped. */
#define EXIT_VIOLATED     1
#define EXIT_SKIP         4
#define EXIT_INCONCLUSIVE 5
/* git bisect run: this commit can't be tested */
#define EXIT_BISECT_SKIP 125

struct assert_opts {
	struct opt_strings rules, presets;
	const char *session, *until, *save, *progress;
	uint64_t length, timeout, every;
	bool list, check, ignore_command, bisect, stacks, fault_records, quiet;
	const char *formats[FORMATS];
	uint64_t ring, cpu_buffer, rare_buffer, memory;
};

#define FORMAT(format, name, help)                                                              \
	{                                                                                       \
		OPT_STRING, 0, name, "FILE", help,                                              \
			offsetof(struct assert_opts, formats) + (format) * sizeof(char *), 0, 0 \
	}

static const struct opt assert_table[] = {
	{ .kind = OPT_WORDS, .offset = offsetof(struct assert_opts, rules) },
	{ OPT_STRINGS, 'p', "preset", "NAME",
	  "rules that come with iommutop: strict, lazy, vfio, boot; again: and these",
	  offsetof(struct assert_opts, presets), 0, 0 },
	{ OPT_FLAG, 0, "list", NULL,
	  "list invariants, their parameters and presets; with --preset print it as YAML",
	  offsetof(struct assert_opts, list), 0, 0 },
	{ OPT_FLAG, 0, "check", NULL, "only read the rules, and say whether they are right",
	  offsetof(struct assert_opts, check), 0, 0 },
	{ .kind = OPT_GROUP, .help = "What is watched: -- COMMAND, or one of" },
	{ OPT_DURATION, 0, "for", "TIME", "what happens from now on for this time: 10s, 5m",
	  offsetof(struct assert_opts, length), 1, 0 },
	{ OPT_STRING, 0, "until", "signal|mark|workload|shutdown",
	  "… until SIGTERM or Ctrl-C; \"iommutop: end\" in the kernel's log; \"iommutop: phase "
	  "shutdown\" there; systemd's shutdown or SIGTERM",
	  offsetof(struct assert_opts, until), 0, 0 },
	{ OPT_STRING, 'i', "session", "DIR",
	  "a session; most rules take one that was recorded for them",
	  offsetof(struct assert_opts, session), 0, 0 },
	{ .kind = OPT_GROUP, .help = "The run" },
	{ OPT_DURATION, 0, "timeout", "TIME",
	  "end COMMAND, or the wait for a mark, after this time: then it is inconclusive",
	  offsetof(struct assert_opts, timeout), 1, 0 },
	{ OPT_FLAG, 0, "ignore-command", NULL, "COMMAND may fail: only the rules count",
	  offsetof(struct assert_opts, ignore_command), 0, 0 },
	{ OPT_FLAG, 0, "bisect", NULL,
	  "exit codes for git bisect run: 0 passed, 1 failed, 125 whatever else",
	  offsetof(struct assert_opts, bisect), 0, 0 },
	{ OPT_FLAG, 's', "stacks", NULL, "kernel stacks on unmaps and faults: who unmapped it",
	  offsetof(struct assert_opts, stacks), 0, 0 },
	{ OPT_FLAG, 0, "fault-records", NULL,
	  "VT-d, virtio: every fault that the IOMMU recorded, not only those logged",
	  offsetof(struct assert_opts, fault_records), 0, 0 },
	{ OPT_STRING, 0, "save", "DIR",
	  "save a session of what led to the first violation, and of the end",
	  offsetof(struct assert_opts, save), 0, 0 },
	{ OPT_SIZE, 0, "ring", "SIZE", "how much of it is kept in memory until then (default: 16M)",
	  offsetof(struct assert_opts, ring), 1 << 20, 1ULL << 40 },
	{ .kind = OPT_GROUP, .help = "Reports; - is standard output, which has text by default" },
	FORMAT(FORMAT_TEXT, "text", "for people"),
	FORMAT(FORMAT_KTAP, "ktap", "KTAP 1, as kselftest and KUnit print it"),
	FORMAT(FORMAT_TAP, "tap", "TAP 14"),
	FORMAT(FORMAT_JUNIT, "junit", "JUnit XML"),
	FORMAT(FORMAT_JSON, "json", "JSON, with all that analyze says"),
	FORMAT(FORMAT_GITHUB, "github", "annotations for GitHub Actions"),
	{ OPT_STRING, 0, "progress", "FILE",
	  "what is known so far, for who must not wait for the end; replaced again and again",
	  offsetof(struct assert_opts, progress), 0, 0 },
	{ OPT_DURATION, 0, "every", "TIME", "how often (default: 30s)",
	  offsetof(struct assert_opts, every), 1000000000, 0 },
	{ OPT_FLAG, 'q', "quiet", NULL,
	  "no text on standard output, nothing on standard error but errors",
	  offsetof(struct assert_opts, quiet), 0, 0 },
	{ .kind = OPT_GROUP, .help = "Buffers, as of record" },
	{ OPT_SIZE, 'm', "cpu-buffer", "SIZE",
	  "the kernel's buffer for each CPU (default: 4M; 1M beyond 16 CPUs)",
	  offsetof(struct assert_opts, cpu_buffer), 1024, 1ULL << 30 },
	{ OPT_SIZE, 0, "rare-buffer", "SIZE",
	  "its buffer of faults, hangs, log lines, domains (default: 1M)",
	  offsetof(struct assert_opts, rare_buffer), 4096, 1ULL << 30 },
	{ OPT_SIZE, 0, "memory", "SIZE",
	  "events that wait to be sorted, or for a slow disk (default: 64M)",
	  offsetof(struct assert_opts, memory), 8 << 20, 1ULL << 40 },
	{ .kind = OPT_END },
};

static void assert_defaults(void *values)
{
	struct assert_opts *o = values;

	o->memory = 64 << 20;
	o->ring = 16 << 20;
	o->every = 30000000000ULL;
}

/* A wrong command line must not make git bisect blame a commit, wherever on it --bisect stands. */
static int assert_usage_code(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--bisect"))
			return EXIT_BISECT_SKIP;
	return EXIT_USAGE;
}

static int usage(const struct assert_opts *o)
{
	return o->bisect ? EXIT_BISECT_SKIP : EXIT_USAGE;
}

static int exit_code(const struct assert_opts *o, enum outcome verdict)
{
	static const int codes[] = {
		[OUTCOME_PASS] = EXIT_OK,
		[OUTCOME_FAIL] = EXIT_VIOLATED,
		[OUTCOME_INCONCLUSIVE] = EXIT_INCONCLUSIVE,
		[OUTCOME_SKIP] = EXIT_SKIP,
	};

	if (o->bisect && verdict != OUTCOME_PASS && verdict != OUTCOME_FAIL)
		return EXIT_BISECT_SKIP;
	return codes[verdict];
}

/* What the table of options can't check. */
static const char *wrong(const struct assert_opts *o, int rest_nr)
{
	int ways = (rest_nr > 0) + (o->length > 0) + (o->until != NULL) + (o->session != NULL);

	if (o->list && o->rules.nr)
		return "--list takes no files of rules; --check reads them";
	if (o->list || o->check)
		return ways ? "--list and --check watch nothing: without COMMAND, --for, --until "
			      "and --session"
			    : NULL;
	if (!o->rules.nr && !o->presets.nr)
		return "needs rules: a file of them, or --preset NAME; --list lists the presets";
	if (!ways)
		return "needs something to watch: -- COMMAND, --for TIME, --until mark|signal, or "
		       "--session DIR";
	if (ways > 1)
		return "takes one of: -- COMMAND, --for, --until and --session";
	if (o->timeout && !rest_nr && !(o->until && strcmp(o->until, "signal")))
		return "--timeout is for COMMAND or --until mark; --for says how long it takes";
	if (o->progress && o->session)
		return "--progress is for what is watched live, not for a --session";
	if (o->ignore_command && !rest_nr)
		return "--ignore-command is for a COMMAND, behind --";
	if (o->session && (o->save || o->stacks || o->fault_records))
		return "--save, --stacks and --fault-records are for what is watched live, not for "
		       "a --session";
	return NULL;
}

/* All rules: presets first, then files, in their order. *name: what they are, to free(). */
static int load_rules(const struct assert_opts *o, struct rule_set *set, char **name,
		      struct error *err)
{
	size_t size;
	FILE *out = open_memstream(name, &size);
	int ret = out ? 0 : error__set(err, -ENOMEM, "out of memory");

	for (size_t i = 0; i < o->presets.nr + o->rules.nr && !ret; i++) {
		bool preset = i < o->presets.nr;
		const char *from = preset ? o->presets.items[i] : o->rules.items[i - o->presets.nr];
		struct rule_set more = { 0 };
		char text[256];

		ret = preset ? rules__preset(&more, from, err) : rules__load(&more, from, err);
		if (!ret)
			ret = rules__add(set, &more);
		rules__free(&more);
		text__copy(text, sizeof(text), from, strlen(from));
		fprintf(out, "%s%s%s", i ? ", " : "", preset ? "preset " : "", text);
	}
	if (out)
		fclose(out);
	if (ret == -ENOMEM)
		error__set(err, ret, "cannot read the rules: out of memory");
	return ret;
}

static int feed(void *ctx, const struct iot_event *ev)
{
	/* without memory the checks go on, incomplete, and say so themselves */
	(void)checks__event(ctx, ev);
	return 0;
}

struct job {
	const struct assert_opts *o;
	struct rule_set rules;
	struct analysis *analysis;
	struct checks *checks;
	struct collect *ended; /* of what was watched; NULL = nothing */
	const struct check_result **results;
	struct check_result *skipped; /* if nothing could be watched */
	struct assert_run run;
	struct assert_report report;
	struct json_object *about;
	struct utsname host;
	char *rules_name, *source;
};

static void read_session(struct job *j, struct error *err)
{
	const struct input in = { .session = j->o->session };
	struct json_object *v;
	int rc = input__read(&in, feed, j->checks, &j->about, err);

	if (rc) {
		j->run.outcome = OUTCOME_INCONCLUSIVE;
		snprintf(j->run.text, sizeof(j->run.text), "%s", err->text);
		j->report.run = &j->run;
	}
	v = json_object_object_get(j->about, "kernel_release");
	j->report.kernel = v ? json_object_get_string(v) : NULL;
	v = json_object_object_get(j->about, "damage");
	if (v)
		snprintf(j->report.notes[j->report.nr_notes++], sizeof(j->report.notes[0]), "%s",
			 json_object_get_string(v));
}

/* Nothing could be watched: every rule is skipped, and says why. */
static int skip_all(struct job *j, const struct error *err)
{
	j->skipped = calloc(j->rules.nr + 1, sizeof(*j->skipped));
	if (!j->skipped)
		return -ENOMEM;
	for (size_t i = 0; i < j->rules.nr; i++) {
		struct check_result *c = &j->skipped[i];

		c->rule = &j->rules.rules[i];
		c->outcome = OUTCOME_SKIP;
		c->unit = "";
		c->nr_why = 1;
		snprintf(c->why[0], sizeof(c->why[0]), "nothing can be watched here: see \"run\"");
		j->results[i] = c;
	}
	j->run.outcome = OUTCOME_SKIP;
	snprintf(j->run.text, sizeof(j->run.text), "%s", err->text);
	j->report.verdict = OUTCOME_SKIP;
	return 0;
}

static enum outcome worse(enum outcome rules, enum outcome run)
{
	if (rules == OUTCOME_FAIL || run == OUTCOME_FAIL)
		return OUTCOME_FAIL;
	if (rules == OUTCOME_INCONCLUSIVE || run == OUTCOME_INCONCLUSIVE)
		return OUTCOME_INCONCLUSIVE;
	return rules;
}

static void note_early(struct job *j)
{
	char *early = early__says(&j->analysis->model);

	if (early && *early && j->report.nr_notes < ASSERT_NOTES)
		snprintf(j->report.notes[j->report.nr_notes++], sizeof(j->report.notes[0]), "%s",
			 early);
	free(early);
}

static void decide(struct job *j)
{
	/* without memory, what was found is told all the same, and that more may be missing */
	(void)checks__finish(j->checks);
	note_early(j);
	for (size_t i = 0; i < j->rules.nr; i++)
		j->results[i] = checks__result(j->checks, i);
	j->report.analysis = j->analysis;
	j->report.verdict =
		worse(checks__verdict(j->checks), j->report.run ? j->run.outcome : OUTCOME_PASS);
}

static int begin(struct job *j)
{
	int rc = analysis__new(&j->analysis, NULL);

	if (!rc)
		rc = checks__new(&j->checks, &j->rules, j->analysis, (__s32)(time(NULL) / 86400));
	j->results = rc ? NULL : calloc(j->rules.nr + 1, sizeof(*j->results));
	j->report.results = j->results;
	j->report.nr = j->rules.nr;
	j->report.rules = j->rules_name;
	return rc ?: j->results ? 0 : -ENOMEM;
}

static enum assert_until until(const char *word)
{
	static const char *const words[] = { [UNTIL_SIGNAL] = "signal",
					     [UNTIL_MARK] = "mark",
					     [UNTIL_WORKLOAD] = "workload",
					     [UNTIL_SHUTDOWN] = "shutdown" };

	for (int i = UNTIL_SIGNAL; word && i <= UNTIL_SHUTDOWN; i++)
		if (!strcmp(word, words[i]))
			return (enum assert_until)i;
	return UNTIL_TIME;
}

/* 0: the report is ready; 1: a session can't be read or made, and nothing was looked at. */
static int watch(struct job *j, char **rest, struct error *err)
{
	const struct assert_opts *o = j->o;
	const struct assert_live_opts lopts = {
		.command = rest,
		.until = *rest ? UNTIL_COMMAND : until(o->until),
		.length = o->length,
		.timeout = o->timeout,
		.ignore_command = o->ignore_command,
		.stacks = o->stacks,
		.fault_records = o->fault_records,
		.quiet = o->quiet,
		.needs = rules__needs(&j->rules),
		.cpu_buffer = o->cpu_buffer,
		.rare_buffer = o->rare_buffer,
		.memory = o->memory,
		.save = o->save,
		.ring = o->ring,
		.progress = o->progress,
		.every = o->every,
	};
	bool bad_save = false;
	int rc;

	if (o->session) {
		read_session(j, err);
		if (j->report.run && !j->analysis->events)
			return 1;
		decide(j);
		return 0;
	}
	if (!uname(&j->host))
		j->report.kernel = j->host.release;
	j->report.run = &j->run;
	rc = assert_live__watch(j->checks, &lopts, &j->run, &j->report, &j->ended, &bad_save, err);
	if (bad_save)
		return 1;
	if (rc)
		return skip_all(j, err);
	decide(j);
	return 0;
}

static char *describe(const struct assert_opts *o, char **rest)
{
	char *command = *rest ? child__command(rest) : NULL, *text = NULL;
	int n;

	if (o->session)
		n = asprintf(&text, "session %s", o->session);
	else if (command)
		n = asprintf(&text, "%s", command);
	else
		n = asprintf(&text, "this machine");
	free(command);
	if (n < 0)
		return NULL;
	text__copy(text, (size_t)n + 1, text, (size_t)n);
	return text;
}

static int watch_and_report(struct job *j, char **rest)
{
	const struct assert_opts *o = j->o;
	const char *paths[FORMATS];
	bool taken = false;
	struct assert_out out;
	struct error err = { "" };
	int rc;

	for (int i = 0; i < FORMATS; i++) {
		paths[i] = o->formats[i];
		taken = taken || (paths[i] && (i == FORMAT_TEXT || outfile__is_stdout(paths[i])));
	}
	if (!taken && !o->quiet)
		paths[FORMAT_TEXT] = "-";
	/* a reader that goes away ends its report, not those in other files */
	signal(SIGPIPE, SIG_IGN);
	if (assert_out__open(&out, paths, &err)) {
		cmd__complain("assert", "%s", err.text);
		return usage(o);
	}
	j->source = describe(o, rest);
	rc = j->source ? begin(j) : -ENOMEM;
	j->report.source = j->source;
	if (!rc)
		rc = watch(j, rest, &err);
	if (rc) {
		cmd__complain("assert", "%s", rc > 0 ? err.text : strerror(-rc));
		assert_out__drop(&out);
		return rc > 0 ? usage(o) : exit_code(o, OUTCOME_INCONCLUSIVE);
	}
	if (j->skipped)
		cmd__complain("assert", "%s", err.text);
	err.text[0] = '\0';
	if (!assert_out__write(&out, &j->report, &err))
		return exit_code(o, j->report.verdict);
	cmd__complain("assert", "%s", err.text);
	/* nobody may take for a pass what nobody could read */
	return exit_code(o,
			 j->report.verdict == OUTCOME_FAIL ? OUTCOME_FAIL : OUTCOME_INCONCLUSIVE);
}

/* The exit code of what was printed. */
static int written(const struct assert_opts *o)
{
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_OK;
	cmd__complain("assert", "cannot write standard output: %s", strerror(errno));
	return usage(o);
}

static int assert_run(const void *values, int rest_nr, char **rest)
{
	const struct assert_opts *o = values;
	const char *mistake = wrong(o, rest_nr);
	struct job j = { .o = o };
	struct error err = { "" };
	int code;

	if (mistake) {
		cmd__complain("assert", "%s", mistake);
		return usage(o);
	}
	if (o->list)
		return assert_list__print(stdout, &o->presets) ? usage(o) : written(o);
	if (load_rules(o, &j.rules, &j.rules_name, &err)) {
		cmd__complain("assert", "%s", err.text);
		code = usage(o);
	} else if (o->check) {
		printf("%s: right, %zu rules\n", j.rules_name, j.rules.nr);
		code = written(o);
	} else {
		code = watch_and_report(&j, rest);
	}
	collect__free(j.ended);
	checks__free(j.checks);
	analysis__free(j.analysis);
	json_object_put(j.about);
	rules__free(&j.rules);
	free(j.results);
	free(j.skipped);
	free(j.rules_name);
	free(j.source);
	return code;
}

const struct cmd cmd_assert = {
	.name = "assert",
	.args = "[RULES…] [-- COMMAND…]",
	.summary = "hold rules against what a kernel does with its IOMMU: PASS, FAIL, INCONCLUSIVE",
	.notes = "RULES are YAML files, - is standard input (man 5 iommutop-rules); a rule of the "
		 "same name takes the place of one before.\n"
		 "Exit code: 0 every rule passed, 1 one failed or COMMAND did, 2 usage, 4 nothing "
		 "was there to check, 5 inconclusive.",
	.opts = assert_table,
	.values_size = sizeof(struct assert_opts),
	.defaults = assert_defaults,
	.usage_code = assert_usage_code,
	.run = assert_run,
};
