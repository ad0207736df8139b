/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The running kernel's BTF with an index of its names. libbpf compares each type's name for each
 * look-up; with 130,000 types and a hundred look-ups that is felt at the start of a capture.
 */
#ifndef IOMMUTOP_COLLECT_TYPES_H
#define IOMMUTOP_COLLECT_TYPES_H

#include <stdint.h>

struct btf;
struct btf_type;
struct types;

/* btf: stays the caller's and must outlive it. NULL: no memory. */
struct types *types__new(const struct btf *btf);
void types__free(struct types *t);

/* The first type of this kind (functions, structs, unions, enumerations and typedefs are in the
 * index) and name: its number, or the type. 0, NULL: there is none, or t is NULL. */
uint32_t types__id(const struct types *t, const char *name, unsigned int kind);
const struct btf_type *types__find(const struct types *t, const char *name, unsigned int kind);
/* Calls each for all types of this name that aren't functions, until it returns other than 0, which
 * is returned then. */
int types__each(const struct types *t, const char *name, int (*each)(void *ctx, uint32_t id),
		void *ctx);
/* Number of arguments of a function of the kernel itself (module "") or of a module, whose BTF is
 * asked, or a namesake in the kernel would answer. -ENOENT: it has no BTF. */
int types__nr_args(const struct types *t, const char *function, const char *module);
/* The type that programs for a tracepoint of the kernel are loaded with; 0: it has no such. */
uint32_t types__tracepoint(const struct types *t, const char *name);
const struct btf *types__btf(const struct types *t);

#endif
