// SPDX-License-Identifier: GPL-2.0-only
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FIRST_NS 1000000000ULL
#define NEXT_NS  100000000ULL
#define BAR      40

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

void progress__begin(struct progress *p)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	*p = (struct progress){ .begin_ns = now() };
	/* Who wants no escape sequences gets no line that is written over. */
	p->wanted = isatty(STDERR_FILENO) && !(no_color && *no_color) && term &&
		    strcmp(term, "dumb") != 0;
}

void progress__show(struct progress *p, uint64_t done, uint64_t all)
{
	uint64_t t;
	int full;

	if (!p->wanted || !all)
		return;
	t = now();
	if (t - p->begin_ns < FIRST_NS || t - p->last_ns < NEXT_NS)
		return;
	p->last_ns = t;
	p->shown = true;
	if (done > all)
		done = all;
	full = (int)((double)done / (double)all * BAR);
	fprintf(stderr, "\r\033[Kreading [%.*s%*s] %3d %%", full,
		"########################################", BAR - full, "",
		(int)((double)done / (double)all * 100));
	fflush(stderr);
}

void progress__end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
