/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The running kernel's symbols, asked for by name or address one by one (bpf/symbols.bpf.c):
 * reading them all takes longer than everything else that a capture does before it starts.
 */
#ifndef IOMMUTOP_COLLECT_SYMBOLS_H
#define IOMMUTOP_COLLECT_SYMBOLS_H

#include "collect/kallsyms.h"

struct symbols;
struct types;

/* 0 or a negative errno: the kernel has no iterator over its symbols, or doesn't let us load it. */
int symbols__new(struct symbols **out, const struct types *types);
void symbols__free(struct symbols *s);

/* As struct kallsyms_source has them; ctx: struct symbols. */
int symbols__named(void *ctx, const char *const *names, size_t nr, char **text, size_t *len);
int symbols__at(void *ctx, uint64_t addr, struct ksym *out);
int symbols__of(void *ctx, const char *name, uint64_t *addr);

#endif
