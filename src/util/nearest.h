/* SPDX-License-Identifier: GPL-2.0-only */
/* "Did you mean …?": which of several words comes nearest to one that was mistyped. */
#ifndef IOMMUTOP_UTIL_NEAREST_H
#define IOMMUTOP_UTIL_NEAREST_H

/* Longer words have no nearest one. */
#define NEAREST_MAX 64U

/* { .word = "…" }, then each candidate; best is one of them, NULL if none is near. */
struct nearest {
	const char *word;
	const char *best;
	unsigned int distance; /* of best */
	char all[512];         /* "a, b, c": those offered */
};

/*
 * Near is: up to a third of the letters (at least one) are wrong, missing, too many, or have
 * changed places with their neighbour; or one word is part of the other. Case doesn't matter. Of
 * equals, the first stays.
 */
void nearest__offer(struct nearest *n, const char *candidate);

/* The end of a message: did you mean "best"? Or: choose from a, b, c. */
struct nearest_hint {
	char s[540];
};
struct nearest_hint nearest__hint(const struct nearest *n);

#endif
