// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/btf.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>

#include "collect/subset.h"
#include "collect/types.h"

/* A kernel of few types: struct outer { int a; struct inner in; struct other *p; struct { enum e
 * e[2]; }; } */
static struct btf *kernel_types(void)
{
	struct btf *b = btf__new_empty();
	int integer, inner, other, pointer, e, array, unnamed;

	integer = btf__add_int(b, "int", 4, BTF_INT_SIGNED);
	inner = btf__add_struct(b, "inner", 8);
	btf__add_field(b, "x", integer, 0, 0);
	btf__add_field(b, "y", integer, 32, 0);
	other = btf__add_struct(b, "other", 4);
	btf__add_field(b, "z", integer, 0, 0);
	pointer = btf__add_ptr(b, other);
	e = btf__add_enum(b, "e", 4);
	btf__add_enum_value(b, "E_ONE", 1);
	array = btf__add_array(b, integer, e, 2);
	unnamed = btf__add_struct(b, NULL, 8);
	btf__add_field(b, "e", array, 0, 0);
	btf__add_struct(b, "outer", 32);
	btf__add_field(b, "a", integer, 0, 0);
	btf__add_field(b, "in", inner, 32, 0);
	btf__add_field(b, "p", pointer, 128, 0);
	btf__add_field(b, NULL, unnamed, 192, 0);
	btf__add_union(b, "outer", 4);
	btf__add_typedef(b, "unasked", integer);
	return b;
}

/* What an object names: a flavour, and what no kernel has. */
static struct btf *named_types(const char *name)
{
	struct btf *b = btf__new_empty();

	btf__add_struct(b, name, 4);
	btf__add_struct(b, "nowhere", 4);
	return b;
}

static struct btf *few_of(const char *name)
{
	struct btf *kernel = kernel_types(), *named = named_types(name), *few;
	struct types *types = types__new(kernel);
	struct subset s;
	const char *path = subset__open(&s);

	assert_non_null(types);
	assert_non_null(path);
	assert_int_equal(subset__fill(&s, types, named, NULL), 0);
	few = btf__parse(path, NULL);
	assert_non_null(few);
	subset__close(&s);
	assert_int_equal(s.fd, -1);
	types__free(types);
	btf__free(named);
	btf__free(kernel);
	return few;
}

static const struct btf_type *member(const struct btf *b, const char *of, __u16 i, const char *name,
				     uint32_t bit)
{
	int id = btf__find_by_name_kind(b, of, BTF_KIND_STRUCT);
	const struct btf_type *t = btf__type_by_id(b, (uint32_t)id);

	assert_true(id > 0);
	assert_true(btf_vlen(t) > i);
	assert_string_equal(btf__name_by_offset(b, btf_members(t)[i].name_off), name);
	assert_int_equal(btf_member_bit_offset(t, i), bit);
	return btf__type_by_id(b, btf_members(t)[i].type);
}

static void what_lies_within_comes_along(void **state __attribute__((unused)))
{
	struct btf *few = few_of("outer___flavour");
	const struct btf_type *t;

	assert_true(btf_is_int(member(few, "outer", 0, "a", 0)));
	t = member(few, "outer", 1, "in", 32);
	assert_string_equal(btf__name_by_offset(few, t->name_off), "inner");
	assert_int_equal(t->size, 8);
	assert_true(btf_is_int(member(few, "inner", 1, "y", 32)));
	t = member(few, "outer", 3, "", 192);
	assert_true(btf_is_struct(t));
	t = btf__type_by_id(few, btf_members(t)[0].type);
	assert_true(btf_is_array(t));
	assert_int_equal(btf_array(t)->nelems, 2);
	assert_true(btf_is_enum(btf__type_by_id(few, btf_array(t)->type)));
	btf__free(few);
}

static void what_is_pointed_to_stays_behind(void **state __attribute__((unused)))
{
	struct btf *few = few_of("outer");
	const struct btf_type *t = member(few, "outer", 2, "p", 128);

	assert_true(btf_is_ptr(t));
	assert_int_equal(t->type, 0);
	assert_int_equal(btf__find_by_name(few, "other"), -ENOENT);
	btf__free(few);
}

static void all_of_a_name_and_no_others(void **state __attribute__((unused)))
{
	struct btf *few = few_of("outer");

	assert_true(btf__find_by_name_kind(few, "outer", BTF_KIND_UNION) > 0);
	assert_int_equal(btf__find_by_name(few, "unasked"), -ENOENT);
	assert_int_equal(btf__find_by_name(few, "nowhere"), -ENOENT);
	btf__free(few);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_lies_within_comes_along),
		cmocka_unit_test(what_is_pointed_to_stays_behind),
		cmocka_unit_test(all_of_a_name_and_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
