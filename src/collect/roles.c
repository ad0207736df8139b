// SPDX-License-Identifier: GPL-2.0-only
#include "collect/roles.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/pair.h"
#include "collect/programs.h"
#include "flush.skel.h"

struct copy {
	struct role role;
	struct flush_bpf *skel; /* NULL: failed, or gone */
	struct pair pair;
};

struct roles {
	struct bpf_object *main_object;
	const struct btf *vmlinux;
	struct iot_knobs knobs;
	struct copy *copies;
	size_t nr;
	uint64_t misses_gone;
};

static const struct {
	const char *name;
	struct pair_names programs;
} kinds[] = {
	[ROLE_FLUSH_ALL] = { "flush_iotlb_all",
			     { "flush_all_entry", "flush_all_exit", "flush_all_kentry",
			       "flush_all_kexit" } },
	[ROLE_SYNC] = { "iotlb_sync", { "sync_entry", "sync_exit", "sync_kentry", "sync_kexit" } },
	[ROLE_SYNC_MAP] = { "iotlb_sync_map",
			    { "sync_map_entry", "sync_map_exit", "sync_map_kentry",
			      "sync_map_kexit" } },
	[ROLE_FREE] = { "free", { "free_entry", "free_exit", "free_kentry", "free_kexit" } },
};

const char *role__kind_name(enum role_kind kind)
{
	return kinds[kind].name;
}

struct roles *roles__new(struct bpf_object *main_object, const struct iot_knobs *knobs,
			 const struct btf *vmlinux)
{
	struct roles *r = calloc(1, sizeof(*r));

	if (r) {
		r->main_object = main_object;
		r->knobs = *knobs;
		r->vmlinux = vmlinux;
	}
	return r;
}

static void destroy_copy(struct copy *c)
{
	pair__detach(&c->pair);
	flush_bpf__destroy(c->skel);
	c->skel = NULL;
}

void roles__free(struct roles *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->nr; i++)
		destroy_copy(&r->copies[i]);
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

static int attach_copy(struct roles *r, struct copy *c, size_t index)
{
	struct role *role = &c->role;
	int err;

	role->kprobe = function__nr_args(r->vmlinux, role->function, role->module) < 0;
	c->skel = flush_bpf__open();
	if (!c->skel) {
		snprintf(role->why_not, sizeof(role->why_not), "opening the template failed: %s",
			 strerror(errno));
		return -errno;
	}
	memcpy((void *)&c->skel->rodata->knobs, &r->knobs, sizeof(r->knobs));
	*(uint32_t *)&c->skel->rodata->flush_fn = (uint32_t)index;
	err = pair__prepare(&c->pair, c->skel->obj, r->main_object, &kinds[role->kind].programs,
			    role->function, role->kprobe);
	if (!err)
		err = flush_bpf__load(c->skel);
	if (!err)
		err = pair__attach(&c->pair, role->function);
	if (!err)
		err = note_free(r, role, true);
	if (!err)
		return 1;
	snprintf(role->why_not, sizeof(role->why_not), "the kernel refused it: %s", strerror(-err));
	destroy_copy(c);
	return err;
}

int roles__want(struct roles *r, enum role_kind kind, uint64_t addr, const struct kallsyms *syms)
{
	struct copy *c, *more;
	struct ksym sym;

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
	if (kallsyms__at(syms, addr, &sym) || sym.addr != addr) {
		snprintf(c->role.function, sizeof(c->role.function), "0x%llx",
			 (unsigned long long)addr);
		snprintf(c->role.why_not, sizeof(c->role.why_not), "no symbol at that address");
		return -ENOENT;
	}
	snprintf(c->role.function, sizeof(c->role.function), "%s", sym.name);
	snprintf(c->role.module, sizeof(c->role.module), "%s", sym.module);
	if (kallsyms__count(syms, sym.name, NULL) > 1) {
		/* both ways of attaching go by name, and would take the first */
		snprintf(c->role.why_not, sizeof(c->role.why_not),
			 "several functions have this name");
		return -EEXIST;
	}
	return attach_copy(r, c, r->nr - 1);
}

static uint64_t copy_misses(const struct copy *c)
{
	struct bpf_program *prog;
	uint64_t n = 0;

	if (c->skel)
		bpf_object__for_each_program (prog, c->skel->obj)
			n += program__misses(bpf_program__fd(prog));
	return n;
}

void roles__module_gone(struct roles *r, const char *module)
{
	for (size_t i = 0; i < r->nr; i++) {
		struct copy *c = &r->copies[i];

		if (c->role.gone || strcmp(c->role.module, module))
			continue;
		r->misses_gone += copy_misses(c);
		if (c->skel)
			note_free(r, &c->role, false);
		destroy_copy(c);
		c->role.gone = true;
	}
}

void roles__detach(struct roles *r)
{
	for (size_t i = 0; i < r->nr; i++)
		pair__detach(&r->copies[i].pair);
}

size_t roles__count(const struct roles *r)
{
	return r->nr;
}

const struct role *roles__at(const struct roles *r, size_t i)
{
	return &r->copies[i].role;
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
		n += copy_misses(&r->copies[i]);
	return n;
}
