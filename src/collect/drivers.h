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

#include "collect/facts.h"
#include "collect/kallsyms.h"
#include "shared.h"

struct bpf_object;
struct btf;
struct drivers;

/* main_object: loaded, lends its maps; knobs: as loaded there; vmlinux: the kernel's BTF. All stay
 * the caller's. submissions: those to the hardware, too; what the invariants need is by the knobs.
 * NULL: no memory. */
struct drivers *drivers__new(struct bpf_object *main_object, const struct iot_knobs *knobs,
			     const struct btf *vmlinux, bool submissions);
void drivers__free(struct drivers *d);

/*
 * Attaches what isn't and can be now; calls fresh() with each function that is, if it is not NULL.
 * 0, or what fresh() returned.
 */
int drivers__look(struct drivers *d, const struct kallsyms *syms,
		  int (*fresh)(void *ctx, const char *function), void *ctx);
void drivers__module_gone(struct drivers *d, const char *module);
void drivers__detach(struct drivers *d);

/* The attributes, those that changed since the last time. 0 or the error of add(). */
int drivers__tell(struct drivers *d, facts_add add, void *ctx);
/* A line for each function that is there and could not be attached. */
void drivers__gaps(const struct drivers *d, void (*say)(void *ctx, const char *line), void *ctx);
/* As roles__misses(). */
uint64_t drivers__misses(const struct drivers *d);

#endif
