/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's symbols, read once from /proc/kallsyms. */
#ifndef IOMMUTOP_COLLECT_KALLSYMS_H
#define IOMMUTOP_COLLECT_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct kallsyms;

struct ksym {
	uint64_t addr;
	const char *name;   /* owned by the kallsyms object */
	const char *module; /* "" = the kernel itself */
	bool text;          /* code, not data */
};

/* Reads path (NULL: /proc/kallsyms). -EPERM if the kernel hides the addresses from us. */
int kallsyms__load(struct kallsyms **out, const char *path, struct error *err);
void kallsyms__free(struct kallsyms *k);

/* How many symbols have exactly this name; *first (may be NULL) is set to one of them if there are
 * any. */
size_t kallsyms__count(const struct kallsyms *k, const char *name, struct ksym *first);
/* The function that addr lies in: the nearest code symbol at or below it. 0, or -ENOENT below the
 * first one. */
int kallsyms__at(const struct kallsyms *k, uint64_t addr, struct ksym *out);

#endif
