// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes as a kernel log. Each input goes through the parser, as one record of several lines and as
 * records of a line each; every 32nd also through the file reader and the analysis, which take a
 * hundred times as long.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/analysis.h"
#include "klog/join.h"
#include "klog/logfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* What the parser promises of each record. */
static int check(void *ctx, __u64 ts, const struct klog_record *r)
{
	(void)ctx;
	(void)ts;
	if (!r->signal || r->kind < KLOG_FAULT || r->kind > KLOG_ERROR ||
	    !memchr(r->dev, 0, sizeof(r->dev)) || !memchr(r->driver, 0, sizeof(r->driver)) ||
	    !memchr(r->ifname, 0, sizeof(r->ifname)) || !memchr(r->func, 0, sizeof(r->func)))
		abort();
	return 0;
}

static void parse(const char *text, size_t len)
{
	struct klog_join whole = { 0 }, lines = { 0 };
	const char *end = text + len, *nl;

	klog_join__feed(&whole, 1, text, len, check, NULL);
	klog_join__end(&whole, check, NULL);
	for (__u64 ts = 1; text < end; text = nl + 1) {
		nl = memchr(text, '\n', (size_t)(end - text));
		if (!nl)
			nl = end;
		klog_join__feed(&lines, ts++, text, (size_t)(nl - text), check, NULL);
	}
	klog_join__end(&lines, check, NULL);
}

static int feed(const struct iot_log *ev, void *ctx)
{
	return analysis__event(ctx, &ev->h);
}

static void analyze(const void *data, size_t bytes)
{
	const struct analysis_opts opts = { .history = 16 };
	FILE *in = fmemopen((void *)(uintptr_t)data, bytes, "r");
	struct logfile_info info;
	struct analysis *a;

	if (in && !analysis__new(&a, &opts)) {
		logfile__read(in, feed, a, &info);
		analysis__finish(a);
		analysis__free(a);
	}
	if (in)
		fclose(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	if (!bytes)
		return 0;
	parse((const char *)data, bytes);
	if (data[bytes - 1] % 32 == 0)
		analyze(data, bytes);
	return 0;
}
