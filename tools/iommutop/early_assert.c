// SPDX-License-Identifier: GPL-2.0-only
#include "early_assert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/analysis.h"
#include "child.h"
#include "collect/collect.h"
#include "collect/facts.h"
#include "boot/framed.h"
#include "opts.h"
#include "report/report.h"

struct early {
	const struct boot_params *p;
	struct framed framed;
	struct analysis *a;
	bool ended;
};

static int to_analysis(void *ctx, const void *events, size_t bytes)
{
	const char *at = events, *end = at + bytes;
	struct early *e = ctx;

	for (; at < end; at += ((const struct iot_event *)at)->len) {
		const struct iot_event *ev = (const struct iot_event *)at;
		const struct iot_log *log = (const struct iot_log *)ev;

		if (ev->id == IOT_EV_LOG && !strncmp(log->text, "iommutop: end", 13))
			e->ended = true;
		(void)analysis__event(e->a, ev);
	}
	return 0;
}

static void report(struct early *e, const char *kind)
{
	struct error err = { "" };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	analysis__finish(e->a);
	report__text(out, e->a);
	fclose(out);
	if (framed__send(&e->framed, kind, text, &err))
		cmd__complain("init", "%s", err.text);
	free(text);
}

static int watch(struct early *e, int ready_fd, struct error *err)
{
	struct collect_opts copts = {
		.stream = true, .iova = true, .coverage = true, .invariants = true
	};
	struct collect *c = NULL;
	struct child child = {};
	uint64_t next = facts__now() + e->p->every;
	int64_t wait = 0;
	int rc = child__watch();

	rc = rc ?: analysis__new(&e->a, NULL);
	rc = rc ?: collect__new(&c, &copts, to_analysis, e, err);
	rc = rc ?: collect__start(c, err);
	close(ready_fd);
	while (!rc && wait >= 0 && !e->ended && !child.signal) {
		wait = collect__poll(c, err);
		child__wait(&child, (uint64_t)wait);
		if (facts__now() >= next) {
			report(e, "partial");
			next = facts__now() + e->p->every;
		}
	}
	rc = rc ?: collect__stop(c, err);
	collect__free(c);
	if (!rc)
		report(e, "PASS");
	analysis__free(e->a);
	return rc;
}

int early_assert__run(const struct boot_params *p, const struct error *failed, int ready_fd)
{
	struct early e = { .p = p,
			   .framed = { .path = !strcmp(p->out, "serial") ? p->serial : p->out,
				       .root = "/proc/1/root" } };
	struct error err = { "" };
	int rc;

	rc = failed ? -EINVAL : watch(&e, ready_fd, &err);
	if (rc && framed__send(&e.framed, "ERROR", failed ? failed->text : err.text, &err))
		cmd__complain("init", "%s", err.text);
	return rc ? EXIT_FAILED : EXIT_OK;
}
