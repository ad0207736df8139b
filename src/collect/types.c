// SPDX-License-Identifier: GPL-2.0-only
#include "collect/types.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct types {
	const struct btf *btf;
	uint32_t *ids; /* open hash table by name; 0 = free */
	uint32_t mask;
};

static bool is_indexed(const struct btf_type *t)
{
	return t->name_off &&
	       (btf_is_func(t) || btf_is_typedef(t) || btf_is_composite(t) || btf_is_any_enum(t));
}

static uint32_t hash_name(const char *name)
{
	uint32_t h = 2166136261U; /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619U;
	return h;
}

struct types *types__new(const struct btf *btf)
{
	struct types *t = calloc(1, sizeof(*t));
	uint32_t nr = btf__type_cnt(btf), size = 1024;

	/* one type in two has a name */
	while (size < nr)
		size *= 2;
	if (t)
		t->ids = calloc(size, sizeof(*t->ids));
	if (!t || !t->ids) {
		free(t);
		return NULL;
	}
	t->btf = btf;
	t->mask = size - 1;
	for (uint32_t id = 1; id < nr; id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		uint32_t at;

		if (!is_indexed(type))
			continue;
		at = hash_name(btf__name_by_offset(btf, type->name_off));
		while (t->ids[at & t->mask])
			at++;
		t->ids[at & t->mask] = id;
	}
	return t;
}

void types__free(struct types *t)
{
	if (!t)
		return;
	free(t->ids);
	free(t);
}

const struct btf *types__btf(const struct types *t)
{
	return t->btf;
}

uint32_t types__id(const struct types *t, const char *name, unsigned int kind)
{
	uint32_t id;

	for (uint32_t at = hash_name(name); t && (id = t->ids[at & t->mask]); at++) {
		const struct btf_type *type = btf__type_by_id(t->btf, id);

		if (btf_kind(type) == kind &&
		    !strcmp(btf__name_by_offset(t->btf, type->name_off), name))
			return id;
	}
	return 0;
}

const struct btf_type *types__find(const struct types *t, const char *name, unsigned int kind)
{
	uint32_t id = types__id(t, name, kind);

	return id ? btf__type_by_id(t->btf, id) : NULL;
}

int types__each(const struct types *t, const char *name, int (*each)(void *ctx, uint32_t id),
		void *ctx)
{
	uint32_t id;
	int rc = 0;

	for (uint32_t at = hash_name(name); !rc && (id = t->ids[at & t->mask]); at++) {
		const struct btf_type *type = btf__type_by_id(t->btf, id);

		if (!btf_is_func(type) &&
		    !strcmp(btf__name_by_offset(t->btf, type->name_off), name))
			rc = each(ctx, id);
	}
	return rc;
}

static int nr_args(const struct btf *btf, const struct btf_type *function)
{
	return function ? btf_vlen(btf__type_by_id(btf, function->type)) : -ENOENT;
}

int types__nr_args(const struct types *t, const char *function, const char *module)
{
	const struct btf_type *found = NULL;
	struct btf *own;
	int nr;

	if (!module[0])
		return nr_args(t->btf, types__find(t, function, BTF_KIND_FUNC));
	own = btf__load_module_btf(module, (struct btf *)t->btf);
	if (libbpf_get_error(own))
		return -ENOENT;
	/* a module's types follow the kernel's */
	for (uint32_t id = btf__type_cnt(t->btf); !found && id < btf__type_cnt(own); id++) {
		const struct btf_type *type = btf__type_by_id(own, id);

		if (btf_is_func(type) &&
		    !strcmp(btf__name_by_offset(own, type->name_off), function))
			found = type;
	}
	nr = nr_args(own, found);
	btf__free(own);
	return nr;
}

uint32_t types__tracepoint(const struct types *t, const char *name)
{
	char type[96];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return types__id(t, type, BTF_KIND_TYPEDEF);
}
