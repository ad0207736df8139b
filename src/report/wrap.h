/* SPDX-License-Identifier: GPL-2.0-only */
/* Paragraphs of plain text. */
#ifndef IOMMUTOP_REPORT_WRAP_H
#define IOMMUTOP_REPORT_WRAP_H

#include <stdio.h>

#define WRAP_COLUMNS 100

/* Writes text broken at blanks; the first line begins with head, the others with as many blanks.
 * Bytes, not glyphs. */
void wrap__print(FILE *out, const char *head, const char *text);

/* The first column of a table, indented by two: a name that is wider gets a line of its own, so
 * that the columns behind it stay where they are. */
void wrap__name(FILE *out, const char *name, int width);

#endif
