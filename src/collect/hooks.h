/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks on functions of modules: attached where the module is there (or built in), again when it is
 * loaded later, and let go when it is unloaded. By kprobe, which doesn't keep a module in the
 * kernel.
 */
#ifndef IOMMUTOP_COLLECT_HOOKS_H
#define IOMMUTOP_COLLECT_HOOKS_H

#include <stddef.h>

#include "collect/plan.h"

struct hooks;
struct iot_knobs;
struct bpf_object;
struct types;

/* main_object: loaded, lends its maps; knobs: as loaded there; plan: resolved; types: the kernel's.
 * All stay the caller's. NULL: no memory. */
struct hooks *hooks__new(struct bpf_object *main_object, const struct iot_knobs *knobs,
			 struct plan *plan, const struct types *types);
void hooks__free(struct hooks *h);

/* Attaches everything that the plan has chosen; what the kernel refuses is noted in the plan. */
void hooks__attach(struct hooks *h);
/* A module was loaded: tries its points, calls done() with each. Returns the error of done(). */
int hooks__module_loaded(struct hooks *h, const char *module, int (*done)(void *ctx, size_t point),
			 void *ctx);
void hooks__module_gone(struct hooks *h, const char *module);

#endif
