// SPDX-License-Identifier: GPL-2.0-only
#include "ui/numbers.h"

#include <stdio.h>

struct words numbers__short(double v)
{
	static const char units[] = " kMGTP";
	struct words w;
	size_t u = 0;

	while (v >= 999.5 && units[u + 1]) {
		v /= 1000;
		u++;
	}
	if (!u)
		snprintf(w.s, sizeof(w.s), "%.0f", v);
	else
		snprintf(w.s, sizeof(w.s), v < 9.95 ? "%.1f%c" : "%.0f%c", v, units[u]);
	return w;
}

struct words numbers__rate(__u64 now, __u64 before, __u64 interval)
{
	return numbers__short(interval ? (double)(now - before) * 1e9 / (double)interval : 0);
}
