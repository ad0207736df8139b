// SPDX-License-Identifier: GPL-2.0-only
#include "util/error.h"

#include <stdarg.h>
#include <stdio.h>

int error__set(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err || err->text[0])
		return code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}
