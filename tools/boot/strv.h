/* SPDX-License-Identifier: GPL-2.0-only */
/* A growing, NULL-ended list of strings: argument vectors, module names. Zeroed = empty. */
#ifndef IOMMUTOP_BOOT_STRV_H
#define IOMMUTOP_BOOT_STRV_H

#include <stdbool.h>
#include <stddef.h>

struct strv {
	char **items; /* owned; NULL until the first addition, then NULL-ended */
	size_t nr;
};

/* 0 or -ENOMEM. The text is copied. */
int strv__add(struct strv *v, const char *text);
int strv__addf(struct strv *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds each argument up to a NULL. */
int strv__add_all(struct strv *v, ...) __attribute__((sentinel));
bool strv__has(const struct strv *v, const char *text);
/* Everything joined by a separator; the caller frees it. NULL if out of memory. */
char *strv__join(const struct strv *v, const char *separator);
void strv__free(struct strv *v);

#endif
