/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions by role. A domain's ops say which functions flush and free it, whatever the driver:
 * each is attached once, by a copy of bpf/flush.bpf.c that shares the maps of the main object.
 */
#ifndef IOMMUTOP_COLLECT_ROLES_H
#define IOMMUTOP_COLLECT_ROLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/kallsyms.h"

struct roles;
struct types;
struct bpf_object;
struct pair;

enum role_kind {
	ROLE_FLUSH_ALL,
	ROLE_SYNC,
	ROLE_SYNC_MAP,
	ROLE_FREE, /* of the domain; only with what the invariants need */
};

struct role {
	enum role_kind kind;
	uint64_t addr;
	char function[80];
	char module[56];   /* "" = the kernel itself */
	char why_not[200]; /* "" = attached */
	bool kprobe;       /* attached by kprobe and kretprobe: the function has no BTF */
	bool gone;         /* its module was unloaded */
};

/* main_object: loaded. All stay the caller's. NULL: no memory. */
struct roles *roles__new(struct bpf_object *main_object, const struct types *types);
void roles__free(struct roles *r);

/*
 * The function at addr is to be attached in this role. Returns 1 if it is new and can be: it is
 * pending now; 0 if it was asked for before; or a negative errno with the reason in the role.
 */
int roles__want(struct roles *r, enum role_kind kind, uint64_t addr, struct kallsyms *syms);
/* The pairs that are to be attached, to out (NULL: only counts); good until the next
 * roles__want(). Once pairs__attach() had them, roles__settle() takes note of what came of it. */
size_t roles__pending(struct roles *r, struct pair **out);
void roles__settle(struct roles *r);
/* Forgets the functions of a module that is going away; its programs are detached. */
void roles__module_gone(struct roles *r, const char *module);

size_t roles__count(const struct roles *r);
const struct role *roles__at(const struct roles *r, size_t i); /* i: the fn of IOT_EV_FLUSH */
/* Does a function that was asked for begin with prefix? */
bool roles__has_prefix(const struct roles *r, const char *prefix);
/* How many characters of a function's name say whose it is: "intel_" of intel_iommu_tlb_sync. */
int role__prefix(const char *function);
/* Events that the kernel skipped because a program of ours was already running on the CPU. */
uint64_t roles__misses(const struct roles *r);
const char *role__kind_name(enum role_kind kind);

#endif
