// SPDX-License-Identifier: GPL-2.0-only
/* Level, time and host in front of a log's lines, and what a file of such lines becomes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "event.h"
#include "klog/klog.h"
#include "klog/stamp.h"
#include "klog_fixture.h"

#define MS  1000000ULL
#define MIB (1ULL << 20)

static struct klog_record must(const char *text)
{
	struct klog_record r;

	if (!klog__parse(text, strlen(text), &r))
		fail_msg("not recognised: %s", text);
	assert_int_equal(r.kind, KLOG_HANG);
	return r;
}

static void levels_and_times_in_front_are_skipped(void **state)
{
	static const char *const heads[] = {
		"[ 5959.338214] ",
		"[    0.000001][    T1] ",
		"<4>[12345.678901] ",
		"Nov 21 11:57:00 host kernel: [ 5959.338214] ",
		"2026-11-22T09:00:01.338214+00:00 host kernel: [ 5959.338214] ",
		"console 3 | host kernel: [ 5959.338214] ",
		"kern  :err   : [ 5959.338214] ",
		"[ 5959.338214] host kernel: ",
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		snprintf(text, sizeof(text), "%srefdma refdma.0: queue 1 stalled for 512 ms",
			 heads[i]);
		assert_string_equal(must(text).dev, "refdma.0");
	}
}

static void the_time_is_read_to_the_nanosecond(void **state)
{
	struct klog_stamp s;

	(void)state;
	assert_int_equal(klog_stamp__skip("[ 5959.338214] x", 16, &s), 15);
	assert_int_equal(s.ns, 5959338214000ULL);
	assert_false(s.of_day || s.other);
	assert_int_equal(klog_stamp__skip("[5959.338214]", 13, &s), 13);
	assert_int_equal(klog_stamp__skip("[5959] x", 8, &s), 0);
	assert_int_equal(klog_stamp__skip("[99999999999999999999.1] x", 26, &s), 0);
}

static void the_clock_of_the_day_is_read(void **state)
{
	/* ns: of `date -u -d … +%s`, without a year in 2000 */
	static const struct {
		const char *head;
		__u64 ns;
		bool has_year, whole, other;
	} heads[] = {
		{ "[Sun Nov 22 09:00:01 2026] ", 1795338001000000000ULL, true, true, false },
		{ "[Thu Feb 29 23:59:59 2024] ", 1709251199000000000ULL, true, true, false },
		{ "kern  :err   : [Fri Mar  1 00:00:00 2024] ", 1709251200000000000ULL, true, true,
		  false },
		{ "2026-11-22T09:00:01,338214+00:00 ", 1795338001338214000ULL, true, false, false },
		{ "2026-11-22T10:30:01.338214+01:30 host kernel: ", 1795338001338214000ULL, true,
		  false, false },
		{ "2026-11-22T08:00:01-0100 host kernel: ", 1795338001000000000ULL, true, true,
		  false },
		{ "2026-11-22T09:00:01Z host systemd[1]: ", 1795338001000000000ULL, true, true,
		  true },
		{ "Nov 22 09:00:01 host kernel: ", 974883601000000000ULL, false, true, false },
		{ "Nov  2 09:00:01.000001 host kernel: ", 973155601000001000ULL, false, false,
		  false },
		{ "Nov 22 09:00:01 host sshd[12]: ", 974883601000000000ULL, false, true, true },
	};
	static const char *const none[] = {
		"[Sun Nov 32 09:00:01 2026] x",
		"[Sun Nov 22 09:00:01 1066] x",
		"[Sun Nov 22 24:00:01 2026] x",
		"[Sun Nov 22 09:00 2026] x",
		"2026-13-22T09:00:01,338214+00:00 x",
		"2026-11-22T09:00:01,338214 x",
		"2026-11-22 09:00:01 x",
		"Nov 22 09:00:01host kernel: x",
		"Nov kernel: Detected x",
		"kern: [ x",
	};
	struct klog_stamp s;
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		size_t skip;

		snprintf(text, sizeof(text), "%srefdma refdma.0: queue 1 stalled for 512 ms",
			 heads[i].head);
		skip = klog_stamp__skip(text, strlen(text), &s);
		if (heads[i].other) {
			assert_true(skip && s.other);
			continue;
		}
		assert_string_equal(text + skip, "refdma refdma.0: queue 1 stalled for 512 ms");
		if (s.ns != heads[i].ns || s.other)
			fail_msg("%s: %llu", text, (unsigned long long)s.ns);
		assert_true(s.of_day && s.has_year == heads[i].has_year &&
			    s.whole == heads[i].whole);
		assert_string_equal(must(text).dev, "refdma.0");
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (klog_stamp__skip(none[i], strlen(none[i]), &s))
			fail_msg("taken for a time: %s", none[i]);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		for (size_t len = 0; len < strlen(heads[i].head); len++) {
			char *cut = strndup(heads[i].head, len);

			assert_true(klog_stamp__skip(cut, len, &s) <= len);
			free(cut);
		}
}

static void times_of_the_day_count_from_the_first_line(void **state)
{
	struct logfile_info info;
	struct seen s;

	(void)state;
	info = read_text("Dec 31 23:59:58 host kernel: Linux version 6\n"
			 "Dec 31 23:59:58 host systemd[1]: e1000e 0000:00:03.0: Detected Hardware "
			 "Unit Hang\n"
			 "Dec 31 23:59:59 host kernel: ixgbe x: Detected\n"
			 "                             Tx Queue <0>\n"
			 "Jan  1 00:00:03 host kernel: Linux version 6\n"
			 "Jan  1 00:00:02 host kernel: b\n",
			 &s);
	assert_int_equal(info.lines, 6);
	assert_int_equal(info.records, 4);
	assert_int_equal(info.boots, 2);
	assert_string_equal(info.first, "Dec 31 23:59:58");
	assert_true(info.whole_seconds);
	assert_int_equal(s.ts[1], 1000 * MS);
	assert_int_equal(s.ts[2], 5000 * MS);
	assert_int_equal(s.ts[3], 5000 * MS);
	info = read_text("2026-11-22T09:00:01,500000+00:00 a\n2026-11-22T11:00:02,750000+02:00 b\n",
			 &s);
	assert_string_equal(info.first, "2026-11-22T09:00:01,500000+00:00");
	assert_false(info.whole_seconds);
	assert_int_equal(s.ts[1], 1250 * MS);
	assert_string_equal(read_text("[ 1.000000] a\n", &s).first, "");
}

/* A file of one line of 64 MiB and a short one, which nobody holds in memory. */
static ssize_t long_line(void *cookie, char *buf, size_t size)
{
	static const char last[] = "\n[ 2.000000] end";
	size_t *left = cookie, n = size < *left ? size : *left;

	if (*left > sizeof(last)) {
		if (n > *left - sizeof(last))
			n = *left - sizeof(last);
		memset(buf, 'x', n);
	} else if (n) {
		n = sizeof(last) - 1;
		assert_true(size >= n);
		memcpy(buf, last, n);
		*left = n;
	}
	*left -= n;
	return (ssize_t)n;
}

static void a_line_without_end_costs_no_memory(void **state)
{
	size_t left = 64 * MIB;
	const cookie_io_functions_t file = { .read = long_line };
	FILE *in = fopencookie(&left, "r", file);
	struct rusage before, after;
	struct logfile_info info;
	struct seen s = { 0 };

	(void)state;
	assert_non_null(in);
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(logfile__read(in, remember, &s, &info), 0);
	getrusage(RUSAGE_SELF, &after);
	fclose(in);
	assert_int_equal(info.lines, 2);
	assert_string_equal(s.text, "end");
	assert_true(after.ru_maxrss - before.ru_maxrss < 8 * 1024); /* KiB */
}

static void what_cannot_be_read_is_said(void **state)
{
	FILE *in = fopen("/", "r");
	struct logfile_info info;
	struct seen s = { 0 };

	(void)state;
	assert_non_null(in);
	assert_int_equal(logfile__read(in, remember, &s, &info), -EISDIR);
	fclose(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_and_times_in_front_are_skipped),
		cmocka_unit_test(the_time_is_read_to_the_nanosecond),
		cmocka_unit_test(the_clock_of_the_day_is_read),
		cmocka_unit_test(times_of_the_day_count_from_the_first_line),
		cmocka_unit_test(a_line_without_end_costs_no_memory),
		cmocka_unit_test(what_cannot_be_read_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
