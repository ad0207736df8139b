/* SPDX-License-Identifier: GPL-2.0-only */
/* Which CPU is on which NUMA node, as the attributes "node.N" of a session say. */
#ifndef IOMMUTOP_MODEL_NUMA_H
#define IOMMUTOP_MODEL_NUMA_H

#include "event.h"

#define NUMA_CPUS 1024U

struct numa {
	__s16 node[IOT_ORIGINS][NUMA_CPUS]; /* node + 1; 0 = not known */
};

/* Takes the attribute if it is one of those: "node.1=4-7,12". What isn't a list of CPUs is passed
 * over. origin: IOT_ORIGIN() of its event. */
void numa__learn(struct numa *n, unsigned int origin, const char *attr);

/* -1 = not known. */
static inline int numa__node(const struct numa *n, const struct iot_event *ev)
{
	return ev->cpu < NUMA_CPUS ? n->node[IOT_ORIGIN(ev->flags)][ev->cpu] - 1 : -1;
}

#endif
