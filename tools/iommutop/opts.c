// SPDX-License-Identifier: GPL-2.0-only
#include "opts.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/parse.h"

#define LONG_BASE 256 /* getopt values of options without a letter */

void cmd__complain(const char *cmd, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "iommutop%s%s: ", *cmd ? " " : "", cmd);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int cmd__close_stdout(int code)
{
	int cause = errno; /* if a write failed long before, the best there is */

	if (fflush(stdout))
		cause = errno;
	else if (!ferror(stdout))
		return code;
	/* of another exit code the cause has been told */
	if (code != EXIT_OK || cause == EPIPE)
		return code;
	cmd__complain("", "cannot write standard output: %s", strerror(cause));
	return EXIT_FAILED;
}

void opts__help(const struct cmd *cmd, FILE *out)
{
	fprintf(out, "Usage: iommutop %s [OPTIONS]%s%s\n%s.\n", cmd->name, *cmd->args ? " " : "",
		cmd->args, cmd->summary);
	for (const struct opt *o = cmd->opts; o->kind != OPT_END; o++) {
		char left[80];
		int n;

		if (o->kind == OPT_GROUP) {
			fprintf(out, "\n%s:\n", o->help);
			continue;
		}
		if (o->kind == OPT_WORDS)
			continue;
		n = o->letter ? snprintf(left, sizeof(left), "-%c, --%s", o->letter, o->name)
			      : snprintf(left, sizeof(left), "    --%s", o->name);
		if (o->arg)
			snprintf(left + n, sizeof(left) - (size_t)n,
				 o->kind == OPT_LEVEL ? "[=%s]" : " %s", o->arg);
		if (strlen(left) > 26)
			fprintf(out, "  %s\n  %-27s %s\n", left, "", o->help);
		else
			fprintf(out, "  %-27s %s\n", left, o->help);
	}
	fprintf(out, "\n  %-27s %s\n", "-h, --help", "show this help");
	if (cmd->notes)
		fprintf(out, "\n%s\n", cmd->notes);
}

static bool is_choice(const char *arg)
{
	return arg && strchr(arg, '|');
}

static bool choice_has(const char *choices, const char *value)
{
	size_t len = strlen(value);

	for (const char *c = choices; c; c = strchr(c, '|')) {
		if (*c == '|')
			c++;
		if (!strncmp(c, value, len) && (c[len] == '|' || !c[len]) && len)
			return true;
	}
	return false;
}

/* A bound as one would type it. */
static void bound(char out[32], const struct opt *o, uint64_t v)
{
	static const struct {
		uint64_t unit;
		const char *name;
	} sizes[] = { { 1 << 30, "G" }, { 1 << 20, "M" }, { 1 << 10, "K" }, { 1, "" } },
	  times[] = { { 3600000000000, "h" },
		      { 1000000000, "s" },
		      { 1000000, "ms" },
		      { 1000, "us" },
		      { 1, "ns" } };
	size_t i = 0;

	if (o->kind == OPT_SIZE) {
		while (v ? v % sizes[i].unit : sizes[i].unit > 1)
			i++;
		snprintf(out, 32, "%" PRIu64 "%s", v / sizes[i].unit, sizes[i].name);
	} else if (o->kind == OPT_DURATION) {
		while (v ? v % times[i].unit : times[i].unit > 1)
			i++;
		snprintf(out, 32, "%" PRIu64 "%s", v / times[i].unit, times[i].name);
	} else {
		snprintf(out, 32, "%" PRIu64, v);
	}
}

static void say_range(const struct cmd *cmd, const struct opt *o, const char *text)
{
	char least[32], most[32];

	bound(least, o, o->min);
	bound(most, o, o->max);
	cmd__complain(cmd->name, "--%s %s is out of range: %s %s%s", o->name, text, least,
		      o->max ? "to " : "at least", o->max ? most : "");
}

static int store_number(const struct cmd *cmd, const struct opt *o, void *field, const char *text)
{
	static const char *const what[] = {
		[OPT_U64] = "a whole number",
		[OPT_LEVEL] = "a whole number",
		[OPT_SIZE] = "a size (like 64k or 16M)",
		[OPT_DURATION] = "a time (like 10ms, 2s or 5m)",
	};
	uint64_t v;
	int err;

	err = o->kind == OPT_SIZE       ? parse__size(text, &v)
	      : o->kind == OPT_DURATION ? parse__duration(text, &v)
					: parse__u64(text, &v);
	if (err == -EINVAL) {
		cmd__complain(cmd->name, "--%s takes %s, not '%s'", o->name, what[o->kind], text);
		return EXIT_USAGE;
	}
	if (err || v < o->min || (o->max && v > o->max)) {
		say_range(cmd, o, text);
		return EXIT_USAGE;
	}
	*(uint64_t *)field = v;
	return 0;
}

static int store(const struct cmd *cmd, const struct opt *o, void *values, const char *text)
{
	void *field = (char *)values + o->offset;
	struct opt_strings *list = field;
	const char **items;

	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)field = true;
		return 0;
	case OPT_STRINGS:
	case OPT_WORDS:
		items = realloc(list->items, (list->nr + 1) * sizeof(*items));
		if (!items) {
			cmd__complain(cmd->name, "out of memory");
			return EXIT_FAILED;
		}
		list->items = items;
		items[list->nr++] = text;
		return 0;
	case OPT_STRING:
		if (is_choice(o->arg) && !choice_has(o->arg, text)) {
			cmd__complain(cmd->name, "--%s is one of %s, not '%s'", o->name, o->arg,
				      text);
			return EXIT_USAGE;
		}
		*(const char **)field = text;
		return 0;
	case OPT_LEVEL:
		if (!text) {
			*(uint64_t *)field = o->min;
			return 0;
		}
		return store_number(cmd, o, field, text);
	default:
		return store_number(cmd, o, field, text);
	}
}

static void free_values(const struct cmd *cmd, void *values)
{
	for (const struct opt *o = cmd->opts; o->kind != OPT_END; o++)
		if (o->kind == OPT_STRINGS || o->kind == OPT_WORDS)
			free(((struct opt_strings *)((char *)values + o->offset))->items);
	free(values);
}

static const struct opt *words_of(const struct cmd *cmd)
{
	for (const struct opt *o = cmd->opts; o->kind != OPT_END; o++)
		if (o->kind == OPT_WORDS)
			return o;
	return NULL;
}

static bool takes_value(const struct opt *o)
{
	return o->kind != OPT_FLAG && o->kind != OPT_GROUP && o->kind != OPT_WORDS;
}

static int usage_code(const struct cmd *cmd, int argc, char **argv)
{
	return cmd->usage_code ? cmd->usage_code(argc, argv) : EXIT_USAGE;
}

int opts__run(const struct cmd *cmd, int argc, char **argv)
{
	const struct opt *words = words_of(cmd);
	size_t nr = 0, s = 0;
	struct option *longs;
	char *shorts;
	void *values;
	int c, rc = EXIT_FAILED;

	while (cmd->opts[nr].kind != OPT_END)
		nr++;
	longs = calloc(nr + 2, sizeof(*longs));
	shorts = calloc(3 * nr + 8, 1);
	values = calloc(1, cmd->values_size ? cmd->values_size : 1);
	if (!longs || !shorts || !values) {
		cmd__complain(cmd->name, "out of memory");
		goto out;
	}
	if (cmd->defaults)
		cmd->defaults(values);
	/* '+': the first plain word ends our options: what follows may be a COMMAND of its own */
	if (!cmd->options_anywhere)
		shorts[s++] = words ? '-' : '+';
	shorts[s++] = 'h';
	for (size_t i = 0; i < nr; i++) {
		const struct opt *o = &cmd->opts[i];

		/* what has no name keeps its place with one that nobody can type, so that indices
		 * stay equal */
		longs[i].name = o->name ?: "\n";
		longs[i].has_arg = !takes_value(o)        ? no_argument
				   : o->kind == OPT_LEVEL ? optional_argument
							  : required_argument;
		longs[i].val = LONG_BASE + (int)i;
		if (o->letter) {
			shorts[s++] = o->letter;
			if (takes_value(o))
				shorts[s++] = ':';
			if (o->kind == OPT_LEVEL)
				shorts[s++] = ':';
		}
	}
	longs[nr] = (struct option){ "help", no_argument, NULL, 'h' };

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct opt *o = NULL;

		if (c == 'h') {
			opts__help(cmd, stdout);
			rc = EXIT_OK;
			goto out;
		}
		if (c == '?') {
			const char *word = argv[optind - 1];

			cmd__complain(cmd->name,
				      "'%s' is no option of it, or lacks its value; try iommutop "
				      "%s --help",
				      word, cmd->name);
			rc = usage_code(cmd, argc, argv);
			goto out;
		}
		if (c == 1)
			o = words;
		for (size_t i = 0; i < nr && !o; i++)
			if (c == LONG_BASE + (int)i ||
			    (cmd->opts[i].letter && c == cmd->opts[i].letter))
				o = &cmd->opts[i];
		rc = store(cmd, o, values, optarg);
		if (rc == EXIT_USAGE)
			rc = usage_code(cmd, argc, argv);
		if (rc)
			goto out;
	}
	rc = cmd->run(values, argc - optind, argv + optind);
out:
	if (values)
		free_values(cmd, values);
	free(shorts);
	free(longs);
	return rc;
}
