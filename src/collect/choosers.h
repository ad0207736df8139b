/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What decides about the type of a group's default domain, as attributes of the stream: "why.core",
 * "why.kconfig", "why.quirk", and of each group N "why.group.N" and "why.untrusted.N". They hold
 * facts; src/analyze/why.c draws the conclusions. docs/events.md describes them.
 */
#ifndef IOMMUTOP_COLLECT_CHOOSERS_H
#define IOMMUTOP_COLLECT_CHOOSERS_H

#include "collect/facts.h"
#include "collect/kallsyms.h"
#include "shared.h"

/* The symbols that choosers__find() asks for. -ENOMEM. */
int choosers__want(struct kallsyms *syms);
/* Where the kernel's variables are; 0 for those that it doesn't name (CONFIG_KALLSYMS_ALL). */
void choosers__find(struct iot_why_vars *vars, struct kallsyms *syms);

/* Of what the program look_at_choosers said. 0, or the error of add(). */
int choosers__core(const struct iot_raw_why_core *raw, facts_add add, void *ctx);
int choosers__group(const struct iot_raw_why_group *raw, struct kallsyms *syms, facts_add add,
		    void *ctx);
int choosers__untrusted(const struct iot_raw_why_dev *raw, facts_add add, void *ctx);

/*
 * The kernel's default: out of the configuration that it holds itself, or that was installed with
 * it (release: of uname). root: "" but in tests. No attribute if neither is there.
 */
int choosers__kconfig(const char *root, const char *release, facts_add add, void *ctx);
/* A device for whose sake a quirk turns flush queues off. sysfs: where it is mounted. */
int choosers__quirks(const char *sysfs, facts_add add, void *ctx);

#endif
