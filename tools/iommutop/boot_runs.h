/* SPDX-License-Identifier: GPL-2.0-only */
/* The boots of one `iommutop boot`: one after the other, a table of them, one exit code for all. */
#ifndef IOMMUTOP_BOOT_RUNS_H
#define IOMMUTOP_BOOT_RUNS_H

#include <stdbool.h>

#include "boot/boot.h"
#include "boot/matrix.h"

#define BOOT_PANICKED_CODE  255
#define BOOT_TIMED_OUT_CODE 124
#define BOOT_NOT_TRIED_CODE 125

/* The worse of two exit codes: whatever failed, the larger code first; then 125 (could not be
 * tried), 5 (inconclusive) and 4 (skipped), as assert has them; then 0. */
int boot_runs__worse(int a, int b);

/* What `git bisect run` is to be told for an exit code: 0 good, 1 bad, 125 can't be tested. */
int boot_runs__bisect(int code);

/* config: what all boots have in common; a case brings kernel, IOMMU, command and one more addition
 * to the command line. With several of them, output is a directory of directories. Returns the exit
 * code. */
int boot_runs__all(const struct boot_config *config, const struct matrix *m, bool bisect);

/* What each kernel lacks, with its IOMMU; boots nothing. Returns the exit code. */
int boot_runs__check(const struct boot_config *config, const struct matrix *m);

#endif
