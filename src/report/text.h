/* SPDX-License-Identifier: GPL-2.0-only */
/* Layout of plain text. */
#ifndef IOMMUTOP_REPORT_TEXT_H
#define IOMMUTOP_REPORT_TEXT_H

#include <stdio.h>

#define TEXT_COLUMNS 100

/* Writes text broken at blanks; the first line begins with head, the others with as many blanks. Bytes, not glyphs. */
void text__wrap(FILE *out, const char *head, const char *text);

#endif
