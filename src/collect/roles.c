// SPDX-License-Identifier: GPL-2.0-only
#include "collect/roles.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/pair.h"
#include "collect/types.h"

struct copy {
	struct role role;
	struct pair pair;
	bool pending; /* wanted, and not tried yet */
};

struct roles {
	struct bpf_object *main_object;
	const struct types *types;
	struct copy *copies;
	size_t nr;
	uint64_t misses_gone;
};

static const struct {
	const char *name;
	enum pair_kind pair;
} kinds[] = {
	[ROLE_FLUSH_ALL] = { "flush_iotlb_all", PAIR_FLUSH_ALL },
	[ROLE_SYNC] = { "iotlb_sync", PAIR_SYNC },
	[ROLE_SYNC_MAP] = { "iotlb_sync_map", PAIR_SYNC_MAP },
	[ROLE_FREE] = { "free", PAIR_FREE },
};

const char *role__kind_name(enum role_kind kind)
{
	return kinds[kind].name;
}

struct roles *roles__new(struct bpf_object *main_object, const struct types *types)
{
	struct roles *r = calloc(1, sizeof(*r));

	if (r) {
		r->main_object = main_object;
		r->types = types;
	}
	return r;
}

void roles__free(struct roles *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->nr; i++)
		pair__drop(&r->copies[i].pair);
	free(r->copies);
	free(r);
}

/* The programs wait for a free that is hooked before they let go of a domain. */
static int note_free(struct roles *r, const struct role *role, bool hooked)
{
	int fd = bpf_object__find_map_fd_by_name(r->main_object, "free_fns");
	__u64 addr = role->addr;
	__u32 one = 1;

	if (role->kind != ROLE_FREE)
		return 0;
	return hooked ? bpf_map_update_elem(fd, &addr, &one, BPF_ANY)
		      : bpf_map_delete_elem(fd, &addr);
}

int roles__want(struct roles *r, enum role_kind kind, uint64_t addr, struct kallsyms *syms)
{
	struct copy *c, *more;
	struct ksym sym;
	int rc;

	for (size_t i = 0; i < r->nr; i++)
		if (!r->copies[i].role.gone && r->copies[i].role.addr == addr &&
		    r->copies[i].role.kind == kind)
			return 0;
	more = realloc(r->copies, (r->nr + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	r->copies = more;
	c = &r->copies[r->nr++];
	memset(c, 0, sizeof(*c));
	c->role.kind = kind;
	c->role.addr = addr;
	rc = kallsyms__function(syms, addr, &sym);
	if (rc == -ENOENT) {
		snprintf(c->role.function, sizeof(c->role.function), "0x%llx",
			 (unsigned long long)addr);
		snprintf(c->role.why_not, sizeof(c->role.why_not), "no symbol at that address");
		return rc;
	}
	snprintf(c->role.function, sizeof(c->role.function), "%s", sym.name);
	snprintf(c->role.module, sizeof(c->role.module), "%s", sym.module);
	if (rc) {
		/* both ways of attaching go by name */
		snprintf(c->role.why_not, sizeof(c->role.why_not),
			 "several functions have this name");
		return rc;
	}
	c->role.kprobe = types__nr_args(r->types, c->role.function, c->role.module) < 0;
	c->pair.kind = kinds[kind].pair;
	c->pair.kprobe = c->role.kprobe;
	c->pair.flush_fn = (uint32_t)(r->nr - 1);
	memcpy(c->pair.function, c->role.function, sizeof(c->pair.function));
	c->pending = true;
	return 1;
}

size_t roles__pending(struct roles *r, struct pair **out)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nr; i++) {
		if (!r->copies[i].pending)
			continue;
		if (out)
			out[n] = &r->copies[i].pair;
		n++;
	}
	return n;
}

void roles__settle(struct roles *r)
{
	for (size_t i = 0; i < r->nr; i++) {
		struct copy *c = &r->copies[i];

		if (!c->pending)
			continue;
		c->pending = false;
		if (!c->pair.err)
			c->pair.err = note_free(r, &c->role, true);
		if (!c->pair.err)
			continue;
		snprintf(c->role.why_not, sizeof(c->role.why_not), "the kernel refused it: %s",
			 strerror(-c->pair.err));
		pair__drop(&c->pair);
	}
}

void roles__module_gone(struct roles *r, const char *module)
{
	for (size_t i = 0; i < r->nr; i++) {
		struct copy *c = &r->copies[i];

		if (c->role.gone || strcmp(c->role.module, module))
			continue;
		r->misses_gone += pair__misses(&c->pair);
		if (c->pair.of)
			note_free(r, &c->role, false);
		pair__drop(&c->pair);
		c->pending = false;
		c->role.gone = true;
	}
}

size_t roles__count(const struct roles *r)
{
	return r->nr;
}

const struct role *roles__at(const struct roles *r, size_t i)
{
	return &r->copies[i].role;
}

bool roles__has_prefix(const struct roles *r, const char *prefix)
{
	for (size_t i = 0; i < r->nr; i++)
		if (!r->copies[i].role.gone &&
		    !strncmp(r->copies[i].role.function, prefix, strlen(prefix)))
			return true;
	return false;
}

int role__prefix(const char *function)
{
	const char *end = strchr(function, '_');

	return end ? (int)(end - function) + 1 : (int)strlen(function);
}

uint64_t roles__misses(const struct roles *r)
{
	uint64_t n = r->misses_gone;

	for (size_t i = 0; i < r->nr; i++)
		n += pair__misses(&r->copies[i].pair);
	return n;
}
