/* SPDX-License-Identifier: GPL-2.0-only */
/* What happened before the capture, as far as the kernel's own trace buffer knew. */
#ifndef IOMMUTOP_REPORT_EARLY_H
#define IOMMUTOP_REPORT_EARLY_H

#include "model/model.h"

struct json_object;

/* A sentence; the caller frees it. "": it was not asked for. NULL: no memory. */
char *early__says(const struct model *m);
/* A new object, or NULL: it was not asked for, or there is no memory. */
struct json_object *early__json(const struct model *m);

#endif
