/* SPDX-License-Identifier: GPL-2.0-only */
/* What reading a text as a kernel log gives: the last of its records, and the times of the first
 * ones. */
#ifndef IOMMUTOP_TESTS_KLOG_FIXTURE_H
#define IOMMUTOP_TESTS_KLOG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"
#include "klog/logfile.h"

struct seen {
	int nr;
	__u32 full_len;
	char text[IOT_TEXT_MAX];
	__u64 ts[8];
};

static int remember(const struct iot_log *ev, void *ctx)
{
	struct seen *s = ctx;

	assert_true(ev->h.len <= IOT_EVENT_MAX && ev->h.len % 8 == 0);
	assert_int_equal(ev->h.len, sizeof(*ev) + ev->text_len);
	assert_int_equal(ev->text[ev->text_len - 1], 0);
	if (s->nr < 8)
		s->ts[s->nr] = ev->h.ts;
	s->nr++;
	s->full_len = ev->full_len;
	memcpy(s->text, ev->text, ev->text_len);
	return 0;
}

static struct logfile_info read_text(const char *text, struct seen *s)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct logfile_info info;

	memset(s, 0, sizeof(*s));
	assert_int_equal(logfile__read(in, remember, s, &info), 0);
	fclose(in);
	return info;
}

#endif
