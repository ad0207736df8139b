// SPDX-License-Identifier: GPL-2.0-only
/* Symbols and the attach plan's judgement of them, on texts like those of /proc/kallsyms. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/kallsyms.h"
#include "collect/plan.h"

static const char kernel[] = "0000000000000000 A per_cpu_start\n"
			     "ffffffff81000000 T _stext\n"
			     "ffffffff81000100 t iommu_helper\n"
			     "ffffffff81000200 T twice\n"
			     "ffffffff81000300 t twice\n"
			     "ffffffff82000000 D some_data\n"
			     "ffffffff82000100 b iommu_group_kset\n"
			     "not a line\n"
			     "ffffffffc0200000 t late_fn\t[late]\n"
			     "ffffffffc0200040 d late_data\t[late]\n"
			     "ffffffffc0100000 t early_fn\t[early]\n"
			     "ffffffffc0100080 T early_exit\t[early]\n";

static struct kallsyms *load(const char *text, int expected, struct error *err)
{
	char path[] = "/tmp/iommutop-kallsyms.XXXXXX";
	int fd = mkstemp(path);
	struct kallsyms *k = NULL;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(kallsyms__load(&k, path, err), expected);
	unlink(path);
	return k;
}

static void names_are_counted_and_found(void **state)
{
	struct kallsyms *k = load(kernel, 0, NULL);
	struct ksym s = {};

	(void)state;
	assert_int_equal(kallsyms__count(k, "twice", NULL), 2);
	assert_int_equal(kallsyms__count(k, "iommu_helper", &s), 1);
	assert_true(s.addr == 0xffffffff81000100 && s.text && !s.module[0]);
	assert_int_equal(kallsyms__count(k, "iommu_group_kset", &s), 1);
	assert_true(s.addr == 0xffffffff82000100 && !s.text);
	assert_int_equal(kallsyms__count(k, "late_fn", &s), 1);
	assert_string_equal(s.module, "late");
	assert_int_equal(kallsyms__count(k, "iommu_help", NULL), 0);
	assert_int_equal(kallsyms__count(k, "", NULL), 0);
	kallsyms__free(k);
}

static void addresses_give_the_function_below_even_in_unsorted_modules(void **state)
{
	static const struct {
		uint64_t addr;
		const char *name;
	} cases[] = {
		{ 0xffffffff81000000, "_stext" },
		{ 0xffffffff810000ff, "_stext" },
		{ 0xffffffff81000350, "twice" },
		{ 0xffffffff82000150, "twice" }, /* data is no function */
		{ 0xffffffffc0100000, "early_fn" },
		{ 0xffffffffc0100081, "early_exit" },
		{ 0xffffffffc0200048, "late_fn" },
	};
	struct kallsyms *k = load(kernel, 0, NULL);
	struct ksym s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(kallsyms__at(k, cases[i].addr, &s), 0);
		assert_string_equal(s.name, cases[i].name);
	}
	assert_int_equal(kallsyms__at(k, 0xffffffff80ffffff, &s), -ENOENT);
	kallsyms__free(k);
}

static void hidden_addresses_and_missing_files_are_said(void **state)
{
	struct error err = {};
	struct kallsyms *k = NULL;

	(void)state;
	load("0000000000000000 T _stext\n0000000000000000 t other\n", -EPERM, &err);
	assert_non_null(strstr(err.text, "kptr_restrict"));
	memset(&err, 0, sizeof(err));
	load("", -EPERM, &err);
	memset(&err, 0, sizeof(err));
	assert_int_equal(kallsyms__load(&k, "/nonexistent/kallsyms", &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/kallsyms"));
}

/* A source that knows the symbols of the text above, and how often it was asked. */
struct fake {
	unsigned int asked;
	size_t names; /* the last time */
	int error;
};

static int fake_named(void *ctx, const char *const *names, size_t nr, char **text, size_t *len)
{
	FILE *f = open_memstream(text, len);
	struct fake *fake = ctx;

	fake->asked++;
	fake->names = nr;
	for (const char *line = kernel; *line; line = strchr(line, '\n') + 1)
		for (size_t i = 0; i < nr; i++)
			if (!strncmp(line + 19, names[i], strlen(names[i])) &&
			    strchr("\t\n", line[19 + strlen(names[i])]))
				fprintf(f, "%.*s", (int)(strchr(line, '\n') + 1 - line), line);
	fclose(f);
	if (fake->error)
		free(*text);
	return fake->error;
}

static int fake_at(void *ctx, uint64_t addr, struct ksym *out)
{
	(void)ctx;
	if (addr < 0xffffffff81000200 || addr >= 0xffffffff81000400)
		return -ENOENT;
	*out = (struct ksym){
		.addr = addr & ~0xffULL, .name = "twice", .module = "", .text = true
	};
	return 0;
}

static int fake_of(void *ctx, const char *name, uint64_t *addr)
{
	(void)ctx;
	if (strcmp(name, "twice"))
		return -ENOENT;
	*addr = 0xffffffff81000200;
	return 0;
}

static void what_is_asked_for_is_read_in_one_go_and_again_when_modules_change(void **state)
{
	struct fake fake = {};
	struct kallsyms_source source = { &fake, fake_named, fake_at, fake_of };
	struct kallsyms *k = NULL;
	struct ksym s = {};

	(void)state;
	assert_int_equal(kallsyms__ask(&k, &source), 0);
	assert_int_equal(kallsyms__want(k, "twice"), 0);
	assert_int_equal(kallsyms__want(k, "late_fn"), 0);
	assert_int_equal(kallsyms__want(k, "twice"), 0);
	assert_int_equal(kallsyms__want(k, "gone"), 0);
	assert_int_equal(fake.asked, 0);
	assert_int_equal(kallsyms__count(k, "twice", NULL), 2);
	assert_int_equal(kallsyms__count(k, "late_fn", &s), 1);
	assert_string_equal(s.module, "late");
	assert_int_equal(kallsyms__count(k, "gone", NULL), 0);
	assert_true(fake.asked == 1 && fake.names == 3);
	/* a name that nobody announced isn't taken for one that isn't there */
	assert_int_equal(kallsyms__count(k, "early_fn", &s), 1);
	assert_true(s.addr == 0xffffffffc0100000 && fake.asked == 2 && fake.names == 4);
	kallsyms__changed(k);
	assert_int_equal(kallsyms__count(k, "gone", NULL), 0);
	assert_int_equal(fake.asked, 3);
	kallsyms__free(k);
}

static void a_function_is_known_by_its_first_byte_and_by_what_its_name_leads_to(void **state)
{
	struct fake fake = {};
	struct kallsyms_source source = { &fake, fake_named, fake_at, fake_of };
	struct kallsyms *asked = NULL, *all = load(kernel, 0, NULL);
	struct ksym s;

	(void)state;
	assert_int_equal(kallsyms__ask(&asked, &source), 0);
	assert_int_equal(kallsyms__function(asked, 0xffffffff81000200, &s), 0);
	assert_string_equal(s.name, "twice");
	assert_int_equal(kallsyms__function(asked, 0xffffffff81000300, &s), -EEXIST);
	assert_int_equal(kallsyms__function(asked, 0xffffffff81000210, &s), -ENOENT);
	assert_int_equal(kallsyms__function(asked, 0xffffffff81000000, &s), -ENOENT);
	assert_int_equal(fake.asked, 0);
	/* where all are known, two of a name are too many whichever is meant */
	assert_int_equal(kallsyms__function(all, 0xffffffff81000100, &s), 0);
	assert_int_equal(kallsyms__function(all, 0xffffffff81000200, &s), -EEXIST);
	assert_int_equal(kallsyms__function(all, 0xffffffff81000101, &s), -ENOENT);
	kallsyms__free(asked);
	kallsyms__free(all);
}

static void a_table_of_all_is_read_again_for_a_function_that_came_later(void **state)
{
	char path[] = "/tmp/iommutop-kallsyms.XXXXXX";
	static const char more[] = "ffffffffc0300000 t new_fn\t[new]\n";
	int fd = mkstemp(path);
	struct kallsyms *k = NULL;
	struct ksym s;

	(void)state;
	assert_int_equal(write(fd, kernel, strlen(kernel)), strlen(kernel));
	assert_int_equal(kallsyms__load(&k, path, NULL), 0);
	assert_int_equal(write(fd, more, strlen(more)), strlen(more));
	close(fd);
	assert_int_equal(kallsyms__function(k, 0xffffffffc0300000, &s), -ENOENT);
	kallsyms__changed(k);
	assert_int_equal(kallsyms__function(k, 0xffffffffc0300000, &s), 0);
	assert_string_equal(s.module, "new");
	unlink(path);
	kallsyms__free(k);
}

/* Then /proc/kallsyms of this machine is read, which has none of these names. */
static void a_source_that_fails_is_not_asked_again(void **state)
{
	struct fake fake = { .error = -EPERM };
	struct kallsyms_source source = { &fake, fake_named, fake_at, fake_of };
	struct kallsyms *k = NULL;

	(void)state;
	assert_int_equal(kallsyms__ask(&k, &source), 0);
	assert_int_equal(kallsyms__count(k, "iommu_helper_of_a_test", NULL), 0);
	assert_int_equal(kallsyms__count(k, "another_of_a_test", NULL), 0);
	assert_int_equal(fake.asked, 1);
	kallsyms__free(k);
}

static void a_plan_without_btf_says_why_of_each_candidate(void **state)
{
	struct kallsyms *k = load(kernel, 0, NULL);
	static const struct plan_candidate
		ambiguous = { .kind = PLAN_FENTRY,
			      .function = "twice",
			      .nr_args = 1,
			      .program = "x" },
		absent = { .kind = PLAN_FEXIT, .function = "gone", .nr_args = 1, .program = "x" },
		nobtf = { .kind = PLAN_FEXIT,
			  .function = "iommu_helper",
			  .nr_args = 1,
			  .program = "x" },
		symbol = { .kind = PLAN_SYMBOL, .function = "iommu_group_kset", .nr_args = -1 },
		nosym = { .kind = PLAN_SYMBOL, .function = "iommu_group_kset2", .nr_args = -1 },
		tp = { .kind = PLAN_TP_BTF, .function = "map", .nr_args = -1, .program = "x" },
		module = { .kind = PLAN_KPROBE,
			   .function = "late_fn",
			   .nr_args = -1,
			   .program = "x",
			   .module = "late" },
		unloaded = { .kind = PLAN_KPROBE,
			     .function = "gone",
			     .nr_args = -1,
			     .program = "x",
			     .module = "later" };
	char why[160];

	(void)state;
	assert_int_equal(plan__check(k, NULL, &ambiguous, why, sizeof(why)), -EEXIST);
	assert_non_null(strstr(why, "2 functions are called twice"));
	assert_int_equal(plan__check(k, NULL, &absent, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "no function gone"));
	assert_int_equal(plan__check(k, NULL, &nobtf, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "has no BTF"));
	assert_int_equal(plan__check(k, NULL, &symbol, why, sizeof(why)), 0);
	assert_string_equal(why, "");
	assert_int_equal(plan__check(k, NULL, &nosym, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "CONFIG_KALLSYMS_ALL"));
	assert_int_equal(plan__check(k, NULL, &tp, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "no tracepoint map"));
	/* by kprobe, BTF of the function isn't needed */
	assert_int_equal(plan__check(k, NULL, &module, why, sizeof(why)), 0);
	assert_int_equal(plan__check(k, NULL, &unloaded, why, sizeof(why)), -ENOENT);
	assert_non_null(strstr(why, "module later isn't loaded"));
	kallsyms__free(k);
}

/* What a kernel hasn't got can't happen; only what can is missed. */
static void absent_is_not_missing(void **state)
{
	struct kallsyms *k = load(kernel, 0, NULL);
	struct plan plan;

	(void)state;
	assert_int_equal(plan__resolve(&plan, k, NULL), 0);
	for (size_t i = 0; i < plan_nr_points; i++) {
		const struct plan_point *p = &plan_points[i];

		assert_int_equal(plan.choices[i].absent,
				 p->need == PLAN_OPTIONAL && plan.choices[i].chosen < 0);
		/* a module's function has no other candidate: hooks.c relies on it */
		if (p->candidates[0].kind == PLAN_KPROBE)
			assert_true(p->candidates[0].module && p->need == PLAN_OPTIONAL &&
				    !p->candidates[1].function);
		else
			assert_true(p->candidates[1].kind != PLAN_KPROBE);
	}
	plan__free(&plan);
	kallsyms__free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_counted_and_found),
		cmocka_unit_test(addresses_give_the_function_below_even_in_unsorted_modules),
		cmocka_unit_test(hidden_addresses_and_missing_files_are_said),
		cmocka_unit_test(what_is_asked_for_is_read_in_one_go_and_again_when_modules_change),
		cmocka_unit_test(
			a_function_is_known_by_its_first_byte_and_by_what_its_name_leads_to),
		cmocka_unit_test(a_table_of_all_is_read_again_for_a_function_that_came_later),
		cmocka_unit_test(a_source_that_fails_is_not_asked_again),
		cmocka_unit_test(a_plan_without_btf_says_why_of_each_candidate),
		cmocka_unit_test(absent_is_not_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
