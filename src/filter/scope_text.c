// SPDX-License-Identifier: GPL-2.0-only
#include "filter/scope_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As a shell wants it: a stranger may paste it. */
static void say_value(FILE *f, const char *option, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789.,:_-+@=/";
	bool quoted = value[strspn(value, plain)];

	fprintf(f, "%s--%s %s", ftell(f) ? " " : "", option, quoted ? "'" : "");
	for (const char *c = value; *c; c++)
		if (*c == '\'')
			fputs("'\\''", f);
		else
			fputc(*c, f);
	fputs(quoted ? "'" : "", f);
}

char *scope_text__new(const struct scope_opts *opts)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (size_t i = 0; i < opts->nr_devices; i++)
		say_value(f, "dev", opts->devices[i]);
	for (size_t i = 0; i < opts->nr_domains; i++)
		say_value(f, "domain", opts->domains[i]);
	for (size_t i = 0; i < opts->nr_groups; i++)
		say_value(f, "group", opts->groups[i]);
	if (opts->time)
		say_value(f, "time", opts->time);
	if (opts->filter)
		say_value(f, "filter", opts->filter);
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}
