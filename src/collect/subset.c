// SPDX-License-Identifier: GPL-2.0-only
#include "collect/subset.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collect/types.h"
#include "util/io.h"

struct copier {
	const struct btf *from;
	struct btf *to;
	uint32_t *ids; /* by the type's number in from; 0: not copied */
	int err;
};

const char *subset__open(struct subset *s)
{
	s->fd = memfd_create("types", MFD_CLOEXEC);
	snprintf(s->path, sizeof(s->path), "/proc/self/fd/%d", s->fd);
	if (s->fd >= 0 && !access(s->path, R_OK))
		return s->path;
	subset__close(s); /* no /proc */
	return NULL;
}

void subset__close(struct subset *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static uint32_t copy(struct copier *c, uint32_t id);

/* Adding types moves them: by number, each time. */
static struct btf_type *copied(struct copier *c, uint32_t id)
{
	return (struct btf_type *)btf__type_by_id(c->to, id);
}

static void copy_members(struct copier *c, const struct btf_type *t, uint32_t id)
{
	for (__u16 i = 0; i < btf_vlen(t); i++) {
		uint32_t member = copy(c, btf_members(t)[i].type);

		btf_members(copied(c, id))[i].type = member;
	}
}

/* The number that a type has in the copy; 0: void, or c->err. */
static uint32_t copy(struct copier *c, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(c->from, id);
	uint32_t inner;
	int added;

	if (!id || c->err || c->ids[id])
		return c->ids[id];
	if (btf_is_ptr(t))
		added = btf__add_ptr(c->to, 0);
	else
		added = btf__add_type(c->to, c->from, t);
	if (added < 0) {
		c->err = added;
		return 0;
	}
	c->ids[id] = (uint32_t)added;
	if (btf_is_composite(t)) {
		copy_members(c, t, c->ids[id]);
	} else if (btf_is_array(t)) {
		inner = copy(c, btf_array(t)->type);
		btf_array(copied(c, c->ids[id]))->type = inner;
		inner = copy(c, btf_array(t)->index_type);
		btf_array(copied(c, c->ids[id]))->index_type = inner;
	} else if (btf_is_mod(t) || btf_is_typedef(t) || btf_is_type_tag(t)) {
		inner = copy(c, t->type);
		copied(c, c->ids[id])->type = inner;
	}
	return c->ids[id];
}

static int copy_root(void *ctx, uint32_t id)
{
	struct copier *c = ctx;

	copy(c, id);
	return c->err;
}

static bool is_named(const struct btf_type *t)
{
	return t->name_off && (btf_is_composite(t) || btf_is_any_enum(t) || btf_is_typedef(t));
}

/* The name that CO-RE looks for: a flavour (___x) is the object's alone. */
static void plain_name(const char *name, char *out, size_t size)
{
	const char *flavour = strstr(name, "___");

	snprintf(out, size, "%.*s", flavour ? (int)(flavour - name) : (int)strlen(name), name);
}

/* A module has few types: they aren't in the index. */
static void copy_of_module(struct copier *c, uint32_t first, const char *name)
{
	for (uint32_t id = first; id < btf__type_cnt(c->from); id++) {
		const struct btf_type *t = btf__type_by_id(c->from, id);

		if (is_named(t) && !strcmp(btf__name_by_offset(c->from, t->name_off), name))
			copy(c, id);
	}
}

static int copy_all(struct copier *c, const struct types *types, const struct btf *named)
{
	uint32_t nr = btf__type_cnt(types__btf(types));
	char name[128];

	for (uint32_t id = 1; !c->err && id < btf__type_cnt(named); id++) {
		const struct btf_type *t = btf__type_by_id(named, id);

		if (!is_named(t))
			continue;
		plain_name(btf__name_by_offset(named, t->name_off), name, sizeof(name));
		types__each(types, name, copy_root, c);
		copy_of_module(c, nr, name);
	}
	return c->err;
}

int subset__fill(const struct subset *s, const struct types *types, const struct btf *named,
		 const char *module)
{
	struct btf *own = NULL;
	struct copier c = { .from = types__btf(types) };
	const void *data;
	__u32 size;
	int err = -ENOMEM;

	if (s->fd < 0)
		return 0;
	own = module ? btf__load_module_btf(module, (struct btf *)c.from) : NULL;
	if (libbpf_get_error(own))
		own = NULL; /* it is built in, or has no types */
	if (own)
		c.from = own;
	c.to = btf__new_empty();
	c.ids = calloc(btf__type_cnt(c.from), sizeof(*c.ids));
	if (libbpf_get_error(c.to) || !c.ids)
		goto out;
	err = copy_all(&c, types, named);
	if (err)
		goto out;
	err = -ENOMEM;
	data = btf__raw_data(c.to, &size);
	if (data)
		err = io__write(s->fd, data, size);
out:
	free(c.ids);
	btf__free(c.to);
	btf__free(own);
	return err;
}
