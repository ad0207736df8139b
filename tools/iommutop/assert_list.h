/* SPDX-License-Identifier: GPL-2.0-only */
/* What rules can be made of: invariants with their parameters, and presets. */
#ifndef IOMMUTOP_ASSERT_LIST_H
#define IOMMUTOP_ASSERT_LIST_H

#include <stdio.h>

#include "opts.h"

/* Without presets all there is; with them, only these, as YAML. 0, or -ENOENT: there is no such
 * preset, which has been said. */
int assert_list__print(FILE *out, const struct opt_strings *presets);

#endif
