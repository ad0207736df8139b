// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "filter/filter.h"
#include "filter/scope.h"
#include "filter/scope_time.h"
#include "util/glob.h"

#define S 1000000000ULL

static const struct iot_unmap unmap = {
	.h = { .ts = 5 * S,
	       .id = IOT_EV_UNMAP,
	       .len = sizeof(unmap),
	       .cpu = 3,
	       .flags = IOT_F_IRQ,
	       .tid = 61,
	       .domain = 2,
	       .dev = 7 },
	.iova = 0xfff0000,
	.size = 0x10000,
	.unmapped = 0x8000,
	.mode = IOT_UNMAP_LAZY,
};
static const struct iot_map map = {
	.h = { .ts = 6 * S, .id = IOT_EV_MAP, .len = sizeof(map), .domain = 2 },
	.iova = 0xffffffffffff0000,
	.size = 0x1000,
	.ret = -12,
};
static const struct iot_flush flush = {
	.h = { .ts = 6 * S, .id = IOT_EV_FLUSH, .len = sizeof(flush), .domain = 2 },
	.begin = 6 * S - 20000,
	.kind = IOT_FLUSH_ALL,
	.why = IOT_WHY_TIMER,
};
static const struct iot_trouble hang = {
	.h = { .ts = 6 * S, .id = IOT_EV_HANG, .len = sizeof(hang), .dev = 9 },
	.queue = -1,
	.what = "Detected Tx Unit Hang",
};

/* Does text hold for ev? The devices 7 and 9 are 0000:03:00.0 and refdma.1. */
static bool holds(const char *text, const void *ev)
{
	struct error err = { "" };
	struct filter *f;
	bool is;

	if (filter__new(&f, text, &err))
		fail_msg("'%s': %s", text, err.text);
	assert_int_equal(filter__device(f, 7, "0000:03:00.0"), 0);
	assert_int_equal(filter__device(f, 9, "refdma.1"), 0);
	is = filter__match(f, ev);
	filter__free(f);
	return is;
}

static void numbers_compare_with_sign_and_units(void **state)
{
	(void)state;
	assert_true(holds("size==65536", &unmap));
	assert_true(holds("size==64K", &unmap));
	assert_true(holds("size>=64KiB && size<=0x10000", &unmap));
	assert_false(holds("size>64K", &unmap));
	assert_false(holds("size<64K", &unmap));
	assert_true(holds("size!=1", &unmap));
	assert_true(holds("ts==5s", &unmap));
	assert_true(holds("ts<5001ms", &unmap));
	assert_true(holds("ret<0", &map));
	assert_true(holds("ret==-12", &map));
	assert_true(holds("ret==-ENOMEM", &map));
	assert_false(holds("ret==-EINVAL", &map));
	assert_true(holds("ret>-13", &map));
	/* An address at the top of the space is above 0, a queue of -1 is not. */
	assert_true(holds("iova>0x7fffffffffffffff", &map));
	assert_true(holds("iova>-1", &map));
	assert_true(holds("queue<0", &hang));
	assert_false(holds("queue>4294967294", &hang));
}

static void names_of_values_are_those_of_the_field(void **state)
{
	(void)state;
	assert_true(holds("id==unmap", &unmap));
	assert_false(holds("id==map", &unmap));
	assert_true(holds("mode==lazy", &unmap));
	assert_true(holds("kind==all", &flush));
	assert_true(holds("why==timer", &flush));
	assert_false(holds("why==queue_full", &flush));
}

static void what_an_event_has_not_is_false(void **state)
{
	(void)state;
	assert_false(holds("why==timer", &unmap));
	assert_false(holds("why!=timer", &unmap));
	assert_true(holds("!(why==timer)", &unmap));
	assert_false(holds("ret==0", &unmap));
	assert_false(holds("took>1", &unmap));
}

static void a_field_alone_is_not_zero_or_empty(void **state)
{
	(void)state;
	assert_true(holds("iova", &unmap));
	assert_false(holds("stack", &unmap));
	assert_true(holds("irq", &unmap));
	assert_false(holds("slow", &unmap));
	assert_false(holds("irq", &map));
	assert_true(holds("what", &hang));
}

static void took_is_the_time_from_begin_to_end(void **state)
{
	struct iot_flush unknown = flush;

	(void)state;
	assert_true(holds("took==20us", &flush));
	assert_false(holds("took>20us", &flush));
	unknown.begin = 0;
	assert_false(holds("took>=0", &unknown));
}

static void texts_and_devices_match_by_name_and_pattern(void **state)
{
	(void)state;
	assert_true(holds("what~'*Unit Hang'", &hang));
	assert_false(holds("what~'Unit'", &hang));
	assert_true(holds("what!~'Unit'", &hang));
	assert_true(holds("what==\"Detected Tx Unit Hang\"", &hang));
	assert_true(holds("dev==0000:03:00.0", &unmap));
	assert_true(holds("dev==7", &unmap));
	assert_true(holds("dev~0000:03:*", &unmap));
	assert_false(holds("dev~0000:03:*", &hang));
	assert_true(holds("dev!=0000:03:00.0", &hang));
	/* A number in quotes is a name. */
	assert_false(holds("dev=='7'", &unmap));
}

static void and_binds_closer_than_or_and_not_closest(void **state)
{
	(void)state;
	assert_true(holds("id==unmap || id==map && size==1", &unmap));
	assert_false(holds("(id==unmap || id==map) && size==1", &unmap));
	assert_true(holds("!id==map", &unmap));
	assert_false(holds("!id==map && id==map", &unmap));
	assert_true(holds("!!irq", &unmap));
	assert_false(holds("!!!irq", &unmap));
	assert_true(holds("!(id==map||!(irq))&&tid==61", &unmap));
}

static void refused(const char *text, const char *column, const char *says)
{
	struct error err = { "" };
	struct filter *f = NULL;

	assert_int_equal(filter__new(&f, text, &err), -22);
	if (!strstr(err.text, column) || !strstr(err.text, says))
		fail_msg("'%s' is refused with: %s", text, err.text);
}

static void mistakes_are_told_with_their_column(void **state)
{
	(void)state;
	refused("", "column 1:", "ends where the name of a field");
	refused("sise>1", "column 1:", "no event has a field 'sise'");
	refused("pad==1", "column 1:", "no event has a field 'pad'");
	refused("id==unmap && sise", "column 14:", "sise");
	refused("size=1", "column 5:", "==");
	refused("size>1 & irq", "column 8:", "&&");
	refused("size>", "column 6:", "a value");
	refused("size>)", "column 6:", "a value");
	refused("(size>1", "column 1:", "isn't closed");
	refused("size>1)", "column 7:", "&&, || or the end");
	refused("size>1 irq", "column 8:", "&&, || or the end");
	refused("size>lots", "column 6:", "no number");
	refused("size>1m", "column 6:", "no number");
	refused("size>99999999999999999999", "column 6:", "no number");
	refused("why==full", "column 6:", "strict, queue_full, timer");
	refused("id==unmapped", "column 5:", "no event 'unmapped'");
	refused("ret==ENOMEM", "column 6:", "-ENOMEM");
	refused("size~4*", "column 1:", "is a number");
	refused("what>'a'", "column 1:", "is a text");
	refused("dev>refdma.0", "column 1:", "is a text");
	refused("irq==1", "column 1:", "!irq");
	refused("rid==zero", "column 6:", "requester");
	refused("what~'hang", "column 6:", "isn't closed");
	refused("id==map && # ", "column 12:", "means nothing");
}

/* What is too long or too deep is refused, not crashed on. */
static void depth_and_length_are_bounded(void **state)
{
	char text[8192];
	struct filter *f;
	struct error err = { "" };
	size_t len = 0;

	(void)state;
	memset(text, '(', 4000);
	strcpy(text + 4000, "irq");
	refused(text, "column 33:", "parentheses");
	memset(text, '!', 4001);
	strcpy(text + 4001, "irq");
	assert_false(holds(text, &unmap));
	for (int i = 0; i < 64; i++)
		len += (size_t)sprintf(text + len, "%stid==%d", i ? " || " : "", i);
	assert_int_equal(filter__new(&f, text, &err), 0);
	assert_true(filter__match(f, &unmap.h));
	filter__free(f);
	strcpy(text + len, " || irq");
	refused(text, "column ", "more than 64 comparisons");
	memset(text, 'a', 300);
	text[300] = '\0';
	refused(text, "column 1:", "too long");
}

static void globs_match_the_whole_text(void **state)
{
	(void)state;
	assert_true(glob__match("", ""));
	assert_true(glob__match("*", ""));
	assert_false(glob__match("?", ""));
	assert_true(glob__match("a*b*c", "aXbXbXc"));
	assert_false(glob__match("a*b*c", "aXbXbX"));
	assert_true(glob__match("*.?", "0000:03:00.0"));
	assert_false(glob__match("abc", "abcd"));
}

/* --- scope */

static struct iot_device device(__u32 nr, const char *name, int group)
{
	struct iot_device d = { .h = { .id = IOT_EV_DEVICE, .len = sizeof(d), .dev = nr },
				.group = group };

	strncpy(d.name, name, sizeof(d.name) - 1);
	return d;
}

static struct iot_attach attach(__u32 dev, __u32 domain)
{
	return (struct iot_attach){ .h = { .ts = S,
					   .id = IOT_EV_ATTACH,
					   .len = sizeof(struct iot_attach),
					   .flags = IOT_F_SNAPSHOT,
					   .dev = dev,
					   .domain = domain },
				    .group = -1 };
}

/* Devices 1 (0000:03:00.0, group 4) and 2 (refdma.1, group 5) are in domain 2; device 3 is alone in
 * domain 3. The capture begins at 10 s. */
static struct scope *scope_of(struct scope_opts opts)
{
	struct iot_capture begin = {
		.h = { .ts = 10 * S, .id = IOT_EV_CAPTURE, .len = sizeof(begin) },
		.what = IOT_CAPTURE_BEGIN
	};
	struct error err = { "" };
	struct scope *s;

	if (scope__new(&s, &opts, &err))
		fail_msg("%s", err.text);
	if (!s)
		return NULL;
	for (__u32 i = 1; i <= 3; i++) {
		static const char *const names[] = { "", "0000:03:00.0", "refdma.1", "other" };
		struct iot_device d = device(i, names[i], i < 3 ? (int)i + 3 : -1);
		struct iot_attach at = attach(i, i < 3 ? 2 : 3);

		assert_true(scope__event(s, &d.h));
		scope__event(s, &at.h);
	}
	scope__event(s, &begin.h);
	return s;
}

static bool has(struct scope *s, __u64 ts, __u32 dev, __u32 domain)
{
	struct iot_unmap ev = unmap;

	ev.h.ts = ts;
	ev.h.dev = dev;
	ev.h.domain = domain;
	return scope__event(s, &ev.h);
}

static void a_device_has_its_events_and_those_of_its_domain_that_name_none(void **state)
{
	static const char *const names[] = { "0000:03:00.0" };
	struct scope *s = scope_of((struct scope_opts){ .devices = names, .nr_devices = 1 });
	struct iot_attach moved = attach(1, 3);

	(void)state;
	assert_true(has(s, 11 * S, 1, 2));
	assert_true(has(s, 11 * S, 0, 2));
	assert_false(has(s, 11 * S, 2, 2));
	assert_false(has(s, 11 * S, 0, 3));
	assert_false(has(s, 11 * S, 0, 0));
	scope__event(s, &moved.h);
	assert_false(has(s, 11 * S, 0, 2));
	assert_true(has(s, 11 * S, 0, 3));
	assert_null(scope__unseen(s));
	scope__free(s);
}

static void a_device_may_be_a_short_address_or_a_pattern(void **state)
{
	static const char *const names[] = { "03:00.0", "ref*", "nosuch" };
	struct scope *s = scope_of((struct scope_opts){ .devices = names, .nr_devices = 3 });

	(void)state;
	assert_true(has(s, 11 * S, 1, 2));
	assert_true(has(s, 11 * S, 2, 2));
	assert_false(has(s, 11 * S, 3, 3));
	assert_string_equal(scope__unseen(s), "device nosuch");
	scope__free(s);
}

static void domains_and_groups_are_numbers(void **state)
{
	static const char *const two[] = { "2" }, *const five[] = { "5" }, *const bad[] = { "x" };
	struct scope *s = scope_of((struct scope_opts){ .domains = two, .nr_domains = 1 });
	struct error err = { "" };

	(void)state;
	assert_true(has(s, 11 * S, 0, 2));
	assert_false(has(s, 11 * S, 0, 3));
	/* A fault may not say its domain: its device does. */
	assert_true(has(s, 11 * S, 1, 0));
	assert_false(has(s, 11 * S, 3, 0));
	scope__free(s);
	s = scope_of((struct scope_opts){ .groups = five, .nr_groups = 1 });
	assert_true(has(s, 11 * S, 2, 2));
	assert_false(has(s, 11 * S, 3, 3));
	scope__free(s);
	assert_int_equal(
		scope__new(&s, &(struct scope_opts){ .groups = bad, .nr_groups = 1 }, &err), -22);
	assert_non_null(strstr(err.text, "--group takes a number, not 'x'"));
}

static void times_count_from_the_begin_or_are_stamps(void **state)
{
	struct scope *s = scope_of((struct scope_opts){ .time = "1.5,2" });

	(void)state;
	assert_false(has(s, 11 * S, 1, 2));
	assert_true(has(s, 11 * S + S / 2, 1, 2));
	assert_true(has(s, 12 * S, 1, 2));
	assert_false(has(s, 12 * S + 1, 1, 2));
	scope__free(s);
	s = scope_of((struct scope_opts){ .time = "@11.5,+250ms" });
	assert_false(has(s, 11 * S, 1, 2));
	assert_true(has(s, 11 * S + S / 2, 1, 2));
	assert_true(has(s, 11 * S + S / 4 * 3, 1, 2));
	assert_false(has(s, 11 * S + S / 4 * 3 + 1, 1, 2));
	scope__free(s);
	s = scope_of((struct scope_opts){ .time = ",200ms" });
	assert_true(has(s, 10 * S, 1, 2));
	assert_false(has(s, 11 * S, 1, 2));
	scope__free(s);
	/* A kernel log's times are stamps, whatever comes first. */
	s = scope_of((struct scope_opts){ .time = "11,", .stamps = true });
	assert_false(has(s, 10 * S, 1, 2));
	assert_true(has(s, 11 * S, 1, 2));
	scope__free(s);
}

static void a_scope_says_what_was_asked_for(void **state)
{
	static const char *const names[] = { "0000:03:*", "it's" }, *const one[] = { "4" };
	struct scope *s = scope_of((struct scope_opts){ .devices = names,
							.nr_devices = 2,
							.domains = one,
							.nr_domains = 1,
							.groups = one,
							.nr_groups = 1,
							.time = "@1.5,+2ms",
							.filter = "id==map && size>=4K" });

	(void)state;
	assert_string_equal(scope__text(s),
			    "--dev '0000:03:*' --dev 'it'\\''s' --domain 4 --group 4 "
			    "--time @1.5,+2ms --filter 'id==map && size>=4K'");
	scope__free(s);
	s = scope_of((struct scope_opts){ .time = "1,2" });
	assert_string_equal(scope__text(s), "--time 1,2");
	scope__free(s);
	assert_null(scope__text(NULL));
}

static void times_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = { "1",    "a,b",  "1,2,3", "2,1",    "+1,2",
					   ",+1s", "1 s,", "@3,@2", "1,2 s ", "-1,2" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct scope_time from, to;
		struct error err = { "" };

		assert_int_equal(scope_time__parse(bad[i], &from, &to, &err), -22);
		assert_non_null(strstr(err.text, "--time"));
	}
}

static void asking_for_nothing_is_no_scope(void **state)
{
	struct scope *s = (void *)1;

	(void)state;
	assert_int_equal(scope__new(&s, &(struct scope_opts){ 0 }, NULL), 0);
	assert_null(s);
	assert_true(scope__event(s, &unmap.h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_compare_with_sign_and_units),
		cmocka_unit_test(names_of_values_are_those_of_the_field),
		cmocka_unit_test(what_an_event_has_not_is_false),
		cmocka_unit_test(a_field_alone_is_not_zero_or_empty),
		cmocka_unit_test(took_is_the_time_from_begin_to_end),
		cmocka_unit_test(texts_and_devices_match_by_name_and_pattern),
		cmocka_unit_test(and_binds_closer_than_or_and_not_closest),
		cmocka_unit_test(mistakes_are_told_with_their_column),
		cmocka_unit_test(depth_and_length_are_bounded),
		cmocka_unit_test(globs_match_the_whole_text),
		cmocka_unit_test(a_device_has_its_events_and_those_of_its_domain_that_name_none),
		cmocka_unit_test(a_device_may_be_a_short_address_or_a_pattern),
		cmocka_unit_test(domains_and_groups_are_numbers),
		cmocka_unit_test(times_count_from_the_begin_or_are_stamps),
		cmocka_unit_test(times_that_are_none_are_refused),
		cmocka_unit_test(asking_for_nothing_is_no_scope),
		cmocka_unit_test(a_scope_says_what_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
