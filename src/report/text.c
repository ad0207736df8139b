// SPDX-License-Identifier: GPL-2.0-only
#include "report/text.h"

#include <string.h>

void text__wrap(FILE *out, const char *head, const char *text)
{
	size_t indent = strlen(head), column = indent;

	fputs(head, out);
	while (*text) {
		size_t word = strcspn(text, " ");

		if (column > indent && column + 1 + word > TEXT_COLUMNS) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, word, out);
		column += word;
		text += word;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}
