/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether this kernel's cond_resched() can be seen: what it calls depends on how the kernel is
 * built, and with PREEMPT_DYNAMIC on what it was told since (kernel/sched/core.c).
 */
#ifndef IOMMUTOP_COLLECT_OFFERS_H
#define IOMMUTOP_COLLECT_OFFERS_H

#include "collect/facts.h"
#include "collect/kallsyms.h"
#include "shared.h"

/* The symbols that offers__choose() asks for. -ENOMEM. */
int offers__want(struct kallsyms *syms);
/* Before load. */
void offers__choose(struct iot_knobs *knobs, struct kallsyms *syms);
/* The attribute "offers". seen: what the program offers_are_seen returned; hooked: the function is
 * attached. 0 or the error of add(). */
int offers__tell(const struct iot_knobs *knobs, bool hooked, bool seen, facts_add add, void *ctx);

#endif
