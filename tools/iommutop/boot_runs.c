// SPDX-License-Identifier: GPL-2.0-only
#include "boot_runs.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "boot/proc.h"
#include "opts.h"

struct run {
	const struct matrix_case *at;
	bool done;
	int code;
	const char *word; /* what became of it */
	long long ms;
};

/* Higher is worse. */
static int badness(int code)
{
	switch (code) {
	case 0:
		return 0;
	case 4:
		return 1;
	case 5:
		return 2;
	case BOOT_NOT_TRIED_CODE:
		return 3;
	}
	return 1000 + code;
}

int boot_runs__worse(int a, int b)
{
	return badness(a) >= badness(b) ? a : b;
}

int boot_runs__bisect(int code)
{
	return code == 0 || code == 1 ? code : BOOT_NOT_TRIED_CODE;
}

/* The exit code of one boot, with its messages; *word says what it was. */
static int judge(int code, const struct boot_result *result, const struct error *err, int stop_fd,
		 const char **word)
{
	struct signalfd_siginfo info;

	if (!code && result->verdict == BOOT_EXITED) {
		*word = result->exit_code ? "failed" : "ok";
		return result->exit_code;
	}
	if (code == -EINTR) {
		*word = "stopped";
		cmd__complain("boot", "%s", err->text);
		return read(stop_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)
			       ? 128 + (int)info.ssi_signo
			       : BOOT_NOT_TRIED_CODE;
	}
	if (result->console_tail && *result->console_tail)
		fprintf(stderr, "--- end of the console\n%s\n---\n", result->console_tail);
	if (code) {
		*word = "not tried";
		cmd__complain("boot", "%s", err->text);
		return BOOT_NOT_TRIED_CODE;
	}
	cmd__complain("boot", "%s", result->reason);
	*word = result->verdict == BOOT_PANICKED ? "panicked" : "timed out";
	return result->verdict == BOOT_PANICKED ? BOOT_PANICKED_CODE : BOOT_TIMED_OUT_CODE;
}

/* The template with what the case has of its own. The list of additions is the caller's to free. */
static int fill(struct boot_config *c, const struct boot_config *config,
		const struct matrix_case *at, bool several, struct strv *appends, char **output)
{
	int rc = 0;

	*c = *config;
	c->kernel = at->at[AXIS_KERNEL];
	c->iommu = *at->at[AXIS_IOMMU] ? at->at[AXIS_IOMMU] : "none";
	c->qemu = *at->at[AXIS_QEMU] ? at->at[AXIS_QEMU] : "qemu-system-x86_64";
	c->command = at->at[AXIS_COMMAND];
	for (size_t i = 0; !rc && i < config->appends.nr; i++)
		rc = strv__add(appends, config->appends.items[i]);
	if (!rc && *at->at[AXIS_APPEND])
		rc = strv__add(appends, at->at[AXIS_APPEND]);
	c->appends = *appends;
	if (config->output && several) {
		if (asprintf(output, "%s/%s", config->output, at->name) < 0) {
			*output = NULL;
			rc = -ENOMEM;
		}
		c->output = *output;
	}
	return rc;
}

static void one(const struct boot_config *config, struct run *r, bool several)
{
	struct boot_result result = { 0 };
	struct strv appends = { 0 };
	struct error err = { 0 };
	struct boot_config c;
	char *output = NULL;
	long long begin = proc__now_ms();
	int rc;

	rc = fill(&c, config, r->at, several, &appends, &output);
	if (rc)
		error__set(&err, rc, "no memory for the boot");
	rc = rc ?: boot__run(&c, &result, &err);
	r->code = judge(rc, &result, &err, config->stop_fd, &r->word);
	r->ms = proc__now_ms() - begin;
	r->done = true;
	free(result.console_tail);
	strv__free(&appends);
	free(output);
}

/* An axis with one value is the same everywhere: it says nothing. */
static void say_case(FILE *out, const struct matrix *m, const struct matrix_case *at)
{
	fputs(at->at[AXIS_KERNEL], out);
	for (int a = AXIS_IOMMU; a < AXIS_NR; a++)
		if (m->axes[a].nr > 1)
			fprintf(out, ", %s %s%s%s", matrix__axis_name((enum matrix_axis)a),
				a < AXIS_APPEND ? "" : "'", at->at[a], a < AXIS_APPEND ? "" : "'");
}

static void say_table(const struct matrix *m, const struct run *runs)
{
	fprintf(stderr, "\n%4s %-10s %4s %9s  %s\n", "NR", "RESULT", "EXIT", "TIME", "BOOT");
	for (size_t i = 0; i < m->nr; i++) {
		const struct run *r = &runs[i];

		if (r->done)
			fprintf(stderr, "%4zu %-10s %4d %7.1f s  ", i + 1, r->word, r->code,
				(double)r->ms / 1e3);
		else
			fprintf(stderr, "%4zu %-10s %4s %9s  ", i + 1, "not begun", "-", "-");
		say_case(stderr, m, r->at);
		fputc('\n', stderr);
	}
}

int boot_runs__all(const struct boot_config *config, const struct matrix *m, bool bisect)
{
	struct run *runs = calloc(m->nr, sizeof(*runs));
	int worst = 0, code;

	if (!runs) {
		cmd__complain("boot", "no memory for %zu boots", m->nr);
		return BOOT_NOT_TRIED_CODE;
	}
	for (size_t i = 0; i < m->nr; i++)
		runs[i].at = &m->cases[i];
	for (size_t i = 0; i < m->nr; i++) {
		if (m->nr > 1) {
			fprintf(stderr, "=== %zu of %zu: ", i + 1, m->nr);
			say_case(stderr, m, runs[i].at);
			fputc('\n', stderr);
		}
		one(config, &runs[i], m->nr > 1);
		/* stopped by a signal: so are all */
		if (!strcmp(runs[i].word, "stopped")) {
			worst = runs[i].code;
			bisect = false;
			break;
		}
		code = bisect ? boot_runs__bisect(runs[i].code) : runs[i].code;
		worst = boot_runs__worse(worst, code);
	}
	if (m->nr > 1)
		say_table(m, runs);
	if (bisect)
		cmd__complain("boot", "%s",
			      !worst       ? "good"
			      : worst == 1 ? "bad"
					   : "can't be tested, see above");
	free(runs);
	return worst;
}

int boot_runs__check(const struct boot_config *config, const struct matrix *m)
{
	int worst = 0;

	for (size_t i = 0; i < m->nr; i++) {
		const struct matrix_case *at = &m->cases[i];
		struct boot_config c = *config;
		struct error err = { 0 };
		unsigned int vital = 0;
		bool seen = false;

		for (size_t k = 0; k < i; k++)
			seen = seen || (m->cases[k].at[AXIS_KERNEL] == at->at[AXIS_KERNEL] &&
					m->cases[k].at[AXIS_IOMMU] == at->at[AXIS_IOMMU]);
		if (seen)
			continue;
		c.kernel = at->at[AXIS_KERNEL];
		c.iommu = *at->at[AXIS_IOMMU] ? at->at[AXIS_IOMMU] : "none";
		if (boot__check(&c, &vital, &err)) {
			cmd__complain("boot", "%s", err.text);
			vital++;
		}
		if (vital)
			worst = BOOT_NOT_TRIED_CODE;
	}
	return worst;
}
