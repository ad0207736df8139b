/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's symbols: all of /proc/kallsyms, or those that are asked for. */
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

/*
 * Where symbols can be asked for one by one. Each function returns 0 or a negative errno; -ENOENT:
 * there is none.
 */
struct kallsyms_source {
	void *ctx;
	/* Lines as in /proc/kallsyms of every symbol with one of these names; *text, of *len bytes
	 * and a zero, is the caller's to free. */
	int (*named)(void *ctx, const char *const *names, size_t nr, char **text, size_t *len);
	/* The function that addr lies in. The names are good until the next call. */
	int (*at)(void *ctx, uint64_t addr, struct ksym *out);
	/* The address of the symbol of this name that attaching by name takes. */
	int (*of)(void *ctx, const char *name, uint64_t *addr);
};

/* Reads path (NULL: /proc/kallsyms). -EPERM if the kernel hides the addresses from us. */
int kallsyms__load(struct kallsyms **out, const char *path, struct error *err);
/* Reads nothing yet. If source fails later, all of /proc/kallsyms is read. source->ctx must outlive
 * it. -ENOMEM. */
int kallsyms__ask(struct kallsyms **out, const struct kallsyms_source *source);
void kallsyms__free(struct kallsyms *k);

/* name will be asked for: what is known in advance is read in one go. name must outlive k. */
int kallsyms__want(struct kallsyms *k, const char *name);
/* Modules came or went. */
void kallsyms__changed(struct kallsyms *k);

/* How many symbols have exactly this name; *first (may be NULL) is set to one of them if there are
 * any; its names are good until the next call. */
size_t kallsyms__count(struct kallsyms *k, const char *name, struct ksym *first);
/* The function that addr lies in: the nearest code symbol at or below it; its names are good until
 * the next call. 0, or -ENOENT below the first one. */
int kallsyms__at(struct kallsyms *k, uint64_t addr, struct ksym *out);
/* The function that begins at addr. -ENOENT: there is none; -EEXIST: attaching by its name would
 * take another one, out is set all the same. */
int kallsyms__function(struct kallsyms *k, uint64_t addr, struct ksym *out);

#endif
