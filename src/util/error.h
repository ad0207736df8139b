/* SPDX-License-Identifier: GPL-2.0-only */
/* One error text, filled where it is known what failed, printed once at the top. */
#ifndef IOMMUTOP_UTIL_ERROR_H
#define IOMMUTOP_UTIL_ERROR_H

struct error {
	char text[768]; /* what was tried, on what, why it failed, what to do; "" = none */
};

/*
 * Keeps the text (err may be NULL) and returns code unchanged, so that a caller can write
 * `return error__set(err, -EPERM, "…")`. A text already there is kept: the first, deepest one knows
 * most.
 */
int error__set(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
