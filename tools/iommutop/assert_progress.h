/* SPDX-License-Identifier: GPL-2.0-only */
/* What assertions know before their end, for the case that it never comes. */
#ifndef IOMMUTOP_ASSERT_PROGRESS_H
#define IOMMUTOP_ASSERT_PROGRESS_H

#include <stdint.h>

#include "assert/check.h"
#include "util/error.h"

/* The first line of it, if a rule that isn't a warning was violated: known to fail. */
#define PROGRESS_FAILS "Not over yet, but violations were seen"

/* Replaces the file. nr: rules of c; ns: how long it has been watching. 0, or negative errno and
 * err. */
int assert_progress__write(const char *path, const struct checks *c, size_t nr, uint64_t ns,
			   struct error *err);

#endif
