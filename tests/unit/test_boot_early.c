// SPDX-License-Identifier: GPL-2.0-only
/* Assertions in early user space: what the command line asks for, reports in frames and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/boot_params.h"
#include "boot/framed.h"

static void nothing_said_is_the_preset_on_the_console_until_the_mark(void **state)
{
	struct boot_params p;
	struct error err = { "" };

	(void)state;
	boot_params__defaults(&p);
	assert_int_equal(boot_params__cmdline(&p, "quiet root=/dev/sda1 ro\n", &err), 0);
	assert_int_equal(boot_params__bootconfig(&p, "", &err), 0);
	assert_string_equal(p.preset, "boot");
	assert_string_equal(p.rules, "");
	assert_string_equal(p.out, "serial");
	assert_string_equal(p.serial, "/dev/ttyS0");
	assert_string_equal(p.init, "/init");
	assert_int_equal(p.end, BOOT_END_MARK);
}

static void words_are_taken_from_among_others(void **state)
{
	struct boot_params p;
	struct error err = { "" };

	(void)state;
	boot_params__defaults(&p);
	assert_int_equal(boot_params__cmdline(&p,
					      "console=tty0 console=ttyS1,115200n8 console=tty1 "
					      "xiommutop.out=kmsg iommutop.rules=/etc/a.yaml  "
					      "iommutop.out=\"/run/a b\" \"iommutop.every=1500ms\" "
					      "iommutop.end=shutdown iommutop.init=/sbin/init\n",
					      &err),
			 0);
	assert_string_equal(p.rules, "/etc/a.yaml");
	assert_string_equal(p.preset, "");
	assert_string_equal(p.out, "/run/a b");
	assert_string_equal(p.serial, "/dev/ttyS1");
	assert_string_equal(p.init, "/sbin/init");
	assert_int_equal(p.end, BOOT_END_SHUTDOWN);
	assert_int_equal(p.every, 1500000000);
	/* the later word counts: a preset takes the file's place */
	assert_int_equal(boot_params__cmdline(&p, "iommutop.rules=preset:lazy console=hvc0", &err),
			 0);
	assert_string_equal(p.rules, "");
	assert_string_equal(p.preset, "lazy");
	assert_string_equal(p.serial, "/dev/hvc0");
}

static void bootconfig_has_quotes_and_lists(void **state)
{
	struct boot_params p;
	struct error err = { "" };

	(void)state;
	boot_params__defaults(&p);
	/* as kernel/bootconfig prints its tree in /proc/bootconfig */
	assert_int_equal(boot_params__bootconfig(&p,
						 "kernel.console = \"ttyS0\"\n"
						 "iommutop.rules = \"preset:vfio\"\n"
						 "iommutop.out = \"/run/r\", \"/run/s\"\n"
						 "iommutop.end = \"workload\"\n"
						 "iommutopx.out = \"no\"\n",
						 &err),
			 0);
	assert_string_equal(p.preset, "vfio");
	assert_string_equal(p.out, "/run/r");
	assert_int_equal(p.end, BOOT_END_WORKLOAD);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *says;
	} wrong[] = {
		{ "iommutop.rule=/x", "there is no iommutop.rule" },
		{ "iommutop.rules=x.yaml",
		  "a path that begins with / or preset:NAME, not 'x.yaml'" },
		{ "iommutop.out=tty", "serial, kmsg or a path that begins with /, not 'tty'" },
		{ "iommutop.end=never", "mark, workload or shutdown, not 'never'" },
		{ "iommutop.every=100ms", "a time from 1s on, not '100ms'" },
		{ "iommutop.every=soon", "a time from 1s on, not 'soon'" },
		{ "iommutop.init=init", "iommutop.init is a path" },
		{ "quiet iommutop.rules", "iommutop.rules on the kernel's command line has no" },
	};
	char longest[1024] = "iommutop.out=/";
	struct boot_params p;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		boot_params__defaults(&p);
		err = (struct error){ "" };
		assert_int_equal(boot_params__cmdline(&p, wrong[i].text, &err), -EINVAL);
		if (!strstr(err.text, wrong[i].says))
			fail_msg("'%s' is told as '%s'", wrong[i].text, err.text);
	}
	for (size_t len = 200; len < 1000; len += 100) {
		memset(longest + strlen(longest), 'x', 100);
		err = (struct error){ "" };
		assert_int_equal(boot_params__cmdline(&p, longest, &err), len < 400 ? 0 : -EINVAL);
	}
	/* others' long words are nobody's business */
	memset(longest, 'x', 900);
	assert_int_equal(boot_params__cmdline(&p, longest, &err), 0);
}

/* --- frames
 * -----------------------------------------------------------------------------------------------------
 */

struct file {
	char dir[64], path[80], root[80];
	struct framed f;
};

static int open_file(void **state)
{
	struct file *t = calloc(1, sizeof(*t));

	strcpy(t->dir, "/tmp/test_boot_early.XXXXXX");
	if (!mkdtemp(t->dir))
		return -1;
	strcpy(t->path, "/report");
	t->f = (struct framed){ .path = t->path, .root = t->dir };
	*state = t;
	return 0;
}

static char *content(const struct file *t)
{
	char name[160], *text = calloc(1, 1 << 20);
	FILE *in;

	snprintf(name, sizeof(name), "%s%s", t->dir, t->path);
	in = fopen(name, "r");
	assert_non_null(in);
	assert_true(fread(text, 1, (1 << 20) - 1, in) > 0);
	fclose(in);
	return text;
}

static int close_file(void **state)
{
	struct file *t = *state;
	char name[160];

	snprintf(name, sizeof(name), "%s%s", t->dir, t->path);
	unlink(name);
	rmdir(t->dir);
	free(t);
	return 0;
}

static void a_frame_is_as_it_is_documented(void **state)
{
	struct file *t = *state;
	struct error err = { "" };
	char *text;

	assert_int_equal(framed__send(&t->f, "partial", "a line of text\n", &err), 0);
	text = content(t);
	/* the checksum was calculated bit by bit, by another program */
	assert_string_equal(text, "iommutop-report: BEGIN 1 partial\n"
				  "iommutop-report: 1 | a line of text\n"
				  "iommutop-report: END 1 partial lines=1 crc32c=208b9429\n");
	free(text);
}

/* What comes back of text, and of which kind it was. */
static void comes_back(struct file *t, const char *text, const char *wanted)
{
	char *log, *out = NULL, kind[32] = "";
	struct error err = { "" };

	assert_int_equal(framed__send(&t->f, "PASS", text, &err), 0);
	log = content(t);
	assert_int_equal(framed__find(log, &out, kind), 0);
	assert_string_equal(out, wanted);
	assert_string_equal(kind, "PASS");
	free(out);
	free(log);
}

static void any_text_comes_back_in_lines(void **state)
{
	struct file *t = *state;
	char line[1002];

	comes_back(t, "one\n\n  two\n", "one\n\n  two\n");
	comes_back(t, "no end", "no end\n");
	comes_back(t, "tab\there, back\\slash, \033[31mred, \xe2\x80\xa6\n",
		   "tab here, back/slash, ?[31mred, ???\n");
	memset(line, 'l', 1000);
	strcpy(line + 1000, "\n");
	{
		char wanted[1010];

		snprintf(wanted, sizeof(wanted), "%.400s\n%.400s\n%.200s\n", line, line, line);
		comes_back(t, line, wanted);
	}
}

static const char two[] = "[    1.0] iommutop-report: BEGIN 1 partial\r\n"
			  "[    1.0] iommutop-report: 1 | first\r\n"
			  "iommutop-report: END 1 partial lines=1 crc32c=68309f1b\r\n";

/* Two frames of our own making, in a log with other lines. */
static char *two_frames(struct file *t)
{
	struct error err = { "" };
	char *one, *other, *all = NULL;

	t->f.nr = 0;
	assert_int_equal(framed__send(&t->f, "partial", "first\n", &err), 0);
	one = content(t);
	assert_int_equal(framed__send(&t->f, "FAIL", "second\nlast\n", &err), 0);
	other = content(t);
	assert_true(asprintf(&all, "[    0.1] boot\r\n%s\r\nDMAR: something\n%s", one, other) > 0);
	free(one);
	free(other);
	return all;
}

static void the_last_whole_frame_counts(void **state)
{
	char *log = two_frames(*state), *out = NULL, kind[32] = "";

	assert_int_equal(framed__find(log, &out, kind), 0);
	assert_string_equal(out, "second\nlast\n");
	assert_string_equal(kind, "FAIL");
	free(out);
	free(log);
}

static void a_frame_that_breaks_off_is_told_and_the_one_before_it_is_kept(void **state)
{
	char *log = two_frames(*state), kind[32] = "";
	size_t begin = (size_t)(strstr(log, "BEGIN 2") - log), end = strlen(log);
	size_t whole = (size_t)(strstr(log, "END 1") - log), last = 0;

	/* cut at any byte: never another text than one of the two */
	for (size_t at = end; at-- > whole;) {
		char *out = NULL;
		int rc;

		log[at] = '\0';
		rc = framed__find(log, &out, kind);
		if (out && strcmp(out, "first\n") && strcmp(out, "second\nlast\n"))
			fail_msg("cut at %zu it is '%s'", at, out);
		if (at > begin + 20 && at < end - 1)
			assert_int_equal(rc, -EIO);
		if (out && !strcmp(out, "first\n"))
			last = at;
		free(out);
	}
	assert_true(last > whole);
	free(log);
}

static void a_frame_with_a_changed_byte_is_damaged(void **state)
{
	char *log = two_frames(*state), *out = NULL, kind[32] = "", *at;

	at = strstr(log, "second");
	*at = 'S';
	assert_int_equal(framed__find(log, &out, kind), -EIO);
	assert_string_equal(out, "first\n");
	free(out);
	*at = 's';
	/* a line of another in the middle of ours takes its line away */
	at = strstr(log, "2 | last");
	memcpy(at, "DMAR: no", 8);
	assert_int_equal(framed__find(log, &out, kind), -EIO);
	free(out);
	free(log);
}

static void times_and_carriage_returns_dont_matter(void **state)
{
	char *out = NULL, kind[32] = "";

	(void)state;
	assert_int_equal(framed__find(two, &out, kind), 0);
	assert_string_equal(out, "first\n");
	free(out);
	assert_int_equal(framed__find("nothing\nof ours\n", &out, kind), -ENOENT);
	assert_null(out);
}

static void a_channel_that_cant_be_written_is_an_error(void **state)
{
	struct file *t = *state;
	struct error err = { "" };
	struct framed f = { .path = "/none/report", .root = t->dir };

	assert_int_equal(framed__send(&f, "PASS", "x\n", &err), -ENOENT);
	assert_non_null(strstr(err.text, "/none/report"));
	err = (struct error){ "" };
	f.path = "/dev/nosuchport";
	assert_int_equal(framed__send(&f, "PASS", "x\n", &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_said_is_the_preset_on_the_console_until_the_mark),
		cmocka_unit_test(words_are_taken_from_among_others),
		cmocka_unit_test(bootconfig_has_quotes_and_lists),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test_setup_teardown(a_frame_is_as_it_is_documented, open_file,
						close_file),
		cmocka_unit_test_setup_teardown(any_text_comes_back_in_lines, open_file,
						close_file),
		cmocka_unit_test_setup_teardown(the_last_whole_frame_counts, open_file, close_file),
		cmocka_unit_test_setup_teardown(
			a_frame_that_breaks_off_is_told_and_the_one_before_it_is_kept, open_file,
			close_file),
		cmocka_unit_test_setup_teardown(a_frame_with_a_changed_byte_is_damaged, open_file,
						close_file),
		cmocka_unit_test_setup_teardown(times_and_carriage_returns_dont_matter, open_file,
						close_file),
		cmocka_unit_test_setup_teardown(a_channel_that_cant_be_written_is_an_error,
						open_file, close_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
