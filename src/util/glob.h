/* SPDX-License-Identifier: GPL-2.0-only */
/* Patterns as people write them for file names. */
#ifndef IOMMUTOP_UTIL_GLOB_H
#define IOMMUTOP_UTIL_GLOB_H

#include <stdbool.h>

/*
 * The whole text: * is any number of characters, ? is one, everything else is itself. Time is at
 * most length of the pattern times length of the text, whatever they are.
 */
bool glob__match(const char *pattern, const char *text);

#endif
