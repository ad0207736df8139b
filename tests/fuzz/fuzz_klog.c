// SPDX-License-Identifier: GPL-2.0-only
/* Bytes as a kernel log: lines, joined records, and what the analysis makes of them. */
#include <stdint.h>
#include <string.h>

#include "analyze/analysis.h"
#include "klog/logfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static int feed(const struct iot_log *ev, void *ctx)
{
	return analysis__event(ctx, &ev->h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	const struct analysis_opts opts = { .history = 16 };
	struct logfile_info info;
	struct analysis *a;
	FILE *in;

	in = bytes ? fmemopen((void *)(uintptr_t)data, bytes, "r") : NULL;
	if (!in)
		return 0;
	if (!analysis__new(&a, &opts)) {
		logfile__read(in, feed, a, &info);
		analysis__finish(a);
		analysis__free(a);
	}
	fclose(in);
	return 0;
}
