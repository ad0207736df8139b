// SPDX-License-Identifier: GPL-2.0-only
#include "model/numa.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#define NODES_MAX 4096

/* Digits at *at, at most up to 65535; -1 = none. */
static long take_number(const char **at)
{
	long v = 0;

	if (!isdigit((unsigned char)**at))
		return -1;
	for (; isdigit((unsigned char)**at); (*at)++)
		if (v <= UINT16_MAX)
			v = v * 10 + (**at - '0');
	return v;
}

void numa__learn(struct numa *n, unsigned int origin, const char *attr)
{
	long node, first, last;

	if (strncmp(attr, "node.", 5))
		return;
	attr += 5;
	node = take_number(&attr);
	if (node < 0 || node >= NODES_MAX || *attr++ != '=')
		return;
	while ((first = take_number(&attr)) >= 0) {
		last = first;
		if (*attr == '-') {
			attr++;
			last = take_number(&attr);
		}
		for (long cpu = first; cpu <= last && cpu < (long)NUMA_CPUS; cpu++)
			n->node[origin % IOT_ORIGINS][cpu] = (__s16)(node + 1);
		if (*attr++ != ',')
			return;
	}
}
