/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One table of options a command: it drives parsing and --help, and a test holds the man page
 * against it. Parsed values land in the command's own structure, at .offset.
 */
#ifndef IOMMUTOP_OPTS_H
#define IOMMUTOP_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes common to all commands; boot documents its own. */
#define EXIT_OK     0
#define EXIT_FAILED 1 /* what was asked could not be done */
#define EXIT_USAGE  2 /* the command line is wrong */

enum opt_kind {
	OPT_END,
	OPT_GROUP,    /* a heading in --help, .help is its text */
	OPT_FLAG,     /* bool */
	OPT_STRING,   /* const char * */
	OPT_STRINGS,  /* struct opt_strings: may be given more than once */
	OPT_U64,      /* uint64_t */
	OPT_LEVEL,    /* uint64_t, given as --name=VALUE; min without a value */
	OPT_SIZE,     /* uint64_t bytes, with unit */
	OPT_DURATION, /* uint64_t ns, with unit */
	/*
	 * struct opt_strings: plain words, which may stand among the options, so that only what
	 * follows "--" is left for run(). Without such a row the first plain word ends the options,
	 * unless options_anywhere says else.
	 */
	OPT_WORDS,
};

struct opt_strings {
	const char **items;
	size_t nr;
};

struct opt {
	enum opt_kind kind;
	char letter; /* 0 = long name only */
	const char *name;
	const char *arg; /* name of the value in --help; "A|B|C" is checked to be one of these */
	const char *help;
	size_t offset;
	uint64_t min, max; /* numbers; max 0 = no limit */
};

struct cmd {
	const char *name;
	const char *args;    /* what follows the options in the usage line */
	const char *summary; /* one line, no full stop */
	const char *notes;   /* below the options in --help, or NULL */
	const struct opt *opts;
	size_t values_size;
	void (*defaults)(void *values); /* or NULL: all zero */
	/* Exit code of a wrong command line, for commands that have one of their own; or NULL:
	 * EXIT_USAGE. argv[0] is the command's name. */
	int (*usage_code)(int argc, char **argv);
	/* Options may stand behind the plain words, too. Not where those are, or lead to, a command
	 * with options of its own. */
	bool options_anywhere;
	/* rest: the words that are no options. Returns the exit code. */
	int (*run)(const void *values, int rest_nr, char **rest);
};

/*
 * Parses argv (argv[0] is the command's name), prints --help to stdout (exit 0) or what is wrong to
 * stderr (exit 2), or runs the command; returns the exit code.
 */
int opts__run(const struct cmd *cmd, int argc, char **argv);
void opts__help(const struct cmd *cmd, FILE *out);

/* "iommutop NAME: " + message + newline, to stderr. */
void cmd__complain(const char *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The exit code code, or EXIT_FAILED and a complaint if what was printed didn't get to standard
 * output. That nobody reads on is no failure. */
int cmd__close_stdout(int code);

extern const struct cmd *const cmds[]; /* NULL at the end; the first is the default */
extern const struct cmd cmd_top, cmd_record, cmd_analyze, cmd_assert, cmd_diff, cmd_session,
	cmd_export, cmd_list, cmd_probe, cmd_boot, cmd_version;

#endif
