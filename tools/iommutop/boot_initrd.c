// SPDX-License-Identifier: GPL-2.0-only
#include "boot_initrd.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assert/rule.h"
#include "boot/framed.h"
#include "boot/initrd.h"
#include "early_init.h"
#include "opts.h"

#define LOG_LIMIT (1UL << 30)

/* What is wrong with them must be said here, not by a board that has booted with them. */
static int check_rules(const char *rules, const char *preset, struct error *err)
{
	struct rule_set set = { 0 };
	int rc = 0;

	if (rules)
		rc = rules__load(&set, rules, err);
	else if (preset)
		rc = rules__preset(&set, preset, err);
	rules__free(&set);
	return rc;
}

int boot_initrd__emit(const char *path, const char *rules, const char *preset, bool gzip)
{
	struct initrd_config config = { .rules = rules, .gzip = gzip };
	char self[PATH_MAX] = "";
	struct error err = { "" };
	int rc = EXIT_OK;

	if (rules && preset) {
		cmd__complain("boot", "--rules and --preset exclude each other: a file of rules "
				      "can name a preset");
		return EXIT_USAGE;
	}
	if (check_rules(rules, preset, &err)) {
		cmd__complain("boot", "%s", err.text);
		return EXIT_USAGE;
	}
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) <= 0) {
		cmd__complain("boot", "cannot find this program: %s", strerror(errno));
		return EXIT_FAILED;
	}
	config.self = self;
	if (rules && strv__add(&config.words, "iommutop.rules=" EARLY_RULES))
		error__set(&err, -ENOMEM, "no memory");
	if (preset && strv__addf(&config.words, "iommutop.rules=preset:%s", preset))
		error__set(&err, -ENOMEM, "no memory");
	if (err.text[0] || initrd__write(path, &config, &err)) {
		cmd__complain("boot", "%s", err.text);
		rc = EXIT_FAILED;
	}
	strv__free(&config.words);
	return rc;
}

static int read_log(const char *path, char **text, struct error *err)
{
	FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin, *out;
	char data[65536];
	size_t n, size = 0, total = 0;
	int rc = 0;

	if (!in)
		return error__set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	out = open_memstream(text, &size);
	if (!out)
		rc = error__set(err, -ENOMEM, "no memory to read %s", path);
	while (!rc && total < LOG_LIMIT && (n = fread(data, 1, sizeof(data), in))) {
		/* a text: what a line that broke off left on a serial port may be anything */
		for (size_t i = 0; i < n; i++)
			data[i] = data[i] ? data[i] : '?';
		fwrite(data, 1, n, out);
		total += n;
	}
	if (!rc && ferror(in))
		rc = error__set(err, -EIO, "cannot read %s: %s", path, strerror(errno));
	if (out && fclose(out) && !rc)
		rc = error__set(err, -ENOMEM, "no memory to read %s", path);
	if (in != stdin)
		fclose(in);
	return rc;
}

/* As assert: what is not known to have passed has not. */
static int code_of(const char *kind)
{
	static const struct {
		const char *kind;
		int code;
	} codes[] = { { "PASS", 0 },         { "FAIL", 1 },  { "partial-FAIL", 1 }, { "SKIP", 4 },
		      { "INCONCLUSIVE", 5 }, { "ERROR", 5 }, { "partial", 5 } };

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (!strcmp(kind, codes[i].kind))
			return codes[i].code;
	return 5;
}

int boot_initrd__report(const char *path)
{
	char *log = NULL, *text = NULL, kind[32] = "";
	struct error err = { "" };
	int rc = read_log(path, &log, &err);

	if (rc) {
		cmd__complain("boot", "%s", err.text);
		rc = EXIT_USAGE; /* 1 would be a rule that was violated */
		goto out;
	}
	rc = framed__find(log, &text, kind);
	if (text)
		fputs(text, stdout);
	if (rc == -EIO)
		cmd__complain("boot", "the last report in %s is damaged or broke off%s", path,
			      text ? ": this is the one before it" : "");
	else if (rc)
		cmd__complain("boot",
			      "there is no report in %s: was rdinit=/iommutop/init on the "
			      "kernel's command line?",
			      path);
	else if (!strncmp(kind, "partial", 7))
		cmd__complain("boot", "the last report in %s is partial: the run broke off", path);
	/* one that passed before another was begun doesn't count as the end */
	rc = rc && strcmp(kind, "FAIL") && strcmp(kind, "partial-FAIL") ? 5 : code_of(kind);
out:
	free(log);
	free(text);
	return rc;
}
