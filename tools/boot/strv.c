// SPDX-License-Identifier: GPL-2.0-only
#include "strv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Takes over text, on failure too. */
static int strv__take(struct strv *v, char *text)
{
	char **items;

	if (!text)
		return -ENOMEM;
	items = realloc(v->items, (v->nr + 2) * sizeof(*items));
	if (!items) {
		free(text);
		return -ENOMEM;
	}
	items[v->nr++] = text;
	items[v->nr] = NULL;
	v->items = items;
	return 0;
}

int strv__add(struct strv *v, const char *text)
{
	return strv__take(v, strdup(text));
}

int strv__addf(struct strv *v, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	return strv__take(v, len < 0 ? NULL : text);
}

int strv__add_all(struct strv *v, ...)
{
	const char *text;
	int err = 0;
	va_list ap;

	va_start(ap, v);
	while (!err && (text = va_arg(ap, const char *)))
		err = strv__add(v, text);
	va_end(ap);
	return err;
}

bool strv__has(const struct strv *v, const char *text)
{
	for (size_t i = 0; i < v->nr; i++)
		if (!strcmp(v->items[i], text))
			return true;
	return false;
}

char *strv__join(const struct strv *v, const char *separator)
{
	size_t len = 1, step = strlen(separator);
	char *joined, *end;

	for (size_t i = 0; i < v->nr; i++)
		len += strlen(v->items[i]) + step;
	joined = malloc(len);
	if (!joined)
		return NULL;
	*joined = '\0';
	end = joined;
	for (size_t i = 0; i < v->nr; i++)
		end = stpcpy(stpcpy(end, i ? separator : ""), v->items[i]);
	return joined;
}

void strv__free(struct strv *v)
{
	for (size_t i = 0; i < v->nr; i++)
		free(v->items[i]);
	free(v->items);
	*v = (struct strv){ 0 };
}
