// SPDX-License-Identifier: GPL-2.0-only
#include "util/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util/text.h"

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: Levenshtein's distance with swaps of neighbours, row by row. */
static unsigned int distance(const char *a, size_t len_a, const char *b, size_t len_b)
{
	unsigned int rows[3][NEAREST_MAX + 1];
	unsigned int *before = rows[0], *last = rows[1], *row = rows[2], *spare;

	for (unsigned int j = 0; j <= len_b; j++)
		last[j] = j;
	for (unsigned int i = 1; i <= len_a; i++) {
		row[0] = i;
		for (unsigned int j = 1; j <= len_b; j++) {
			row[j] = last[j - 1] + !same(a[i - 1], b[j - 1]);
			row[j] = least(row[j], least(last[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[len_b];
}

void nearest__offer(struct nearest *n, const char *candidate)
{
	size_t len = strlen(n->word), other = strlen(candidate);
	unsigned int limit = len < 6 ? 1 : (unsigned int)len / 3, d;

	text__append(n->all, sizeof(n->all), "%s%s", n->all[0] ? ", " : "", candidate);
	if (!len || !other || len > NEAREST_MAX || other > NEAREST_MAX)
		return;
	d = distance(n->word, len, candidate, other);
	/* parts of two letters are in everything */
	if (d > limit && least((unsigned int)len, (unsigned int)other) > 2 &&
	    (strcasestr(candidate, n->word) || strcasestr(n->word, candidate)))
		d = limit;
	if (d <= limit && (!n->best || d < n->distance)) {
		n->best = candidate;
		n->distance = d;
	}
}

struct nearest_hint nearest__hint(const struct nearest *n)
{
	struct nearest_hint h;

	if (n->best)
		snprintf(h.s, sizeof(h.s), "did you mean \"%s\"?", n->best);
	else
		snprintf(h.s, sizeof(h.s), "%s%s", n->all[0] ? "choose from " : "there is none",
			 n->all);
	return h;
}
