// SPDX-License-Identifier: GPL-2.0-only
#include "report/wrap.h"

#include <string.h>

/* A word, with the unit behind it if it is a number: "4.02 s" isn't torn apart. */
static size_t word_len(const char *text)
{
	static const char *const units[] = { "ns",  "us",  "ms",  "s", "B", "KiB",
					     "MiB", "GiB", "TiB", "M", "G" };
	size_t len = strcspn(text, " "), unit;

	if (text[0] < '0' || text[0] > '9' || text[len] != ' ')
		return len;
	unit = strcspn(text + len + 1, " .,;:)");
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i]) == unit && !strncmp(text + len + 1, units[i], unit))
			return len + 1 + strcspn(text + len + 1, " ");
	return len;
}

void wrap__print(FILE *out, const char *head, const char *text)
{
	size_t indent = strlen(head), column = indent;

	fputs(head, out);
	while (*text) {
		size_t word = word_len(text);

		if (column > indent && column + 1 + word > WRAP_COLUMNS) {
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

void wrap__name(FILE *out, const char *name, int width)
{
	if (strlen(name) > (size_t)width) {
		fprintf(out, "  %s\n", name);
		name = "";
	}
	fprintf(out, "  %-*s", width, name);
}
