/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions of IOMMU drivers that no ops table names: what they tell the hardware to forget, and
 * where pages of page tables come from and go to. A table in drivers.c says which there are and how
 * they are read; each that the kernel has is attached by a copy of bpf/driver.bpf.c, as soon as its
 * module is there.
 *
 * What was attached is told as attributes: "invalidate.<prefix>", "tables.<prefix>" and
 * "submit.<prefix>" list the functions of the drivers whose flush functions begin with prefix; ""
 * stands for all drivers.
 */
#ifndef IOMMUTOP_COLLECT_DRIVERS_H
#define IOMMUTOP_COLLECT_DRIVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stdbool.h>

#include "collect/facts.h"
#include "collect/pair.h"
#include "collect/kallsyms.h"
#include "shared.h"

struct bpf_object;
struct types;
struct drivers;
struct pair;
struct roles;

/* What is asked for. */
struct drivers_want {
	bool invalidations, tables;
	bool submissions; /* to the hardware */
};

/* types: the kernel's, stay the caller's. NULL: no memory. */
struct drivers *drivers__new(const struct types *types, const struct drivers_want *want);
void drivers__free(struct drivers *d);

/* The symbols that drivers__look() asks for. -ENOMEM. */
int drivers__want(struct kallsyms *syms);
/* What isn't attached and can be is pending then. Of the kernel itself, functions of drivers that
 * no role is of are left alone: they have no domain yet. */
void drivers__look(struct drivers *d, struct kallsyms *syms, const struct roles *roles);
/* As roles__pending() and roles__settle(). fresh() is called for each function that is attached
 * now, if it is not NULL. 0, or what it returned. */
size_t drivers__pending(struct drivers *d, struct pair **out);
int drivers__settle(struct drivers *d, int (*fresh)(void *ctx, const char *function), void *ctx);
void drivers__module_gone(struct drivers *d, const char *module);

/* The attributes, those that changed since the last time. 0 or the error of add(). */
int drivers__tell(struct drivers *d, facts_add add, void *ctx);
/* A line for each function that is there and could not be attached. */
void drivers__gaps(const struct drivers *d, void (*say)(void *ctx, const char *line), void *ctx);
/* As roles__misses(), of one kind. */
uint64_t drivers__misses(const struct drivers *d, enum pair_kind kind);

#endif
